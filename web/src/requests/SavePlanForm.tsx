import "./SavePlanForm.css";
import { createResource, createSignal, onMount, Show } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import { toast } from "../app/toasts";
import { useThread } from "../thread/context";
import { Words } from "../ui/Words";
import { planPath } from "./planPath";

/** Where a plan is saved, and what stands in the way. */
export function SavePlanForm(props: { text: () => string | Promise<string>; onDone: () => void }) {
  const scope = useThread();
  const [text, { refetch }] = createResource(async () => props.text());
  const [typed, setTyped] = createSignal<string>();
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<{ words: string; exists: boolean }>();
  let field!: HTMLInputElement;
  const path = () => typed() ?? (text.state === "ready" ? planPath(text()) : "");
  onMount(() => field.focus());

  const save = async (replace: boolean) => {
    const to = path().trim();
    if (busy() || text.state !== "ready" || !to) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api.writeFile(scope.id, { path: to, text: text(), replace });
      toast(`The plan is saved as ${to}.`);
      props.onDone();
    } catch (error) {
      setProblem({ words: explain(error), exists: error instanceof ApiError && error.problem.code === "file_exists" });
      field.focus();
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="save-plan"
      onSubmit={(event) => {
        event.preventDefault();
        void save(false);
      }}
    >
      <label>
        File below the project
        <input
          ref={field}
          class="field mono"
          value={path()}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-invalid={problem() ? "true" : undefined}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setProblem(undefined);
          }}
        />
      </label>
      <Show when={text.error as unknown}>
        {(error) => (
          <p class="bad" role="alert">
            <Words text={explain(error())} />{" "}
            <button type="button" class="btn small" onClick={() => void refetch()}>
              Try again
            </button>
          </p>
        )}
      </Show>
      <Show when={problem()}>
        {(problem) => (
          <p class="bad" role="alert">
            <Words text={problem().words} />
          </p>
        )}
      </Show>
      <div class="save-plan-acts">
        <Show when={problem()?.exists}>
          <button type="button" class="btn danger" disabled={busy()} onClick={() => void save(true)}>
            Replace it
          </button>
        </Show>
        <button type="submit" class="btn primary" disabled={busy() || text.state !== "ready" || !path().trim()}>
          {busy() ? "Saving…" : "Save"}
        </button>
      </div>
    </form>
  );
}
