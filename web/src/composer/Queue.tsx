import { createMemo, createSignal, For, Show } from "solid-js";
import { api } from "../api/client";
import { attempt } from "../app/toasts";
import type { Turn } from "../generated/wire";
import { useThread } from "../thread/context";
import { Icon } from "../ui/Icon";
import { putBack } from "./putBack";

/** Messages that wait for their turn, in order. */
export function Queue() {
  const scope = useThread();
  const waiting = createMemo(() => scope.view().turnOrder.filter((id) => scope.view().turns[id]?.state === "queued"));
  const held = () => scope.thread().queue_held && waiting().length > 0;
  const release = () => void attempt("The queue could not go on", () => api.release(scope.id));
  return (
    <Show when={waiting().length}>
      <section class="queue" aria-label="Queued messages" data-held={held() ? "" : undefined}>
        <Show when={held()}>
          <div class="queue-held">
            <span class="grow">The last turn did not finish, so the queue waits for you.</span>
            <button type="button" class="btn small" onClick={release}>
              Send now
            </button>
          </div>
        </Show>
        <For each={waiting()}>{(id, i) => <Show when={scope.view().turns[id]}>{(turn) => <Waiting turn={turn()} place={i()} many={waiting().length > 1} />}</Show>}</For>
      </section>
    </Show>
  );
}

function Waiting(props: { turn: Turn; place: number; many: boolean }) {
  const scope = useThread();
  const [busy, setBusy] = createSignal(false);
  const withdraw = async (edit: boolean) => {
    setBusy(true);
    await attempt("The message could not be taken back", async () => {
      const { text } = props.turn.input;
      const whole = edit && text.omitted ? (await api.turnText(scope.id, props.turn.id)).text : text.head;
      await api.withdraw(scope.id, props.turn.id);
      if (edit) putBack(scope.id, whole);
    });
    setBusy(false);
  };
  return (
    <div class="queued" data-turn={props.turn.id}>
      <span>{props.many ? `Queued ${props.place + 1}` : "Queued"}</span>
      <span class="queued-text grow ellip" title={props.turn.input.text.head.slice(0, 500)}>
        {props.turn.input.text.head}
      </span>
      <button type="button" class="btn quiet small" disabled={busy()} onClick={() => void withdraw(true)}>
        Edit
      </button>
      <button type="button" class="icon-btn" disabled={busy()} aria-label="Remove from the queue" title="Remove from the queue" onClick={() => void withdraw(false)}>
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}
