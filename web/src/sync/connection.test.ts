import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ClientMessage, Cursor, ServerMessage } from "../generated/wire";
import { backoff, Connection, type ConnectionStatus, type Socket } from "./connection";

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: ClientMessage[] = [];
  isOpen = false;
  closed = false;
  send(text: string) {
    if (!this.isOpen) throw new Error("not open");
    this.sent.push(JSON.parse(text) as ClientMessage);
  }
  close() {
    this.closed = true;
  }
  open() {
    this.isOpen = true;
    this.onopen?.call(this as never, {} as Event);
    this.say({ type: "welcome", version: "1", epoch: "e" });
  }
  say(message: ServerMessage) {
    this.onmessage?.call(this as never, { data: JSON.stringify(message) } as MessageEvent);
  }
  break() {
    this.onclose?.call(this as never, {} as CloseEvent);
  }
}

let sockets: FakeSocket[];
let statuses: ConnectionStatus[];
let authorized: boolean | "unknown";
let connection: Connection;
const last = () => sockets.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  statuses = [];
  authorized = "unknown";
  connection = new Connection(
    {
      open: () => {
        sockets.push(new FakeSocket());
        return last();
      },
      isAuthorized: async () => authorized,
    },
    { message: () => {}, status: (s) => statuses.push(s) },
  );
});
afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

test("topics are followed when the socket opens, and again with their cursor", () => {
  let cursor: Cursor | null = null;
  connection.follow({ topic: "shell" }, () => cursor);
  connection.start();
  last().open();
  expect(last().sent).toEqual([{ type: "subscribe", topic: "shell" }]);
  cursor = { epoch: "e", seq: 4 };
  last().break();
  vi.advanceTimersByTime(0);
  expect(sockets).toHaveLength(2);
  last().open();
  expect(last().sent).toEqual([{ type: "subscribe", topic: "shell", cursor }]);
  expect(statuses).toEqual(["connected", "connecting", "connected"]);
});

test("a short interruption is quiet but never green, a longer one is told, and it never gives up", () => {
  connection.start();
  last().open();
  last().break();
  vi.advanceTimersByTime(0);
  last().break();
  vi.advanceTimersByTime(1_500);
  expect(statuses).toEqual(["connected", "connecting"]);
  for (let i = 0; i < 50; i++) {
    last().break();
    vi.advanceTimersByTime(5_000);
  }
  expect(statuses).toEqual(["connected", "connecting", "reconnecting"]);
  expect(sockets.length).toBeGreaterThan(45);
  last().open();
  expect(statuses).toEqual(["connected", "connecting", "reconnecting", "connected"]);
});

test("a dead link is noticed by its silence", () => {
  connection.start();
  last().open();
  vi.advanceTimersByTime(5_000);
  expect(last().sent.at(-1)).toEqual({ type: "ping" });
  last().say({ type: "pong" });
  vi.advanceTimersByTime(5_000 + 10_001);
  expect(sockets).toHaveLength(2);
  expect(sockets[0]!.closed).toBe(true);
});

test("a server that does not answer is told before it is given up, and recovers silently", () => {
  connection.start();
  last().open();
  vi.advanceTimersByTime(5_000 + 4_499);
  expect(statuses).toEqual(["connected"]);
  vi.advanceTimersByTime(1);
  expect(statuses).toEqual(["connected", "silent"]);
  last().say({ type: "pong" });
  expect(statuses).toEqual(["connected", "silent", "connected"]);
  expect(sockets).toHaveLength(1);
  connection.follow({ topic: "shell" }, () => null);
  vi.advanceTimersByTime(4_500);
  expect(statuses.at(-1)).toBe("silent");
});

test("waking up doubts an open link and tries a broken one at once", () => {
  connection.start();
  last().open();
  connection.wake();
  vi.advanceTimersByTime(2_501);
  expect(sockets).toHaveLength(2);
  last().break();
  last().break();
  connection.wake();
  expect(sockets).toHaveLength(3);
});

test("a browser that is not let in stops trying until it is started again", async () => {
  authorized = false;
  connection.start();
  last().break();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(statuses).toEqual(["unauthorized"]);
  const tried = sockets.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toHaveLength(tried);
  authorized = true;
  connection.start();
  last().open();
  expect(statuses).toEqual(["unauthorized", "connecting", "connected"]);
});

test("a resync asks without a cursor, and not in a tight loop", () => {
  connection.follow({ topic: "thread", id: "thr_1" }, () => ({ epoch: "e", seq: 9 }));
  connection.start();
  last().open();
  connection.resync({ topic: "thread", id: "thr_1" });
  connection.resync({ topic: "thread", id: "thr_1" });
  expect(last().sent).toHaveLength(2);
  expect(last().sent[1]).toEqual({ type: "subscribe", topic: "thread", id: "thr_1" });
});

test("nothing of a former socket is heard", () => {
  connection.start();
  last().open();
  const former = last();
  former.break();
  vi.advanceTimersByTime(0);
  former.say({ type: "welcome", version: "1", epoch: "old" });
  expect(statuses).toEqual(["connected", "connecting"]);
  expect(sockets).toHaveLength(2);
});

test("back-off grows to five seconds", () => {
  expect([0, 1, 2, 5, 6, 20].map((n) => backoff(n, 1))).toEqual([0, 250, 500, 4000, 5000, 5000]);
});
