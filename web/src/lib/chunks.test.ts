import { expect, test } from "vitest";
import { CHUNK, chunksOf, isLong, LINE, nearCut } from "./chunks";

const whole = (text: string) => chunksOf(text, true).reduce((all, chunk, i, list) => all + chunk.text + (chunk.open || i === list.length - 1 ? "" : "\n"), "");

test("pieces put together are the text, and none is long", () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${"x".repeat(n % 90)}`).join("\n");
  for (const text of [lines, `${"a".repeat(100_000)}\n${lines}`, `one\n\n\n${"é👍🏽".repeat(40_000)}\nlast`, "x".repeat(5_000_000)]) {
    expect(whole(text) === text).toBe(true);
    for (const chunk of chunksOf(text, true)) expect(chunk.text.length).toBeLessThanOrEqual(CHUNK);
  }
});

test("a long line is cut, and says by how much", () => {
  const text = `short\n${"x".repeat(LINE + 5_000)}\nshort too`;
  expect(chunksOf(text, false).map(({ text, cut }) => [text.length, cut])).toEqual([[5, 0], [LINE, 5_000], [9, 0]]);
});

test("what is short stays as it is", () => {
  expect([isLong("x".repeat(LINE)), isLong("line\n".repeat(10_000)), isLong("x".repeat(LINE + 1)), isLong("line\n".repeat(40_000))]).toEqual([false, false, true, true]);
  expect(chunksOf("", false)).toEqual([]);
});

test("nothing is cut within a character", () => {
  expect([nearCut("ab👍c", 0, 3), nearCut("ae\u0301c", 0, 2), nearCut("abc", 0, 2)]).toEqual([2, 1, 2]);
});
