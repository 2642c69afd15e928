import { expect, test } from "vitest";
import { parseDiff } from "./diff";

const short = (text: string) => parseDiff(text).map((l) => `${l.kind}${l.number ? ` ${l.number}` : ""}: ${l.text}`);

test("a unified diff has numbered lines", () => {
  expect(
    short("Index: a\n===\n--- a\n+++ a\n@@ -3,3 +3,3 @@\n same\n-- old\n++ new\n@@ -20 +20 @@ fn main\n-x\n\\ No newline at end of file\n"),
  ).toEqual(["same 3: same", "del 4: - old", "add 4: + new", "hunk: fn main", "del 20: x", "meta: No newline at end of file"]);
});

test("text that is no diff is shown as it is", () => {
  expect(short("Binary files differ")).toEqual(["meta: Binary files differ"]);
  expect(short("")).toEqual([]);
});
