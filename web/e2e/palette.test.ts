// Everything by the keyboard: the palette, the keys, and where the focus is afterwards.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { looksRight } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
const threads: Record<string, string> = {};
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
  const page = await world.open();
  for (const name of ["Mend the parser", "Write the tests"]) {
    await page.goto(`${world.url}/#/`);
    await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
    await send(page, scripted(name, [{ text: `Done with: ${name}.` }]));
    await ended(page, "completed");
    threads[name] = here(page).split("/").at(-1)!;
    await world.ask("PATCH", `threads/${threads[name]}`, { title: name });
  }
  await page.close();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const here = (page: Page) => new URL(page.url()).hash;
const palette = (page: Page) => page.getByRole("dialog", { name: "Search and do" });
const field = (page: Page) => palette(page).getByRole("combobox");
const message = (page: Page) => page.getByRole("textbox", { name: "Message" });
const focused = (what: ReturnType<typeof message>) =>
  until("it has the focus", () => what.evaluate((element) => element === document.activeElement));

async function thread(name: string): Promise<Page> {
  const page = await world.open(`#/t/${threads[name]}`);
  await page.locator(".turn[data-state=completed]").first().waitFor();
  return page;
}

test("the palette finds threads, projects, actions and settings, and gives the focus back", async () => {
  const page = await thread("Write the tests");
  await message(page).focus();
  await page.keyboard.press("Control+k");
  await focused(field(page));
  await palette(page).locator("[data-row^='thread:']").first().waitFor();
  await looksRight(page, "palette");
  await page.keyboard.press("Escape");
  await palette(page).waitFor({ state: "detached" });
  await focused(message(page));

  await page.keyboard.press("Control+k");
  await page.keyboard.type("mend pars");
  const first = palette(page).getByRole("option").first();
  await first.filter({ hasText: "Mend the parser" }).waitFor();
  expect(await first.getAttribute("aria-selected")).toBe("true");
  await looksRight(page, "palette-found");
  await page.keyboard.press("Enter");
  await until("the thread is shown", async () => here(page) === `#/t/${threads["Mend the parser"]}`);
  await focused(message(page));

  await page.keyboard.press("Control+k");
  await page.keyboard.type("keys");
  await palette(page).locator("[data-row='settings:keys']").click();
  await page.getByRole("heading", { name: "Keys" }).waitFor();

  // What was chosen last stands first; what is not there is said.
  await page.keyboard.press("Control+k");
  await until("it remembers", async () => (await palette(page).getByRole("group", { name: "Recent" }).getByRole("option").count()) === 2);
  await page.keyboard.type("new in");
  await palette(page).locator("[data-row^='new:']").waitFor();
  await field(page).fill("done with mend");
  await palette(page).getByRole("group", { name: "Messages" }).getByRole("option").first().waitFor();
  await looksRight(page, "palette-messages");
  await field(page).fill("qqqqqq");
  await palette(page).getByText("Nothing is called “qqqqqq”.").waitFor();
  await page.keyboard.press("Control+k");
  await palette(page).waitFor({ state: "detached" });
});

test("what is typed while the palette is on its way is looked for in it", async () => {
  const page = await world.open();
  let arrive = () => {};
  const arrives = new Promise<void>((done) => (arrive = done));
  await page.route(/\/assets\/Palette-.*\.js$/, async (route) => {
    await arrives;
    await route.continue();
  });
  await page.reload();
  await page.locator(".pick-model[data-state=chosen]").waitFor();
  await message(page).focus();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("mend");
  await page.keyboard.press("Backspace");
  expect(await message(page).inputValue()).toBe("");
  arrive();
  await focused(field(page));
  expect(await field(page).inputValue()).toBe("men");
  await page.keyboard.type("d pars");
  await palette(page).getByRole("option").first().filter({ hasText: "Mend the parser" }).waitFor();
});

test("what is done by a key is offered in the palette with it", async () => {
  const page = await thread("Mend the parser");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("archive this");
  const row = palette(page).locator("[data-row='do:thread.archive']");
  await row.and(page.locator("[aria-selected=true]")).waitFor();
  expect(await row.locator("kbd").allTextContents()).toEqual(["Ctrl", "Shift", "X"]);
  await page.keyboard.press("Enter");
  await page.getByText("This thread is archived.").waitFor();
  await page.getByRole("button", { name: "Bring back" }).click();
  await message(page).waitFor();
});

