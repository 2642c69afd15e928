import { expect, test } from "vitest";
import { thread, turn } from "../sync/samples";
import { isShown, isUntaken, phaseWords, rowMark, untakenWords } from "./status";

test("a thread's mark tells what matters most", () => {
  const mark = (over: Parameters<typeof thread>[0]) => rowMark(thread(over));
  expect(mark({ status: "needs_you", unread: true })).toBe("needs");
  expect(mark({ status: "working", unread: true })).toBe("working");
  expect(mark({ status: "failed", unread: false })).toBe("failed");
  expect(mark({ status: "idle", unread: true })).toBe("unseen");
  expect(mark({ status: "idle", unread: false })).toBe("idle");
  expect(mark({ status: "idle", unread: true, queue_held: true, queued: 1 })).toBe("held");
  expect(mark({ status: "idle", unread: true, queue_held: true, queued: 0 })).toBe("unseen");
});

test("what a turn is doing is said in words", () => {
  const say = (over: Parameters<typeof turn>[0]) => phaseWords(turn(over), "Kilo", 1_000);
  expect(say({})).toBe("Working…");
  expect(say({ state: "preparing" })).toBe("Preparing…");
  expect(say({ phase: { kind: "starting_agent" } })).toBe("Starting Kilo…");
  expect(say({ phase: { kind: "starting_agent" }, stopping: true })).toBe("Stopping…");
  expect(say({ phase: { kind: "retrying", attempt: 2, next_at: 8_400, message: "overloaded" } })).toBe(
    "Retrying in 8 s (2nd try): overloaded",
  );
  expect(say({ phase: { kind: "retrying", attempt: 1, next_at: null, message: "" } })).toBe("Retrying now (1st try)");
});

test("of a message that was stopped it is said whether the agent had taken it", () => {
  expect(isUntaken(turn({ state: "interrupted" }))).toBe(false);
  expect(isUntaken(turn({ state: "interrupted", untaken: true }))).toBe(true);
  expect(isUntaken(turn({ state: "failed", untaken: true }))).toBe(false);
  expect(untakenWords(turn({ prompt_key: null }), "Kilo")).toBe("It was stopped before Kilo was given this message.");
  expect(untakenWords(turn({ prompt_key: "msg_1" }), "Kilo")).toContain("Kilo had not taken this message up");
});

test("queued and withdrawn turns are no part of the conversation", () => {
  expect(isShown(turn({ state: "queued", started_at: null }))).toBe(false);
  expect(isShown(turn({ state: "interrupted", started_at: null }))).toBe(false);
  expect(isShown(turn({ state: "interrupted" }))).toBe(true);
  expect(isShown(turn({ state: "failed", started_at: null }))).toBe(true);
});
