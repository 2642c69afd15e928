import "./LongText.css";
import { createMemo, createSignal, For, Show } from "solid-js";
import { chunksOf, isLong } from "../lib/chunks";
import { size } from "../lib/format";

/**
 * A text of any size. A long one comes in pieces of which only those near the screen are laid
 * out, and its very long lines are cut until somebody asks for them.
 */
export function LongText(props: { text: string }) {
  const long = createMemo(() => isLong(props.text));
  return (
    <Show when={long()} fallback={props.text}>
      <Pieces text={props.text} />
    </Show>
  );
}

function Pieces(props: { text: string }) {
  const [whole, setWhole] = createSignal(false);
  const pieces = createMemo(() => chunksOf(props.text, whole()));
  return (
    <For each={pieces()}>
      {(piece) => (
        <div class="long-piece" data-line={piece.cut || piece.open ? "" : undefined} style={{ "--lines": lines(piece.text) }}>
          {piece.text || <br />}
          <Show when={piece.cut}>
            <button type="button" class="btn small long-more" onClick={() => setWhole(true)}>
              Show all: {size(piece.cut)} more in this line
            </button>
          </Show>
        </div>
      )}
    </For>
  );
}

/** About how many lines a piece takes, for its place before it is laid out. */
function lines(text: string): number {
  const breaks = text.split("\n").length;
  return Math.max(breaks, Math.ceil(text.length / 110));
}
