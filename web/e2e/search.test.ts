// Search: threads by their titles, messages by their words, and the way to what was found.

import type { Page } from "playwright-core";
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

const field = (page: Page) => page.getByRole("searchbox", { name: "Search threads and messages" });
const hits = (page: Page) => page.getByRole("region", { name: "In messages" }).getByRole("listitem");
/** The hit whose text begins so; a message of these tests has its script in it as well. */
const hit = (page: Page, begins: RegExp) => hits(page).filter({ has: page.locator(".hit-text", { hasText: begins }) });
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

/** A thread whose first words lie several pages back. */
async function longThread(page: Page): Promise<string> {
  await send(page, scripted("Where does the zebra live?", [{ text: "The zebra lives in the savannah, near the acacia." }]));
  await ended(page, "completed");
  const filler = Array.from({ length: 700 }, (_, i) => `Paragraph ${i} says little, and says it at some length.`).join("\n\n");
  for (let n = 2; n <= 7; n++) {
    await send(page, scripted(`Go on, ${n}`, [{ text: `Part ${n}.\n\n${filler}`, chunk: 8_000 }]));
    await until(`turn ${n} has ended`, async () => (await page.locator(".turn[data-state=completed]").count()) >= n, 60_000);
  }
  return page.url();
}

test("a message is found by its words and shown where it was said, however far back", async () => {
  const page = await newThread(world);
  const address = await longThread(page);
  // A page that has only the newest part of it, and is elsewhere.
  const other = await world.open();
  await field(other).fill("savan acac");
  await hits(other).first().filter({ hasText: "lives in the savannah" }).waitFor();
  // What was said last comes first: the answer, then the message with the script of it.
  expect(await hits(other).count()).toBe(2);
  expect(await hits(other).first().locator("mark").allTextContents()).toEqual(["savannah", "acacia"]);
  await looksRight(other, "search");
  // By keys alone: down to the hit, and in.
  await field(other).press("ArrowDown");
  await other.keyboard.press("Enter");
  const found = other.locator("[data-found]");
  await found.filter({ hasText: "near the acacia" }).waitFor({ timeout: 30_000 });
  expect(await focused(other)).toContain("near the acacia");
  const seen = await found.evaluate((row) => {
    const [at, scroller] = [row.getBoundingClientRect(), row.closest(".scroll")!.getBoundingClientRect()];
    return at.top >= scroller.top && at.bottom <= scroller.bottom;
  });
  expect(seen).toBe(true);
  expect(other.url()).toBe(address);
  await other.getByRole("button", { name: "Jump to latest" }).waitFor();
  await until("the mark goes", async () => (await other.locator("[data-found]").count()) === 0);

  // Within the thread that is shown, and more than once.
  await field(other).fill("zebra live");
  await until("question and answer", async () => (await hits(other).count()) === 2);
  const question = hit(other, /^Where does the/);
  for (let times = 0; times < 2; times++) {
    await other.getByRole("button", { name: "Jump to latest" }).click();
    await question.getByRole("link").click();
    await other.locator(".you[data-found]").filter({ hasText: "Where does the zebra live?" }).waitFor();
    await until("the mark goes", async () => (await other.locator("[data-found]").count()) === 0);
  }
});

test("an address of a message that is not there says so", async () => {
  const page = await newThread(world);
  await send(page, scripted("Short", [{ text: "Short indeed." }]));
  await ended(page, "completed");
  const thread = new URL(page.url()).hash;
  const other = await world.open(`${thread}/itm_00000000000000000000000000000000`);
  await other.getByRole("alert").filter({ hasText: "no longer in this thread" }).waitFor();
  await other.getByRole("button", { name: "Close" }).click();
  expect(await other.getByRole("alert").count()).toBe(0);
});

test("a search that fails is an error with a retry, and one that finds nothing says so", async () => {
  const page = await newThread(world);
  await send(page, scripted("Look for the walrus", [{ text: "Found <b>it</b>." }]));
  await ended(page, "completed");
  await page.route("**/search?*", (route) => route.abort());
  await field(page).fill("walrus");
  const region = page.getByRole("region", { name: "In messages" });
  await region.getByRole("alert").filter({ hasText: "Baton does not answer" }).waitFor();
  await page.unroute("**/search?*");
  await region.getByRole("button", { name: "Try again" }).click();
  await hits(page).first().filter({ hasText: "walrus" }).waitFor();
  await field(page).fill("qqzzxx");
  await region.getByText("No message has “qqzzxx”.").waitFor();
  await field(page).fill("\"'*(😀");
  await region.waitFor({ state: "detached" });
  // What an agent wrote is text, also here.
  await field(page).fill("found it");
  await hits(page).filter({ hasText: "Found <b>it</b>." }).first().waitFor();
  await page.getByRole("button", { name: "Clear the search" }).click();
  expect(await region.count()).toBe(0);
});

test("on a phone a hit closes the drawer and shows the message; archived threads are found", async () => {
  const page = await world.open("#/", { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  await send(page, scripted("A pelican's question", [{ text: "The pelican answers." }]));
  await ended(page, "completed");
  const id = new URL(page.url()).hash.split("/")[2]!;
  await world.ask("PATCH", `threads/${id}`, { archived: true });
  await page.getByRole("button", { name: "Threads", exact: true }).tap();
  await field(page).fill("pelican answ");
  const answer = hit(page, /^The pelican/);
  await answer.getByText("archived").waitFor();
  await answer.getByRole("link").tap();
  await page.locator("[data-found]").filter({ hasText: "The pelican answers." }).waitFor();
  await until("the drawer is closed", async () => (await page.locator("[data-drawer=open]").count()) === 0);
  expect(await lastTurn(page).textContent()).toContain("The pelican answers.");
});
