import { expect, test } from "vitest";
import { blocksOf, BlockStream, MAX_BLOCK, MAX_ROWS } from "./blocks";
import { numbered, toHtml } from "./render";

/** The tags that markdown becomes, before they are sanitised a second time in the browser. */
const tags = (markdown: string) => [...toHtml(markdown).matchAll(/<([a-z0-9]+)/gi)].map((match) => match[1]);

test("HTML is text", () => {
  for (const html of [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "a <b onmouseover=alert(1)>bold</b> word",
    "<!-- <script>alert(1)</script> -->",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<base href=//evil.example>",
    "<form action=//evil.example><button>",
  ]) {
    const foreign = tags(html).filter((tag) => !["p", "em", "strong"].includes(tag!));
    expect(foreign, html).toEqual([]);
  }
});

test("an image is a link, and what is in its words is text", () => {
  expect(toHtml('![<script>"](https://example.org/a.png)')).toBe('<p><a href="https://example.org/a.png">&#60;script&#62;&#34;</a></p>\n');
  expect(toHtml('![x](https://example.org/"onerror="alert)')).not.toMatch(/ onerror="/);
});

test("a table with many rows, and a block with many words, show their beginning", () => {
  const table = `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(5_000)}`;
  const [block] = blocksOf(table);
  expect(block!.short!.rest).toBe("4,800 more rows");
  expect(toHtml(block!.short!.raw).match(/<tr>/g)).toHaveLength(MAX_ROWS + 1);
  expect(blocksOf(`| a |\n|---|\n${"| 1 |\n".repeat(MAX_ROWS)}`)[0]!.short).toBeUndefined();

  const [line] = blocksOf("word ".repeat(50_000));
  expect(line!.short!.raw.length).toBeLessThanOrEqual(MAX_BLOCK);
  expect(line!.short!.rest).toBe("224 KB more");
  const [linked] = blocksOf(`[a]: https://example.org\n\n${"word ".repeat(50_000)}`);
  expect(linked!.short).toBeDefined();
});

test("what is nested without end is still shown", () => {
  for (const text of [`${"> ".repeat(5_000)}deep`, `${"[".repeat(5_000)}x${"](y)".repeat(5_000)}`, `${"*".repeat(3_000)}a${"*".repeat(3_000)}`, `${"- ".repeat(1_000)}deep`]) {
    expect(blocksOf(text).map((block) => toHtml((block.short ?? block).raw)).join("")).not.toBe("");
  }
});

test("foreign scripts, marks and emoji go through as they are", () => {
  for (const text of ["שלום עולם", "مرحبا **بالعالم**", "👩‍👩‍👧‍👦 ❤️‍🔥 🇩🇪", `z${"\u0336\u0310".repeat(300)}algo`, "a\u202eb"]) {
    const plain = text.replaceAll("**", "");
    expect(toHtml(text).replace(/<[^>]+>/g, "").trim()).toBe(plain);
    const stream = new BlockStream();
    let last = stream.update("");
    for (let end = 1; end <= text.length; end++) last = stream.update(text.slice(0, end));
    expect(last.map((block) => block.raw).join("")).toBe(text);
  }
});

test("a list that goes on begins with its own number", () => {
  expect(numbered(toHtml("1. ten\n1. eleven"), 10)).toContain('<ol start="10">');
  expect(numbered(toHtml("7. seven"), 8)).toContain('<ol start="8">');
  expect(numbered(toHtml("- a"), undefined)).toContain("<ul>");
});
