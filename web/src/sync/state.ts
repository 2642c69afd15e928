// What the page knows of the server. Plain data; `reduce.ts` is the only place that changes it.

import type {
  Cursor, Head, Item, ItemId, Problem, Project, ProjectId, ProviderStatus, Request, RequestId, Settings, Thread, ThreadId, Turn, TurnId,
} from "../generated/wire";

export interface SyncState {
  /** The server's version, once it has said it. */
  version: string | null;
  shell: ShellView;
  /** The threads that are followed. */
  threads: Record<ThreadId, ThreadView>;
}

export interface ShellView {
  ready: boolean;
  problem: Problem | null;
  cursor: Cursor | null;
  projects: Record<ProjectId, Project>;
  /** What is checked out in them, where there is git. */
  heads: Record<ProjectId, Head | null>;
  threads: Record<ThreadId, Thread>;
  /** Threads that were last active before this moment are left out; `null` when all are there. */
  leftOut: number | null;
  providers: ProviderStatus[];
  /** Why Baton cannot write to its disk, while it cannot. */
  storage: string | null;
}

export interface ThreadView {
  status: "loading" | "ready" | "gone";
  problem: Problem | null;
  cursor: Cursor | null;
  thread: Thread | null;
  turns: Record<TurnId, Turn>;
  /** Ids of `turns` by ordinal. */
  turnOrder: TurnId[];
  items: Record<ItemId, Item>;
  /** For each turn, and each sub-agent item, the ids of what happened in it, by position. */
  lists: Record<TurnId | ItemId, ItemId[]>;
  requests: Record<RequestId, Request>;
  /** Ids of `requests` in the order they were asked. */
  requestOrder: RequestId[];
  /** The position to ask for the next older page with; `null` at the thread's beginning. */
  older: number | null;
  /**
   * The position from which on items are not held, while somebody reads far up in a long thread;
   * `null` when the newest ones are there.
   */
  newer: number | null;
}

/** The settings of somebody who changed none. */
export const asTheyCome: Settings = { revision: 0, keys: {}, enter: "queue", models: { favourites: [], recent: [], hidden: [] } };

export function emptyState(): SyncState {
  return {
    version: null,
    shell: {
      ready: false,
      problem: null,
      cursor: null,
      projects: {},
      heads: {},
      threads: {},
      leftOut: null,
      providers: [],
      storage: null,
    },
    threads: {},
  };
}

export function emptyThread(): ThreadView {
  return {
    status: "loading",
    problem: null,
    cursor: null,
    thread: null,
    turns: {},
    turnOrder: [],
    items: {},
    lists: {},
    requests: {},
    requestOrder: [],
    older: null,
    newer: null,
  };
}
