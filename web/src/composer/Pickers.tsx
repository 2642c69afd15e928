import { For, Show } from "solid-js";
import { ariaKeysOf, keyHint, useAction } from "../app/actions";
import { announce } from "../app/announce";
import type { Access, Mode } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { moveFocus, Popover } from "../ui/Popover";
import { accessWords, modeWords } from "./choices";

export function ModeSwitch(props: { mode: Mode; onChoose: (mode: Mode) => void }) {
  useAction("mode.toggle", () => {
    const next = props.mode === "plan" ? "build" : "plan";
    props.onChoose(next);
    announce(`Mode: ${modeWords[next].name}`);
  });
  return (
    <span class="seg" role="radiogroup" aria-label="Mode" aria-keyshortcuts={ariaKeysOf("mode.toggle")}>
      <For each={["build", "plan"] as const}>
        {(mode) => (
          <button type="button" role="radio" aria-checked={props.mode === mode} title={`${modeWords[mode].text}${keyHint("mode.toggle")}`} onClick={() => props.onChoose(mode)}>
            {modeWords[mode].name}
          </button>
        )}
      </For>
    </span>
  );
}

export function AccessPicker(props: { access: Access; onChoose: (access: Access) => void; note?: string }) {
  return (
    <Popover
      label={`Access: ${accessWords[props.access].name}`}
      haspopup="menu"
      action="access.choose"
      title={`${accessWords[props.access].text}${keyHint("access.choose")}`}
      buttonClass="pick"
      class="access-popover"
      state={props.access}
      button={
        <>
          <Icon name="shield" size={14} />
          <span>{accessWords[props.access].name}</span>
          <Icon name="chevronDown" size={12} />
        </>
      }
    >
      {(close) => (
        <div role="menu" class="menu" onKeyDown={(event) => moveFocus(event, event.currentTarget, "[role=menuitemradio]")}>
          <For each={["supervised", "auto-edit", "full"] as const}>
            {(access) => (
              <button
                type="button"
                role="menuitemradio"
                class="menu-item access-item"
                aria-checked={props.access === access}
                onClick={() => {
                  props.onChoose(access);
                  close();
                }}
              >
                <span class="model-check">
                  <Show when={props.access === access}>
                    <Icon name="check" size={14} />
                  </Show>
                </span>
                <span>
                  <b>{accessWords[access].name}</b>
                  <span class="access-text">{accessWords[access].text}</span>
                </span>
              </button>
            )}
          </For>
          <Show when={props.note}>
            <p class="access-note">{props.note}</p>
          </Show>
        </div>
      )}
    </Popover>
  );
}
