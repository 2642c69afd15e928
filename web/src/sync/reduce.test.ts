import { beforeEach, expect, test } from "vitest";
import type { Change, ServerMessage, Window } from "../generated/wire";
import { addNewer, addPage, reduce, trim, trimNewest } from "./reduce";
import { approval, item, thread, turn, windowOf } from "./samples";
import { asTheyCome, emptyState, emptyThread, type SyncState } from "./state";

let state: SyncState;
const cursor = { epoch: "e", seq: 1 };
const gap = (snapshot: Window): ServerMessage => ({ type: "thread_gap", id: "thr_1", cursor, snapshot });
const changes = (...list: Change[]) =>
  reduce(state, { type: "thread_changes", id: "thr_1", cursor: { epoch: "e", seq: 2 }, changes: list });
const view = () => state.threads.thr_1!;

beforeEach(() => {
  state = emptyState();
  state.threads.thr_1 = emptyThread();
});

test("a gap fills a view, changes follow, the cursor moves along", () => {
  reduce(state, gap(windowOf({ items: [item(1)] })));
  expect(view().status).toBe("ready");
  expect(view().cursor?.seq).toBe(1);
  changes({ change: "item", item: item(3) }, { change: "item", item: item(2) }, { change: "turn", turn: turn({ state: "completed" }) });
  expect(view().lists.trn_1).toEqual(["itm_1", "itm_2", "itm_3"]);
  expect(view().turns.trn_1!.state).toBe("completed");
  expect(view().cursor?.seq).toBe(2);
});

test("changes of a thread that is not followed, or not loaded, change nothing", () => {
  expect(changes({ change: "item", item: item(1) })).toEqual([]);
  expect(view().items).toEqual({});
  delete state.threads.thr_1;
  expect(changes({ change: "item", item: item(1) })).toEqual([]);
});

test("text goes to its place; a hole asks for a resync", () => {
  reduce(state, gap(windowOf({ items: [item(1, undefined, { status: "running" })] })));
  expect(changes({ change: "text", item: "itm_1", at: 0, text: "Hello" })).toEqual([]);
  expect(changes({ change: "text", item: "itm_1", at: 3, text: "lo, you" })).toEqual([]);
  expect(view().items.itm_1!.body).toEqual({ head: "Hello, you" });
  expect(changes({ change: "text", item: "itm_1", at: 99, text: "!" })).toEqual([
    { kind: "resync", topic: { topic: "thread", id: "thr_1" } },
  ]);
  expect(view().items.itm_1!.body).toEqual({ head: "Hello, you" });
});

test("an item of a page that is not loaded is left to its page, and one that is there is put right", () => {
  reduce(state, gap(windowOf({ items: [item(60)], older: 50 })));
  expect(changes({ change: "item", item: item(9) }, { change: "item", item: item(60, undefined, { body: { head: "whole" } }) })).toEqual([]);
  expect(Object.keys(view().items)).toEqual(["itm_60"]);
  expect(view().items["itm_60"]!.body).toEqual({ head: "whole" });
});

test("text of an unknown item is a hole, unless it may belong to an older page", () => {
  reduce(state, gap(windowOf()));
  expect(changes({ change: "text", item: "itm_9", at: 0, text: "x" })).toHaveLength(1);
  view().older = 50;
  expect(changes({ change: "text", item: "itm_9", at: 0, text: "x" })).toEqual([]);
});

test("an item replaces its predecessor whole and keeps its identity where nothing changed", () => {
  const command = { kind: "command", command: "ls", description: "list", cwd: null, exit_code: null } as const;
  reduce(state, gap(windowOf({ items: [item(1, command, { status: "running", body: { head: "a", omitted: 3, tail: "b" }, error: "no" })] })));
  const before = view().items.itm_1!;
  const content = before.content;
  changes({ change: "item", item: item(1, { ...command, exit_code: 0 }, { body: { head: "abcdb" } }) });
  expect(view().items.itm_1).toBe(before);
  expect(view().items.itm_1!.content).toBe(content);
  expect(before.body).toEqual({ head: "abcdb" });
  expect(before).not.toHaveProperty("error");
  expect(before.content).toMatchObject({ exit_code: 0 });
});

test("a content of another kind is not mixed with the former", () => {
  reduce(state, gap(windowOf({ items: [item(1, { kind: "tool", name: "x", title: null, input: "{}" })] })));
  changes({ change: "item", item: item(1, { kind: "read", path: "a.rs" }) });
  expect(view().items.itm_1!.content).toEqual({ kind: "read", path: "a.rs" });
});

