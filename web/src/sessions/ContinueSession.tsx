import "./ContinueSession.css";
import { createEffect, createSignal, For, on, onCleanup, Show } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import { useBaton } from "../app/baton";
import { navigate } from "../app/router";
import type { Access, NativeSession, Project, ProviderStatus } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, count, exact, money } from "../lib/format";
import { newThreadId } from "../lib/ids";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";

const PAGE = 25;
const TYPING_MS = 250;

/** Offers the sessions that an agent has in a project, to go on with one of them in a thread. */
export function ContinueSession(props: { project: Project; provider: ProviderStatus; access: Access; onClose: () => void }) {
  const baton = useBaton();
  const [search, setSearch] = createSignal("");
  const [sessions, setSessions] = createSignal<NativeSession[]>([]);
  const [more, setMore] = createSignal(false);
  const [loading, setLoading] = createSignal(true);
  const [problem, setProblem] = createSignal("");
  const [opening, setOpening] = createSignal<string>();
  const [busy, setBusy] = createSignal<NativeSession>();
  // One that is opened again goes by the same id, so that a lost answer makes no second thread.
  const ids = new Map<string, string>();
  let asked = 0;

  const load = async (offset: number) => {
    const mine = ++asked;
    setLoading(true);
    setProblem("");
    try {
      const page = await api.sessions(props.project.id, { provider: props.provider.id, search: search().trim(), offset, limit: PAGE });
      if (mine !== asked) return;
      setSessions((known) => (offset ? [...known, ...page.sessions] : page.sessions));
      setMore(page.more);
    } catch (error) {
      if (mine === asked) setProblem(explain(error));
    }
    if (mine === asked) setLoading(false);
  };
  createEffect(
    on(search, (_, before) => {
      const timer = setTimeout(() => void load(0), before === undefined ? 0 : TYPING_MS);
      onCleanup(() => clearTimeout(timer));
    }),
  );

  const open = async (session: NativeSession, anyway = false) => {
    if (opening()) return;
    setOpening(session.id);
    setProblem("");
    setBusy(undefined);
    try {
      const id = session.thread ?? ids.get(session.id) ?? newThreadId();
      ids.set(session.id, id);
      const thread = session.thread
        ? { id: session.thread }
        : await api.continueSession({
            id, project_id: props.project.id, provider: props.provider.id, session: session.id, access: props.access, anyway,
          });
      if ("title" in thread) baton.absorb(thread);
      navigate({ page: "thread", id: thread.id });
    } catch (error) {
      if (error instanceof ApiError && error.problem.code === "session_busy") setBusy(session);
      else setProblem(explain(error));
    }
    setOpening(undefined);
  };
  const states = (session: NativeSession) => [session.thread ? "Open in a thread" : "", session.busy ? "At work" : ""].filter(Boolean).join(" · ");
  const facts = (session: NativeSession) =>
    [session.model, session.tokens ? `${count(session.tokens)} tokens` : "", money(session.cost)].filter(Boolean).join(" · ");

  return (
    <Dialog title={`Continue a session of ${props.provider.name}`} class="sessions-dialog" onClose={props.onClose}>
      <label class="sessions-search">
        <Icon name="search" size={14} />
        <input
          type="search"
          autofocus
          placeholder="Search by title"
          aria-label="Search by title"
          value={search()}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </label>
      <Show when={problem()}>
        <div class="sessions-problem" role="alert">
          <span class="bad"><Words text={problem()} /></span>
          <button type="button" class="btn small" onClick={() => void load(0)}>
            <Icon name="refresh" size={14} />
            Try again
          </button>
        </div>
      </Show>
      <Show when={busy()}>
        {(session) => (
          <div class="sessions-problem" role="alert">
            <span>
              Somebody seems to work in “{session().title || "this session"}” in another program. Two that write into one session take each
              other's words for their own.
            </span>
            <button type="button" class="btn small" onClick={() => void open(session(), true)}>
              Continue anyway
            </button>
          </div>
        )}
      </Show>
      <ul class="sessions-list" aria-label="Sessions" aria-busy={loading()}>
        <For each={sessions()}>
          {(session) => (
            <li>
              <button type="button" class="session-row" disabled={opening() !== undefined} onClick={() => void open(session)}>
                <span class="session-title ellip">{session.title || "Without a title"}</span>
                <time class="faint" title={exact(session.updated_at)}>
                  {age(session.updated_at, minuteClock())}
                </time>
                <span class="session-facts faint ellip">
                  <Show when={states(session)}>{(words) => <b>{words()}</b>}</Show>
                  {states(session) && facts(session) ? " · " : ""}
                  {facts(session)}
                </span>
                <Show when={opening() === session.id}>
                  <Spinner />
                </Show>
              </button>
            </li>
          )}
        </For>
      </ul>
      <Show when={loading()}>
        <p class="faint sessions-note" role="status">
          <Spinner /> Asking {props.provider.name}…
        </p>
      </Show>
      <Show when={!loading() && !problem() && sessions().length === 0}>
        <p class="faint sessions-note">
          {search().trim() ? "No session has this in its title." : `${props.provider.name} has no sessions in ${props.project.name} yet.`}
        </p>
      </Show>
      <Show when={more() && !loading()}>
        <button type="button" class="btn" onClick={() => void load(sessions().length)}>
          Show older ones
        </button>
      </Show>
    </Dialog>
  );
}