test("threads, the message, the pickers and the sidebar are reached by keys", async () => {
  const page = await thread("Write the tests");
  const rows = await page.locator(".side .row").evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.thread!));
  const at = rows.indexOf(threads["Write the tests"]!);
  await message(page).focus();
  await page.keyboard.press("Alt+ArrowDown");
  await until("the next thread", async () => here(page) === `#/t/${rows[(at + 1) % rows.length]}`);
  await page.keyboard.press("Alt+ArrowUp");
  await until("the former thread", async () => here(page) === `#/t/${rows[at]}`);

  await page.locator(".head-title").focus();
  await page.keyboard.press("Control+i");
  await focused(message(page));
  await page.keyboard.press("Control+/");
  await page.getByRole("dialog", { name: "Choose a model" }).waitFor();
  await page.keyboard.press("Escape");
  await focused(message(page));
  await page.keyboard.press("Control+Shift+A");
  await page.getByRole("menuitemradio", { name: /^Supervised/ }).waitFor();
  await page.keyboard.press("Escape");
  await focused(message(page));
  await page.keyboard.press("Control+Shift+B");
  await page.locator("[role=radio][aria-checked=true]").filter({ hasText: "Plan" }).waitFor();
  await page.keyboard.press("Control+Shift+B");

  await page.keyboard.press("Control+b");
  await page.locator(".side").waitFor({ state: "hidden" });
  await page.reload();
  await page.locator(".turn").first().waitFor();
  expect(await page.locator(".side").isVisible()).toBe(false);
  await page.getByRole("button", { name: "Threads" }).click();
  await page.locator(".side").waitFor();

  await page.keyboard.press("Control+Shift+F");
  await focused(page.getByRole("searchbox"));
  await page.keyboard.press("F2");
  await page.getByRole("textbox", { name: "Thread title" }).press("Escape");
  await page.keyboard.press("Control+Shift+O");
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
});

test("the next thread that needs a person is one key away", async () => {
  const page = await newThread(world);
  await send(page, scripted("Ask me", [bash("echo asked")], [{ text: "Answered." }]));
  await page.locator(".ask").waitFor({ timeout: 60_000 });
  const asking = here(page);
  await page.goto(`${world.url}/#/t/${threads["Mend the parser"]}`);
  await lastTurn(page).waitFor();
  await page.keyboard.press("Alt+Shift+ArrowDown");
  await page.locator(".ask").waitFor();
  expect(here(page)).toBe(asking);
  // What is at work is not stopped by a key alone.
  await page.keyboard.press("Control+Shift+X");
  await page.getByText("is at work, and archiving it stops that for good.").waitFor();
  expect(await page.locator(".ask").count()).toBe(1);
  await page.keyboard.press("Alt+1");
  await ended(page, "completed");
});

test("the keys are listed, and can be changed", async () => {
  const page = await thread("Mend the parser");
  await page.locator(".head-title").focus();
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keys" });
  expect(await sheet.locator("[data-action='palette.open'] kbd").allTextContents()).toEqual(["Ctrl", "K"]);
  await looksRight(page, "keys");
  await sheet.getByRole("link", { name: "Change them" }).click();

  const row = (action: string) => page.locator(`.key-row[data-action="${action}"]`);
  await row("thread.new").getByRole("button", { name: /^Change/ }).click();
  await page.keyboard.press("Alt+y");
  await row("thread.new").getByText("Alt", { exact: true }).waitFor();
  await focused(row("thread.new").getByRole("button", { name: /^Change/ }));
  await page.keyboard.press("Alt+y");
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  await page.reload();
  await page.goto(`${world.url}/#/settings/keys`);
  await row("thread.new").waitFor();
  expect(await row("thread.new").locator("kbd").allTextContents()).toEqual(["Alt", "Y"]);

  // A key that has another meaning is taken over only when that is wanted.
  await row("thread.pin").getByRole("button", { name: /^Change/ }).click();
  await page.keyboard.press("Alt+y");
  await row("thread.pin").getByText("It is the key of “New thread”, which would have none.").waitFor();
  await looksRight(page, "settings-keys");
  await row("thread.pin").getByRole("button", { name: "Use it" }).click();
  await row("thread.new").getByText("No key").waitFor();
  await page.getByRole("button", { name: "All as they came" }).click();
  expect(await row("thread.new").locator("kbd").allTextContents()).toEqual(["Ctrl", "Shift", "O"]);
});

test("on a phone the palette opens from the drawer and does what is tapped", async () => {
  const page = await world.open(`#/t/${threads["Mend the parser"]}`, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await lastTurn(page).waitFor();
  await page.getByRole("button", { name: "Threads" }).tap();
  await page.getByRole("button", { name: "Search and do" }).tap();
  await field(page).fill("write tests");
  await palette(page).getByRole("option").first().tap();
  await until("the thread is shown", async () => here(page) === `#/t/${threads["Write the tests"]}`);
  await palette(page).waitFor({ state: "detached" });
});
