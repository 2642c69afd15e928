import { expect, test } from "vitest";
import { approval } from "../sync/samples";
import { answersOf, choiceSentence, choiceWords, headingOf, lateWords, splitDetails, titleAdds } from "./words";

const request = approval("req_1");
const body = request.body as Extract<typeof request.body, { kind: "approval" }>;

test("a heading says who asks for what", () => {
  expect(headingOf(request, "Kilo")).toBe("Kilo asks to run a command");
  expect(headingOf({ body: { kind: "plan", markdown: "", path: null, built_in: null } }, "Kilo")).toBe("Kilo proposes a plan");
});

test("choices tell their true scope", () => {
  expect(body.choices.map(choiceSentence)).toEqual(["Allow once just this once", "Allow cargo test * until this session ends", "Reject"]);
  expect(choiceWords({ decision: "always", covers: ["git *"], scope: "in every project" })).toEqual({
    label: "Always allow", covers: ["git *"], scope: "in every project",
  });
});

test("a title that only repeats is left out", () => {
  expect(titleAdds({ ...body, title: "cargo test" })).toBe(false);
  expect(titleAdds({ ...body, title: "Run a command" })).toBe(false);
  expect(titleAdds({ ...body, title: "Run the tests" })).toBe(true);
});

test("a rejection tells its consequence", () => {
  expect(choiceWords({ decision: "reject", covers: [], scope: "ends the turn" })).toEqual({ label: "Reject", covers: [], scope: "ends the turn" });
});

test("details that only repeat what is shown are left out", () => {
  const about = (details: [string, string][]) => splitDetails({ ...body, command: null, path: "/srv/data/a.txt", details }).details;
  expect(about([["directories", '["/srv/data/"]'], ["patterns", "/srv/data/*"], ["applies to", "/srv/data/a.txt"]])).toEqual([]);
  expect(about([["patterns", "/srv/data/*\n/etc/*"]])).toEqual([["patterns", "/srv/data/*\n/etc/*"]]);
  expect(about([["one", "same"], ["two", "same"]])).toEqual([["one", "same"]]);
  expect(splitDetails({ ...body, details: [["patterns", "cargo test"], ["description", "Run a command"]] })).toEqual({ purpose: "", details: [] });
});

test("what it is for stands apart from the other details", () => {
  expect(splitDetails({ ...body, details: [["description", "Run the tests"], ["timeout", "10"]] })).toEqual({
    purpose: "Run the tests", details: [["timeout", "10"]],
  });
});

test("answers are chosen options and own words", () => {
  const one = { multiple: false, custom: true };
  const many = { multiple: true, custom: true };
  expect(answersOf([one, one, many], [["a"], ["a"], ["x", "y"]], ["", " own ", "z"])).toEqual([["a"], ["own"], ["x", "y", "z"]]);
  expect(answersOf([{ multiple: false, custom: false }], [[]], ["ignored"])).toEqual([[]]);
});

test("an answer that came too late is told what was answered, or why none was", () => {
  const mine = { kind: "approval", decision: "reject", message: null } as const;
  const once = { kind: "approval", decision: "once", message: null } as const;
  const words = (stands?: Parameters<typeof lateWords>[0]) => lateWords(stands, mine, "Kilo");
  expect(words({ state: "answering", answer: once })).toBe("Already answered on another device: allowed once.");
  expect(words({ state: "resolved", answer: mine })).toBeUndefined();
  expect(words({ state: "resolved", answer: { ...mine, message: "not that" } })).toBe("Already answered on another device: rejected.");
  expect(words({ state: "resolved", answer: null })).toBe("Already answered in Kilo itself.");
  expect(words({ state: "withdrawn", reason: "the turn ended" })).toBe("Your answer was not delivered: the turn ended.");
  expect(words()).toBe("Your answer was not delivered: Kilo no longer waits for it.");
});
