// What a person is told who looks elsewhere.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { looksRight } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

interface Told {
  title: string;
  body: string;
  click(): void;
}

/** A page in the place of whose system notifications are noted, and which is in front or not. */
async function watched(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const told: unknown[] = [];
    Object.assign(window, { told });
    class Noted {
      static permission = "granted";
      static requestPermission = () => Promise.resolve("granted");
      onclick?: () => void;
      constructor(title: string, options: { body: string }) {
        told.push({ title, body: options.body, click: () => this.onclick?.() });
      }
      close() {}
    }
    Object.assign(window, { Notification: Noted });
    const has = document.hasFocus.bind(document);
    document.hasFocus = () => !(window as unknown as { away?: boolean }).away && has();
  });
  await page.reload();
  await page.locator(".side .row, .new-project").first().waitFor();
}

const away = (page: Page, away: boolean) =>
  page.evaluate((away) => {
    Object.assign(window, { away });
    window.dispatchEvent(new Event(away ? "blur" : "focus"));
  }, away);
const told = (page: Page) => page.evaluate(() => (window as unknown as { told: Told[] }).told.map((one) => `${one.title}: ${one.body}`));
const icon = (page: Page) => page.locator("link[rel=icon]").getAttribute("href");

/** A thread that waits at a gate while another page is shown. */
async function begun(name: string, ...steps: Record<string, unknown>[][]): Promise<Page> {
  const page = await newThread(world);
  await watched(page);
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  await send(page, scripted(name, [{ text: "Working." }, { wait: name }, ...steps[0]!], ...steps.slice(1)));
  await lastTurn(page).filter({ hasText: "Working." }).waitFor({ timeout: 60_000 });
  const thread = new URL(page.url()).hash.split("/").at(-1)!;
  await world.ask("PATCH", `threads/${thread}`, { title: name });
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "Notifications" }).click();
  return page;
}

test("one who looks elsewhere is told what is done and what needs them, and a click opens the thread", async () => {
  const page = await begun("quiet work", [bash("echo asked")], [{ text: "Done." }]);
  expect(await icon(page)).toBe("./favicon-working.svg");
  await page.getByRole("switch", { name: /On the desktop/ }).check();
  await page.getByRole("switch", { name: /By a sound/ }).check();
  await looksRight(page, "settings-notifications");
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByText("A notification was given to the system.").waitFor();
  await away(page, true);
  await world.release("quiet work");
  await until("it is told", async () => (await told(page)).includes("Needs you: quiet work"), 60_000);
  await until("the title says it", async () => (await page.title()) === "(1) Baton");
  expect(await icon(page)).toBe("./favicon-needs.svg");
  await page.evaluate(() => (window as unknown as { told: Told[] }).told.at(-1)!.click());
  await page.locator(".ask").waitFor();
  await page.keyboard.press("Alt+1");
  await ended(page, "completed");
  await until("nothing is left to tell", async () => (await page.title()) === "Baton");
  expect(await icon(page)).toBe("./favicon.svg");
});

test("a failure is told on the page to one who is at another thread, and counted until it is looked at", async () => {
  const page = await begun("will fail", [{ status: 400, body: { error: { message: "no" } } }]);
  await away(page, false);
  await world.release("will fail");
  const toast = page.locator(".toast").filter({ hasText: "Failed: will fail" });
  await toast.waitFor({ timeout: 60_000 });
  await until("the title counts it", async () => (await page.title()) === "1 failed · Baton");
  expect(await icon(page)).toBe("./favicon-failed.svg");
  expect(await told(page)).toEqual([]);
  await toast.getByRole("button", { name: "Open" }).click();
  await ended(page, "failed");
  await until("it was looked at", async () => (await page.title()) === "Baton");
});

test("of two tabs one tells", async () => {
  const page = await begun("told once", [{ text: "All done." }]);
  const second = await world.tab(page, "#/archive");
  await watched(second);
  await page.getByRole("switch", { name: /On the desktop/ }).check();
  await second.reload();
  for (const tab of [page, second]) await tab.locator(".side .row").first().waitFor();
  for (const tab of [page, second]) await away(tab, true);
  await world.release("told once");
  await until("both know", async () => (await page.title()) === "1 done · Baton" && (await second.title()) === "1 done · Baton", 60_000);
  await until("it is told", async () => [...(await told(page)), ...(await told(second))].length > 0);
  expect([...(await told(page)), ...(await told(second))]).toEqual(["Done: told once"]);
});

test("what cannot be shown on the desktop says why", async () => {
  const page = await world.open("#/settings/notifications");
  await page.getByRole("switch", { name: /On the desktop/ }).waitFor();
  const words = await page.locator(".setting-switch").filter({ hasText: "On the desktop" }).textContent();
  expect(words).toMatch(/forbids them|asks you first|Shown by the system/);
});
