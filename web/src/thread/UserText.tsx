import { createMemo, createSignal, Show } from "solid-js";
import { explain } from "../api/client";
import { LongText } from "../ui/LongText";
import { Words } from "../ui/Words";

/** Lines of a message that are shown before a person asks for the rest. */
const FIRST_LINES = 14;
const FIRST_CHARS = 1_800;
/** A longer text is shown in pieces. */
const LONG = 64 * 1024;

/** What a person wrote: as it was written, with `code` and ``` blocks set apart. */
export function UserText(props: {
  text: string;
  /** Fetches all of it, when `text` is only its beginning. */
  whole?: () => Promise<string>;
}) {
  const [all, setAll] = createSignal(false);
  const [fetched, setFetched] = createSignal<string>();
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  const short = createMemo(() => {
    const lines = props.text.split("\n");
    const cut = lines.slice(0, FIRST_LINES).join("\n").slice(0, FIRST_CHARS);
    return cut.length < props.text.length || props.whole ? cut : undefined;
  });
  const toggle = async () => {
    if (!all() && props.whole && fetched() === undefined) {
      setBusy(true);
      setProblem("");
      try {
        setFetched(await props.whole());
      } catch (error) {
        setProblem(explain(error));
        return;
      } finally {
        setBusy(false);
      }
    }
    setAll(!all());
  };
  const shown = createMemo(() => (all() ? (fetched() ?? props.text) : (short() ?? props.text)));
  return (
    <>
      <div class="you-text">
        <Show when={shown().length > LONG} fallback={<Words text={shown()} />}>
          <LongText text={shown()} />
        </Show>
        <Show when={short() !== undefined && !all()}>…</Show>
      </div>
      <Show when={short() !== undefined}>
        <button type="button" class="btn quiet small you-more" data-show-all={all() ? undefined : ""} disabled={busy()} onClick={() => void toggle()}>
          {busy() ? "Loading…" : all() ? "Show less" : "Show all of it"}
        </button>
        <Show when={problem()}>
          <span class="bad" role="alert">
            {problem()}
          </span>
        </Show>
      </Show>
    </>
  );
}
