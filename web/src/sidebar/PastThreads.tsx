import "./PastThreads.css";
import { createMemo, createSignal, For, onMount, Show } from "solid-js";
import { api, explain } from "../api/client";
import { useBaton } from "../app/baton";
import { hrefOf } from "../app/router";
import type { Thread } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, exact } from "../lib/format";
import { PlainHeader } from "../thread/Header";
import { Icon, type IconName } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";
import { patchThread } from "./actions";
import { DeleteThread } from "./ThreadMenu";

/** Threads that the sidebar does not have: the older ones of a project, or those that were put away. */
export function PastThreads(props: { project?: string }) {
  return (
    <Show when={props.project} fallback={<Archive />}>
      {(project) => <Older project={project()} />}
    </Show>
  );
}

function Archive() {
  return (
    <List
      page="archive"
      title="Archive"
      query={{ archived: true }}
      empty={{ icon: "archive", text: "Nothing is archived. Threads you put away are kept here." }}
      act={{ label: "Bring back", patch: { archived: false }, failed: "The thread could not be brought back" }}
      projects
    />
  );
}

function Older(props: { project: string }) {
  const baton = useBaton();
  const { shell } = baton.state;
  const name = () => shell.projects[props.project]?.name;
  return (
    <Show when={shell.ready} fallback={<PlainHeader title="Older threads" />}>
      <List
        page="older"
        title={name() ? `Older threads of ${name()}` : "Older threads"}
        query={{ project: props.project, before: shell.leftOut ?? 0 }}
        empty={{ icon: "list", text: name() ? "There are no older threads: the sidebar has all of this project." : "There is no such project." }}
        act={{ label: "Archive", patch: { archived: true }, failed: "The thread could not be archived" }}
        leaves={(thread) => shell.threads[thread.id] !== undefined}
      />
    </Show>
  );
}

interface ListProps {
  page: string;
  title: string;
  query: { archived?: boolean; project?: string; before?: number };
  empty: { icon: IconName; text: string };
  /** What is done with one, after which it is not listed here any more. */
  act: { label: string; patch: { archived: boolean }; failed: string };
  /** Whether each says which project it is of. */
  projects?: boolean;
  /** Whether one that was read is listed elsewhere. */
  leaves?: (thread: Thread) => boolean;
}

/** A list of threads, read page by page. */
function List(props: ListProps) {
  const baton = useBaton();
  const query = props.query;
  const [read, setRead] = createSignal<Thread[]>([]);
  const [more, setMore] = createSignal(true);
  const [busy, setBusy] = createSignal(true);
  const [problem, setProblem] = createSignal("");
  const [deleting, setDeleting] = createSignal<Thread>();
  const threads = createMemo(() => read().filter((thread) => !props.leaves?.(thread)));

  const load = async () => {
    setBusy(true);
    setProblem("");
    try {
      // Those of the same moment come again, and are known.
      const last = read().at(-1)?.active_at;
      const page = await api.threads({ ...query, ...(last !== undefined && { before: last + 1 }) });
      const known = new Set(read().map((thread) => thread.id));
      setRead([...read(), ...page.threads.filter((thread) => !known.has(thread.id))]);
      setMore(page.more);
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };
  onMount(() => void load());
  const drop = (id: string) => setRead((list) => list.filter((thread) => thread.id !== id));

  return (
    <section class="thread" data-page={props.page}>
      <PlainHeader title={props.title} />
      <div class="scroll">
        <div class="column">
          <ul class="past">
            <For each={threads()}>
              {(thread) => (
                <li data-thread={thread.id}>
                  <a class="past-title ellip" href={hrefOf({ page: "thread", id: thread.id })}>
                    {thread.title || "New thread"}
                  </a>
                  <Show when={props.projects}>
                    <span class="faint ellip">{baton.state.shell.projects[thread.project_id]?.name}</span>
                  </Show>
                  <span class="faint" title={exact(thread.active_at)}>
                    {age(thread.active_at, minuteClock())}
                  </span>
                  <button type="button" class="btn small" onClick={() => void patchThread(baton, thread.id, props.act.patch, props.act.failed).then((done) => done && drop(thread.id))}>
                    {props.act.label}
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
          <Show when={!busy() && !problem() && more() && read().length > 0}>
            <button type="button" class="btn quiet" onClick={() => void load()}>
              Show more
            </button>
          </Show>
          <Show when={!busy() && !problem() && !more() && threads().length === 0}>
            <div class="page-note">
              <Icon name={props.empty.icon} size={20} />
              <p class="muted">{props.empty.text}</p>
            </div>
          </Show>
        </div>
      </div>
      <Show when={deleting()}>{(thread) => <DeleteThread thread={thread()} onClose={() => setDeleting()} onDeleted={() => drop(thread().id)} />}</Show>
    </section>
  );
}
