import { createSignal, For, Show } from "solid-js";
import { api } from "../api/client";
import { useBaton } from "../app/baton";
import { navigate, route } from "../app/router";
import { toast } from "../app/toasts";
import type { Project, Thread } from "../generated/wire";
import { plural } from "../lib/format";
import { rowMark } from "../thread/status";
import { Confirm } from "../ui/Dialog";
import { Mark } from "../ui/Mark";

/** Asks before a thread is deleted. */
export function DeleteThread(props: { thread: Thread; onClose: () => void; onDeleted?: () => void }) {
  const baton = useBaton();
  const agent = () => baton.state.shell.providers.find((p) => p.id === props.thread.provider)?.name ?? "the agent";
  const [session, setSession] = createSignal(false);
  const remove = async () => {
    // All who look at it are told that it is gone, this page too, before the answer is here.
    const { id, project_id, title } = props.thread;
    const { onDeleted } = props;
    await api.deleteThread(id, session());
    onDeleted?.();
    toast(`“${title || "New thread"}” is deleted.`, { stays: true });
    const at = route();
    if (at.page === "thread" && at.id === id) navigate({ page: "home", project: project_id });
  };
  return (
    <Confirm title="Delete this thread?" action="Delete thread" run={remove} onClose={props.onClose}>
      <p>
        “{props.thread.title || "New thread"}” and everything said in it will be removed from Baton for good. What runs is stopped. Files in the
        workspace stay as they are.
      </p>
      <Show when={props.thread.session !== null && !props.thread.session_gone}>
        <label class="check">
          <input type="checkbox" checked={session()} onChange={(event) => setSession(event.currentTarget.checked)} />
          <span>
            Delete the conversation in {agent()} as well. It is {agent()}'s own record, wherever it was begun: it will be gone from {agent()}'s other
            interfaces too, for good. Otherwise it stays there and can be continued.
          </span>
        </label>
      </Show>
    </Confirm>
  );
}

/** Asks before a project is removed with its threads. */
export function RemoveProject(props: { project: Project; onClose: () => void }) {
  const baton = useBaton();
  const threads = () => Object.values(baton.state.shell.threads).filter((t) => t.project_id === props.project.id).length;
  const atWork = () =>
    Object.values(baton.state.shell.threads).filter((t) => t.project_id === props.project.id && (t.status === "working" || t.status === "needs_you"));
  const remove = async () => {
    await api.removeProject(props.project.id);
    navigate({ page: "home" });
  };
  return (
    <Confirm title={`Remove ${props.project.name}?`} action="Remove project" run={remove} onClose={props.onClose}>
      <p>
        The project leaves Baton together with {threads() ? `its ${plural(threads(), "thread")}` : "its threads"}, archived ones included. The
        directory and its files are not touched.
      </p>
      <p class="mono">{props.project.path}</p>
      <Show when={atWork().length}>
        <p>{atWork().length === 1 ? "This thread is at work:" : "These threads are at work:"}</p>
        <ul class="dialog-list">
          <For each={atWork()}>
            {(thread) => (
              <li>
                <Mark state={rowMark(thread)} /> {thread.title || "New thread"}
              </li>
            )}
          </For>
        </ul>
      </Show>
    </Confirm>
  );
}
