// What the agent asks: commands, edits, addresses, questions, plans.

import { test } from "vitest";
import type { Page } from "playwright-core";
import { bash, type Action } from "../world";
import { apostrophes, hands, REQUEST } from "./threads";
import type { Stage } from "./stage";

const screen = "requests";

export function requests(at: () => Stage): void {
  const asked = async (page: Page, kind = ""): Promise<Page> => {
    await page.locator(`.ask${kind && `[data-kind=${kind}]`}`).waitFor({ timeout: 60_000 });
    return page;
  };
  /** Rejects all that is asked, so that nobody is asked in what is pictured later. */
  const put = async (page: Page) => void (await page.locator(".send.stop").click());

  test("a command", async () => {
    const { world, shown, open, take, takeOnPhone, say, tidy } = at();
    const page = await asked(await shown(REQUEST, apostrophes(world.project, [{ text: "Now the tests." }, bash("npm test -- --test-name-pattern='apostrophe|quote'", "Run the tests of the pattern")]), { access: "auto-edit", title: "Count words with apostrophes as one", option: "high" }));
    await say(new URL(page.url()).hash, "then update the README and say what changed");
    await page.locator(".queued").waitFor();
    await take(page, screen, "command");
    const phone = await open(new URL(page.url()).hash, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await takeOnPhone(await asked(phone), screen, "command-on-a-phone");
    await page.getByRole("button", { name: "Reject and say why…" }).click();
    await page.getByRole("textbox", { name: /Why not/ }).fill("Run all of the tests, not only those");
    await take(page, screen, "reject-and-say-why");
    await put(page);
    await tidy();
  });

  test("a long command", async () => {
    const { shown, take } = at();
    const lines = Array.from({ length: 40 }, (_, n) => `echo 'line ${n + 1} of what is to be run, and it is not a short one either' >> /tmp/out.txt`).join("\n");
    const page = await asked(await shown("Print it all.", [[{ text: "I would run this:" }, bash(lines, "Prints many lines")]], { title: "Print many lines" }));
    await take(page, screen, "long-command");
    await put(page);
  });

  test("an edit", async () => {
    const { world, shown, take } = at();
    const page = await asked(await shown("Let words have apostrophes.", apostrophes(world.project), { title: "Apostrophes in words" }));
    await page.locator(".ask .diff-line").first().waitFor();
    await take(page, screen, "edit");
    await put(page);
  });

  test("an address, a directory elsewhere, and several at once", async () => {
    const { shown, take } = at();
    const fetch: Action = { tool: "webfetch", args: { url: "https://unicode.org/reports/tr29/#Word_Boundaries", format: "markdown" } };
    const page = await asked(await shown("What does Unicode say about words?", [[{ text: "I'd read the report." }, fetch]], { title: "Words in Unicode" }));
    await take(page, screen, "address");
    await put(page);
    const several = await asked(await shown("Do three things at once.", [[{ text: "Three at once." }, bash("git fetch --all --prune", "Fetch"), bash("npm outdated", "What is old"), { tool: "read", args: { filePath: "/etc/hosts" } }]], { title: "Three at once" }));
    await several.locator(".ask-count").filter({ hasText: "of 3" }).waitFor({ timeout: 60_000 });
    await take(several, screen, "several");
    await several.getByRole("button", { name: "Previous request" }).click();
    await take(several, screen, "several-the-last");
    await put(several);
  });

  test("characters that cannot be seen", async () => {
    const { shown, take } = at();
    const page = await asked(await shown("Show me a safe command.", [[bash("echo 'safe\u202e gpj.exe' \u200b\u2066&& \u001b[8mrm -rf x\u001b[0m")]], { title: "A safe command" }));
    await page.locator(".ask .hidden-char").first().waitFor();
    await take(page, screen, "hidden-characters");
    await put(page);
  });

  test("a sub-agent's command", async () => {
    const { world, shown, take } = at();
    const { task } = hands(world.project);
    await world.tell("Count the lines of each file.", [bash("wc -l src/*.js", "Count lines")]);
    const page = await asked(await shown("Let an agent count the lines.", [[{ text: "An agent can count." }, task("Count the lines", "Count the lines of each file.")]], { title: "Count the lines" }));
    if ((await page.locator(".ask").textContent())?.includes("wc -l") === false) await page.locator(".ask [data-decision=once]").click();
    await page.locator(".ask").filter({ hasText: "wc -l" }).waitFor({ timeout: 60_000 });
    await take(page, screen, "of-a-sub-agent");
    await put(page);
  });

  test("questions", async () => {
    const { shown, take } = at();
    const ties = { header: "Ties", question: "How should words with equal counts be ordered?", options: [{ label: "By appearance", description: "As now: the word seen first comes first" }, { label: "Alphabetically", description: "The same order for any text" }] };
    const scripts = { header: "Scripts", question: "Which scripts should count as letters?", multiple: true, custom: true, options: [{ label: "Latin", description: "a to z and their accents" }, { label: "Greek", description: "α to ω" }, { label: "Cyrillic", description: "а to я" }, { label: "All of Unicode", description: "Whatever has the property Alphabetic" }] };
    const one = await asked(await shown("Order ties.", [[{ text: "I need to know one thing." }, { tool: "question", args: { questions: [ties] } }]], { title: "The order of ties" }), "question");
    await take(one, screen, "question");
    await put(one);
    const two = await asked(await shown("Count words of every script.", [[{ text: "Two things first." }, { tool: "question", args: { questions: [scripts, ties] } }]], { title: "Words of every script" }), "question");
    await two.locator(".option").filter({ hasText: "Greek" }).click();
    await two.locator(".option").filter({ hasText: "Cyrillic" }).click();
    await two.getByRole("textbox", { name: /Own answer/ }).first().fill("and Hebrew, please");
    await take(two, screen, "questions-several-answers");
    await put(two);
  });

  test("a plan", async () => {
    const { shown, take } = at();
    const page = await asked(await shown("How would you do it?", undefined, { mode: "plan", title: "A plan for apostrophes" }), "plan");
    await page.locator(".ask .md").waitFor();
    await take(page, screen, "plan");
    await put(page);
  });
}
