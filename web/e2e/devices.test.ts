// Who may use Baton, and what to look at when something is wrong.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { createWorld, lookBack, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("a device is paired by a link, listed, and let out again", async () => {
  const page = await world.open("#/settings/devices");
  const devices = page.locator(".devices li");
  await devices.filter({ hasText: "this one" }).waitFor();
  const before = await devices.count();
  await page.getByRole("button", { name: "Pair a device" }).click();
  const dialog = page.getByRole("dialog", { name: "Pair a device" });
  const link = (await dialog.locator(".pair-link code").textContent())!;
  expect(link.startsWith(`${world.url}/#pair=`)).toBe(true);
  await dialog.getByText("leads to Baton only on this machine").waitFor();
  await looksRight(page, "settings-pair");
  const other = await world.stranger();
  await other.goto(link);
  await other.locator(".shell").waitFor();
  await page.keyboard.press("Escape");
  await until("it is listed", async () => (await devices.count()) === before + 1);
  await looksRight(page, "settings-devices");

  await devices.filter({ hasNotText: "this one" }).first().getByRole("button", { name: /^Revoke/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await until("it is gone", async () => (await devices.count()) === before);
  await other.getByRole("heading", { name: "Pair this browser" }).waitFor();
});

test("the diagnostics are read, copied, and asked for again when they could not be read", async () => {
  const page = await world.open("#/settings", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.route("**/api/diagnostics", (route) => route.abort());
  await page.getByRole("link", { name: "Diagnostics" }).click();
  const again = page.getByRole("button", { name: "Try again" });
  await again.waitFor();
  await page.unroute("**/api/diagnostics");
  await again.click();
  await page.locator(".processes[data-provider=kilo]").waitFor();
  await page.getByText("Running for").waitFor();
  await looksRight(page, "settings-diagnostics");
  await page.getByRole("button", { name: "Copy the report" }).click();
  await page.getByText("The report is copied.").waitFor();
  const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { version: string };
  expect(report.version).toMatch(/^\d+\./);
});

test("processes that could not be read are asked for again", async () => {
  const page = await world.open("#/settings");
  const kilo = page.locator(".provider[data-provider=kilo]");
  await page.route("**/processes", (route) => route.abort());
  await kilo.getByText("Processes").click();
  await kilo.getByText("Baton does not answer").waitFor();
  await page.unroute("**/processes");
  await kilo.getByRole("button", { name: "Try again" }).click();
  await kilo.getByText(/pid \d+|None runs now/).waitFor();
});
