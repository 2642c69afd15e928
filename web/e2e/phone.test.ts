// Baton on a phone: every act with a thumb, the sheet of requests, and the page without its server.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { looksRight, violations } from "./look";
import { bash, createWorld, ended, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Whether a press in the middle of what is called so would reach it. */
const isReachable = (page: Page, selector: string) =>
  page.locator(selector).first().evaluate((element) => {
    const box = element.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return element.contains(top) || top?.contains(element) === true;
  });

/** Buttons on screen that are too small for a thumb. */
const small = (page: Page, within: string) =>
  page.locator(`${within} :is(button, select, .option)`).evaluateAll((all) =>
    all
      .map((e) => ({ e, box: e.getBoundingClientRect() }))
      .filter(({ e, box }) => box.width > 0 && e.checkVisibility({ visibilityProperty: true }) && (box.height < 43.5 || box.width < 43.5))
      .map(({ e, box }) => `${e.className} ${e.getAttribute("aria-label") ?? e.textContent} ${Math.round(box.width)}x${Math.round(box.height)}`),
  );

/** A thread whose agent asks whether it may do something long. */
async function asking(): Promise<Page> {
  const page = await newThread(world);
  const lines = Array.from({ length: 60 }, (_, n) => `echo 'line ${n} of what is to be run'`).join("\n");
  await send(page, scripted("Ask me", [{ text: "I would run this:" }, bash(lines, "Prints many lines")], [{ text: "It ran." }]));
  await page.locator(".ask").waitFor({ timeout: 60_000 });
  const hash = new URL(page.url()).hash;
  await page.close();
  return world.open(hash, phone);
}

test("on a phone a request is a sheet that leaves Stop alone and folds to its heading", async () => {
  const page = await asking();
  await page.locator(".ask [data-decision=once]").waitFor();
  for (const selector of [".ask [data-decision=once]", ".ask [data-decision=reject]", ".send.stop", ".composer textarea"]) expect(await isReachable(page, selector), selector).toBe(true);
  expect(await small(page, ".dock")).toEqual([]);
  expect(await violations(page)).toEqual([]);

  const height = () => page.locator(".ask").evaluate((e) => e.getBoundingClientRect().height);
  const open = await height();
  await page.getByRole("button", { name: "Fold it away" }).tap();
  await page.locator(".ask[data-folded]").waitFor();
  expect(await height()).toBeLessThan(open / 2);
  expect(await isReachable(page, ".send.stop")).toBe(true);
  await page.getByRole("button", { name: "Show what is asked" }).tap();

  // A keyboard over the page: what is left is still enough for the composer and Stop.
  await page.locator(".composer textarea").focus();
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, "height", { configurable: true, get: () => 420 });
    visualViewport!.dispatchEvent(new Event("resize"));
  });
  await page.locator(":root[data-keyboard]").waitFor();
  const below = await page.locator(".send.stop").evaluate((e) => e.getBoundingClientRect().bottom);
  expect(below).toBeLessThanOrEqual(420);
  for (const selector of [".send.stop", ".composer textarea"]) expect(await isReachable(page, selector), selector).toBe(true);
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, "height", { configurable: true, get: () => 844 });
    visualViewport!.dispatchEvent(new Event("resize"));
  });
  await page.locator(":root:not([data-keyboard])").waitFor();
  await page.locator(".ask [data-decision=once]").waitFor();
  await page.locator(".ask [data-decision=once]").tap();
  await ended(page, "completed");
});

test("the context meter opens by a tap and by a key, and shows its parts", async () => {
  const page = await newThread(world);
  await send(page, scripted("Hello", [{ text: "Hello." }]));
  await ended(page, "completed");
  const meter = page.getByRole("button", { name: /^Context and cost/ });
  await meter.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Context now" }).waitFor();
  await looksRight(page, "meter");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Context now" }).waitFor({ state: "detached" });

  const mobile = await world.open(new URL(page.url()).hash, phone);
  await mobile.getByRole("button", { name: /^Context and cost/ }).tap();
  await mobile.getByRole("heading", { name: "This thread so far" }).waitFor();
  await mobile.keyboard.press("Escape");
  expect(await small(mobile, ".dock")).toEqual([]);
  expect(await small(mobile, ".head")).toEqual([]);
  await mobile.getByRole("button", { name: "Threads" }).tap();
  await mobile.locator(".side .row").first().waitFor();
});

test("it can be installed, and opened without its server it says so and comes back by itself", async () => {
  const page = await world.open("#/", { ...phone, serviceWorkers: "allow" });
  await page.locator(".pick-model").waitFor({ timeout: 60_000 });
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector<HTMLLinkElement>("link[rel=manifest]")!;
    const found = (await (await fetch(link.href)).json()) as { id: string; icons: { src: string; sizes: string; purpose: string }[] };
    const sizes = await Promise.all(
      found.icons.map(async (icon) => {
        const image = new Image();
        image.src = new URL(icon.src, link.href).href;
        await image.decode();
        return [icon.sizes, icon.purpose, image.naturalWidth];
      }),
    );
    return { id: found.id, sizes };
  });
  expect(manifest.id).toBe("./");
  expect(manifest.sizes.slice(0, 3)).toEqual([["192x192", "any", 192], ["512x512", "any", 512], ["512x512", "maskable", 512]]);

  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
  });
  const kept = await page.evaluate(async () => (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname)))).flat());
  expect(kept).toContain("/");
  expect(kept.filter((path) => path.startsWith("/api"))).toEqual([]);
  expect(kept.some((path) => /^\/assets\/index-.*\.js$/.test(path))).toBe(true);

  await world.kill();
  await page.reload();
  await page.getByText("Baton cannot be reached.").waitFor();
  expect(await page.locator("html[data-offline]").count()).toBe(1);
  expect(await violations(page)).toEqual([]);

  let loads = 0;
  page.on("load", () => loads++);
  await world.start();
  await page.locator("html:not([data-offline]) .pick-model").waitFor({ timeout: 60_000 });
  await page.locator(".connection[data-status=connected]").waitFor({ state: "attached" });
  await until("it is quiet", async () => page.evaluate(() => document.readyState === "complete"));
  expect(loads).toBe(1);
});
