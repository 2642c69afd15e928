import "./ArchivePage.css";
import { createSignal, For, onMount, Show } from "solid-js";
import { api, explain } from "../api/client";
import { useBaton } from "../app/baton";
import { hrefOf } from "../app/router";
import type { Thread } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, exact } from "../lib/format";
import { PlainHeader } from "../thread/Header";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";
import { patchThread } from "./actions";
import { DeleteThread } from "./ThreadMenu";

/** Threads that were put away. */
export function ArchivePage() {
  const baton = useBaton();
  const [threads, setThreads] = createSignal<Thread[]>([]);
  const [more, setMore] = createSignal(true);
  const [busy, setBusy] = createSignal(true);
  const [problem, setProblem] = createSignal("");
  const [deleting, setDeleting] = createSignal<Thread>();

  const load = async () => {
    setBusy(true);
    setProblem("");
    try {
      const before = threads().at(-1)?.active_at;
      const page = await api.threads({ archived: true, ...(before !== undefined && { before }) });
      const known = new Set(threads().map((thread) => thread.id));
      setThreads([...threads(), ...page.threads.filter((thread) => !known.has(thread.id))]);
      setMore(page.more);
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };
  onMount(() => void load());
  const drop = (id: string) => setThreads((list) => list.filter((thread) => thread.id !== id));

  return (
    <section class="thread" data-page="archive">
      <PlainHeader title="Archive" />
      <div class="scroll">
        <div class="column">
          <ul class="archive">
            <For each={threads()}>
              {(thread) => (
                <li>
                  <a class="archive-title ellip" href={hrefOf({ page: "thread", id: thread.id })}>
                    {thread.title || "New thread"}
                  </a>
                  <span class="faint ellip">{baton.state.shell.projects[thread.project_id]?.name}</span>
                  <span class="faint" title={exact(thread.active_at)}>
                    {age(thread.active_at, minuteClock())}
                  </span>
                  <button
                    type="button"
                    class="btn small"
                    onClick={() =>
                      void patchThread(baton, thread.id, { archived: false }, "The thread could not be brought back").then((done) => done && drop(thread.id))
                    }
                  >
                    Bring back
                  </button>
                  <button type="button" class="icon-btn" aria-label={`Delete ${thread.title || "this thread"}`} onClick={() => setDeleting(thread)}>
                    <Icon name="trash" size={14} />
                  </button>
                </li>
              )}
            </For>
          </ul>
          <Show when={problem()}>
            <div class="page-note" role="alert">
              <p class="bad"><Words text={problem()} /></p>
              <button type="button" class="btn" onClick={() => void load()}>
                Try again
              </button>
            </div>
          </Show>
          <Show when={busy()}>
            <p class="side-note">
              <Spinner /> Loading…
            </p>
          </Show>
          <Show when={!busy() && !problem() && more() && threads().length > 0}>
            <button type="button" class="btn quiet" onClick={() => void load()}>
              Show more
            </button>
          </Show>
          <Show when={!busy() && !problem() && threads().length === 0}>
            <div class="page-note">
              <Icon name="archive" size={20} />
              <p class="muted">Nothing is archived. Threads you put away are kept here.</p>
            </div>
          </Show>
        </div>
      </div>
      <Show when={deleting()}>{(thread) => <DeleteThread thread={thread()} onClose={() => setDeleting()} onDeleted={() => drop(thread().id)} />}</Show>
    </section>
  );
}
