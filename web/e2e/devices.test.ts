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
  await dialog.getByText("can be reached from this machine only").waitFor();
  await looksRight(page, "settings-pair");
  const other = await world.stranger();
  await other.goto(link);
  await other.locator(".shell").waitFor();
  await page.keyboard.press("Escape");
  await until("it is listed", async () => (await devices.count()) === before + 1);
  await devices.filter({ hasText: "last used" }).first().waitFor();
  await looksRight(page, "settings-devices");

  await devices.filter({ hasNotText: "this one" }).first().getByRole("button", { name: /^Revoke/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await until("it is gone", async () => (await devices.count()) === before);
  await other.getByRole("heading", { name: "Pair this browser" }).waitFor();
});

test("a phone is let in by what its camera sees, by an address that it can reach", async () => {
  const page = await world.open("#/settings/devices");
  // A server that other machines can reach: this one listens on its own machine alone.
  const rows = Array.from({ length: 33 }, (_, y) => Array.from({ length: 33 }, (_, x) => Number((x * y) % 3 === 0)).join(""));
  const addresses = ["http://192.168.1.5:4777", "https://box.tail.ts.net"].map((url) => ({ url: `${url}/#pair=X`, qr: rows }));
  let from = "";
  await page.route("**/api/pair/new?**", async (route) => {
    from = new URL(route.request().url()).searchParams.get("from")!;
    const made = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...made, addresses } });
  });
  await page.getByRole("button", { name: "Pair a device" }).click();
  const dialog = page.getByRole("dialog", { name: "Pair a device" });
  const code = dialog.getByRole("img", { name: "QR code of the link by 192.168.1.5:4777" });
  await code.waitFor();
  expect(from).toBe(`${world.url}/`);
  expect(await code.getAttribute("viewBox")).toBe("0 0 41 41");
  // Readers want dark on light, in a dark theme too.
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await code.evaluate((svg) => [getComputedStyle(svg).backgroundColor, getComputedStyle(svg.firstElementChild!).fill])).toEqual(["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
  await looksRight(page, "settings-pair-qr");
  await dialog.getByRole("radio", { name: "box.tail.ts.net" }).click();
  await dialog.getByText("https://box.tail.ts.net/#pair=X").waitFor();
  await dialog.getByRole("img", { name: "QR code of the link by box.tail.ts.net" }).waitFor();
  expect(await dialog.getByText("from this machine only").count()).toBe(0);
  await page.keyboard.press("ArrowUp");
  await code.waitFor();
});

test("a server says what it knows of how others reach it, whatever address the page was opened by", async () => {
  const page = await world.open("#/settings/devices");
  let said: object = { only_here: true, url: "http://127.0.0.1:4999/#pair=X" };
  await page.route("**/api/pair/new?**", async (route) => {
    const made = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...made, ...said } });
  });
  const pair = page.getByRole("button", { name: "Pair a device" });
  await pair.click();
  const dialog = page.getByRole("dialog", { name: "Pair a device" });
  await dialog.getByText("ssh -L 4999:127.0.0.1:4999").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  said = { only_here: false, url: "http://127.0.0.1:4999/#pair=X" };
  await pair.click();
  await dialog.getByText("http://ADDRESS:4999").waitFor();
  expect(await dialog.getByText("from this machine only").count()).toBe(0);
  await looksRight(page, "settings-pair-unknown");
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
  const wrong = page.locator("[data-part=recent]");
  await wrong.getByText(/Nothing since Baton started|Warning|Error/).first().waitFor();
  await page.route("**/api/diagnostics", async (route) => {
    const read = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...read, recent: [{ at: Date.now(), level: "warn", text: "Kilo does not answer url=http://127.0.0.1:1/", times: 3 }, { at: Date.now(), level: "error", text: "the disk is full", times: 1 }] } });
  });
  await page.getByRole("button", { name: "Read again" }).click();
  await wrong.getByText("the disk is full").waitFor();
  await wrong.getByText("3 times").waitFor();
  await looksRight(page, "settings-diagnostics");
  await page.getByRole("button", { name: "Copy the report" }).click();
  await page.getByText("The report is copied.").waitFor();
  const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { version: string; recent: { text: string }[] };
  expect(report.version).toMatch(/^\d+\./);
  expect(report.recent.map((line) => line.text)).toContain("the disk is full");
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
