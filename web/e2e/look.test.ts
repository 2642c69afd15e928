import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { violations, wider } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, scripted, send, type World } from "./world";

let world: World;
let thread: string;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
  const page = await world.open();
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  // What was asked about and stopped, what failed, and what was not taken up are in every picture.
  const missing = { tool: "read", args: { filePath: `${world.project}/missing.txt` } };
  await send(page, scripted("Read and run", [missing], [bash("npm test")]));
  await page.locator(".ask").waitFor({ timeout: 60_000 });
  expect(await lastTurn(page).locator(".step-text").allTextContents()).toEqual(["Could not read missing.txt", "Waiting to run npm test"]);
  await page.getByRole("textbox", { name: "Message" }).fill("and lint it");
  await page.keyboard.press("Control+Enter");
  await page.locator(".progress[data-phase=steering]").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  // The message that waited may be given up before the turn that ran has ended.
  await ended(page, "interrupted");
  await page.locator(".turn[data-state=interrupted]").nth(1).waitFor();
  await lastTurn(page).locator(".untaken").getByRole("button", { name: "Send again" }).waitFor();
  expect(await page.locator(".turn").first().locator(".step-text, .step-note").allTextContents()).toEqual(
    expect.arrayContaining(["Not run npm test", "stopped before it was allowed"]),
  );
  const answer = "Some words with `code`, a [link](https://example.org) and\n\n```js\nconst x = 1; // one\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n";
  await send(page, scripted("Look at this", [{ reasoning: "Hm." }, { text: answer }, bash("cat package.json")]));
  await page.locator(".ask").waitFor({ timeout: 60_000 });
  await send(page, "and this waits in the queue, with a text that is too long for a line of a phone");
  await page.locator(".queued").waitFor();
  thread = new URL(page.url()).hash;
  await page.close();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const sizes = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of sizes) {
    test(`at ${viewport.width} px, ${colorScheme}, every page fits and is accessible`, async () => {
      const page = await world.open("#/", { viewport, colorScheme, hasTouch: viewport.width < 500, isMobile: viewport.width < 500 });
      const pages: [string, () => Promise<void>][] = [
        ["thread", async () => {
          await page.goto(`${world.url}/${thread}`);
          await page.locator(".ask").waitFor();
        }],
        ["settings", async () => {
          await page.goto(`${world.url}/#/settings`);
          await page.locator(".provider").first().waitFor();
        }],
        ["add-project", async () => {
          await page.goto(`${world.url}/#/add`);
          await page.getByRole("combobox", { name: "Directory" }).fill(world.project.slice(0, -2));
          await page.locator(".paths li").first().waitFor();
        }],
        ["archive", async () => {
          await page.goto(`${world.url}/#/archive`);
          await page.getByText("Nothing is archived").waitFor();
        }],
        ["new-thread", async () => {
          await page.goto(`${world.url}/#/`);
          await page.locator(".pick-model[data-state=chosen]").waitFor();
        }],
        ["models", async () => {
          await page.locator(".pick-model").click();
          await page.locator(".model").first().waitFor();
        }],
      ];
      for (const [name, go] of pages) {
        await go();
        expect(await wider(page), `${name} is wider than the screen`).toEqual([]);
        expect(await violations(page), name).toEqual([]);
      }
    });
  }
}

test("on a phone the threads are a drawer and the request is never covered", async () => {
  const page = await world.open(thread, { viewport: sizes[0]!, hasTouch: true, isMobile: true });
  const button = page.locator(".ask [data-decision=once]");
  await button.waitFor();
  const onTop = await button.evaluate((element) => {
    const box = element.getBoundingClientRect();
    return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
  });
  expect(onTop).toBe(true);
  expect(await page.locator(".side .row").first().isVisible()).toBe(false);
  await page.getByRole("button", { name: "Threads" }).click();
  await page.locator(".side .row").first().waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.locator(".side .row").first().waitFor({ state: "hidden" });
});

test("the sidebar is walked with the arrow keys", async () => {
  const page = await world.open(thread);
  await page.locator(".side .row").first().waitFor();
  await page.getByRole("searchbox").focus();
  await page.keyboard.press("ArrowDown");
  expect(await page.evaluate(() => document.activeElement?.className)).toBe("row-link");
  await page.keyboard.press("ArrowUp");
  expect(await page.evaluate(() => (document.activeElement as HTMLElement).tagName)).toBe("INPUT");
});
