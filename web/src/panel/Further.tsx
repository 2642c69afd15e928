import { createSignal, Show } from "solid-js";
import { explain } from "../api/client";
import { useBaton } from "../app/baton";
import { useThread } from "../thread/context";
import { Spinner } from "../ui/Mark";

/** Says that older parts of the thread are not loaded, and loads the next one. */
export function Further() {
  const baton = useBaton();
  const scope = useThread();
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  const load = async () => {
    setBusy(true);
    setProblem("");
    try {
      await baton.loadOlder(scope.id);
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Show when={scope.view().older !== null}>
      <div class="panel-further">
        <Show when={problem()} fallback={<span>The thread's older parts are not looked through.</span>}>
          <span class="bad" role="alert">
            {problem()}
          </span>
        </Show>
        <button type="button" class="btn quiet small" disabled={busy()} onClick={() => void load()}>
          <Show when={busy()} fallback={problem() ? "Try again" : "Look further back"}>
            <Spinner /> Looking…
          </Show>
        </button>
      </div>
    </Show>
  );
}
