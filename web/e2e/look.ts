// Looks at a page as a person would: whether it fits and can be used by everybody.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** With E2E_SHOTS=DIR every page that is checked is also pictured there. */
export const shots = process.env.E2E_SHOTS;

const widths = [390, 820, 1440];
const themes = ["light", "dark"] as const;

/**
 * Checks what is on screen at three widths, and by axe in both themes: narrow and light, wide and
 * dark. It takes pictures of all of them where they are wanted.
 */
export async function looksRight(page: Page, name: string): Promise<void> {
  const before = page.viewportSize();
  if (shots) await mkdir(shots, { recursive: true });
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
    for (const colorScheme of themes) {
      const checked = (width === widths[0]) === (colorScheme === "light") && width !== widths[1];
      if (!checked && !shots && colorScheme === "dark") continue;
      // Without motion, or it would be pictured half-way.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      if (shots) await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), animations: "disabled" });
      expect(await wider(page), `${name} is wider than ${width} px`).toEqual([]);
      // Colours on their way from one theme to the other are nobody's to read.
      await page.evaluate(() => document.getAnimations().forEach((a) => a instanceof CSSTransition && a.finish()));
      if (checked) expect(await violations(page), `${name} at ${width} px, ${colorScheme}`).toEqual([]);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
  if (before) await page.setViewportSize(before);
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
