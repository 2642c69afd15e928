// Looks at a page as a person would: whether it fits and can be used by everybody.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One way a page is looked at. */
export interface Look {
  width: number;
  height: number;
  theme: "light" | "dark";
  /** Whether axe looks at it: narrow and light, wide and dark. */
  checked: boolean;
}

const sizes = [
  { width: 390, height: 844 },
  { width: 820, height: 900 },
  { width: 1440, height: 900 },
];

/** Checks what is on screen at three widths, and by axe in both themes. */
export async function looksRight(page: Page, name: string): Promise<void> {
  await inEveryLook(page, async (look) => {
    if (look.checked || look.theme === "light") await fits(page, name, look);
  });
}

/** Shows what is on screen at three widths and in both themes, without motion, and is as it was afterwards. */
export async function inEveryLook(page: Page, each: (look: Look) => Promise<void>): Promise<void> {
  const before = page.viewportSize();
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const theme of ["light", "dark"] as const) {
      // Without motion, or it would be seen half-way.
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      const checked = (size === sizes[0] && theme === "light") || (size === sizes[2] && theme === "dark");
      await each({ ...size, theme, checked });
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
  if (before) await page.setViewportSize(before);
}

/** Checks that nothing reaches beyond the screen, and what axe says where it is asked. */
export async function fits(page: Page, name: string, { width, theme, checked }: Look): Promise<void> {
  // What follows the new size has been told and drawn, and what moves has come to its place: colours
  // on their way from one theme to the other are nobody's to read.
  await page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    document.getAnimations().forEach((a) => a instanceof CSSTransition && a.finish());
  });
  expect.soft(await wider(page), `${name} is wider than ${width} px`).toEqual([]);
  if (checked) expect.soft(await violations(page), `${name} at ${width} px, ${theme}`).toEqual([]);
}

/** Elements that reach beyond the screen's sides and are not cut or scrolled there. */
export async function wider(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.className.toString());
  });
}

/** What axe finds. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const tool = (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe;
    const found = await tool.run();
    return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary.replace(/\s+/g, " ").slice(0, 200)}`));
  });
}
