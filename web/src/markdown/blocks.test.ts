import { expect, test } from "vitest";
import { blocksOf, BlockStream } from "./blocks";

const text = `# Title

A paragraph with *words*
and a second line.

- one
- two

- three after a gap

1. first

   with a paragraph

2. second

| a | b |
|---|---|
| 1 | 2 |

\`\`\`rust
fn main() {

    println!("{}", "\`\`");
}
\`\`\`

> quote
> goes on

Setext
======

    indented code

Done 👍.
`;

test("however a text is cut, its blocks are those of the whole", () => {
  const whole = new BlockStream().update(text).map((b) => b.raw);
  for (const step of [1, 2, 3, 7, 31]) {
    const stream = new BlockStream();
    let blocks: string[] = [];
    for (let end = 0; end < text.length + step; end += step) blocks = stream.update(text.slice(0, end)).map((b) => b.raw);
    expect(blocks).toEqual(whole);
  }
});

test("closed blocks keep their identity while the tail grows", () => {
  const stream = new BlockStream();
  const before = stream.update("One.\n\nTwo.\n\nThr\nee");
  const after = stream.update("One.\n\nTwo.\n\nThr\neee");
  expect(after.map((b) => b.raw.trim())).toEqual(["One.", "Two.", "Thr\neee"]);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  expect(after[2]).not.toBe(before[2]);
});

test("an open fence is code from its first line on", () => {
  const stream = new BlockStream();
  expect(stream.update("Look:\n\n```ts title=x\nlet a")[1]!.code).toEqual({ text: "let a", lang: "ts", closed: false });
  expect(stream.update("Look:\n\n```ts title=x\nlet a = 1;\n```")[1]!.code).toEqual({ text: "let a = 1;", lang: "ts", closed: true });
});

test("a text that was replaced starts afresh", () => {
  const stream = new BlockStream();
  stream.update("One.\n\nTwo.\n\nThree.");
  expect(stream.update("Other.").map((b) => b.raw)).toEqual(["Other."]);
});

test("a text with link definitions stays in one piece once it is done", () => {
  expect(blocksOf("See [a].\n\nMore.\n\n[a]: https://example.org")).toHaveLength(1);
  expect(blocksOf("See.\n\nMore.")).toHaveLength(2);
});
