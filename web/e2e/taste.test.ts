// What a person prefers, on all of their devices: models, keys, and what Enter does.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("models are favourites and hidden by key and by pointer, and the last used stand on top", async () => {
  const page = await newThread(world);
  const list = page.getByRole("dialog", { name: "Choose a model" });
  const inGroup = (name: string) => list.getByRole("group", { name, exact: true }).getByRole("option");
  await page.keyboard.press("Control+/");
  await list.locator(".model").first().waitFor();
  const all = await list.locator(".model").evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.model!));
  expect(all.length).toBeGreaterThan(2);
  const row = (id: string) => list.locator(`[data-model="${id}"]`);
  await row(all[1]!).hover();
  await page.keyboard.press("Control+d");
  await until("it is a favourite", async () => (await inGroup("Favourites").count()) === 1);
  await row(all[2]!).hover();
  await row(all[2]!).locator("[data-tool=hide]").click();
  await row(all[2]!).waitFor({ state: "detached" });
  await looksRight(page, "models-favourites");
  await list.getByRole("button", { name: "Show the 1 hidden model" }).click();
  await row(all[2]!).locator("[data-tool=hide]").click();
  await until("none is hidden", async () => (await list.locator(".model-hidden").count()) === 0);
  await row(all[2]!).click();
  await page.keyboard.press("Escape");
  await page.reload();
  await page.locator(`.pick-model[title="${all[2]}"]`).waitFor({ timeout: 60_000 });
  await page.keyboard.press("Control+/");
  await until("they are kept", async () => (await inGroup("Favourites").getAttribute("data-model")) === all[1]);
  expect(await inGroup("Recent").first().getAttribute("data-model")).toBe(all[2]);
  await row(all[1]!).hover();
  await row(all[1]!).locator("[data-tool=star]").click();
  await until("it is none any more", async () => (await inGroup("Favourites").count()) === 0);
});

test("Enter sends into what runs where that is wanted, and the other key adds to the queue", async () => {
  const page = await newThread(world);
  await page.goto(`${world.url}/#/settings/writing`);
  await page.getByRole("radio", { name: /Sends into what runs/ }).check();
  await looksRight(page, "settings-writing");
  await page.goto(`${world.url}/#/`);
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  await send(page, scripted("Busy", [{ text: "Working." }, { wait: "enter-gate" }, { text: "The end." }]));
  await lastTurn(page).filter({ hasText: "Working." }).waitFor({ timeout: 60_000 });
  const area = page.getByPlaceholder("Enter sends it now, Ctrl+Enter adds to the queue");
  await area.fill("for later");
  await area.press("Control+Enter");
  await page.locator(".queued").filter({ hasText: "for later" }).waitFor();
  await area.fill(scripted("right now", [{ text: "Taken." }]));
  await area.press("Enter");
  await lastTurn(page).filter({ hasText: "Taken up at Kilo's next step" }).waitFor({ timeout: 60_000 });
  expect(await page.locator(".queued").count()).toBe(1);
  await page.getByRole("button", { name: "Stop" }).click();
  await ended(page, "interrupted");
});

test("what is set on one device holds on the others at once, and is kept until it can be saved", async () => {
  const [one, other] = [await world.open("#/settings/writing"), await world.open("#/settings/writing")];
  const radio = (page: typeof one, name: RegExp) => page.getByRole("radio", { name });
  await radio(one, /Adds to the queue/).check();
  await until("the other follows", () => radio(other, /Adds to the queue/).isChecked());
  await radio(one, /Sends into what runs/).check();
  await until("the other follows", () => radio(other, /Sends into what runs/).isChecked());

  // A key that one device gives works on the other, in the page that is open there.
  await one.getByRole("link", { name: "Keys" }).click();
  const row = (page: typeof one) => page.locator('.key-row[data-action="thread.new"]');
  await row(one).getByRole("button", { name: /^Change/ }).click();
  await one.keyboard.press("Alt+y");
  await other.getByRole("link", { name: "Keys" }).click();
  await until("the other has the key", async () => (await row(other).locator("kbd").allTextContents()).join() === "Alt,Y");
  await other.keyboard.press("Alt+y");
  await other.getByRole("heading", { name: /What should be done/ }).waitFor();

  // Without a server it holds here, is said not to be saved, and is once the server is back.
  await world.kill();
  await one.getByRole("button", { name: "All as they came" }).click();
  await until("it holds here", async () => (await row(one).locator("kbd").allTextContents()).join() === "Ctrl,Shift,O");
  await one.locator(".setting-unsaved").filter({ hasText: "Not saved yet" }).waitFor();
  await looksRight(one, "settings-unsaved");
  await one.goto("about:blank");
  await world.start();
  await one.goto(`${world.url}/#/settings/keys`);
  await until("it is saved", async () => !(await world.ask<{ keys: Record<string, unknown> }>("GET", "settings")).keys["thread.new"]);
  await until("it is shown", async () => (await row(one).locator("kbd").allTextContents()).join() === "Ctrl,Shift,O");
  await other.goto(`${world.url}/#/settings/keys`);
  await until("the other follows", async () => (await row(other).locator("kbd").allTextContents()).join() === "Ctrl,Shift,O");
});

test("what a device kept by itself before is moved to the server once, and undoes nothing there", async () => {
  const settings = () => world.ask<{ enter: string; models: { favourites: string[] } }>("GET", "settings");
  await world.ask("PATCH", "settings", { enter: "steer" });
  await world.ask("PATCH", "settings", { enter: "queue" });
  const page = await world.open("#/settings/writing");
  const keep = (name: string, value: unknown) => page.evaluate(([name, value]) => localStorage.setItem(`baton.${name}`, JSON.stringify(value)), [name, value] as const);
  const kept = (name: string) => page.evaluate((name) => localStorage.getItem(`baton.${name}`), name);
  await keep("enter", "steer");
  await keep("models", { favourites: ["kilo test/kept"] });
  await page.reload();
  await until("it is moved", async () => (await settings()).models.favourites.includes("kilo test/kept"));
  expect([(await settings()).enter, await kept("enter"), await kept("models")]).toEqual(["queue", null, null]);
  await world.ask("PATCH", "settings", { marks: [{ model: "kilo test/kept", mark: null }] });
  await page.reload();
  // Once it hears the server it has looked at what it kept, and whatever it would move is unsaved or saved.
  await world.ask("PATCH", "settings", { enter: "steer" });
  await until("the server is heard", () => page.getByRole("radio", { name: /Sends into what runs/ }).isChecked());
  expect([await kept("settings.unsaved"), (await settings()).models.favourites]).toEqual([null, []]);
});
