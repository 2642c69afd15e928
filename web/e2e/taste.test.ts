// What a person prefers: models, and what Enter does.

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
