import "./DiffView.css";
import { createMemo, createSignal, For, Show } from "solid-js";
import { parseDiff } from "./diff";

const FIRST_LINES = 400;

export function DiffView(props: { text: string; label?: string }) {
  const lines = createMemo(() => parseDiff(props.text));
  const [all, setAll] = createSignal(false);
  const shown = () => (all() ? lines() : lines().slice(0, FIRST_LINES));
  return (
    <div class="diff" tabindex="0" role="region" aria-label={props.label ?? "Diff"}>
      <div class="diff-lines">
        <For each={shown()}>
          {(line) => (
            <div class="diff-line" data-kind={line.kind}>
              <span class="diff-number" aria-hidden="true">
                {line.number}
              </span>
              <span class="diff-sign">{line.kind === "add" ? "+" : line.kind === "del" ? "−" : " "}</span>
              <span class="diff-text">{line.kind === "hunk" ? `⋯ ${line.text}` : line.text}</span>
            </div>
          )}
        </For>
      </div>
      <Show when={shown().length < lines().length}>
        <button type="button" class="btn small diff-more" onClick={() => setAll(true)}>
          Show {lines().length - shown().length} more lines
        </button>
      </Show>
    </div>
  );
}
