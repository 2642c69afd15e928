import { createMemo, createSignal, Show } from "solid-js";
import { api } from "../api/client";
import { useBaton } from "../app/baton";
import { attempt } from "../app/toasts";
import { putBack } from "../composer/putBack";
import type { Turn } from "../generated/wire";
import { Confirm } from "../ui/dialogs";
import { Icon } from "../ui/Icon";
import { isPutAway } from "./back";
import { useThread } from "./context";
import { isOver, isShown } from "./status";

/** Takes the conversation back to before a message, once asked, and offers its text to be written anew. */
export function GoBack(props: { turn: Turn; whole: () => Promise<string> }) {
  const scope = useThread();
  const baton = useBaton();
  const [asked, setAsked] = createSignal(false);
  const offered = () => {
    const { status, queued, session, archived } = scope.thread();
    const idle = (status === "idle" || status === "failed") && queued === 0;
    return idle && session !== null && !archived && props.turn.prompt_key !== null && isOver(props.turn) && !isPutAway(scope.thread(), props.turn);
  };
  const run = async () => {
    const text = props.turn.input.text.omitted ? await props.whole() : props.turn.input.text.head;
    baton.absorb(await api.goBack(scope.id, props.turn.id));
    putBack(scope.id, text, props.turn.input.attachments);
  };
  return (
    <>
      <Show when={offered()}>
        <button type="button" class="icon-btn copy" aria-label="Go back to before this message" title="Go back to before this message" onClick={() => setAsked(true)}>
          <Icon name="undo" size={14} />
        </button>
      </Show>
      <Show when={asked()}>
        <Confirm title="Go back?" action="Go back" undoable run={run} onClose={() => setAsked(false)}>
          <p>The conversation goes back to before this message. Files stay as they are. “Bring back” undoes it until you send the next message.</p>
        </Confirm>
      </Show>
    </>
  );
}

/** Says what is put away, and brings it back. */
export function PutAway() {
  const scope = useThread();
  const baton = useBaton();
  const [busy, setBusy] = createSignal(false);
  const count = createMemo(() => {
    const { turnOrder, turns } = scope.view();
    return turnOrder.filter((id) => isShown(turns[id]!) && isPutAway(scope.thread(), turns[id]!)).length;
  });
  const bringBack = async () => {
    setBusy(true);
    await attempt("The turns could not be brought back", async () => baton.absorb(await api.bringBack(scope.id)));
    setBusy(false);
  };
  return (
    <Show when={scope.thread().back}>
      <div class="put-away" role="status">
        <Icon name="undo" size={14} />
        <span class="grow">{count() === 1 ? "One turn" : `${count() || "All later"} turns`} put away; files stay as they are.</span>
        <button type="button" class="btn small" disabled={busy() || scope.thread().status === "working"} onClick={() => void bringBack()}>
          Bring back
        </button>
      </div>
    </Show>
  );
}
