import { expect, test } from "vitest";
import { ApiError } from "../api/client";
import type { CreateThread, SendMessage } from "../generated/wire";
import { turn } from "../sync/samples";
import { createOutbox } from "./outbox";

const message = (id: string): SendMessage => ({ id, text: id, delivery: "queue" });
const settle = () => new Promise((done) => setTimeout(done));
const offline = () => new ApiError({ status: 0, code: "internal", title: "no answer" }, true);
const refused = () => new ApiError({ status: 409, code: "queue_full", title: "too many messages wait" });

function setUp(answers: Array<() => Error | undefined>) {
  const log: string[] = [];
  const next = (what: string) => {
    log.push(what);
    const error = answers.shift()?.();
    if (error) throw error;
  };
  const outbox = createOutbox(
    { accepted: (t) => log.push(`accepted ${t.id}`), created: (id) => log.push(`created ${id}`) },
    {
      deleteThread: async (thread) => next(`delete ${thread}`),
      createThread: async (thread) => (next(`create ${thread.id}`), {} as never),
      send: async (_, m) => (next(`send ${m.id}`), turn({ id: m.id })),
    },
  );
  return { outbox, log, states: () => outbox.of("thr_1").map((e) => `${e.message.id} ${e.state}`) };
}

test("messages go in order and stay until they are shown", async () => {
  const { outbox, log, states } = setUp([]);
  outbox.send("thr_1", message("a"));
  outbox.send("thr_1", message("b"));
  expect(states()).toEqual(["a sending", "b sending"]);
  await settle();
  expect(log).toEqual(["send a", "accepted a", "send b", "accepted b"]);
  outbox.confirmed("a");
  expect(states()).toEqual(["b sent"]);
});

test("without an answer a message waits and keeps its place", async () => {
  const { outbox, log, states } = setUp([offline]);
  outbox.send("thr_1", message("a"));
  outbox.send("thr_1", message("b"));
  await settle();
  expect(states()).toEqual(["a sending", "b sending"]);
  expect(log).toEqual(["send a"]);
  outbox.resume();
  await settle();
  expect(log.slice(1)).toEqual(["send a", "accepted a", "send b", "accepted b"]);
});

test("a refused message stays with its reason, the next one goes on", async () => {
  const { outbox, states } = setUp([refused]);
  outbox.send("thr_1", message("a"));
  outbox.send("thr_1", message("b"));
  await settle();
  expect(states()).toEqual(["a failed", "b sent"]);
  expect(outbox.of("thr_1")[0]!.problem).toBe("Too many messages wait.");
  outbox.retry("a");
  await settle();
  expect(states()).toEqual(["a sent", "b sent"]);
});

test("a new thread is made once, before its first message", async () => {
  const { outbox, log } = setUp([() => undefined, offline]);
  outbox.send("thr_1", message("a"), { create: { id: "thr_1" } as CreateThread });
  expect(outbox.isCreating("thr_1")).toBe(true);
  await settle();
  expect(outbox.isCreating("thr_1")).toBe(false);
  outbox.resume();
  await settle();
  expect(log).toEqual(["create thr_1", "created thr_1", "send a", "send a", "accepted a"]);
});

test("a message can be taken back", async () => {
  const { outbox } = setUp([refused]);
  outbox.send("thr_1", message("a"));
  await settle();
  expect(outbox.take("a")?.message.text).toBe("a");
  expect(outbox.of("thr_1")).toEqual([]);
});

const tooLong = () => new ApiError({ status: 422, code: "message_too_long", title: "the message has too many characters" });
const begin = { id: "thr_1", project_id: "prj_1" } as CreateThread;

test("a first message that is refused for good leaves no empty thread", async () => {
  const { outbox, log } = setUp([() => undefined, tooLong]);
  outbox.send("thr_1", message("a"), { create: begin });
  await settle();
  expect(log).toEqual(["create thr_1", "created thr_1", "send a", "delete thr_1"]);
  expect(outbox.of("thr_1")[0]).toMatchObject({ state: "failed", hopeless: true, began: "prj_1" });
});

test("a later one, or one that may be sent again, leaves its thread alone", async () => {
  const { outbox, log } = setUp([() => undefined, refused, tooLong]);
  outbox.send("thr_1", message("a"), { create: begin });
  await settle();
  expect(outbox.of("thr_1")[0]!.hopeless).toBeUndefined();
  outbox.send("thr_2", message("b"));
  await settle();
  expect(outbox.of("thr_2")[0]!.hopeless).toBe(true);
  expect(log.filter((what) => what.startsWith("delete"))).toEqual([]);
});
