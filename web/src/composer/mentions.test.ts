import { expect, test } from "vitest";
import { mentionOf, nameAt, pieces, typedMention, withMention } from "./mentions";

/** The query at the caret `|`. */
const typed = (marked: string) => typedMention(marked.replace("|", ""), marked.indexOf("|"))?.query;

test("a mention begins at the beginning of a word", () => {
  expect(typed("@|")).toBe("");
  expect(typed("see @src/ma|")).toBe("src/ma");
  expect(typed("see (@ma|")).toBe("ma");
  expect(typed("line\n@ma|\nline")).toBe("ma");
  expect(typed("@a/@scope|")).toBe("a/@scope");
  expect(typed("@sr|c/main.rs and")).toBe("src/main.rs");
  for (const none of ["me@example.org|", "|@ma", "@ma |", "see @ma and|", "a @\n|", "`@Override|", ""]) expect(typed(none), none).toBeUndefined();
});

test("between quotation marks it has spaces", () => {
  expect(typed('@"my fi|')).toBe("my fi");
  expect(typed('@"my fi|le.txt" is')).toBe("my file.txt");
  expect(typed('@"my file.txt"|')).toBeUndefined();
  expect(typed('@|"my')).toBeUndefined();
});

test("code is not looked at", () => {
  expect(typed("```java\n@Over|")).toBeUndefined();
  expect(typed("```java\n@Override\n```\n@ma|")).toBe("ma");
});

test("a chosen path replaces what was typed of it and nothing else", () => {
  const chosen = (marked: string, path: string) => {
    const text = marked.replace("|", "");
    const next = withMention(text, typedMention(text, marked.indexOf("|"))!, path);
    return `${next.text.slice(0, next.caret)}|${next.text.slice(next.caret)}`;
  };
  expect(chosen("see @ma|", "src/main.rs")).toBe("see @src/main.rs |");
  expect(chosen("see @m|a now", "src/main.rs")).toBe("see @src/main.rs |now");
  expect(chosen("see @my|", "my file.txt")).toBe('see @"my file.txt" |');
  expect(chosen('see @"my|" now', "my file.txt")).toBe('see @"my file.txt" |now');
  expect(chosen("@s|", "src/")).toBe("@src/|");
  expect(chosen("@src/|", "src/")).toBe("@src/ |");
  expect(chosen("@m|", "my dir/")).toBe('@"my dir/|');
  expect(chosen('@"my dir/|', "my dir/")).toBe('@"my dir/" |');
  expect(mentionOf('a" b')).toBe('@a" b');
});

test("what was typed is told apart in the name and the directory", () => {
  const path = "a😀b/main.rs";
  const at = [1, 5, 6];
  expect(pieces(path, at, nameAt(path), path.length)).toEqual([{ text: "ma", hit: true }, { text: "in.rs", hit: false }]);
  expect(pieces(path, at, 0, nameAt(path))).toEqual([{ text: "a", hit: false }, { text: "😀", hit: true }, { text: "b/", hit: false }]);
  expect([nameAt("src/"), nameAt("a/src/"), nameAt("x")]).toEqual([0, 2, 0]);
});
