// The one reducer: what the server says, applied to what the page knows. It changes the state it
// is given in place (a store's draft, or plain data in tests) and says what is to be done.

import type { Change, Item, ItemId, ProviderId, ProviderStatus, Request, ServerMessage, Settings, ShellChange, ShellSnapshot, Thread, Topic, Turn, Window } from "../generated/wire";
import { splice } from "./body";
import { mergeInto, put, putList } from "./merge";
import type { ShellView, SyncState, ThreadView } from "./state";

/** What the reducer cannot do itself. */
export type Effect =
  /** Text is missing: follow the topic afresh, without a cursor. */
  | { kind: "resync"; topic: Topic }
  /** The models of a provider are to be fetched again. */
  | { kind: "models"; provider: ProviderId }
  /** What holds on all devices is now this; `anew` where it is what the server has, not a change that it tells. */
  | { kind: "settings"; settings: Settings; anew?: true };

export function reduce(state: SyncState, message: ServerMessage): Effect[] {
  switch (message.type) {
    case "welcome":
      state.version = message.version;
      return [];
    case "ok": {
      const view = message.topic.topic === "shell" ? state.shell : state.threads[message.topic.id];
      if (view) view.cursor = message.cursor;
      return [];
    }
    case "shell_gap":
      shellGap(state.shell, message.snapshot);
      state.shell.cursor = message.cursor;
      return [{ kind: "settings", settings: message.snapshot.settings, anew: true }];
    case "shell_changes": {
      const effects = message.changes.flatMap((change) => shellChange(state.shell, change));
      state.shell.cursor = message.cursor;
      return effects;
    }
    case "thread_gap": {
      const view = state.threads[message.id];
      if (!view) return [];
      threadGap(view, message.snapshot);
      view.cursor = message.cursor;
      return [];
    }
    case "thread_changes": {
      const view = state.threads[message.id];
      if (!view || view.status !== "ready") return [];
      let whole = true;
      for (const change of message.changes) whole = threadChange(view, change) && whole;
      view.cursor = message.cursor;
      return whole ? [] : [{ kind: "resync", topic: { topic: "thread", id: message.id } }];
    }
    case "gone": {
      if (message.topic.topic === "shell") {
        state.shell.problem = message.problem;
        return [];
      }
      const view = state.threads[message.topic.id];
      if (view) {
        view.status = "gone";
        view.problem = message.problem;
      }
      return [];
    }
    case "refused":
      // What is no id is refused as a whole, without the topic it was meant for.
      for (const [id, view] of Object.entries(state.threads)) {
        if (view.status === "loading" && !isThreadId(id)) Object.assign(view, { status: "gone", problem: message.problem });
      }
      return [];
    case "pong":
      return [];
  }
}

const isThreadId = (text: string) => /^thr_[0-9a-f]{32}$/.test(text.replaceAll("-", "").toLowerCase());

function shellGap(shell: ShellView, snapshot: ShellSnapshot): void {
  mergeInto(shell.projects, Object.fromEntries(snapshot.projects.map((p) => [p.id, p])));
  mergeInto(shell.threads, Object.fromEntries(snapshot.threads.map((t) => [t.id, t])));
  mergeInto(shell.heads, Object.fromEntries(snapshot.heads.map((h) => [h.project, h.head])));
  shell.providers = snapshot.providers;
  shell.leftOut = snapshot.more_threads ? leftOut(snapshot.threads) : null;
  shell.storage = snapshot.storage ?? null;
  shell.problem = null;
  shell.ready = true;
}

/** The moment after the last active of those that are left out: pinned and busy ones never are. */
function leftOut(listed: readonly Thread[]): number {
  const rest = listed.filter((thread) => !thread.pinned && (thread.status === "idle" || thread.status === "failed"));
  return Math.min(...rest.map((thread) => thread.active_at + 1), Number.MAX_SAFE_INTEGER);
}

function shellChange(shell: ShellView, change: ShellChange): Effect[] {
  switch (change.change) {
    case "project":
      put(shell.projects, change.project.id, change.project);
      return [];
    case "project_removed":
      delete shell.projects[change.id];
      delete shell.heads[change.id];
      for (const thread of Object.values(shell.threads)) {
        if (thread.project_id === change.id) delete shell.threads[thread.id];
      }
      return [];
    case "head":
      put(shell.heads, change.head.project, change.head.head);
      return [];
    case "thread":
      // The shell holds what is not archived.
      if (change.thread.archived) delete shell.threads[change.thread.id];
      else put(shell.threads, change.thread.id, change.thread);
      return [];
    case "thread_removed":
      delete shell.threads[change.id];
      return [];
    case "provider": {
      const at = shell.providers.findIndex((p) => p.id === change.status.id);
      if (at < 0) shell.providers.push(change.status);
      // Into the one that is there: what a person is writing beside it stays.
      else put(shell.providers as unknown as Record<string, ProviderStatus>, String(at), change.status);
      return [];
    }
    case "settings":
      return [{ kind: "settings", settings: change.settings }];
    case "storage":
      shell.storage = change.problem;
      return [];
    case "models_changed":
      return [{ kind: "models", provider: change.provider }];
  }
}

