import { For } from "solid-js";
import { bindingWords } from "../../app/keymap";
import { enter } from "../../composer/enter";
import type { Delivery } from "../../generated/wire";
import { EverywhereNote } from "../EverywhereNote";
import { changeSettings } from "../saving";

const other = bindingWords("Mod+Enter");
const choices: { value: Delivery; name: string; text: string }[] = [
  { value: "queue", name: "Adds to the queue", text: `The message gets its turn when the agent is done. ${other} sends it into what runs.` },
  { value: "steer", name: "Sends into what runs", text: `The agent takes it at its next step, where it can do that. ${other} adds to the queue.` },
];

export function Writing() {
  return (
    <>
      <EverywhereNote />
      <section>
        <h3 id="settings-enter">Enter, while the agent works</h3>
        <div class="setting-choices" role="radiogroup" aria-labelledby="settings-enter">
          <For each={choices}>
            {(choice) => (
              <label class="setting-switch">
                <input type="radio" name="enter" checked={enter() === choice.value} onChange={() => changeSettings({ enter: choice.value })} />
                <span>
                  {choice.name}
                  <span class="setting-note">{choice.text}</span>
                </span>
              </label>
            )}
          </For>
        </div>
      </section>
    </>
  );
}
