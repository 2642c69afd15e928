import { createMemo, For } from "solid-js";
import { visiblePieces } from "../lib/visible";

/** More marks than this are no longer read one by one. */
const MAX_MARKS = 500;

/**
 * A command, a path, a name: apart from what stands around it, from left to right (or with `auto`
 * as its words run), and with every hidden character shown by its code.
 */
export function Plain(props: { text: string | null | undefined; auto?: boolean }) {
  const pieces = createMemo(() => {
    const all = visiblePieces(props.text ?? "");
    if (all.length <= 2 * MAX_MARKS) return all;
    const rest = all.slice(2 * MAX_MARKS);
    return [...all.slice(0, 2 * MAX_MARKS), { text: rest.map((p) => (p.hidden ? `⟨${p.text}⟩` : p.text)).join("") }];
  });
  const marked = () => pieces().some((piece) => piece.hidden);
  return (
    <bdi class="plain" dir={props.auto ? "auto" : "ltr"} data-hidden={marked() ? "" : undefined}>
      <For each={pieces()}>
        {(piece) =>
          piece.hidden ? (
            <span class="hidden-char" title={piece.hidden}>
              {piece.text}
            </span>
          ) : (
            piece.text
          )
        }
      </For>
    </bdi>
  );
}
