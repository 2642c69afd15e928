import { createMemo, createSignal, For, Show } from "solid-js";

/** Lines of a message that are shown before a person asks for the rest. */
const FIRST_LINES = 14;
const FIRST_CHARS = 1_800;

/** What a person wrote: as it was written, with `code` and ``` blocks set apart. */
export function UserText(props: { text: string }) {
  const [all, setAll] = createSignal(false);
  const short = createMemo(() => {
    const lines = props.text.split("\n");
    const cut = lines.slice(0, FIRST_LINES).join("\n").slice(0, FIRST_CHARS);
    return cut.length < props.text.length ? cut : undefined;
  });
  const pieces = createMemo(() => (all() ? props.text : (short() ?? props.text)).split(/((?<!`)`[^`\n]+`(?!`))/));
  return (
    <>
      <p class="you-text">
        <For each={pieces()}>{(piece) => (/^`[^`]+`$/.test(piece) ? <code>{piece.slice(1, -1)}</code> : piece)}</For>
        <Show when={short() !== undefined && !all()}>…</Show>
      </p>
      <Show when={short() !== undefined}>
        <button type="button" class="btn quiet small you-more" onClick={() => setAll(!all())}>
          {all() ? "Show less" : "Show all of it"}
        </button>
      </Show>
    </>
  );
}
