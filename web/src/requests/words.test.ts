import { expect, test } from "vitest";
import { approval } from "../sync/samples";
import { answersOf, choiceSentence, choiceWords, headingOf, splitDetails, titleAdds } from "./words";

const request = approval("req_1");
const body = request.body as Extract<typeof request.body, { kind: "approval" }>;

test("a heading says who asks for what", () => {
  expect(headingOf(request, "Kilo")).toBe("Kilo asks to run a command");
  expect(headingOf({ body: { kind: "plan", markdown: "", path: null } }, "Kilo")).toBe("Kilo proposes a plan");
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
