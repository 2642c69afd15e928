import { expect, test } from "vitest";
import { blocksOf, BlockStream, codePieces, PART, partsOf } from "./blocks";

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

test("a long list that is written comes in parts, of which only the last one changes", () => {
  const items = Array.from({ length: 120 }, (_, i) => `${i % 3 === 2 ? "   more of it\n\n" : ""}1. item ${i}\n   - beneath it\n`);
  const list = `Look:\n\n${items.join("")}`;
  const stream = new BlockStream(true);
  let blocks = stream.update("");
  for (let end = 0; end < list.length; end += 40) {
    const before = blocks;
    blocks = stream.update(list.slice(0, end));
    // What was closed stays as it is, and what is open is short.
    const fresh = blocks.filter((block) => !before.includes(block));
    expect(fresh.reduce((sum, block) => sum + block.raw.length, 0)).toBeLessThan(2_500);
  }
  blocks = stream.update(`${list}\nThe end.\n`);
  const parts = blocks.filter((block) => block.part);
  expect(parts.map((block) => block.part!.goesOn)).toEqual([false, ...parts.slice(1).map(() => true)]);
  // Each part goes on counting, and together they are the list.
  const counted = parts.map((block) => block.raw.match(/^1\. /gm)!.length);
  expect(parts.map((block) => block.part!.start)).toEqual(counted.map((_, i) => 1 + counted.slice(0, i).reduce((a, b) => a + b, 0)));
  expect(parts.map((block) => block.raw).join("").replace(/\s+/g, "")).toBe(items.join("").replace(/\s+/g, ""));
  expect(blocks.at(-1)!.raw.trim()).toBe("The end.");
  expect(blocks.at(-1)!.part).toBeUndefined();
  // Once it is done it is one list.
  expect(blocksOf(list)).toHaveLength(2);
});

test("parts of blocks that did not change keep their identity", () => {
  const stream = new BlockStream();
  const paragraphs = (n: number) => Array.from({ length: n }, (_, i) => `Paragraph ${i}.\n\n`).join("");
  const before = partsOf(stream.update(paragraphs(PART * 2 + 3)), []);
  expect(before.map((part) => part.length)).toEqual([PART, PART, 3]);
  const after = partsOf(stream.update(`${paragraphs(PART * 2 + 3)}More.`), before);
  expect(after.map((part, i) => part === before[i])).toEqual([true, true, false]);
  expect(after.flat()).toHaveLength(PART * 2 + 4);
});

test("code that grows is cut between lines, and all but its last piece stay", () => {
  const code = Array.from({ length: 400 }, (_, i) => (i % 7 ? `    let a${i} = ${i};` : "")).join("\n");
  const before = codePieces(code);
  expect(before.join("\n")).toBe(code);
  expect(before.length).toBeGreaterThan(2);
  expect(codePieces(`${code}\nmore`).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  expect(codePieces("")).toEqual([""]);
});
