import { createSignal, Show } from "solid-js";
import { api } from "../api/client";
import { useBaton } from "../app/baton";
import { attempt } from "../app/toasts";
import { Icon } from "../ui/Icon";
import { useThread } from "./context";
import { isOver } from "./status";

/** Says that the agent no longer has the session, and begins another one. */
export function SessionGone() {
  const scope = useThread();
  const baton = useBaton();
  const [busy, setBusy] = createSignal(false);
  const shown = () => {
    const { turnOrder, turns } = scope.view();
    const last = turns[turnOrder.at(-1) ?? ""];
    const working = last && !isOver(last);
    // A turn that failed by it says so itself, and offers its message again.
    return scope.thread().session_gone && !scope.thread().archived && !working && last?.error?.code !== "session_lost";
  };
  const renew = async () => {
    setBusy(true);
    await attempt("A new session could not be begun", async () => baton.absorb(await api.renewSession(scope.id)));
    setBusy(false);
  };
  return (
    <Show when={shown()}>
      <div class="unusable" role="status" data-session-gone>
        <Icon name="warning" size={14} />
        <span class="grow">
          {scope.agent()}'s session of this thread was deleted. What was said stays here, but in a new session {scope.agent()} knows nothing of it.
        </span>
        <button type="button" class="btn small" disabled={busy()} onClick={() => void renew()}>
          Go on in a new session
        </button>
      </div>
    </Show>
  );
}
