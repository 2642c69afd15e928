// A thread: what the agent does and says, while it does and when it is over.

import { join } from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { newTurnId } from "../../src/lib/ids";
import { bash, lastTurn, type Action } from "../world";
import { rests, type Stage } from "./stage";

const screen = "thread";

const PATTERN = "  return text.toLowerCase().match(/[a-z]+/g) ?? [];";
const BETTER = "  return text.toLowerCase().match(/[a-z]+(?:'[a-z]+)*/g) ?? [];";

const ANSWER = `The pattern for words takes apostrophes **between** letters now, so \`don't\` is one word, and quotes around a word still are not part of it:

\`\`\`js
function words(text) {
  return text.toLowerCase().match(/[a-z]+(?:'[a-z]+)*/g) ?? [];
}
\`\`\`

| text | before | now |
|---|---|---|
| \`don't\` | don, t | don't |
| \`'quoted'\` | quoted | quoted |
| \`rock'n'roll\` | rock, n, roll | rock'n'roll |

1. \`src/tally.js\` has the new pattern.
2. \`test/tally.test.js\` covers the three cases above.

> The typographic apostrophe (’) is still a separator. Say so if it should count too.
`;

/** The tools of Kilo, for the sample project. */
export function hands(project: string) {
  const path = (name: string) => join(project, name);
  return {
    read: (name: string): Action => ({ tool: "read", args: { filePath: path(name) } }),
    grep: (pattern: string): Action => ({ tool: "grep", args: { pattern, path: project } }),
    edit: (name: string, oldString: string, newString: string): Action => ({ tool: "edit", args: { filePath: path(name), oldString, newString } }),
    write: (name: string, content: string): Action => ({ tool: "write", args: { filePath: path(name), content } }),
    todos: (...todos: [string, string][]): Action => ({ tool: "todowrite", args: { todos: todos.map(([content, status]) => ({ content, status, priority: "medium" })) } }),
    task: (description: string, prompt: string): Action => ({ tool: "task", args: { description, prompt, subagent_type: "explore" } }),
  };
}

/** The work that most pictures show: words with apostrophes. */
export function apostrophes(project: string, end: Action[] = [{ text: ANSWER }]): Action[][] {
  const { read, grep, edit } = hands(project);
  return [
    [{ reasoning: "The pattern of words decides this. Where is it, and which tests hold it?" }, { text: "I'll look at how words are found and what the tests hold." }, read("src/tally.js"), read("test/tally.test.js"), grep("words\\(")],
    [{ text: "One expression does it." }, edit("src/tally.js", PATTERN, BETTER)],
    end,
  ];
}

/** Where the panel lies over the thread it is opened anew. */
const openPanel = (page: Page) => page.getByRole("button", { name: "Panel", exact: true }).click();

export const REQUEST = "Words with apostrophes are counted as two. Count them as one, and cover it with tests. See @src/tally.js.";

