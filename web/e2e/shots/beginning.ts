// A new thread: what it begins with, and a session that an agent's own program began.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rests, type Stage } from "./stage";

const screen = "new-thread";

export function beginning(at: () => Stage): void {
  const fresh = async (project?: string) => {
    const { open, projects } = at();
    const page = await open(`#/new/${project ?? projects.tally}`);
    await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
    return page;
  };

  test("a new thread", async () => {
    const { take } = at();
    const page = await fresh();
    await take(page, screen, "empty");
    await page.locator(".new-project").click();
    await page.getByRole("menuitemradio").first().waitFor();
    await take(page, screen, "projects");
    await page.keyboard.press("Escape");
    await page.locator(".pick[data-state=supervised]").click();
    await page.getByRole("menuitemradio", { name: /Auto-edit/ }).waitFor();
    await take(page, screen, "access");
  });

  test("models", async () => {
    const { take } = at();
    const page = await fresh();
    await page.locator(".pick-model").click();
    const row = (id: string) => page.locator(`.model[data-model="${id}"]`);
    await row("mock/m1").waitFor();
    await take(page, screen, "models");
    for (const id of ["studio/wren-7b", "mock/m2"]) {
      await row(id).hover();
      await page.keyboard.press("Control+d");
      await row(id).and(page.locator("[data-favourite]")).first().waitFor();
    }
    await row("mock/m-vision").first().hover();
    await row("mock/m-vision").first().locator("[data-tool=hide]").click();
    await row("mock/m2").first().click();
    if (!(await page.locator(".model-options").isVisible())) await page.locator(".pick-model").click();
    await page.locator(".model-options").waitFor();
    await take(page, screen, "models-favourites-and-options");
    const search = page.getByRole("combobox", { name: "Search models" });
    await search.fill("her");
    await take(page, screen, "models-found");
    await search.fill("zzz");
    await page.getByText("No model matches").waitFor();
    await take(page, screen, "models-nothing-found");
    await search.fill("");
    await page.getByRole("tab", { name: "Codex" }).click();
    await row("gpt-5.5").waitFor({ timeout: 60_000 });
    await take(page, screen, "models-of-codex");
  });

  test("trust in what a project would start", async () => {
    const { world, take } = at();
    const path = join(world.home, "code", "lighthouse");
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "kilo.json"), JSON.stringify({ mcp: { tides: { type: "local", command: ["npx", "tide-tables", "--port", "7711"] }, charts: { type: "remote", url: "https://charts.example/mcp" } } }));
    const project = await world.ask<{ id: string }>("POST", "projects", { path });
    const page = await fresh(project.id);
    await page.locator(".trust.asks").getByText("tide-tables").waitFor({ timeout: 60_000 });
    await take(page, screen, "trust");
    await page.goto(`${world.url}/#/settings/projects`);
    await page.locator(".trust").first().waitFor();
    await take(page, "settings", "projects-untrusted");
    await world.ask("DELETE", `projects/${project.id}`);
  });

  test("continuing a session", async () => {
    const { world, open, begin, take, projects } = at();
    const place = await begin("Why are ties ordered by appearance?", [[{ text: "Because a `Map` keeps the order of insertion, and the sort is stable." }]], { project: projects["field-notes"] });
    await rests(await open(place));
    await world.ask("DELETE", `threads/${place.slice("#/t/".length)}`);
    const page = await fresh(projects["field-notes"]);
    await page.getByRole("button", { name: /Continue a session of Kilo/ }).click();
    const dialog = page.getByRole("dialog", { name: /Continue a session/ });
    await dialog.getByRole("list", { name: "Sessions" }).getByRole("button").first().waitFor({ timeout: 60_000 });
    await take(page, "sessions", "listed");
    await dialog.getByRole("searchbox").fill("no such title");
    await dialog.getByText("No session has this in its title.").waitFor();
    await take(page, "sessions", "nothing-found");
    await dialog.getByRole("searchbox").fill("");
    await dialog.getByRole("list", { name: "Sessions" }).getByRole("button").first().click();
    await page.locator(".turn").first().waitFor({ timeout: 60_000 });
    await take(page, "sessions", "continued");
    expect(page.url()).toContain("#/t/");
  });
}