/** Applies one change; `false` when text is missing. */
function threadChange(view: ThreadView, change: Change): boolean {
  switch (change.change) {
    case "thread":
      putThread(view, change.thread);
      return true;
    case "turn":
      putTurn(view, change.turn);
      return true;
    case "item":
      // One of a page that is not loaded comes with its page.
      if (view.items[change.item.id] || isHeld(view, change.item.position)) putItem(view, change.item);
      return true;
    case "item_removed":
      removeItem(view, change.id);
      return true;
    case "text": {
      const item = view.items[change.item];
      // An item of a page that is not loaded may still grow: its text comes with its page.
      if (!item) return view.older !== null || view.newer !== null;
      item.body ??= { head: "" };
      return splice(item.body, change.at, change.text) !== "hole";
    }
    case "request":
      putRequest(view, change.request);
      return true;
  }
}

function threadGap(view: ThreadView, snapshot: Window): void {
  keepOlder(view, snapshot);
  putThread(view, snapshot.thread);
  for (const turn of snapshot.turns) putTurn(view, turn);
  for (const item of snapshot.items) putItem(view, item);
  const open = new Set(snapshot.requests.map((r) => r.id));
  for (const id of [...view.requestOrder]) if (!open.has(id)) removeRequest(view, id);
  for (const request of snapshot.requests) putRequest(view, request);
  view.newer = null;
  view.status = "ready";
  view.problem = null;
}

/** Whether items at a position are among those that are held. */
function isHeld(view: ThreadView, position: number): boolean {
  return (view.older === null || position >= view.older) && (view.newer === null || position < view.newer);
}

/**
 * Prepares for a snapshot: what it does not hold is dropped, except pages that end where it
 * begins and in which nothing can have changed. So a reader far up does not lose their place.
 */
function keepOlder(view: ThreadView, snapshot: Window): void {
  const first = snapshot.items[0]?.position;
  const known = Object.values(view.items);
  const older = known.filter((item) => first !== undefined && item.position < first);
  const meets = first !== undefined && known.some((item) => item.position >= first);
  const settled = older.every((item) => !isOpen(item) && isOver(view.turns[item.turn_id]));
  const keep = snapshot.older !== null && meets && settled;

  const items = new Set(snapshot.items.map((item) => item.id));
  if (keep) for (const item of older) items.add(item.id);
  const turns = new Set(snapshot.turns.map((turn) => turn.id));
  if (keep) for (const item of older) turns.add(item.turn_id);

  for (const item of known) if (!items.has(item.id)) removeItem(view, item.id);
  for (const id of [...view.turnOrder]) if (!turns.has(id)) removeTurn(view, id);
  if (!keep || older.length === 0) view.older = snapshot.older;
}

/** Adds an older page. What is known is newer than the page and stays. */
export function addPage(view: ThreadView, page: Window): void {
  for (const turn of page.turns) if (!view.turns[turn.id]) putTurn(view, turn);
  for (const item of page.items) if (!view.items[item.id]) insertItem(view, item);
  view.older = page.older;
}

/**
 * Drops the oldest items of a thread beyond `keep`, so that a session of days stays light.
 * They come back as pages. What still works stays.
 */
export function trim(view: ThreadView, keep: number): void {
  const all = Object.values(view.items).sort((a, b) => a.position - b.position);
  if (all.length <= keep) return;
  const dropped = all.slice(0, all.length - keep);
  for (const item of dropped) if (!isOpen(item)) removeItem(view, item.id);
  view.older = all[all.length - keep]!.position;
  const first = view.turns[all[all.length - keep]!.turn_id]?.ordinal ?? 0;
  for (const id of [...view.turnOrder]) {
    const turn = view.turns[id]!;
    if (turn.ordinal < first && isOver(turn) && !view.lists[id]?.length) removeTurn(view, id);
  }
  forget(view);
}

/**
 * Puts fresh records in the place of those from which much was dropped. A store keeps what it knows
 * of every key that was ever read of a record, also of keys that are gone.
 */
function forget(view: ThreadView): void {
  view.items = { ...view.items };
  view.turns = { ...view.turns };
  view.lists = { ...view.lists };
}

