// What must not happen behind what a person does: another thread's words, a conversation drawn
// anew for a keystroke, something stored or asked for over and over.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { createWorld, ended, lastTurn, lookBack, newThread, scripted, send, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const here = (page: Page) => new URL(page.url()).hash;

/** A thread whose agent says a word over and over until it is let go on. */
async function streaming(word: string): Promise<{ page: Page; hash: string }> {
  const page = await newThread(world);
  const text = `${word} `.repeat(400);
  await send(page, scripted(`Say ${word}`, [{ text, chunk: 8, delay_ms: 10 }, { wait: word }, { text: "The end." }]));
  await lastTurn(page).filter({ hasText: `${word} ${word}` }).waitFor({ timeout: 60_000 });
  return { page, hash: here(page) };
}

test("quick changes between two threads that stream never show one's words in the other", async () => {
  const one = await streaming("wolf");
  const two = await streaming("otter");
  // Looks at every frame which thread is on screen and what is said there.
  const seen = await two.page.evaluate(
    async ([first, second]) => {
      const wrong: string[] = [];
      const changes = new Set<string>();
      for (let i = 0; i < 40; i++) {
        location.hash = i % 2 ? second! : first!;
        for (let frame = 0; frame < 3; frame++) {
          await new Promise(requestAnimationFrame);
          const at = document.querySelector<HTMLElement>("section.thread[data-thread]")?.dataset.thread ?? "";
          const said = document.querySelector(".timeline")?.textContent ?? "";
          const [mine, other] = first!.includes(at) ? ["wolf", "otter"] : ["otter", "wolf"];
          if (at && said.includes(other)) wrong.push(`${other} in ${mine}'s thread`);
          if (at && said.includes(mine)) changes.add(mine);
        }
      }
      return { wrong, shown: [...changes].sort() };
    },
    [one.hash, two.hash] as const,
  );
  expect(seen).toEqual({ wrong: [], shown: ["otter", "wolf"] });
  for (const word of ["wolf", "otter"]) await world.release(word);
  await ended(two.page, "completed");
  expect((await lastTurn(two.page).locator(".agent").textContent())?.match(/otter/g)).toHaveLength(400);
});

test("a keystroke changes nothing in the conversation, however long it is", async () => {
  const page = await newThread(world);
  const text = Array.from({ length: 400 }, (_, n) => `Paragraph ${n} of **many**, with \`code\`.`).join("\n\n");
  await send(page, scripted("Tell it all", [{ text }]));
  await ended(page, "completed");
  await page.evaluate(() => {
    const counted = window as unknown as { changes: number };
    counted.changes = 0;
    const observer = new MutationObserver((records) => (counted.changes += records.length));
    observer.observe(document.querySelector(".timeline .column")!, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const area = page.getByRole("textbox", { name: "Message" });
  await area.pressSequentially("How does typing feel here?");
  await area.fill("x".repeat(200_000));
  await area.press("End");
  await area.pressSequentially(" And now?");
  expect((await area.inputValue()).length).toBe(200_009);
  expect(await page.evaluate(() => (window as unknown as { changes: number }).changes)).toBe(0);
});

test("a page that nobody touches asks for nothing and stores nothing", async () => {
  const page = await newThread(world);
  await send(page, scripted("Hello", [{ text: "Hello." }]));
  await ended(page, "completed");
  const other = await newThread(world);
  await page.evaluate(() => {
    const counted = window as unknown as { written: string[] };
    counted.written = [];
    const write = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key, value) {
      counted.written.push(this.getItem(key) === value ? `${key} again` : key);
      write.call(this, key, value);
    };
  });
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    // The icon in the tab says what goes on; the browser fetches it.
    if (!pathname.startsWith("/favicon")) asked.push(`${request.method()} ${pathname}`);
  });
  // Much happens meanwhile elsewhere, and shows here in the sidebar.
  await send(other, scripted("Work on", [{ text: "word ".repeat(200), chunk: 5, delay_ms: 2 }]));
  await ended(other, "completed");
  const id = await other.locator(".side .row.on").getAttribute("data-thread");
  await page.locator(`.side [data-thread="${id}"]`).waitFor();
  expect(asked).toEqual([]);
  // That the thread is done is told by one tab, which notes it for the others.
  const written = await page.evaluate(() => (window as unknown as { written: string[] }).written);
  expect(written.filter((key) => key !== "baton.notify.said")).toEqual([]);
});

test("code gets its colours from a worker, and from the page where there is none", async () => {
  const page = await newThread(world);
  await send(page, scripted("Show code", [{ text: "```ts\nconst answer: number = 42;\n```\n" }]));
  await ended(page, "completed");
  await lastTurn(page).locator(".hljs-keyword").first().waitFor();
  expect(page.workers()).toHaveLength(1);

  const alone = await world.open();
  await alone.route("**/highlight.worker-*", (route) => route.abort());
  await alone.goto(page.url());
  await lastTurn(alone).locator(".hljs-keyword").first().waitFor();
  expect(alone.workers()).toHaveLength(0);
});
