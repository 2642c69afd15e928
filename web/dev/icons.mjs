// Draws the PNG icons of the installed app from the SVG one: `node dev/icons.mjs`, run when
// public/favicon.svg changes. What it writes is checked in.

import { readFile, writeFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const folder = new URL("../public/", import.meta.url);
const svg = await readFile(new URL("favicon.svg", folder), "utf8");
// The shapes alone, on a square without round corners: systems cut their own shape out of it.
const shapes = svg.replace(/^.*?<rect[^>]*>/s, "").replace("</svg>", "");
const square = (scale) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" fill="#2f5bd7"/><g transform="translate(16 16) scale(${scale}) translate(-16 -16)">${shapes}</g></svg>`;

const icons = [
  ["icon-192.png", 192, svg],
  ["icon-512.png", 512, svg],
  ["icon-maskable-512.png", 512, square(0.78)],
  ["apple-touch-icon.png", 180, square(0.9)],
];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [name, size, picture] of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px; height: ${size}px }</style>${picture}`);
  await writeFile(new URL(name, folder), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
