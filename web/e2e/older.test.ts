// A project with more threads than the sidebar holds: the rest is one row away.

import { mkdir } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { createWorld, lookBack, until, type World } from "./world";

/** As many as the sidebar holds at most, a page of older ones, and some more. */
const OTHERS = 500 + 200 + 20;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.seed(4, OTHERS);
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("threads that are too old for the sidebar are listed on a page of their project", async () => {
  const page = await world.open();
  await page.route("**/api/threads?**", (route) => route.abort());
  await page.getByRole("link", { name: "Older threads" }).click();
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await page.unroute("**/api/threads?**");
  await page.getByRole("button", { name: "Try again" }).click();

  const rows = page.locator(".past li");
  // Less the one where the sidebar ends.
  await until("a page of them is listed", async () => (await rows.count()) === 199);
  await looksRight(page, "older");
  await page.getByRole("button", { name: "Show more" }).click();
  // The long thread of the seed is the last active one.
  await until("all are listed", async () => (await rows.count()) === OTHERS + 1 - 500);
  expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
  const listed = await rows.evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.thread!));
  expect(new Set(listed).size).toBe(listed.length);

  // One of them is put away from here, and the next one has the focus; it can be brought back.
  const first = rows.first();
  const id = (await first.getAttribute("data-thread"))!;
  await first.getByRole("button", { name: "Archive" }).click();
  await until("it is put away", async () => (await page.locator(`.past [data-thread="${id}"]`).count()) === 0);
  const focused = () => page.evaluate(() => document.activeElement?.closest<HTMLElement>("[data-thread]")?.dataset.thread);
  expect(await focused()).toBe(listed[1]);
  await page.getByRole("button", { name: "Undo" }).click();
  await until("it is back", async () => (await world.ask<{ threads: unknown[] }>("GET", "threads?archived=true")).threads.length === 0);
  // So has the one after it where one is deleted.
  await page.locator(`.past [data-thread="${listed[2]}"]`).getByRole("button", { name: /^Delete/ }).click();
  await page.getByRole("button", { name: "Delete thread" }).click();
  await until("it is deleted", async () => (await page.locator(`.past [data-thread="${listed[2]}"]`).count()) === 0);
  await until("the next one has the focus", async () => (await focused()) === listed[3]);
  // One of them opens.
  await first.getByRole("link").click();
  await page.locator(".turn").first().waitFor();
});

test("a project without older threads says so", async () => {
  const path = `${world.project}-other`;
  await mkdir(path);
  const project = await world.ask<{ id: string }>("POST", "projects", { path });
  const page = await world.open();
  const group = page.locator(`.side-group[data-project="${project.id}"]`);
  await group.getByRole("link", { name: "Older threads" }).click();
  await page.getByText("There are no older threads").waitFor();
});
