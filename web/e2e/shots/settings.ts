// The settings, section by section.

import { test } from "vitest";
import type { Stage } from "./stage";

const screen = "settings";

export function settings(at: () => Stage): void {
  test("providers and projects", async () => {
    const { open, take, world } = at();
    const page = await open("#/settings");
    const kilo = page.locator(".provider[data-provider=kilo]");
    await kilo.and(page.locator("[data-state=ready]")).waitFor({ timeout: 60_000 });
    await take(page, screen, "providers");
    await kilo.getByText("Processes").click();
    await kilo.getByText(/pid \d+|None runs now/).first().waitFor();
    await kilo.getByLabel("Custom models").fill("meadow/by-hand");
    await take(page, screen, "provider-open");
    await page.goto(`${world.url}/#/settings/projects`);
    await page.getByRole("heading", { name: "Projects" }).waitFor();
    await take(page, screen, "projects");
  });

  test("appearance, writing, notifications, about", async () => {
    const { open, take, world } = at();
    const page = await open("#/settings/appearance");
    for (const [section, title] of [["appearance", "Appearance"], ["writing", "Writing"], ["notifications", "Notifications"], ["about", "About"]] as const) {
      await page.goto(`${world.url}/#/settings/${section}`);
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      await take(page, screen, section);
    }
  });

  test("keys", async () => {
    const { open, take } = at();
    const page = await open("#/settings/keys");
    await page.locator(".key-row").first().waitFor();
    await take(page, screen, "keys");
    const row = page.locator('.key-row[data-action="thread.pin"]');
    await row.getByRole("button", { name: /^Change/ }).click();
    await page.keyboard.press("Control+k");
    await row.getByRole("button", { name: "Use it" }).waitFor();
    await take(page, screen, "key-that-is-taken");
  });

  test("devices and diagnostics", async () => {
    const { world, open, take } = at();
    const other = await world.stranger();
    await other.goto(await world.pairingLink());
    await other.locator(".shell").waitFor();
    const page = await open("#/settings/devices");
    await page.locator(".devices li").nth(1).waitFor();
    await take(page, screen, "devices");
    await page.getByRole("button", { name: "Pair a device" }).click();
    await page.getByRole("dialog", { name: "Pair a device" }).locator(".pair-link code").waitFor();
    await take(page, screen, "devices-pairing");
    await page.keyboard.press("Escape");
    await page.locator(".devices li").filter({ hasNotText: "this one" }).first().getByRole("button", { name: /^Revoke/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).waitFor();
    await take(page, screen, "devices-revoking");
    await page.keyboard.press("Escape");
    await page.goto(`${world.url}/#/settings/diagnostics`);
    await page.getByText("Running for").waitFor();
    await take(page, screen, "diagnostics");
    await page.route("**/api/diagnostics", (route) => route.abort());
    await page.reload();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await take(page, screen, "diagnostics-failed");
  });
}
