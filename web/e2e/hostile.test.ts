// Nothing that a message, a command or a name holds can break the page, run script in it, leave
// its origin, or look like something else.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight, wider } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const scripts = [
  "<script>window.broken = 1</script>",
  "<img src=x onerror='window.broken = 1'>",
  "<svg onload='window.broken = 1'><animate onbegin='window.broken = 1' attributeName=x dur=1s></svg>",
  "<math><mtext><table><mglyph><style><img src=x onerror='window.broken = 1'></style></mglyph></table></mtext></math>",
  "<iframe srcdoc='<script>parent.broken = 1</script>'></iframe><object data=x></object><embed src=x>",
  "<style>* { display: none }</style><link rel=stylesheet href=//evil.example/x.css><base href=//evil.example/>",
  "<form action=//evil.example><input name=x autofocus onfocus='window.broken = 1'></form>",
  "[run](javascript:window.broken=1) [run](JaVaScRiPt&colon;window.broken=1) [run](  java\tscript:window.broken=1)",
  "[data](data:text/html,<script>window.broken=1</script>) [file](file:///etc/passwd) [vb](vbscript:x) [blob](blob:x)",
  "[relative](settings) [same](//evil.example) [good](https://example.org/?a=1&b=2)",
  "![picture](https://evil.example/pixel.png) ![x](x\"onerror=\"window.broken=1)",
  "<javascript:window.broken=1> <a href='javascript:window.broken=1'>x</a>",
  "3. third\n4. fourth\n\n| a | b |\n|--:|---|\n| 1 | 2 |",
  "<scr<script>ipt>window.broken = 1</scr</script>ipt>",
  "[id]: javascript:window.broken=1\n\n[reference][id]",
  "```html\"><script>window.broken=1</script>\n<script>window.broken = 1</script>\n```",
];

test("markdown of any kind runs nothing, loads nothing and leads nowhere it should not", async () => {
  const page = await newThread(world);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await send(page, scripted("Say it", scripts.map((script) => ({ text: `${script}\n\n` }))));
  await ended(page, "completed");
  const found = await lastTurn(page).evaluate((turn) => {
    const answers = [...turn.querySelectorAll(".agent .md *")];
    const names = [...new Set(answers.map((e) => e.tagName.toLowerCase()))];
    const attributes = [...new Set(answers.flatMap((e) => e.getAttributeNames()))];
    const links = [...turn.querySelectorAll<HTMLAnchorElement>(".agent .md a")].map((a) => a.getAttribute("href"));
    return { names, attributes, links, broken: "broken" in window };
  });
  expect(found.broken).toBe(false);
  for (const name of ["script", "img", "iframe", "object", "embed", "style", "link", "base", "form", "math", "animate"]) expect(found.names).not.toContain(name);
  expect(found.attributes.filter((name) => /^on|style|srcdoc|formaction/.test(name))).toEqual([]);
  expect(found.links.filter((href) => href !== null && !/^(https?:|mailto:|#)/.test(href))).toEqual([]);
  expect(found.links).toContain("https://example.org/?a=1&b=2");
  // What a list, a table and those who read by keys need is kept.
  for (const kept of ["ol[start='3']", "td[align=right]", ".table[tabindex='0']"]) expect(await lastTurn(page).locator(kept).count(), kept).toBe(1);
  expect(asked.filter((url) => !url.startsWith(world.url))).toEqual([]);
  expect(await wider(page)).toEqual([]);
});

const odd = [
  "שלום, זהו משפט מימין לשמאל עם `code` ועם [קישור](https://example.org).",
  "- مرحبا بالعالم\n- وهذا سطر ثان",
  "> ציטוט מימין לשמאל",
  `Zalgo: ${[..."zalgo"].map((c) => c + "\u0336\u0310\u035b\u0319".repeat(30)).join("")} and on.`,
  "Emoji: 👩‍👩‍👧‍👦 ❤️‍🔥 🇩🇪 👍🏽 — and \u202eoverridden\u202c words.",
  `A word without end: ${"x".repeat(3_000)}`,
];

test("foreign scripts run their own way, and marks stay where they belong", async () => {
  const page = await newThread(world);
  await send(page, scripted("Odd text", odd.map((text) => ({ text: `${text}\n\n` }))));
  await ended(page, "completed");
  const directions = await lastTurn(page).locator(".agent .md").locator("p, li, blockquote").evaluateAll((all) => all.map((e) => getComputedStyle(e).direction));
  expect(directions.slice(0, 3)).toEqual(["rtl", "rtl", "rtl"]);
  expect(directions.at(-1)).toBe("ltr");
  expect(await page.locator(".md code").first().evaluate((e) => getComputedStyle(e).direction)).toBe("ltr");
  await looksRight(page, "odd-text");
});

test("a command and a file cannot be made to look like others", async () => {
  const page = await newThread(world);
  await send(page, scripted("Disguise", [bash("echo 'safe\u202e gpj.exe' \u200b\u2066&& \u001b[8mrm -rf x\u001b[0m")], [{ text: "Fine." }]));
  const ask = page.locator(".ask");
  await ask.locator(".hidden-char").first().waitFor({ timeout: 60_000 });
  expect(await ask.locator(".ask-command .hidden-char").allTextContents()).toEqual(["U+202E", "U+200B", "U+2066", "U+001B", "U+001B"]);
  await ask.getByText("characters that cannot be seen").waitFor();
  await looksRight(page, "disguised");
  await ask.locator("[data-decision=reject]").click();
  await page.locator(".ask").waitFor({ state: "detached" });
  await until("the step shows it too", async () => (await lastTurn(page).locator(".step .hidden-char").count()) > 0);
});

test("huge tables, lines and outputs show their beginning, and all of it when it is asked for", async () => {
  const page = await newThread(world);
  const table = `| row | square |\n|---|---|\n${Array.from({ length: 1_500 }, (_, n) => `| ${n} | ${n * n} |`).join("\n")}\n`;
  await send(page, scripted("Much", [{ text: table, chunk: 4_000 }]));
  await ended(page, "completed");
  const rows = () => lastTurn(page).locator(".md tbody tr").count();
  expect(await rows()).toBe(200);
  await page.getByRole("button", { name: /Show more: 1,300 more rows/ }).click();
  await until("a thousand more", async () => (await rows()) === 1_200);
  await page.getByRole("button", { name: /Show more: 300 more rows/ }).click();
  await until("all of them", async () => (await rows()) === 1_500);

  await send(page, scripted("One line", [{ text: "x".repeat(10_000), repeat: 70 }]));
  await until("it is said", async () => (await page.locator(".turn").count()) === 2);
  await ended(page, "completed");
  const answer = lastTurn(page).locator(".agent");
  await answer.getByRole("button", { name: /Show all 684 KB/ }).click();
  await answer.locator(".long-piece").first().waitFor();
  const length = async () => (await answer.textContent())!.length;
  expect(await length()).toBeLessThan(30_000);
  await answer.locator(".long-more").click();
  await until("the whole line", async () => (await length()) > 700_000);
  expect(await wider(page)).toEqual([]);
});