/**
 * Drops the newest items beyond the `keep` oldest, for one who reads far up. They come back as
 * pages on the way down.
 */
export function trimNewest(view: ThreadView, keep: number): void {
  const all = Object.values(view.items).sort((a, b) => a.position - b.position);
  if (all.length <= keep) return;
  view.newer = all[keep]!.position;
  for (const item of all.slice(keep)) removeItem(view, item.id);
  forget(view);
}

/** Adds items that come after those that are held. From `newer` on they still are not. */
export function addNewer(view: ThreadView, pages: readonly Window[], newer: number): void {
  for (const page of pages) {
    for (const turn of page.turns) if (!view.turns[turn.id]) putTurn(view, turn);
    for (const item of page.items) if (!view.items[item.id] && item.position < newer) insertItem(view, item);
  }
  view.newer = newer;
}

export function putThread(view: ThreadView, thread: Thread): void {
  if (view.thread) mergeInto(view.thread as never, thread as never);
  else view.thread = thread;
}

export function putTurn(view: ThreadView, turn: Turn): void {
  const known = view.turns[turn.id];
  // A message that waits may get another place.
  const moved = known !== undefined && known.ordinal !== turn.ordinal;
  put(view.turns, turn.id, turn);
  if (known && !moved) return;
  if (moved) view.turnOrder.splice(view.turnOrder.indexOf(turn.id), 1);
  let at = view.turnOrder.length;
  while (at > 0 && view.turns[view.turnOrder[at - 1]!]!.ordinal > turn.ordinal) at--;
  view.turnOrder.splice(at, 0, turn.id);
}

function putItem(view: ThreadView, item: Item): void {
  if (view.items[item.id]) put(view.items, item.id, item);
  else insertItem(view, item);
}

function insertItem(view: ThreadView, item: Item): void {
  view.items[item.id] = item;
  const home = item.parent && view.items[item.parent] ? item.parent : item.turn_id;
  addTo(view, home, item);
  if (item.content.kind !== "sub_agent") return;
  // What happened in it may have come first, with a page that began in its middle.
  const orphans = (view.lists[item.turn_id] ?? []).filter((id) => view.items[id]?.parent === item.id);
  if (orphans.length === 0) return;
  putList(view.lists[item.turn_id]!, view.lists[item.turn_id]!.filter((id) => !orphans.includes(id)));
  for (const id of orphans) addTo(view, item.id, view.items[id]!);
}

function addTo(view: ThreadView, home: string, item: Item): void {
  const list = (view.lists[home] ??= []);
  let at = list.length;
  while (at > 0 && (view.items[list[at - 1]!]?.position ?? 0) > item.position) at--;
  list.splice(at, 0, item.id);
}

function removeItem(view: ThreadView, id: ItemId): void {
  const item = view.items[id];
  if (!item) return;
  for (const home of [item.parent, item.turn_id]) {
    const list = home ? view.lists[home] : undefined;
    const at = list?.indexOf(id) ?? -1;
    if (list && at >= 0) list.splice(at, 1);
  }
  delete view.items[id];
  const children = view.lists[id];
  if (!children) return;
  delete view.lists[id];
  for (const child of children) {
    const orphan = view.items[child];
    if (orphan) addTo(view, orphan.turn_id, orphan);
  }
}

function removeTurn(view: ThreadView, id: string): void {
  delete view.turns[id];
  delete view.lists[id];
  const at = view.turnOrder.indexOf(id);
  if (at >= 0) view.turnOrder.splice(at, 1);
}

function putRequest(view: ThreadView, request: Request): void {
  if (request.state.state === "resolved" || request.state.state === "withdrawn") {
    removeRequest(view, request.id);
    return;
  }
  const known = view.requests[request.id];
  put(view.requests, request.id, request);
  // The state is a tagged union without a `kind`; its variants must not be mixed.
  view.requests[request.id]!.state = request.state;
  if (known) return;
  let at = view.requestOrder.length;
  while (at > 0 && view.requests[view.requestOrder[at - 1]!]!.created_at > request.created_at) at--;
  view.requestOrder.splice(at, 0, request.id);
}

function removeRequest(view: ThreadView, id: string): void {
  delete view.requests[id];
  const at = view.requestOrder.indexOf(id);
  if (at >= 0) view.requestOrder.splice(at, 1);
}

/** Whether an item still changes by itself. */
function isOpen(item: Item): boolean {
  return item.status === "running" || item.status === "waiting";
}

function isOver(turn: Turn | undefined): boolean {
  return !turn || turn.state === "completed" || turn.state === "interrupted" || turn.state === "failed";
}