export function threads(at: () => Stage): void {
  test("completed, with folds closed and open", async () => {
    const { world, shown, take, tidy } = at();
    const test = "import { test } from \"node:test\";\n\ntest(\"an apostrophe joins\", () => {});\n";
    const { write } = hands(world.project);
    const steps = apostrophes(world.project, [write("test/apostrophes.test.js", test), bash("npm test 2>&1 | tail -n 12", "Run the tests")]);
    const page = await rests(await shown(REQUEST, [...steps, [bash("node src/cli.js missing.txt", "Try a file that is not there")], [{ text: ANSWER }]], { access: "full", title: "Count words with apostrophes as one" }));
    await take(page, screen, "completed");
    // From the last: opening one brings others.
    for (const fold of (await page.locator(".fold-line:not([disabled])").all()).toReversed()) await fold.click();
    await page.locator(".diff-line").first().waitFor();
    await take(page, screen, "completed-folds-open");
    await page.locator(".scroll").evaluate((scroller) => (scroller.scrollTop = 0));
    await take(page, screen, "completed-folds-open-from-the-top");
    await tidy();
  });

  test("running: reasoning, a live tool, a text", async () => {
    const { world, shown, take } = at();
    const { read } = hands(world.project);
    const steps: Action[][] = [
      [{ reasoning: "**Looking for the pattern**\n\nThe pattern of words decides this, and the tests hold it: I have to see both before I change anything." }, { wait: "reasoned" }, { text: "I'll read the code first." }, read("src/tally.js")],
      [bash("for n in 1 2 3 4 5 6; do echo \"test $n ... ok\"; done; exec sleep 600", "Run the tests, slowly")],
    ];
    const page = await shown("Which tests hold the pattern of words?", steps, { option: "high", access: "full", title: "Find the tests of the pattern" });
    await page.locator(".think").filter({ hasText: "pattern" }).waitFor({ timeout: 60_000 });
    await take(page, screen, "running-reasoning");
    await world.release("reasoned");
    const step = lastTurn(page).locator(".step").filter({ hasText: "test $n" });
    await step.waitFor({ timeout: 60_000 });
    if (!(await step.locator("pre").first().isVisible())) await step.locator(".fold-line").click();
    await step.filter({ hasText: "test 6 ... ok" }).waitFor({ timeout: 60_000 });
    await take(page, screen, "running-tool");
    await page.locator(".send.stop").click();
    await rests(page, "interrupted");
    await take(page, screen, "stopped");
  });

  test("running: a text that streams", async () => {
    const { shown, take } = at();
    const page = await shown("Explain how ties are ordered.", [[{ text: "Ties keep the order in which the words were first seen. Two things make that so:\n\n- a `Map` is walked in the order of insertion, and\n- `Array.prototype.sort` is stable, so equal counts" }, { wait: "never" }]], { title: "How are ties ordered?" });
    await lastTurn(page).filter({ hasText: "equal counts" }).waitFor({ timeout: 60_000 });
    await take(page, screen, "running-text");
  });

  test("failed, tried again, and compacted", async () => {
    const { world, shown, take, begin, open, say } = at();
    const fails = await rests(await shown("Index the attachments as well.", [[{ status: 402, body: { error: { message: "insufficient credit: your balance is $0.00" } } }]], { title: "Index attachments too" }), "failed");
    await take(fails, screen, "failed");

    const retrying = await shown("Try it with the other model.", [[{ status: 429, headers: { "retry-after": "60" }, body: { error: { message: "too many requests, slow down" } } }]], { title: "Try another model" });
    await retrying.locator(".progress[data-phase=retrying]").waitFor({ timeout: 60_000 });
    await take(retrying, screen, "retrying");

    const place = await begin("Read all of it.", [[{ text: "I have read it. The code is small: a counter, a command line and tests." }]], { title: "Read the whole project" });
    const page = await rests(await open(place));
    await world.ask("POST", `threads/${place.slice("#/t/".length)}/compact`, { id: newTurnId() });
    await page.locator(".turn").nth(1).waitFor();
    await rests(page);
    await say(place, "And what is left to do?", [[{ text: "Only the *typographic* apostrophe." }]]);
    await page.locator(".turn").nth(2).waitFor();
    await rests(page);
    await take(page, screen, "compacted");
  });

  test("sub-agents", async () => {
    const { world, shown, take } = at();
    const { read, grep, task } = hands(world.project);
    const [look, survey] = ["Find out who calls `words` and what they rely on.", "Say what the command line prints."];
    await world.tell(look, [{ text: "I'll search." }, grep("words\\("), read("src/tally.js")], [{ text: "Only `tally` calls it." }, { wait: "explored" }]);
    await world.tell(survey, [read("src/cli.js")], [{ text: "One line for each word, the most frequent first." }]);
    const page = await shown("Have two agents look at callers and output.", [[{ text: "Two agents can look at once." }, task("Find callers of words", look), task("Survey the command line", survey)], [{ text: "`words` has one caller, and the command line prints one line for each word." }]], { access: "full", title: "Callers of words" });
    await page.locator(".step").filter({ hasText: "Only" }).first().waitFor({ timeout: 60_000 }).catch(() => {});
    for (const fold of (await page.locator(".step > .fold-line:not([disabled])[aria-expanded=false]").all()).toReversed()) await fold.click();
    await take(page, screen, "sub-agents-live");
    await page.keyboard.press("Alt+Shift+A");
    await page.locator(".panel .agent-row").first().waitFor();
    await take(page, "panel", "agents", openPanel);
    await page.keyboard.press("Alt+Shift+A");
    await world.release("explored");
    await rests(page);
    await take(page, screen, "sub-agents-done");
  });

  test("a list of steps", async () => {
    const { world, shown, take } = at();
    const { todos } = hands(world.project);
    const names = ["Read the code and its tests", "Let the pattern take apostrophes between letters", "Cover don't, 'quoted' and rock'n'roll with tests", "Run the tests and say what changed"];
    const page = await shown("Make a list and work it off.", [[{ text: "Four steps." }, todos([names[0]!, "completed"], [names[1]!, "in_progress"], [names[2]!, "pending"], [names[3]!, "cancelled"])], [{ text: "The first is done; on to the pattern." }, { wait: "never" }]], { title: "Work off a list" });
    await lastTurn(page).filter({ hasText: "on to the pattern" }).waitFor({ timeout: 60_000 });
    await take(page, screen, "steps");
    await page.keyboard.press("Alt+Shift+T");
    await page.locator(".panel .todos").waitFor();
    await take(page, "panel", "tasks", openPanel);
    await page.keyboard.press("Alt+Shift+T");
    await page.locator(".todo-strip .fold-line").click();
    await take(page, screen, "steps-open");
  });

  test("loading", async () => {
    const { world, begin, open, take } = at();
    const place = await begin("Say a word.", [[{ text: "Marmalade." }]], { title: "A word" });
    await rests(await open(place));
    const page = await open("#/archive");
    await page.locator(".side .row").first().waitFor();
    // The thread's part of the live connection never arrives.
    await page.evaluate(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (!String(data).includes("\"thread\"")) send.call(this, data);
      };
    });
    await page.evaluate((hash) => void (location.hash = hash), place);
    await page.locator(".skeleton").waitFor();
    await take(page, screen, "loading");
    await world.closePages();
  });

  test("a long thread, and away from its end", async () => {
    const { shown, take } = at();
    const page = await rests(await shown("Tell me all about it.", [[{ text: Array.from({ length: 40 }, (_, n) => `Paragraph ${n + 1} says little, and says it at some length, as paragraphs do that are there to fill a page.`).join("\n\n") }]], { title: "All about it" }));
    await page.locator(".scroll").hover();
    await page.mouse.wheel(0, -900);
    await page.getByRole("button", { name: "Jump to latest" }).waitFor();
    await take(page, screen, "away-from-the-end");
  });

  test("hostile text", async () => {
    const { shown, take } = at();
    const texts = [
      "שלום, זהו משפט מימין לשמאל עם `code` ועם [קישור](https://example.org).\n\n- مرحبا بالعالم\n- وهذا سطر ثان\n\n",
      `Zalgo: ${[..."zalgo"].map((c) => c + "\u0336\u0310\u035b\u0319".repeat(20)).join("")} and on. Emoji: 👩‍👩‍👧‍👦 ❤️‍🔥 🇩🇪, and \u202eoverridden\u202c words.\n\n`,
      `A word without end: ${"x".repeat(400)}\n\n`,
      "<script>alert(1)</script> <img src=x onerror=alert(1)> [run](javascript:alert(1)) ![picture](https://evil.example/p.png)\n\n",
      "| a very wide table | with many columns | that do not fit | on a phone at all | and so it scrolls | sideways |\n|---|---|---|---|---|---|\n| one | two | three | four | five | six |\n\n",
      "> a quote\n>> in a quote\n>>> in a quote\n\n- [x] done\n- [ ] to do\n  - nested\n    1. deeply\n\n---\n\n# A heading\n## A smaller one\n### The smallest\n",
    ];
    const page = await rests(await shown("Write whatever breaks pages, \u202eif you can\u202c.", [texts.map((text) => ({ text }))], { title: "What breaks pages \u202eand titles" }));
    await take(page, screen, "hostile-text");
    await page.locator(".scroll").evaluate((scroller) => (scroller.scrollTop = 0));
    await take(page, screen, "hostile-text-from-the-top");
  });
}
