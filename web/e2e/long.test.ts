// A thread of 10,000 items: little of it is drawn, its place is kept, and it is still one text to
// whoever searches or selects in it.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { createWorld, ended, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
let hash: string;
beforeAll(async () => {
  world = await createWorld();
  const id = await world.seed(10_000);
  hash = `#/t/${id}`;
  // It goes on with the model that the sandbox has.
  const page = await newThread(world);
  await send(page, scripted("Hello", [{ text: "Hello." }]));
  await ended(page, "completed");
  const other = await page.locator(".side .row.on").getAttribute("data-thread");
  const { model } = await world.ask<{ model: unknown }>("GET", `threads/${other}`);
  await world.ask("PATCH", `threads/${id}`, { model });
  await page.close();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

/** More than this is never in the document, however much was loaded. */
const MOST_NODES = 9_000;

const nodes = (page: Page) => page.evaluate(() => document.querySelectorAll("*").length);
const rows = (page: Page) => page.locator(".trow").count();
const drawn = (page: Page) => page.locator(".trow[data-drawn]").count();

/** The row at the top edge and how far below it it stands. */
const atTop = (page: Page) =>
  page.locator(".scroll").evaluate((scroller) => {
    const top = scroller.getBoundingClientRect().top;
    const row = [...scroller.querySelectorAll<HTMLElement>(".trow, .you[data-row]")].find((e) => e.getBoundingClientRect().bottom > top + 1)!;
    return { row: row.dataset.row, text: row.textContent, offset: Math.round(row.getBoundingClientRect().top - top) };
  });

/** Whether everything on screen is drawn. */
const isFull = (page: Page) =>
  page.locator(".scroll").evaluate((scroller) => {
    const { top, bottom } = scroller.getBoundingClientRect();
    return [...scroller.querySelectorAll<HTMLElement>(".turn, .trow")].every((e) => {
      const box = e.getBoundingClientRect();
      return box.bottom <= top || box.top >= bottom || (e.matches(".trow") ? "drawn" in e.dataset : e.childElementCount > 0);
    });
  });

/** Goes up by the wheel until so many rows were loaded. */
async function goUp(page: Page, count: number): Promise<void> {
  await page.locator(".scroll").hover();
  await until(
    `${count} rows were loaded`,
    async () => {
      await page.mouse.wheel(0, -2_500);
      await page.evaluate(() => new Promise(requestAnimationFrame));
      expect(await nodes(page)).toBeLessThan(MOST_NODES);
      return (await page.locator(".turn").count()) * 40 >= count;
    },
    90_000,
  );
}

test("only what is near the screen is drawn, and the place is kept while pages come and text streams", async () => {
  const page = await world.open(hash);
  await page.locator(".trow[data-drawn]").first().waitFor();
  await goUp(page, 1_600);
  await until("what is on screen is drawn", () => isFull(page));
  expect(await drawn(page)).toBeLessThan(260);

  const before = await atTop(page);
  expect(before.text).not.toBe("");
  const area = page.getByRole("textbox", { name: "Message" });
  await area.fill(scripted("Go on", [{ text: "word ".repeat(20), chunk: 5, delay_ms: 1, repeat: 40 }]));
  await area.press("Enter");
  // Sending goes to the end.
  await page.locator(".turn[data-state=running]").waitFor({ timeout: 60_000 });
  await until("it was followed to its end", async () => page.locator(".scroll").evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop < 40));
  await ended(page, "completed");
  expect(await nodes(page)).toBeLessThan(MOST_NODES);

  // Away again, while another turn streams.
  await send(page, scripted("And on", [{ text: "more ".repeat(20), chunk: 5, delay_ms: 1, repeat: 40 }, { wait: "long" }, { text: "The end." }]));
  await page.locator(".turn").last().filter({ hasText: "more more" }).waitFor({ timeout: 60_000 });
  await page.locator(".scroll").hover();
  await page.mouse.wheel(0, -6_000);
  await page.getByRole("button", { name: "Jump to latest" }).waitFor();
  await until("what is on screen is drawn", () => isFull(page));
  const away = await atTop(page);
  await world.release("long");
  await page.locator(".turn:last-of-type[data-state=completed]").waitFor({ state: "attached", timeout: 60_000 });
  const still = await atTop(page);
  expect([still.row, Math.abs(still.offset - away.offset) <= 2]).toEqual([away.row, true]);
  await page.getByRole("button", { name: "Jump to latest" }).click();
  await page.locator(".turn").last().locator(".agent").filter({ hasText: "The end." }).waitFor();
});

test("a thread that was left far up is there again, row by row", async () => {
  const page = await world.open(hash);
  await page.locator(".trow[data-drawn]").first().waitFor();
  await goUp(page, 600);
  await until("what is on screen is drawn", () => isFull(page));
  const before = await atTop(page);
  await page.getByRole("link", { name: "New", exact: true }).click();
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  await page.goBack();
  await until("it is where it was", async () => {
    const now = await atTop(page).catch(() => undefined);
    return now?.row === before.row && Math.abs(now!.offset - before.offset) <= 4;
  });
  await until("what is on screen is drawn", () => isFull(page));
  const after = await atTop(page);
  expect([after.row, Math.abs(after.offset - before.offset) <= 4]).toEqual([before.row, true]);
});

test("what was opened or selected stays while it is away, and a search finds all that is loaded", async () => {
  const page = await world.open(hash);
  await page.locator(".trow[data-drawn]").first().waitFor();
  const step = page.locator(".trow[data-drawn] .step:not([data-open]) > .fold-line").last();
  await page.locator(".scroll").hover();
  await until("a step is near", async () => {
    await page.mouse.wheel(0, -800);
    return (await step.count()) > 0;
  });
  await step.click();
  const opened = page.locator(".step[data-open]");
  const count = await opened.count();
  const key = await opened.last().locator("xpath=ancestor::*[@data-row][1]").getAttribute("data-row");
  await goUp(page, 500);
  expect(await page.locator(`[data-row="${key}"] .step[data-open]`).count()).toBe(1);
  expect(count).toBeGreaterThan(0);
  expect(await page.locator(".trow:not([data-drawn])").count()).toBeGreaterThan(0);

  // Selected from there up to here: all of it stays, to be copied.
  const selected = () => page.evaluate(() => getSelection()!.toString().length);
  await page.evaluate(() => {
    const drawn = [...document.querySelectorAll(".trow[data-drawn][data-kind=prose]")];
    getSelection()!.selectAllChildren(drawn[Math.floor(drawn.length / 2)]!);
  });
  const length = await selected();
  expect(length).toBeGreaterThan(100);
  await goUp(page, 900);
  expect(await selected()).toBe(length);
  await page.evaluate(() => getSelection()!.removeAllRanges());

  // The browser's search is told nothing of what is not drawn: all that is loaded is, for it.
  await page.locator(".scroll").focus();
  await page.keyboard.press("Control+f");
  await until("all is drawn", async () => (await drawn(page)) === (await rows(page)));
  await page.keyboard.press("Escape");
  await until("little is drawn again", async () => (await drawn(page)) < (await rows(page)));
});

test("one who reads far up holds a bounded part of it, and finds all of it on the way down", async () => {
  const page = await world.open(hash);
  await page.locator(".trow[data-drawn]").first().waitFor();
  const scroller = page.locator(".scroll");
  const below = page.getByText("Loading what comes next…");
  await until(
    "the newest are no longer held",
    async () => {
      await scroller.evaluate((e) => (e.scrollTop = 0));
      await page.evaluate(() => new Promise(requestAnimationFrame));
      return (await below.count()) > 0;
    },
    90_000,
  );
  expect(await rows(page)).toBeLessThan(3_000);
  expect(await nodes(page)).toBeLessThan(MOST_NODES);
  // The next page is joined without a gap: turns follow each other.
  const ordinals = () => page.locator(".turn").evaluateAll((all) => all.map((e) => Number(e.getAttribute("aria-label")!.replace(/\D+/g, ""))));
  await until(
    "it is at the end again",
    async () => {
      await scroller.evaluate((e) => (e.scrollTop = e.scrollHeight));
      await page.evaluate(() => new Promise(requestAnimationFrame));
      const all = await ordinals();
      expect(all.every((n, i) => i === 0 || n === all[i - 1]! + 1)).toBe(true);
      return (await below.count()) === 0;
    },
    90_000,
  );
  const last = await page.locator(".turn").last().getAttribute("data-turn");
  const { turns } = await world.ask<{ turns: { id: string }[] }>("GET", `threads/${hash.slice("#/t/".length)}/window`);
  expect(last).toBe(turns.at(-1)!.id);
  expect(await rows(page)).toBeLessThan(3_200);

  // Far up again, a message that is sent is seen at once, at the end.
  await until(
    "the newest are no longer held",
    async () => {
      await scroller.evaluate((e) => (e.scrollTop = 0));
      await page.evaluate(() => new Promise(requestAnimationFrame));
      return (await below.count()) > 0;
    },
    90_000,
  );
  await send(page, scripted("From far up", [{ text: "Down here." }]));
  await page.locator(".turn").last().locator(".agent").filter({ hasText: "Down here." }).waitFor({ timeout: 60_000 });
  expect(await below.count()).toBe(0);
});