test("what a sub-agent does is listed under it, even when it came first", () => {
  const agent = { kind: "sub_agent", agent: "explore", task: "look", session: null, steps: 0, usage: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0, cost: 0 }, waiting: false, phase: null } as const;
  reduce(state, gap(windowOf({ items: [item(5, undefined, { parent: "itm_4" }), item(6)] })));
  expect(view().lists.trn_1).toEqual(["itm_5", "itm_6"]);
  addPage(view(), windowOf({ items: [item(4, agent)] }));
  expect(view().lists.trn_1).toEqual(["itm_4", "itm_6"]);
  expect(view().lists.itm_4).toEqual(["itm_5"]);
  changes({ change: "item_removed", id: "itm_4" });
  expect(view().lists.trn_1).toEqual(["itm_5", "itm_6"]);
});

test("requests are listed while they are open", () => {
  reduce(state, gap(windowOf({ requests: [approval("req_2", 2)] })));
  changes({ change: "request", request: approval("req_1", 1) });
  expect(view().requestOrder).toEqual(["req_1", "req_2"]);
  const answer = { kind: "approval", decision: "once", message: null } as const;
  changes({ change: "request", request: { ...approval("req_1", 1), state: { state: "answering", answer } } });
  expect(view().requests.req_1!.state).toEqual({ state: "answering", answer });
  changes({ change: "request", request: { ...approval("req_1", 1), state: { state: "open", problem: "no link" } } });
  expect(view().requests.req_1!.state).toEqual({ state: "open", problem: "no link" });
  changes({ change: "request", request: { ...approval("req_1", 1), state: { state: "resolved", answer } } });
  expect(view().requestOrder).toEqual(["req_2"]);
  reduce(state, gap(windowOf()));
  expect(view().requests).toEqual({});
});

test("a gap keeps older pages it meets, and drops what it does not know", () => {
  const done = turn({ state: "completed" });
  reduce(state, gap(windowOf({ turns: [done], items: [item(3), item(4)], older: 3 })));
  addPage(view(), windowOf({ turns: [done], items: [item(1), item(2)], older: null }));
  reduce(state, gap(windowOf({ turns: [done], items: [item(4), item(5)], older: 4 })));
  expect(view().lists.trn_1).toEqual(["itm_1", "itm_2", "itm_3", "itm_4", "itm_5"]);
  expect(view().older).toBe(null);

  reduce(state, gap(windowOf({ turns: [done], items: [item(9)], older: 9 })));
  expect(view().lists.trn_1).toEqual(["itm_9"]);
  expect(view().older).toBe(9);
});

test("a gap drops older pages in which something was still running", () => {
  reduce(state, gap(windowOf({ items: [item(3, undefined, { status: "running" }), item(4)], older: null })));
  reduce(state, gap(windowOf({ items: [item(4)], older: 4 })));
  expect(Object.keys(view().items)).toEqual(["itm_4"]);
  expect(view().older).toBe(4);
});

test("a long view is trimmed to its newest items and can page back", () => {
  const first = turn({ id: "trn_0", ordinal: 0, state: "completed" });
  const old = Array.from({ length: 5 }, (_, i) => item(i, undefined, { turn_id: "trn_0" }));
  const busy = item(10, undefined, { status: "running" });
  reduce(state, gap(windowOf({ turns: [first, turn()], items: [...old, busy, item(11), item(12), item(13)] })));
  const { items, turns, lists } = view();
  trim(view(), 2);
  // A store remembers every key that was read of a record, so that what is trimmed leaves with it.
  expect([view().items === items, view().turns === turns, view().lists === lists]).toEqual([false, false, false]);
  expect(Object.keys(view().items).sort()).toEqual(["itm_10", "itm_12", "itm_13"]);
  expect(view().older).toBe(12);
  expect(view().turnOrder).toEqual(["trn_1"]);
});

test("messages that wait are put in another order", () => {
  const waits = (id: string, ordinal: number) => turn({ id, ordinal, state: "queued", started_at: null });
  reduce(state, gap(windowOf({ turns: [turn(), waits("trn_2", 2), waits("trn_3", 3), waits("trn_4", 4)] })));
  changes(
    { change: "turn", turn: waits("trn_4", 2) },
    { change: "turn", turn: waits("trn_2", 3) },
    { change: "turn", turn: waits("trn_3", 4) },
  );
  expect(view().turnOrder).toEqual(["trn_1", "trn_4", "trn_2", "trn_3"]);
});

