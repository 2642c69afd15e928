// The panel beside a thread, what is checked out, the files that a turn changed, and several
// requests at once.

import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight, wider } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type Action, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const todos = (...list: [string, string][]): Action => ({
  tool: "todowrite",
  args: { todos: list.map(([content, status]) => ({ content, status, priority: "medium" })) },
});
const task = (agent: string, description: string, ...steps: Action[][]): Action => ({
  tool: "task",
  args: { description, prompt: scripted(description, ...steps), subagent_type: agent },
});
const write = (name: string, content: string): Action => ({ tool: "write", args: { filePath: join(world.project, name), content } });

/** What has the focus, by its name. */
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");
const tab = (page: Page, name: string) => page.getByRole("tab", { name });

test("the tasks stand beside the thread, are kept up to date, and lead to where they were said", async () => {
  const page = await newThread(world);
  const first = todos(["Read the words", "completed"], ["Count them", "in_progress"], ["Write it down", "pending"]);
  const last = todos(["Read the words", "completed"], ["Count them", "completed"], ["Write it down", "completed"]);
  await send(page, scripted("Work it off", [{ text: "Planned." }, first], [{ text: "Counting." }, { wait: "todo-gate" }, last], [{ text: "Done." }]));
  const chip = page.locator(".head-chip");
  await chip.filter({ hasText: "Tasks 1 of 3" }).waitFor({ timeout: 60_000 });
  await page.locator(".todo-strip").waitFor();
  await chip.click();
  const panel = page.locator(".panel");
  await panel.locator(".todos li").first().waitFor();
  expect(await panel.locator(".todos li").allTextContents()).toEqual(["Read the words", "Count them", "Write it down"]);
  await until("the focus is in it", async () => (await focused(page)).startsWith("Tasks"));
  // Nothing is said twice on one screen.
  expect([await page.locator(".todo-strip").count(), await chip.count()]).toEqual([0, 0]);
  await world.release("todo-gate");
  await tab(page, "Tasks 3 of 3").waitFor({ timeout: 60_000 });
  await ended(page, "completed");
  expect(await panel.locator(".todos [data-status=completed]").count()).toBe(3);

  await panel.getByRole("button", { name: "Show in thread: todo list" }).click();
  await page.locator(".trow[data-found]").filter({ hasText: "3 of 3 done" }).waitFor();
  await looksRight(page, "panel-tasks");

  // It is kept as it is on this device, and is there on every thread.
  await page.reload();
  await panel.locator(".todos li").first().waitFor();
  const other = await world.tab(page, "#/");
  await other.locator(".pick-model[data-state=chosen]").waitFor();
  await send(other, scripted("Another", [{ text: "Nothing to do." }]));
  await other.locator(".panel").getByText("No tasks").waitFor();
});

