// Small complete values of the wire's types, for tests and for the development server.

import type { Item, ItemContent, Request, Thread, Turn, Window } from "../generated/wire";

export const noUsage = { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0, cost: 0 };

export function thread(over: Partial<Thread> = {}): Thread {
  return {
    id: "thr_1", project_id: "prj_1", title: "A thread", titled_by_person: false, provider: "kilo",
    model: { model: "test/model", option: null }, access: "supervised", mode: "build",
    workspace: "/home/you/harbor", session: null, status: "idle", open_requests: 0, queued: 0,
    queue_held: false, unread: false, pinned: false, archived: false, usage: noUsage, context: null,
    created_at: 1000, active_at: 1000, seq: 1, ...over,
  };
}

export function turn(over: Partial<Turn> = {}): Turn {
  return {
    id: "trn_1", thread_id: "thr_1", ordinal: 1, input: { kind: "message", text: { head: "hello" } }, origin: "here", delivery: "queue",
    model: { model: "test/model", option: null }, access: "supervised", mode: "build", state: "running",
    phase: null, stopping: false, error: null, prompt_key: null, usage: noUsage, created_at: 1000,
    started_at: 1000, ended_at: null, ...over,
  };
}

export function item(position: number, content: ItemContent = { kind: "agent_message" }, over: Partial<Item> = {}): Item {
  return {
    id: `itm_${position}`, turn_id: "trn_1", parent: null, position, status: "done", content,
    started_at: 1000 + position, ended_at: 1001 + position, ...over,
  };
}

export function approval(id: string, created_at = 1): Request {
  return {
    id, thread_id: "thr_1", turn_id: "trn_1", item_id: null, key: id, from: null,
    body: {
      kind: "approval", what: "command", permission: "bash", title: "Run a command", command: "cargo test",
      diff: null, path: null, url: null, details: [],
      choices: [
        { decision: "once", covers: [], scope: "just this once" },
        { decision: "session", covers: ["cargo test *"], scope: "until this session ends" },
        { decision: "reject", covers: [], scope: "" },
      ],
    },
    state: { state: "open", problem: null }, created_at, closed_at: null,
  };
}

export function windowOf(over: Partial<Window> = {}): Window {
  return { thread: thread(), turns: [turn()], items: [], requests: [], older: null, ...over };
}
