import { expect, test } from "vitest";
import { age, codePieces, count, duration, money, nth, plural, price, size } from "./format";

const now = new Date(2026, 5, 15, 12, 0).getTime();
const MIN = 60_000;

test.each([
  [0, "now"],
  [59_000, "now"],
  [4 * MIN, "4m"],
  [125 * MIN, "2h"],
  [30 * 60 * MIN, "yesterday"],
  [72 * 60 * MIN, "3d"],
  [-5000, "now"],
])("age of %i ms is %s", (passed, text) => expect(age(now - passed, now)).toBe(text));

test.each([
  [0, "0.0 s"],
  [420, "0.4 s"],
  [8_240, "8.2 s"],
  [9_990, "10 s"],
  [59_700, "1 min"],
  [185_000, "3 min 5 s"],
  [3_600_000, "1 h"],
  [4_320_000, "1 h 12 min"],
])("%i ms lasts %s", (ms, text) => expect(duration(ms)).toBe(text));

test("numbers read short", () => {
  expect([0, 940, 1000, 7600, 9960, 76_400, 1_240_000].map(count)).toEqual([
    "0", "940", "1k", "7.6k", "10k", "76k", "1.2M",
  ]);
  expect([10, 12 * 1024, 3.4 * 1024 * 1024].map(size)).toEqual(["10 B", "12 KB", "3.4 MB"]);
  expect([0, 0.00001, 0.0042, 0.414, 12.3].map(money)).toEqual(["", "<$0.0001", "$0.0042", "$0.41", "$12.30"]);
  expect([3, 0.25, 1.1, 0].map(price)).toEqual(["$3", "$0.25", "$1.1", "$0"]);
  expect([1, 2].map((n) => plural(n, "file"))).toEqual(["1 file", "2 files"]);
  expect([1, 2, 3, 4, 11, 22].map(nth)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "22nd"]);
});

test("what stands between single backticks is code", () => {
  const pieces = (text: string) => codePieces(text).map((piece) => (piece.code ? `[${piece.text}]` : piece.text));
  expect(pieces("Run `baton pair` on it, or `x`.")).toEqual(["Run ", "[baton pair]", " on it, or ", "[x]", "."]);
  for (const plain of ["", "a ` b", "``a``", "```\nblock\n```", "`two\nlines`"]) expect(pieces(plain).join("|")).toBe(plain);
});