test("where threads are left out, those that are listed for another reason say nothing of where", () => {
  const threads = [thread({ id: "thr_1", active_at: 5, pinned: true }), thread({ id: "thr_2", active_at: 7, status: "working" }), thread({ id: "thr_3", active_at: 30 }), thread({ id: "thr_4", active_at: 20, status: "failed" })];
  const gap = (over: { threads: typeof threads; more_threads: boolean }) => {
    reduce(state, { type: "shell_gap", cursor, snapshot: { projects: [], heads: [], providers: [], settings: asTheyCome, ...over } });
    return state.shell.leftOut;
  };
  expect(gap({ threads, more_threads: true })).toBe(21);
  expect(gap({ threads: threads.slice(0, 2), more_threads: true })).toBe(Number.MAX_SAFE_INTEGER);
  expect(gap({ threads, more_threads: false })).toBeNull();
});

test("the shell follows projects, threads and providers", () => {
  const project = { id: "prj_1", name: "harbor", path: "/h", created_at: 1, trust: "undecided" as const, fingerprint: null };
  const begun = reduce(state, { type: "shell_gap", cursor, snapshot: { projects: [project], heads: [], threads: [thread()], more_threads: false, providers: [], settings: asTheyCome } });
  expect(begun).toEqual([{ kind: "settings", settings: asTheyCome, anew: true }]);
  const shell = (...list: Parameters<typeof changesOf>) => reduce(state, changesOf(...list));
  expect(state.shell.ready).toBe(true);
  const head = { kind: "branch", name: "main" } as const;
  shell({ change: "head", head: { project: "prj_1", head } });
  expect(state.shell.heads.prj_1).toEqual(head);
  shell({ change: "head", head: { project: "prj_1", head: null } });
  expect(state.shell.heads.prj_1).toBe(null);
  const row = state.shell.threads.thr_1;
  shell({ change: "thread", thread: thread({ status: "needs_you" }) });
  expect(state.shell.threads.thr_1).toBe(row);
  expect(row!.status).toBe("needs_you");
  shell({ change: "thread", thread: thread({ archived: true }) });
  expect(state.shell.threads).toEqual({});
  const settings = { ...asTheyCome, revision: 1 };
  expect(shell({ change: "settings", settings })).toEqual([{ kind: "settings", settings }]);
  shell({ change: "storage", problem: "the disk is full" });
  expect(state.shell.storage).toBe("the disk is full");
  shell({ change: "storage", problem: null });
  expect(state.shell.storage).toBe(null);
  expect(shell({ change: "models_changed", provider: "kilo" })).toEqual([{ kind: "models", provider: "kilo" }]);
  shell({ change: "thread", thread: thread() }, { change: "project_removed", id: "prj_1" });
  expect(state.shell.projects).toEqual({});
  expect(state.shell.heads).toEqual({});
  expect(state.shell.threads).toEqual({});
});

test("a thread that is gone says why", () => {
  const problem = { status: 404, code: "unknown_thread", title: "no such thread" } as const;
  reduce(state, { type: "gone", topic: { topic: "thread", id: "thr_1" }, problem });
  expect(view()).toMatchObject({ status: "gone", problem });
});

function changesOf(...list: Extract<ServerMessage, { type: "shell_changes" }>["changes"]): ServerMessage {
  return { type: "shell_changes", cursor, changes: list };
}

test("an address that is no id is gone once it is refused, and no other thread is", () => {
  state.threads["nonsense"] = emptyThread();
  const id = `thr_${"0".repeat(32)}`;
  state.threads[id] = emptyThread();
  reduce(state, { type: "refused", problem: { status: 400, code: "bad_request", title: "The message cannot be read." } });
  expect(state.threads["nonsense"]!.status).toBe("gone");
  expect(state.threads[id]!.status).toBe("loading");
});

test("one who reads far up does not hold what is far below, and gets it on the way down", () => {
  const done = turn({ state: "completed" });
  reduce(state, gap(windowOf({ turns: [done], items: [1, 2, 3, 4, 5, 6].map((n) => item(n)) })));
  trimNewest(view(), 3);
  expect([Object.keys(view().items), view().newer]).toEqual([["itm_1", "itm_2", "itm_3"], 4]);
  // What happens below comes with its page; it is no hole.
  expect(changes({ change: "item", item: item(7) }, { change: "text", item: "itm_7", at: 0, text: "words" })).toEqual([]);
  expect(Object.keys(view().items)).toHaveLength(3);
  addNewer(view(), [windowOf({ items: [item(5), item(6)] }), windowOf({ items: [item(3), item(4)] })], 6);
  expect([view().lists.trn_1, view().newer]).toEqual([["itm_1", "itm_2", "itm_3", "itm_4", "itm_5"], 6]);
  reduce(state, gap(windowOf({ turns: [done], items: [5, 6, 7].map((n) => item(n)), older: 5 })));
  expect([view().lists.trn_1, view().newer]).toEqual([["itm_1", "itm_2", "itm_3", "itm_4", "itm_5", "itm_6", "itm_7"], null]);
});
