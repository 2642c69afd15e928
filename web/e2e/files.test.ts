// What a message names: files behind `@`, and Baton's own commands behind `/`.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  for (const path of ["src/app/router.ts", "src/app/router.test.ts", "src/a-rather-long-directory/another-long-directory/a-component-with-a-long-name.tsx", "notes/my notes.md", "built/router.js"]) {
    await mkdir(join(world.project, dirname(path)), { recursive: true });
    await writeFile(join(world.project, path), "x");
  }
  await writeFile(join(world.project, ".gitignore"), "built/\n");
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const message = (page: Page) => page.getByRole("textbox", { name: "Message", exact: true });
const files = (page: Page) => page.getByRole("listbox", { name: "Files" }).getByRole("option");

test("a file is found by a few letters and named in the message by keys alone", async () => {
  const page = await newThread(world);
  const area = message(page);
  await area.pressSequentially("Look at @rout");
  await files(page).first().filter({ hasText: "router" }).waitFor();
  expect(await files(page).evaluateAll((rows) => rows.map((row) => row.getAttribute("title")))).toEqual(["src/app/router.ts", "src/app/router.test.ts"]);
  const active = () => area.evaluate((field) => document.getElementById(field.getAttribute("aria-activedescendant") ?? "")?.getAttribute("title"));
  expect(await active()).toBe("src/app/router.ts");
  await area.press("ArrowDown");
  expect(await active()).toBe("src/app/router.test.ts");
  await area.press("ArrowUp");
  await looksRight(page, "files");
  await area.press("Enter");
  expect(await area.inputValue()).toBe("Look at @src/app/router.ts ");
  expect(await files(page).count()).toBe(0);

  // A name with a space is quoted; a directory stays open.
  await area.pressSequentially("and @myno");
  await files(page).first().filter({ hasText: "my notes.md" }).waitFor();
  await area.press("Tab");
  expect(await area.inputValue()).toBe('Look at @src/app/router.ts and @"notes/my notes.md" ');
  await area.pressSequentially("@notes/");
  await files(page).first().waitFor();
  await area.press("Escape");
  await files(page).first().waitFor({ state: "detached" });
  // What no file is called goes as it is: an address, a name, a path of elsewhere.
  await area.fill("");
  await area.pressSequentially("mail me@example.org or @zzqq");
  await page.getByText("No file fits.").waitFor();
  await area.press("Enter");
  await ended(page, "completed");
  expect(await lastTurn(page).locator(".you-text").textContent()).toBe("mail me@example.org or @zzqq");
});

test("on a phone a file is tapped, and what was worked on last is offered first", async () => {
  const page = await world.open("#/", { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  const read = { tool: "read", args: { filePath: join(world.project, "notes/my notes.md") } };
  await send(page, scripted("Read it", [read], [{ text: "I read it." }]));
  await ended(page, "completed");
  await message(page).tap();
  await message(page).pressSequentially("Change @");
  await files(page).first().filter({ hasText: "my notes.md" }).waitFor();
  await looksRight(page, "files-first");
  await message(page).pressSequentially("component");
  await files(page).filter({ hasText: "a-component-with-a-long-name.tsx" }).first().tap();
  const path = "src/a-rather-long-directory/another-long-directory/a-component-with-a-long-name.tsx";
  expect(await message(page).inputValue()).toBe(`Change @${path} `);
});

test("files that cannot be looked at are an error with a retry", async () => {
  const page = await newThread(world);
  await message(page).pressSequentially("@ro");
  await files(page).first().filter({ hasText: "router" }).waitFor();
  await page.route("**/files?*", (route) => route.abort());
  await message(page).pressSequentially("u");
  await page.getByRole("alert").filter({ hasText: "Baton does not answer" }).waitFor();
  // What fewer letters found is not offered for these.
  expect(await files(page).count()).toBe(0);
  await page.unroute("**/files?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await files(page).first().filter({ hasText: "router" }).waitFor();
  expect(await message(page).evaluate((field) => field === document.activeElement)).toBe(true);
});

test("Baton's own commands do what they say", async () => {
  const page = await newThread(world);
  const area = message(page);
  await area.pressSequentially("/pla");
  const own = page.getByRole("option").filter({ hasText: "Baton" });
  await own.filter({ hasText: "/plan" }).waitFor();
  await looksRight(page, "own-commands");
  await own.filter({ hasText: "/plan" }).click();
  await page.getByRole("radio", { name: "Plan", checked: true }).waitFor();
  expect(await area.inputValue()).toBe("");
  // With a message behind it, that is sent in the mode.
  await send(page, `/build ${scripted("Talk", [{ text: "Talking." }, { wait: "never" }])}`);
  await lastTurn(page).filter({ hasText: "Talking." }).waitFor({ timeout: 60_000 });
  await page.getByRole("radio", { name: "Build", checked: true }).waitFor();
  expect(await lastTurn(page).locator(".you-text").textContent()).toMatch(/^Talk/);
  await area.fill("/stop");
  await area.press("Enter");
  await ended(page, "interrupted");
  await area.fill("/rename What came of it");
  await area.press("Enter");
  await page.getByRole("heading", { name: "What came of it" }).waitFor();
  await area.fill("/rename");
  await area.press("Enter");
  expect(await area.inputValue()).toBe("/rename ");
  await area.fill("/model");
  await area.press("Enter");
  await page.getByRole("dialog", { name: "Choose a model" }).waitFor();
  await page.keyboard.press("Escape");
  await area.fill("/archive");
  await area.press("Enter");
  await page.getByText("This thread is archived.").waitFor();
  await page.getByRole("button", { name: "Bring back" }).click();
  await area.fill("/new to go on with");
  await area.press("Enter");
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  await until("the words came along", async () => (await area.inputValue()) === "to go on with");
});
