import "./Keys.css";
import { createSignal, For, onCleanup, Show } from "solid-js";
import { takesText } from "../lib/writing";
import { Dialog } from "../ui/Dialog";

const keys: readonly (readonly [readonly string[], string])[] = [
  [["Enter"], "Send, or add to the queue while the agent works"],
  [["Ctrl", "Enter"], "Send into what runs, where the agent takes that"],
  [["Shift", "Enter"], "A new line"],
  [["Alt", "↑", "↓"], "Move a queued message that has the focus"],
  [["↑"], "Your former messages, in an empty message"],
  [["Esc", "Esc"], "Stop the turn"],
  [["Ctrl", "."], "Stop the turn, at once"],
  [["1", "…", "9"], "Choose an answer of what the agent asks"],
  [["Alt", "1", "…", "9"], "The same while you write"],
  [["↑", "↓"], "Go through the threads, in the sidebar"],
  [["F2"], "Rename the thread that has the focus"],
  [["?"], "This list"],
];

/** The list of keys, one key away where nobody is writing. */
export function Keys() {
  const [open, setOpen] = createSignal(false);
  const listen = (event: KeyboardEvent) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (takesText(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    setOpen(true);
  };
  window.addEventListener("keydown", listen);
  onCleanup(() => window.removeEventListener("keydown", listen));
  return (
    <Show when={open()}>
      <Dialog title="Keys" onClose={() => setOpen(false)}>
        <dl class="keys">
          <For each={keys}>
            {([pressed, words]) => (
              <>
                <dt>
                  <For each={pressed}>{(key) => (key === "…" ? "…" : <kbd>{key}</kbd>)}</For>
                </dt>
                <dd>{words}</dd>
              </>
            )}
          </For>
        </dl>
        <div class="dialog-actions">
          <button type="button" class="btn" autofocus onClick={(event) => event.currentTarget.closest("dialog")?.close()}>
            Close
          </button>
        </div>
      </Dialog>
    </Show>
  );
}
