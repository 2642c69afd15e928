// The contact sheet: one page with all the pictures of a folder.

import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The screens in the order a person meets them; what is not named comes after. */
const ORDER = ["pairing", "first-run", "new-thread", "sessions", "thread", "requests", "composer", "sidebar", "menus", "palette", "keys", "search", "archive", "agents", "settings", "trouble"];

const place = (screen: string) => (ORDER.includes(screen) ? ORDER.indexOf(screen) : ORDER.length);

/** Writes `index.html` with every picture in the folder, those of earlier runs included. */
export async function writeSheet(folder: string): Promise<void> {
  const all = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const screens = all.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  const sections = [];
  for (const screen of screens) {
    const pictures = (await readdir(join(folder, screen))).flatMap((file) => {
      const [, state, width, theme] = /^(.+)-(\d+)-(light|dark)\.png$/.exec(file) ?? [];
      return state ? [{ file, state, width: Number(width), theme: theme! }] : [];
    });
    pictures.sort((a, b) => a.state.localeCompare(b.state) || b.width - a.width || b.theme.localeCompare(a.theme));
    const figures = pictures.map(
      ({ file, state, width, theme }) =>
        `<figure data-words="${screen} ${state}" data-width="${width}" data-theme="${theme}"><a href="${screen}/${file}"><img loading="lazy" src="${screen}/${file}" alt=""></a><figcaption>${state} <small>${width} ${theme}</small></figcaption></figure>`,
    );
    sections.push(`<section><h2>${screen}</h2><div>${figures.join("\n")}</div></section>`);
  }
  await writeFile(join(folder, "index.html"), PAGE.replace("SECTIONS", sections.join("\n")));
}

/** The pictures of the README, by their names there. */
const README: Record<string, string> = {
  "thread.png": "requests/command-1440-light.png",
  "thread-dark.png": "requests/command-1440-dark.png",
  "phone.png": "requests/command-on-a-phone-390-light.png",
  "phone-dark.png": "requests/command-on-a-phone-390-dark.png",
};

/** Copies the pictures of the README to where it finds them. */
export async function copyForReadme(folder: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const [name, picture] of Object.entries(README)) await copyFile(join(folder, picture), join(to, name));
}

const choice = (name: string, values: string[]) =>
  `<select name="${name}" aria-label="${name}"><option value="">every ${name}</option>${values.map((value) => `<option>${value}</option>`).join("")}</select>`;

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Baton: every screen</title>
<style>
:root{color-scheme:light dark}body{margin:0 24px 48px;font:14px/1.5 system-ui,sans-serif}
form{position:sticky;top:0;display:flex;gap:8px;padding:12px 0;background:Canvas}
input,select{font:inherit;padding:4px 8px}h2{margin:24px 0 8px;font-size:16px}
section>div{display:flex;flex-wrap:wrap;gap:16px;align-items:end}figure{margin:0}figcaption{font-size:12px}small{opacity:.7}
img{display:block;height:300px;border:1px solid #8886}[hidden]{display:none}
</style>
<form><input type="search" name="words" placeholder="Screen or state" aria-label="Screen or state">${choice("width", ["390", "820", "1440"])}${choice("theme", ["light", "dark"])}</form>
SECTIONS
<script>
const form = document.forms[0];
const filter = () => {
  const [words, width, theme] = ["words", "width", "theme"].map((name) => form.elements[name].value);
  for (const figure of document.querySelectorAll("figure")) {
    const { words: its, width: wide, theme: colours } = figure.dataset;
    figure.hidden = !its.includes(words.trim().toLowerCase()) || (width && wide !== width) || (theme && colours !== theme);
  }
  for (const section of document.querySelectorAll("section")) section.hidden = !section.querySelector("figure:not([hidden])");
};
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
</script></html>
`;
