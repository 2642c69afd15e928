import { expect, test } from "vitest";
import { visible, visiblePieces } from "./visible";

const check = (text: string, expected: string) => expect(visible(text), JSON.stringify(text)).toBe(expected);

test("what cannot be seen is written out", () => {
  check("rm \u202etxt.exe", "rm ⟨U+202E⟩txt.exe");
  check("a\u200bb\u2066c\u2069", "a⟨U+200B⟩b⟨U+2066⟩c⟨U+2069⟩");
  check("\u001b[2Kecho hi\r\u0007", "⟨U+001B⟩[2Kecho hi⟨U+000D⟩⟨U+0007⟩");
  check("echo\u00a0hi\u3000there", "echo⟨U+00A0⟩hi⟨U+3000⟩there");
  check("one\u2028two", "one⟨U+2028⟩two");
  check("tag\u{e0041}s", "tag⟨U+E0041⟩s");
  check("a\u200db", "a⟨U+200D⟩b");
});

test("what is only foreign stays as it is", () => {
  for (const text of ["", "echo hi\n\tthere", "line\r\nline", "/home/שלום/مرحبا.txt", "Grüße 你好", "👩‍👩‍👧 👍🏽 ❤️", "🏳️‍🌈", "z̷a̸l̴g̵o̶"]) check(text, text);
});

test("a hidden character is named", () => {
  expect(visiblePieces("a\u202eb")).toEqual([{ text: "a" }, { text: "U+202E", hidden: "right-to-left override" }, { text: "b" }]);
});

test("a long text of nothing but hidden characters is read in one go", () => {
  expect(visiblePieces("\u200b".repeat(20_000))).toHaveLength(20_000);
});
