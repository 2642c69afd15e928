import "./KeyWords.css";
import { For, Show } from "solid-js";
import { isMac, keyWords, strokesOf, type Binding } from "../app/keymap";

/** The keys of a binding, as they stand on the keyboard. */
export function KeyWords(props: { binding: Binding }) {
  return (
    <span class="key-words">
      <For each={strokesOf(props.binding)}>
        {(stroke) => (
          <Show when={isMac} fallback={<For each={keyWords(stroke)}>{(word) => <kbd>{word}</kbd>}</For>}>
            <kbd>{keyWords(stroke).join("")}</kbd>
          </Show>
        )}
      </For>
    </span>
  );
}
