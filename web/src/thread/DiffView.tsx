import "./DiffView.css";
import { createMemo, createSignal, For, Show } from "solid-js";
import { nearCut } from "../lib/chunks";
import { size } from "../lib/format";
import { LongText } from "../ui/LongText";
import { Plain } from "../ui/Plain";
import { parseDiff } from "./diff";

const FIRST_LINES = 400;
/** So many come with each press, so that the page does not stand still. */
const STEP_LINES = 2_000;
/** How much of a line is shown before somebody asks. */
const MAX_LINE = 4_000;

export function DiffView(props: { text: string; label?: string }) {
  const lines = createMemo(() => parseDiff(props.text));
  const [most, setMost] = createSignal(FIRST_LINES);
  const shown = () => lines().slice(0, most());
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
              <LineText text={line.kind === "hunk" ? `⋯ ${line.text}` : line.text} />
            </div>
          )}
        </For>
      </div>
      <Show when={shown().length < lines().length}>
        <button type="button" class="btn small diff-more" onClick={() => setMost(most() + STEP_LINES)}>
          Show {Math.min(STEP_LINES, lines().length - shown().length).toLocaleString()}
          {lines().length - shown().length > STEP_LINES ? ` of ${(lines().length - shown().length).toLocaleString()}` : ""} more lines
        </button>
      </Show>
    </div>
  );
}

function LineText(props: { text: string }) {
  const [all, setAll] = createSignal(false);
  const cut = () => props.text.length > MAX_LINE && !all();
  return (
    <span class="diff-text">
      <Show when={cut()} fallback={<Show when={all()} fallback={<Plain text={props.text} />}><LongText text={props.text} /></Show>}>
        <Plain text={props.text.slice(0, nearCut(props.text, 0, MAX_LINE))} />{" "}
        <button type="button" class="btn small" onClick={() => setAll(true)}>
          Show all: {size(props.text.length - MAX_LINE)} more in this line
        </button>
      </Show>
    </span>
  );
}
