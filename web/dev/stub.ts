// A small server in memory for `npm run dev`: enough of Baton to look at every part of the page.
// Nothing of it is shipped. `?empty` states are reached with STUB=empty, pairing with STUB=unpaired.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { WebSocketServer, type WebSocket } from "ws";
import type { Change, Item, ItemContent, Problem, ServerMessage, ShellChange, Thread, Turn, Window } from "../src/generated/wire.ts";
import { uuidv7 } from "../src/lib/ids.ts";
import { noUsage } from "../src/sync/samples.ts";
import { asTheyCome } from "../src/sync/state.ts";
import * as demo from "./demo.ts";

interface Conversation {
  thread: Thread;
  turns: Turn[];
  items: Item[];
  requests: Window["requests"];
}

const EPOCH = "stub";

export function stub(): Plugin {
  const empty = process.env.STUB === "empty";
  let paired = process.env.STUB !== "unpaired";
  const world = demo.world(empty);
  const all = new Map<string, Conversation>(world.conversations.map((c) => [c.thread.id, c]));
  const sockets = new Map<WebSocket, Set<string>>();
  let seq = 1;

  const cursor = () => ({ epoch: EPOCH, seq: ++seq });
  const say = (socket: WebSocket, message: ServerMessage) => socket.send(JSON.stringify(message));
  const shell = (...changes: ShellChange[]) => {
    for (const [socket, topics] of sockets) if (topics.has("shell")) say(socket, { type: "shell_changes", cursor: cursor(), changes });
  };
  const tell = (c: Conversation, ...changes: Change[]) => {
    c.thread.seq = ++seq;
    for (const [socket, topics] of sockets) {
      if (topics.has(c.thread.id)) say(socket, { type: "thread_changes", id: c.thread.id, cursor: cursor(), changes: [...changes, { change: "thread", thread: c.thread }] });
    }
    if (changes.some((change) => change.change !== "text")) shell({ change: "thread", thread: c.thread });
  };
  const windowOf = (c: Conversation, before = Infinity, size = 60): Window => {
    const reach = c.items.filter((item) => item.position < before);
    const items = reach.slice(-size);
    const ids = new Set(items.map((item) => item.turn_id));
    const turns = c.turns.filter((turn) => ids.has(turn.id) || !["completed", "interrupted", "failed"].includes(turn.state) || c.items.every((i) => i.turn_id !== turn.id));
    return { thread: c.thread, turns, items, requests: c.requests, older: reach.length > items.length ? items[0]!.position : null };
  };

  async function play(c: Conversation, turn: Turn): Promise<void> {
    const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
    const put = (content: ItemContent, over: Partial<Item> = {}) => {
      const item: Item = { id: `itm_${uuidv7()}`, turn_id: turn.id, parent: null, position: (c.items.at(-1)?.position ?? 0) + 1, status: "running", content, started_at: Date.now(), ended_at: null, ...over };
      c.items.push(item);
      tell(c, { change: "item", item });
      return item;
    };
    const stream = async (item: Item, text: string) => {
      item.body ??= { head: "" };
      for (let at = 0; at < text.length && turn.state === "running"; at += 7) {
        const piece = text.slice(at, at + 7);
        item.body.head += piece;
        tell(c, { change: "text", item: item.id, at, text: piece });
        await wait(30);
      }
    };
    const end = (item: Item, status: Item["status"] = "done") => {
      Object.assign(item, { status, ended_at: Date.now() });
      tell(c, { change: "item", item });
    };
    Object.assign(turn, { state: "running", phase: null, started_at: Date.now() });
    c.thread.status = "working";
    tell(c, { change: "turn", turn });
    const thought = put({ kind: "reasoning" });
    await stream(thought, "**Looking around**\n\nThe question is short. I should look at the files first and then answer.");
    end(thought);
    const command = put({ kind: "command", command: "ls -la src", description: "Lists the sources", cwd: null, exit_code: null });
    await stream(command, "total 3\nmain.rs\nupload.rs\n");
    if (command.content.kind === "command") command.content.exit_code = 0;
    end(command);
    const answer = put({ kind: "agent_message" });
    await stream(answer, demo.answer);
    end(answer);
    finish(c, turn, turn.stopping ? "interrupted" : "completed");
  }

  function finish(c: Conversation, turn: Turn, state: "completed" | "interrupted"): void {
    if (turn.state !== "running") return;
    Object.assign(turn, { state, stopping: false, ended_at: Date.now(), usage: { ...noUsage, input: 4200, output: 380, cache_read: 21000, cost: 0.0123 } });
    for (const item of c.items) if (item.turn_id === turn.id && item.status === "running") Object.assign(item, { status: "done", ended_at: Date.now() });
    Object.assign(c.thread, { status: "idle", unread: true, active_at: Date.now() });
    tell(c, { change: "turn", turn }, ...c.items.filter((i) => i.turn_id === turn.id).map((item): Change => ({ change: "item", item })));
    const next = c.turns.find((t) => t.state === "queued");
    if (next && state === "completed") void play(c, next);
    else if (next) {
      c.thread.queue_held = true;
      tell(c);
    }
  }

  const refuse = (status: number, code: Problem["code"], title: string, detail?: string) => Object.assign(new Error(title), { problem: { status, code, title, detail } satisfies Problem });

  function handle(method: string, path: string[], query: URLSearchParams, body: any): unknown {
    const [what, id, sub, part, leaf] = path;
    if (what === "pair") {
      if (body.code === "bad") throw refuse(401, "bad_pairing_code", "This pairing code is not valid", "Run `baton` for a new one.");
      paired = true;
      return;
    }
    if (!paired) throw refuse(401, "unauthorized", "This browser is not paired");
    if (what === "bootstrap") return { version: "0.1.0", epoch: EPOCH, host: "workbench", home: "/home/you" };
    if (what === "directories") {
      const base = (query.get("path") ?? "").replace(/^~/, "/home/you");
      if (base.includes("nope")) throw refuse(404, "not_a_directory", "There is no such directory");
      return { base, entries: ["atlas", "field-notes", "harbor", "lighthouse", "scratch"].map((name, i) => ({ name, path: base + name, git: i % 2 === 0 })) };
    }
    if (what === "projects" && id === "look") return undefined;
    if (what === "projects" && sub === "trust") {
      const project = world.projects.find((p) => p.id === id)!;
      if (method === "GET") return { project, startup: demo.startup };
      const decided = { ...project, trust: body.trusted ? ("trusted" as const) : ("untrusted" as const) };
      world.projects.splice(world.projects.indexOf(project), 1, decided);
      shell({ change: "project", project: decided });
      return decided;
    }
    if (what === "projects" && sub === "extras") return demo.extras;
    if (what === "projects" && sub === "sessions") {
      const sought = query.get("search")?.toLowerCase() ?? "";
      return { sessions: demo.sessions.filter((session) => session.title.toLowerCase().includes(sought)), more: sought === "" };
    }
    if (what === "projects" && method === "POST") {
      if (body.path.includes("nope")) throw refuse(422, "not_a_directory", `${body.path} is not a directory`, "Check the path, or make the directory first.");
      const project = { id: `prj_${uuidv7()}`, name: body.path.split("/").at(-1), path: body.path, created_at: Date.now(), trust: "undecided" as const, fingerprint: "startup" };
      world.projects.push(project);
      shell({ change: "project", project });
      return project;
    }
    if (what === "providers") {
      const provider = world.providers.find((p) => p.id === id)!;
      if (sub === "models") return { models: demo.models, upstreams: demo.upstreams, stale: false, problem: null };
      if (sub === "processes") return demo.report;
      if (sub === "warm") return;
      if (method === "PATCH") {
        if ("enabled" in body) Object.assign(provider, { state: body.enabled ? "ready" : "disabled", message: body.enabled ? "Ready to work." : "Switched off." });
        provider.settings = { ...provider.settings, ...body, binary: body.binary || null };
      }
      provider.checked_at = Date.now();
      shell({ change: "provider", status: provider });
      return provider;
    }
    if (what !== "threads") throw refuse(404, "not_found", "Nothing is served here");
    if (!id && method === "GET") return { threads: [...all.values()].map((c) => c.thread).filter((t) => t.archived), more: false };
    if (!id) {
      const thread = demo.threadOf({ id: body.id, project_id: body.project_id, title: "", model: body.model, access: body.access, mode: body.mode, created_at: Date.now(), active_at: Date.now() });
      all.set(thread.id, { thread, turns: [], items: [], requests: [] });
      shell({ change: "thread", thread });
      return thread;
    }
    const c = all.get(id);
    if (!c) throw refuse(404, "unknown_thread", "This thread does not exist");
    const running = c.turns.find((t) => t.state === "running");
    if (sub === "window") return windowOf(c, Number(query.get("before")));
    if (sub === "stop" && running) {
      Object.assign(running, { stopping: true });
      tell(c, { change: "turn", turn: running });
      setTimeout(() => finish(c, running, "interrupted"), 400);
      return;
    }
    if (sub === "release") {
      c.thread.queue_held = false;
      const next = c.turns.find((t) => t.state === "queued");
      if (next && !running) void play(c, next);
      return;
    }
    if (sub === "turns" && method === "POST") {
      if (body.text.includes("refuse me")) throw refuse(409, "queue_full", "50 messages are waiting already");
      c.thread.title ||= body.text.slice(0, 60);
      const turn = demo.turnOf(c.thread, { id: body.id, ordinal: c.turns.length + 1, input: { kind: "message", text: { head: body.text } }, state: "queued", started_at: null, created_at: Date.now() });
      c.turns.push(turn);
      tell(c, { change: "turn", turn });
      if (!running) setTimeout(() => void play(c, turn), 300);
      return turn;
    }
    if (sub === "turns" && method === "DELETE") {
      const turn = c.turns.find((t) => t.id === part)!;
      Object.assign(turn, { state: "interrupted", ended_at: Date.now() });
      tell(c, { change: "turn", turn });
      return;
    }
    if (sub === "turns") return { text: c.turns.find((t) => t.id === part)!.input.text.head };
    if (sub === "items" && leaf === "body") return { text: Array.from({ length: 900 }, (_, i) => `line ${i + 1} of the whole output`).join("\n") };
    if (sub === "requests") {
      const request = c.requests.find((r) => r.id === part)!;
      request.state = { state: "answering", answer: body.answer };
      tell(c, { change: "request", request });
      setTimeout(() => {
        c.requests.splice(c.requests.indexOf(request), 1);
        c.thread.open_requests = c.requests.length;
        if (!c.requests.length) c.thread.status = "working";
        tell(c, { change: "request", request: { ...request, state: { state: "resolved", answer: body.answer } } });
      }, 600);
      return;
    }
    if (method === "PATCH") {
      Object.assign(c.thread, body);
      tell(c);
      return c.thread;
    }
    if (method === "DELETE") {
      all.delete(id);
      shell({ change: "thread_removed", id });
      return;
    }
    throw refuse(404, "not_found", "Nothing is served here");
  }

  return {
    name: "baton-stub",
    configureServer(server) {
      server.middlewares.use("/api", (request: IncomingMessage, response: ServerResponse) => {
        const url = new URL(request.url ?? "/", "http://stub");
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const reply = (status: number, body: unknown) => {
            response.writeHead(body === undefined ? 204 : status, { "content-type": "application/json" });
            response.end(body === undefined ? undefined : JSON.stringify(body));
          };
          try {
            const text = Buffer.concat(chunks).toString();
            reply(200, handle(request.method ?? "GET", url.pathname.split("/").filter(Boolean), url.searchParams, text ? JSON.parse(text) : {}));
          } catch (error) {
            const problem = (error as { problem?: Problem }).problem ?? { status: 500, code: "internal", title: String(error) };
            reply(problem.status, problem);
          }
        });
      });
      const live = new WebSocketServer({ noServer: true });
      server.httpServer?.on("upgrade", (request, socket, head) => {
        if (!request.url?.startsWith("/api/live")) return;
        if (!paired) return void socket.destroy();
        live.handleUpgrade(request, socket, head, (ws) => {
          const topics = new Set<string>();
          sockets.set(ws, topics);
          ws.on("close", () => sockets.delete(ws));
          say(ws, { type: "welcome", version: "0.1.0", epoch: EPOCH });
          ws.on("message", (data) => {
            const message = JSON.parse(String(data));
            if (message.type === "ping") return say(ws, { type: "pong" });
            const key = message.topic === "shell" ? "shell" : message.id;
            if (message.type === "unsubscribe") return void topics.delete(key);
            topics.add(key);
            if (key === "shell") {
              const threads = [...all.values()].map((c) => c.thread).filter((t) => !t.archived);
              return say(ws, { type: "shell_gap", cursor: cursor(), snapshot: { projects: world.projects, heads: world.projects.map((p) => ({ project: p.id, head: { kind: "branch" as const, name: "main" } })), threads, more_threads: false, providers: world.providers, settings: asTheyCome } });
            }
            const c = all.get(key);
            if (c) say(ws, { type: "thread_gap", id: key, cursor: cursor(), snapshot: windowOf(c) });
            else say(ws, { type: "gone", topic: { topic: "thread", id: key }, problem: { status: 404, code: "unknown_thread", title: "This thread does not exist" } });
          });
        });
      });
    },
  };
}
