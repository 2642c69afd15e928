// Before anything can be done: a browser nobody let in, and a Baton without a project.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "vitest";
import type { Stage } from "./stage";

export function setup(at: () => Stage): void {
  test("pairing", async () => {
    const { world, take } = at();
    const page = await world.stranger();
    await page.goto(`${world.url}/`);
    await page.getByRole("heading", { name: "Pair this browser" }).waitFor();
    await take(page, "pairing", "asked");
    await page.getByLabel("Pairing code or link").fill("WRONG-CODE");
    await page.getByRole("button", { name: "Pair" }).click();
    await page.locator("[role=alert]").filter({ hasText: /\w/ }).waitFor();
    await take(page, "pairing", "refused");
  });

  test("first run", async () => {
    const { world, open, take } = at();
    const page = await open();
    const kilo = (state: string) => page.locator(`.provider[data-provider=kilo][data-state=${state}]`);
    await kilo("ready").waitFor({ timeout: 60_000 });
    await take(page, "first-run", "ready");
    const path = page.getByRole("combobox", { name: "Directory" });
    await path.fill("/no/such/directory");
    await path.press("Enter");
    await page.getByRole("alert").filter({ hasText: /director/i }).waitFor();
    await take(page, "first-run", "no-such-directory");
    await path.fill(`${world.project.slice(0, -2)}`);
    await page.locator(".paths li").first().waitFor();
    await take(page, "first-run", "directories");
    await path.fill("");

    await world.ask("PATCH", "providers/kilo", { binary: "/opt/no/such/kilo" });
    await page.locator(".provider[data-provider=kilo]:not([data-state=ready])").waitFor({ timeout: 60_000 });
    await world.ask("PATCH", "providers/claude", { enabled: false });
    await take(page, "first-run", "agent-not-installed");
    await world.ask("PATCH", "providers/kilo", { binary: "" });
    await kilo("ready").waitFor({ timeout: 60_000 });
    await world.ask("PATCH", "providers/claude", { enabled: true });

    const config = join(world.home, ".config/kilo/kilo.json");
    const before = await readFile(config, "utf8");
    await writeFile(config, JSON.stringify({ ...(JSON.parse(before) as object), enabled_providers: ["groq"] }));
    await world.ask("POST", "providers/kilo/refresh");
    await kilo("signed_out").waitFor({ timeout: 60_000 });
    await take(page, "first-run", "signed-out");
    await writeFile(config, before);
    await world.ask("POST", "providers/kilo/refresh");
    await kilo("ready").waitFor({ timeout: 60_000 });
  });
}
