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
import { archiveThread, bringBack } from "./actions";
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
  const baton = useBaton();
  return (
    <List
      page="archive"
      title="Archive"
      query={{ archived: true }}
      empty={{ icon: "archive", text: "Nothing is archived. Threads you put away are kept here." }}
      act={{ label: "Bring back", run: (thread) => bringBack(baton, thread) }}
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
        act={{ label: "Archive", run: (thread, back) => archiveThread(baton, thread, back) }}
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
  /** What is done with one, after which it is not listed here any more unless it is brought `back`; whether it was done. */
  act: { label: string; run: (thread: Thread, back: () => void) => Promise<boolean> };
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
  /** Those that were taken from here. */
  const [taken, setTaken] = createSignal<ReadonlySet<string>>(new Set());
  const threads = createMemo(() => read().filter((thread) => !taken().has(thread.id) && !props.leaves?.(thread)));
  let section!: HTMLElement;

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
  const act = async (thread: Thread) => {
    const at = threads().indexOf(thread);
    const back = () => setTaken((ids) => new Set([...ids].filter((id) => id !== thread.id)));
    if (await props.act.run(thread, back)) take(thread, at);
  };
  const take = (thread: Thread, at: number) => {
    setTaken((ids) => new Set(ids).add(thread.id));
    focusAt(at);
  };
  // The focus cannot leave a dialog before it is closed.
  let deleted = -1;
  const closeDelete = () => {
    const [thread, at] = [deleting(), deleted];
    deleted = -1;
    setDeleting();
    if (thread && at >= 0) take(thread, at);
  };
  /** Where the focus went with a row, the one in its place has it, or else the heading. */
  const focusAt = (at: number) => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const rows = section.querySelectorAll<HTMLElement>(".past-title");
    const next = rows[at] ?? rows[rows.length - 1] ?? section.querySelector("h1");
    if (next?.tagName === "H1") next.tabIndex = -1;
    next?.focus();
  };

  return (
    <section class="thread" ref={section} data-page={props.page}>
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
                  <button type="button" class="btn small" onClick={() => void act(thread)}>
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
      <Show when={deleting()}>{(thread) => <DeleteThread thread={thread()} onClose={closeDelete} onDeleted={() => (deleted = threads().indexOf(thread()))} />}</Show>
    </section>
  );
}
