// The page's one state and what feeds it: messages of the socket, gathered and applied once per
// frame, and the answers of commands.

import { batch, createContext, createSignal, untrack, useContext } from "solid-js";
import { createStore, produce, unwrap } from "solid-js/store";
import { address, api, ApiError, explain } from "../api/client";
import { createOutbox } from "../composer/outbox";
import { createAnswers } from "../requests/answers";
import { navigate, route } from "./router";
import type { Bootstrap, ModelList, ProviderId, ServerMessage, Thread, ThreadId, Window } from "../generated/wire";
import { renew } from "../offline/offline";
import { show } from "../settings/common";
import { Connection, type ConnectionStatus } from "../sync/connection";
import { put } from "../sync/merge";
import { addNewer, addPage, putThread, putTurn, reduce, trim, trimNewest, type Effect } from "../sync/reduce";
import { emptyState, emptyThread, type ThreadView } from "../sync/state";

export interface ModelsView {
  loading: boolean;
  list: ModelList | null;
  problem: string | null;
}

/** Threads that stay loaded and followed, the one on screen included. */
const MAX_FOLLOWED = 6;
/** Items of one thread that are held; older ones come back as pages. */
const MAX_ITEMS = 1_500;
const TRIM_TO = 600;
/** As many are held while somebody reads further up. */
const MAX_READ = 3_000;
const READ_TO = 2_400;
/** Items that come with one page, at most. */
const PAGE = 200;
/** The settings that hold on all devices are saved by what the first paint does not need. */
const saving = () => import("../settings/saving");
/** Frames are not drawn while the page is hidden; state moves on all the same. */
const HIDDEN_FLUSH_MS = 250;

export type Baton = ReturnType<typeof createBaton>;

