import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createWorld, ended, lastTurn, lookBack, scripted, send, type World } from "./world";

let world: World;
beforeAll(async () => void (world = await createWorld()));
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("a browser that nobody let in is told how to get in, and a code lets it in", async () => {
  const page = await world.stranger();
  await page.goto(`${world.url}/`);
  await page.getByRole("heading", { name: "Pair this browser" }).waitFor();
  await page.getByLabel("Pairing code or link").fill("WRONG-CODE");
  await page.getByRole("button", { name: "Pair" }).click();
  await page.locator("[role=alert]").filter({ hasText: /\w/ }).waitFor();
  await page.getByLabel("Pairing code or link").fill(await world.pairingLink());
  await page.getByRole("button", { name: "Pair" }).click();
  await page.locator(".connection[data-status=connected]").waitFor();
});

test("a pairing link opens the app and leaves no code behind", async () => {
  const page = await world.stranger();
  await page.goto(await world.pairingLink());
  await page.locator(".connection[data-status=connected]").waitFor();
  expect(page.url()).not.toContain("pair");
  await page.reload();
  await page.locator(".connection[data-status=connected]").waitFor();
});

test("from nothing to a finished turn, with the keyboard alone", async () => {
  const page = await world.open();
  await page.getByRole("heading", { name: "Welcome to Baton" }).waitFor();
  const kilo = page.locator(".provider[data-provider=kilo]");
  await kilo.filter({ hasText: "Ready" }).waitFor({ timeout: 60_000 });
  expect(await kilo.textContent()).toContain("7.7.7");

  const path = page.getByRole("combobox", { name: "Directory" });
  await path.fill("/no/such/directory");
  await path.press("Enter");
  await page.getByRole("alert").filter({ hasText: /director/i }).waitFor();

  // The directory is found by its first letters.
  await path.fill(world.project.slice(0, -2));
  const name = world.project.split("/").at(-1)!;
  await page.getByRole("option", { name }).waitFor();
  await path.press("ArrowDown");
  await path.press("Enter");
  expect(await path.inputValue()).toBe(`${world.project}/`);
  await path.press("Enter");

  await page.getByRole("heading", { name: `What should be done in ${name}?` }).waitFor();
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  await send(
    page,
    scripted("Say it", [
      { reasoning: "I was told what to say." },
      { text: "# Heading\n\nSome **bold** words, `code`, <b>no HTML</b> and:\n\n```js\nconst x = 1;\n```\n", chunk: 5, delay_ms: 10 },
    ]),
  );
  await ended(page, "completed");
  const turn = lastTurn(page);
  expect(await turn.locator(".md h1").textContent()).toBe("Heading");
  expect(await turn.locator(".md strong").textContent()).toBe("bold");
  expect(await turn.locator(".md b").count()).toBe(0);
  expect(await turn.locator(".code-block code").textContent()).toBe("const x = 1;");
  await turn.locator(".hljs-keyword").waitFor();
  await turn.getByRole("button", { name: /Thought/ }).click();
  expect(await turn.locator(".think .fold-body").textContent()).toContain("I was told what to say.");
  expect(await page.locator(".side .row.on .row-title").textContent()).toContain("Say it");
  expect(await page.locator(".end").textContent()).toContain("tokens");
});

test("the next thread begins with what was chosen last", async () => {
  const page = await world.open();
  await page.locator(".pick-model[data-state=chosen]").waitFor();
  await page.locator(".pick-model").click();
  const search = page.getByRole("combobox", { name: "Search models" });
  await search.fill("zzz");
  await page.getByText("No model matches “zzz”.").waitFor();
  await search.fill("");
  await page.locator(".model").nth(1).waitFor();
  await search.press("ArrowDown");
  const model = (await page.locator(".model[data-active]").getAttribute("data-model"))!;
  await search.press("Enter");
  await page.keyboard.press("Escape");
  await page.locator(".pick[data-state=supervised]").click();
  await page.getByRole("menuitemradio", { name: /Auto-edit/ }).click();
  await page.reload();
  await page.locator(`.pick-model[title="${model}"]`).waitFor();
  await page.locator(".pick[data-state=auto-edit]").waitFor();
});

test("Kilo's settings are three, and switching it off shows", async () => {
  const page = await world.open("#/settings");
  const kilo = page.locator(".provider[data-provider=kilo]");
  await kilo.getByLabel("Custom models").fill("mock/by-hand");
  await kilo.getByRole("button", { name: "Save" }).click();
  await kilo.getByRole("button", { name: "Save" }).and(page.locator(":disabled")).waitFor();
  await kilo.getByRole("switch").click();
  await page.locator(".provider[data-state=disabled]").waitFor({ timeout: 30_000 });
  await page.reload();
  await page.locator(".provider[data-state=disabled]").waitFor();
  expect(await kilo.getByLabel("Custom models").inputValue()).toBe("mock/by-hand");
  await kilo.getByRole("switch").click();
  await page.locator(".provider[data-state=ready]").waitFor({ timeout: 60_000 });

  // Started anew at a person's wish, which is said of the one before.
  await kilo.getByText("Processes").click();
  await kilo.getByRole("button", { name: "Check again" }).click();
  await kilo.getByRole("button", { name: "Restart" }).click({ timeout: 60_000 });
  await kilo.getByText("Restarted by a person").waitFor({ timeout: 60_000 });
  await kilo.getByText(/pid \d+/).waitFor({ timeout: 60_000 });

  await page.getByRole("link", { name: "Appearance" }).click();
  await page.getByRole("radio", { name: "Dark" }).click();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await page.reload();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await page.getByRole("radio", { name: "System" }).click();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBeUndefined();
});