test("the last plan stands there too, while it is asked about and after", async () => {
  const page = await newThread(world);
  await page.getByRole("radio", { name: "Plan" }).click();
  await send(page, "how would you do it?");
  await page.locator(".ask[data-kind=plan] .md").waitFor({ timeout: 60_000 });
  await page.keyboard.press("Alt+Shift+T");
  const plan = page.locator(".panel").getByRole("region", { name: "Plan" });
  await plan.locator(".md").filter({ hasText: "Count words with apostrophes" }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await ended(page, "interrupted");
  await plan.getByRole("button", { name: "Show in thread: plan" }).click();
  await page.locator(".trow[data-found] .plan").waitFor();
});

test("sub-agents are told while they work and once they ended, and lead to their place, however deep", async () => {
  const page = await newThread(world);
  const inner = task("explore", "Look for callers", [bash("echo inner-call"), { text: "Looked." }], [{ text: "No callers." }]);
  const outer = task("general", "Survey the code", [{ text: "Surveying." }, { wait: "agent-gate" }, inner], [{ text: "Surveyed." }]);
  await send(page, scripted("Delegate it", [outer], [{ text: "All surveyed." }]));
  await page.locator(".head-chip").filter({ hasText: "Agents 1 at work" }).waitFor({ timeout: 60_000 });
  await page.keyboard.press("Alt+Shift+A");
  const panel = page.locator(".panel");
  const working = panel.getByRole("region", { name: "At work" }).locator(".agent-row");
  await working.filter({ hasText: "general Survey the code" }).filter({ hasText: "Writing" }).waitFor();
  await world.release("agent-gate");
  const allow = async () => {
    await page.locator(".ask [data-decision=once]").click({ timeout: 200 }).catch(() => {});
    return (await page.locator(".turn:last-of-type[data-state=completed]").count()) > 0;
  };
  await until("it has ended", allow, 60_000);
  const over = panel.getByRole("region", { name: "Ended" }).locator(".agent-row");
  await over.filter({ hasText: "Survey the code" }).waitFor();
  expect(await working.count()).toBe(0);
  const nested = over.filter({ hasText: "Look for callers" });
  await nested.filter({ hasText: "within general" }).click();
  await page.locator(".trow .trow[data-found]").filter({ hasText: "Look for callers" }).waitFor();
  await over.filter({ hasText: "Survey the code" }).click();
  await page.locator(".trow[data-found]").filter({ hasText: "Survey the code" }).waitFor();
  await looksRight(page, "panel-agents");
});

test("the panel is as wide as a person draws it, and closes by a key that gives the focus back", async () => {
  const page = await newThread(world);
  await send(page, scripted("Short", [{ text: "Yes." }]));
  await ended(page, "completed");
  const message = page.getByRole("textbox", { name: "Message" });
  await message.focus();
  const panel = page.locator(".panel");
  const wide = async () => (await panel.boundingBox())!.width;
  await page.keyboard.press("Control+J");
  await panel.waitFor();
  const before = await wide();
  const edge = page.getByRole("separator", { name: "Width of the panel" });
  const box = (await edge.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, 400);
  await page.mouse.down();
  await page.mouse.move(box.x - 55, 400, { steps: 4 });
  await page.mouse.up();
  expect(await wide()).toBeGreaterThan(before + 40);
  const drawn = await wide();
  await edge.press("ArrowRight");
  expect(await wide()).toBe(drawn - 24);
  await page.reload();
  await panel.waitFor();
  expect(await wide()).toBe(drawn - 24);
  // The thread keeps its room, however wide the panel is wished to be.
  await edge.press("Home");
  await page.setViewportSize({ width: 1100, height: 800 });
  expect((await page.locator(".composer").boundingBox())!.width).toBeGreaterThan(400);
  expect(await wider(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 800 });
  await edge.dblclick();
  expect(await wide()).toBe(before);
  await page.keyboard.press("Control+J");
  await panel.waitFor({ state: "detached" });

  await message.focus();
  await page.keyboard.press("Control+J");
  await until("the focus is in it", async () => (await focused(page)).startsWith("Tasks"));
  await page.keyboard.press("ArrowRight");
  await until("it went on", async () => (await focused(page)).startsWith("Agents"));
  await panel.getByText("No sub-agents").waitFor();
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  expect(await focused(page)).toBe("Message");
  // The palette has the same.
  await page.keyboard.press("Control+K");
  await page.keyboard.type("show the tasks");
  await page.keyboard.press("Enter");
  await panel.getByText("No tasks").waitFor();
});

test("on a phone it is a sheet that says when something is asked, and makes way for it", async () => {
  const page = await newThread(world);
  await send(page, scripted("Work", [{ text: "Listed." }, todos(["Count", "in_progress"])], [bash("echo phone")], [{ text: "Done." }]));
  await page.locator(".ask").waitFor({ timeout: 60_000 });
  const phone = await world.open(new URL(page.url()).hash, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const toggle = phone.getByRole("button", { name: "Panel", exact: true });
  await toggle.click();
  const sheet = phone.getByRole("dialog", { name: "Panel" });
  await sheet.locator(".todos li").filter({ hasText: "Count" }).waitFor();
  const { width, height } = (await sheet.boundingBox())!;
  expect([width, height].map(Math.round)).toEqual([390, 844]);
  await looksRight(phone, "panel-sheet");
  // Where there was room it stood beside the thread; one over it is opened by a person alone.
  await sheet.waitFor({ state: "detached" });
  await toggle.click();
  await sheet.getByRole("button", { name: /waits for your answer/ }).click();
  await sheet.waitFor({ state: "detached" });
  await phone.locator(".ask [data-decision=once]").waitFor();
  await toggle.click();
  await sheet.getByRole("button", { name: "Close the panel" }).click();
  await sheet.waitFor({ state: "detached" });
  await until("the focus is back", async () => (await focused(phone)) === "Panel");
  await toggle.click();
  await sheet.getByRole("button", { name: "Show in thread: todo list" }).click();
  await sheet.waitFor({ state: "detached" });
  await phone.locator(".timeline [data-found]").waitFor();
  await phone.locator(".ask [data-decision=once]").click();
  await ended(phone, "completed");
});

test("what is checked out stands beside the project's name, and is looked at again when a turn ends and when somebody comes back", async () => {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: world.project, stdio: "ignore" });
  git("switch", "-c", "one/branch");
  const page = await newThread(world);
  const beside = page.locator(".side-branch");
  await beside.filter({ hasText: "one/branch" }).waitFor();
  await send(page, scripted("Switch", [bash("git switch -c two/branch")], [{ text: "Switched." }]));
  await page.locator(".ask [data-decision=once]").click({ timeout: 60_000 });
  await ended(page, "completed");
  const place = page.locator(".head-place");
  await place.filter({ hasText: "two/branch" }).waitFor();
  await beside.filter({ hasText: "two/branch" }).waitFor();
  git("switch", "--detach");
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await place.locator("[data-head=detached]").waitFor();
  expect(await place.textContent()).toMatch(/ · [0-9a-f]{7}$/);
  expect(await page.locator(".head-model").textContent()).not.toBe("");
});

