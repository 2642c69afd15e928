import { expect, test } from "vitest";
import { planPath } from "./planPath";

test.each([
  ["# Plan: Count words with apostrophes\n\n1. …", "plans/count-words-with-apostrophes.md"],
  ["Some words first\n\n## Über `naïve` ../../paths", "plans/uber-naive-paths.md"],
  ["1. Read the parser", "plans/1-read-the-parser.md"],
  ["# 計画を立てる", "plans/計画を立てる.md"],
  ["", "plans/plan.md"],
  ["# Plan", "plans/plan.md"],
  [`# ${"word ".repeat(100)}`, `plans/${Array(12).fill("word").join("-")}.md`],
  [`# ${"x".repeat(100)}`, "plans/plan.md"],
])("%j is saved as %s", (markdown, path) => {
  expect(planPath(markdown)).toBe(path);
});