export function createBaton() {
  const [state, setState] = createStore(emptyState());
  const [models, setModels] = createStore<Record<ProviderId, ModelsView>>({});
  const [status, setStatus] = createSignal<ConnectionStatus>("connecting");
  const [bootstrap, setBootstrap] = createSignal<Bootstrap | null>(null);

  const connection = new Connection(
    { open: () => new WebSocket(socketAddress()), isAuthorized },
    {
      message: receive,
      status: (next) => {
        setStatus(next);
        if (next === "connected") {
          outbox.resume();
          answers.resume();
          lookAtHeads();
          void saving().then(({ save }) => save(), () => {});
          if (!bootstrap()) void loadBootstrap();
        }
      },
    },
  );
  connection.follow({ topic: "shell" }, () => state.shell.cursor);

  const outbox = createOutbox({
    accepted(turn) {
      mutateThread(turn.thread_id, (view) => {
        if (view.status === "ready" && !view.turns[turn.id]) putTurn(view, turn);
      });
      // A thread that is not on screen needs no more proof.
      if (state.threads[turn.thread_id]?.status !== "ready" && !followed.includes(turn.thread_id)) outbox.confirmed(turn.id);
    },
    created: (id) => {
      if (followed.includes(id)) connection.follow({ topic: "thread", id }, () => state.threads[id]?.cursor ?? null);
    },
  });

  const answers = createAnswers({
    taken: (thread, { built_in }) => {
      const at = route();
      if (built_in && at.page === "thread" && at.id === thread) navigate({ page: "thread", id: built_in });
    },
    agent: (thread) => {
      const provider = state.threads[thread]?.thread?.provider;
      return state.shell.providers.find((p) => p.id === provider)?.name ?? "the agent";
    },
  });

  // Messages wait here for the next frame. The server bounds what it sends ahead.
  let inbox: ServerMessage[] = [];
  let scheduled = false;

  function receive(message: ServerMessage): void {
    inbox.push(message);
    if (scheduled) return;
    scheduled = true;
    if (document.visibilityState === "visible") requestAnimationFrame(flush);
    else setTimeout(flush, HIDDEN_FLUSH_MS);
  }

  function flush(): void {
    if (!scheduled) return;
    scheduled = false;
    const messages = inbox;
    inbox = [];
    const effects: Effect[] = [];
    const before = state.version;
    batch(() => {
      setState(
        produce((draft) => {
          for (const message of messages) effects.push(...reduce(draft, message));
        }),
      );
    });
    for (const effect of effects) {
      if (effect.kind === "resync") connection.resync(effect.topic);
      else if (effect.kind === "settings") void saving().then(({ told }) => told(effect.settings, effect.anew), () => show(effect.settings));
      else if (models[effect.provider]) void loadModels(effect.provider);
    }
    if (before && state.version !== before) location.reload();
    // A page that was kept for want of a server may be older than the one that answers now.
    else if (!before && state.version) renew();
    for (const id of grown(messages)) {
      const items = unwrap(state.threads[id])?.items ?? {};
      if (Object.keys(items).length > MAX_ITEMS && mayTrim(id)) mutateThread(id, (view) => trim(view, TRIM_TO));
    }
  }

  let mayTrim: (id: ThreadId) => boolean = () => true;

  function mutateThread(id: ThreadId, change: (view: ThreadView) => void): void {
    if (state.threads[id]) setState("threads", id, produce(change));
  }

  // The most recently shown last.
  const followed: ThreadId[] = [];

  /** Loads a thread and keeps it live. Threads shown before stay so for a while. */
  function followThread(id: ThreadId): void {
    const at = followed.indexOf(id);
    if (at >= 0) followed.splice(at, 1);
    followed.push(id);
    if (!state.threads[id]) setState("threads", id, emptyThread());
    if (!outbox.isCreating(id)) connection.follow({ topic: "thread", id }, () => state.threads[id]?.cursor ?? null);
    while (followed.length > MAX_FOLLOWED) dropThread(followed[0]!);
  }

  function dropThread(id: ThreadId): void {
    const at = followed.indexOf(id);
    if (at >= 0) followed.splice(at, 1);
    connection.unfollow({ topic: "thread", id });
    setState("threads", produce((threads) => void delete threads[id]));
  }

  /** Loads a thread that failed to load again. */
  function reloadThread(id: ThreadId): void {
    dropThread(id);
    followThread(id);
  }

  const paging = new Map<ThreadId, Promise<void>>();

  /** Loads the next older page, if there is one; waits for the one that is on its way. */
  function loadOlder(id: ThreadId): Promise<void> {
    const before = state.threads[id]?.older;
    if (before === null || before === undefined) return Promise.resolve();
    const known = paging.get(id);
    if (known) return known;
    const load = async () => {
      const page = await api.window(id, before);
      mutateThread(id, (view) => {
        // A snapshot may have come meanwhile.
        if (view.older !== before) return;
        addPage(view, page);
        if (Object.keys(view.items).length > MAX_READ) trimNewest(view, READ_TO);
      });
    };
    const loading = load().finally(() => paging.delete(id));
    paging.set(id, loading);
    return loading;
  }

  /** Loads what comes after the items that are held, where the newest were dropped. */
  async function loadNewer(id: ThreadId): Promise<void> {
    const from = state.threads[id]?.newer;
    if (from === null || from === undefined) return;
    const under = paging.get(id);
    if (under) return under;
    const load = async () => {
      const to = from + PAGE;
      const pages: Window[] = [];
      for (let before = to; before > from; ) {
        const page = await api.window(id, before);
        pages.push(page);
        // A page of much text begins later than it was hoped for.
        before = page.older === null ? from : Math.min(before - 1, page.items[0]?.position ?? from);
      }
      const last = Math.max(...pages.flatMap((page) => page.items.map((item) => item.position)), 0);
      mutateThread(id, (view) => {
        if (view.newer !== from) return;
        addNewer(view, pages, to);
        if (Object.keys(view.items).length > MAX_READ) trim(view, READ_TO);
      });
      // That was the end: from here on it is followed again.
      if (last < to - 1) toLatest(id);
    };
    const loading = load().finally(() => paging.delete(id));
    paging.set(id, loading);
    return loading;
  }

  /** Gets the newest items of a thread of which they were dropped. */
  function toLatest(id: ThreadId): void {
    if (state.threads[id]?.newer !== null) connection.resync({ topic: "thread", id });
  }

  async function loadModels(provider: ProviderId): Promise<void> {
    setModels(provider, (known) => ({ list: known?.list ?? null, problem: null, loading: true }));
    try {
      const list = await api.models(provider);
      setModels(provider, { loading: false, problem: null, list });
    } catch (error) {
      setModels(provider, { loading: false, problem: explain(error) });
    }
  }

  async function loadBootstrap(): Promise<void> {
    try {
      setBootstrap(await api.bootstrap());
    } catch {
      // It is asked again with the next connection.
    }
  }

  /** Has the server look at what is checked out: somebody may have changed it elsewhere. */
  function lookAtHeads(): void {
    if (status() === "connected") void api.lookAtHeads().catch(() => {});
  }

  async function isAuthorized(): Promise<boolean | "unknown"> {
    try {
      setBootstrap(await api.bootstrap());
      return true;
    } catch (error) {
      if (error instanceof ApiError && !error.offline) return error.problem.status !== 401;
      return "unknown";
    }
  }

  return {
    state,
    models,
    status,
    bootstrap,
    outbox,
    answers,
    connection,
    followThread,
    reloadThread,
    loadOlder,
    loadNewer,
    toLatest,
    loadModels,
    /** Says for which threads old items may be dropped: not where somebody reads them. */
    guardTrim: (guard: (id: ThreadId) => boolean) => (mayTrim = guard),
    /**
     * Models of a provider, loaded when first asked for. Nothing is tracked, or an effect that
     * asks would ask again at each failure, for ever.
     */
    ensureModels(provider: ProviderId): void {
      untrack(() => {
        const known = models[provider];
        if (!known || (known.problem && !known.loading)) void loadModels(provider);
      });
    },
    /** The newest row of a thread, wherever it is known from. */
    row(id: ThreadId): Thread | undefined {
      const own = state.threads[id]?.thread;
      const shell = state.shell.threads[id];
      if (!own || !shell) return own ?? shell;
      return own.seq > shell.seq ? own : shell;
    },
    /** Puts in what a command answered, until the socket says the same. */
    absorb(thread: Thread): void {
      setState(
        produce((draft) => {
          const known = draft.shell.threads[thread.id];
          if (thread.archived) delete draft.shell.threads[thread.id];
          else if (!known || known.seq <= thread.seq) put(draft.shell.threads, thread.id, thread);
          const view = draft.threads[thread.id];
          if (view?.thread && view.thread.seq <= thread.seq) putThread(view, thread);
        }),
      );
    },
    start(): () => void {
      const wake = () => {
        if (document.visibilityState !== "visible") return;
        connection.wake();
        lookAtHeads();
      };
      // A frame that was asked for is not drawn once the page is hidden.
      const shown = () => {
        flush();
        wake();
      };
      window.addEventListener("online", wake);
      window.addEventListener("focus", wake);
      document.addEventListener("visibilitychange", shown);
      connection.start();
      return () => {
        connection.stop();
        window.removeEventListener("online", wake);
        window.removeEventListener("focus", wake);
        document.removeEventListener("visibilitychange", shown);
      };
    },
  };
}

export const BatonContext = createContext<Baton>();

export function useBaton(): Baton {
  const baton = useContext(BatonContext);
  if (!baton) throw new Error("there is no Baton around this component");
  return baton;
}

/** The threads that may have got new items. */
function grown(messages: readonly ServerMessage[]): Set<ThreadId> {
  const ids = new Set<ThreadId>();
  for (const message of messages) {
    if (message.type === "thread_changes" && message.changes.some((change) => change.change === "item")) ids.add(message.id);
  }
  return ids;
}

function socketAddress(): URL {
  const url = address("api/live");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