test("a turn says which files it changed, and leads to each", async () => {
  const page = await newThread(world);
  const child = task("general", "Write deeper", [write("deeper/one.txt", "1\n")], [{ text: "Written." }]);
  await send(page, scripted("Write", [write("panel.txt", "one\ntwo\n")], [child], [{ text: "Written all." }]));
  const allow = async () => {
    await page.locator(".ask [data-decision=once]").click({ timeout: 200 }).catch(() => {});
    return (await page.locator(".turn:last-of-type[data-state=completed]").count()) > 0;
  };
  await until("it has ended", allow, 60_000);
  const files = page.getByRole("button", { name: "2 files +3 changed" });
  expect(await files.textContent()).toBe("2 files +3 ");
  await files.click();
  const list = page.getByRole("list", { name: "Changed files" }).getByRole("link");
  await list.first().waitFor();
  expect(await list.allTextContents()).toEqual(["panel.txtnew+2 ", "deeper/one.txtnew+1 "]);
  await looksRight(page, "changed-files");
  // It lies within a sub-agent that is closed.
  await list.nth(1).click();
  await page.locator(".trow[data-found]").filter({ hasText: "deeper/one.txt" }).waitFor();
  await rm(join(world.project, "panel.txt"));

  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copied = async (name: string) => {
    await lastTurn(page).getByRole("button", { name: "More of this turn" }).click();
    await page.getByRole("menuitem", { name }).click();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const id = (await lastTurn(page).getAttribute("data-turn"))!;
  expect(await copied("Copy the turn's id")).toBe(id);
  expect(await copied("Copy the link to this turn")).toBe(`${page.url()}/${id}`);
});

test("several requests are gone through by keys, while somebody writes too", async () => {
  const page = await newThread(world);
  await send(page, scripted("Two at once", [bash("echo first-of-two"), bash("echo second-of-two")], [{ text: "Both." }]));
  const ask = page.locator(".ask");
  await ask.getByText("1 of 2").waitFor({ timeout: 60_000 });
  const first = await ask.locator(".ask-command pre").textContent();
  const shown = async () => (await ask.locator(".ask-command pre").textContent()) !== first;
  await page.getByRole("textbox", { name: "Message" }).press("Alt+N");
  await ask.getByText("2 of 2").waitFor();
  expect([await shown(), await focused(page)]).toEqual([true, "Message"]);
  await page.keyboard.press("Alt+P");
  await ask.getByText("1 of 2").waitFor();
  expect(await shown()).toBe(false);
  // Another request is another card; the button that was pressed still has the focus.
  const next = page.getByRole("button", { name: "Next request" });
  await next.focus();
  await page.keyboard.press("Enter");
  await ask.getByText("2 of 2").waitFor();
  expect(await focused(page)).toBe("Next request");
  // So is the card, for whoever stood anywhere else in it.
  await ask.locator("[data-decision=once]").focus();
  await page.keyboard.press("Alt+P");
  await ask.getByText("1 of 2").waitFor();
  expect(await focused(page)).toBe(await ask.getAttribute("aria-label"));
  for (let left = 2; left > 0; left--) await ask.locator("[data-decision=once]").click();
  await ended(page, "completed");
});
