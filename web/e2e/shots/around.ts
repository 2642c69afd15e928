// Around a thread: the sidebar, the palette, the keys, menus and dialogs, the archive, search.

import { test } from "vitest";
import type { Page } from "playwright-core";
import { rests, type Stage } from "./stage";

/** On a phone the sidebar is a drawer. */
export const drawer = async (page: Page) => {
  await page.getByRole("button", { name: "Threads", exact: true }).click();
  await page.locator(".shell[data-drawer=open]").waitFor();
};

export function around(at: () => Stage): void {
  const place = async (title: string) => {
    const { world } = at();
    const { threads } = await world.ask<{ threads: { id: string; title: string }[] }>("GET", "threads");
    return `#/t/${threads.find((thread) => thread.title === title)!.id}`;
  };
  const thread = async (title = "Release checklist") => rests(await at().open(await place(title)));
  const found = (page: Page) => page.getByRole("searchbox", { name: "Search threads and messages" });

  test("the sidebar", async () => {
    const { take } = at();
    const page = await thread();
    await take(page, "sidebar", "threads", drawer);
  });

  test("the sidebar, searched", async () => {
    const { take } = at();
    const page = await thread();
    await found(page).fill("insertion");
    await page.getByRole("region", { name: "In messages" }).getByRole("listitem").first().waitFor();
    await take(page, "search", "messages", drawer);
    await found(page).fill("qqzzxx");
    await page.getByText("No message has “qqzzxx”.").waitFor();
    await take(page, "search", "nothing-found", drawer);
    await page.route("**/search?*", (route) => route.abort());
    await found(page).fill("walrus");
    await page.getByRole("region", { name: "In messages" }).getByRole("alert").waitFor();
    await take(page, "search", "failed", drawer);
    await page.unroute("**/search?*");
    await found(page).fill("insertion");
    // The mark goes by itself; here it is looked at for longer.
    await page.evaluate(() => {
      const remove = Element.prototype.removeAttribute;
      Element.prototype.removeAttribute = function (name) {
        if (name !== "data-found") remove.call(this, name);
      };
    });
    await page.getByRole("region", { name: "In messages" }).getByRole("link").first().click();
    await page.locator("[data-found]").waitFor();
    await found(page).fill("");
    await take(page, "search", "found-in-its-place");
    await page.goto(`${new URL(page.url()).origin}/${await place("Release checklist")}/itm_00000000000000000000000000000000`);
    await page.getByRole("alert").filter({ hasText: "no longer in this thread" }).waitFor();
    await take(page, "search", "no-longer-there");
  });

  test("the palette", async () => {
    const { take } = at();
    const page = await thread();
    await page.keyboard.press("Control+k");
    const field = page.getByRole("dialog", { name: "Search and do" }).getByRole("combobox");
    await field.waitFor();
    await page.locator("[data-row^='thread:']").first().waitFor();
    await take(page, "palette", "opened");
    await field.fill("apost");
    await page.locator("[data-row^='thread:']").first().waitFor();
    await take(page, "palette", "found");
    await field.fill("insertion");
    await page.getByRole("group", { name: "Messages" }).getByRole("option").first().waitFor();
    await take(page, "palette", "messages");
    await field.fill("qqqqqq");
    await page.getByText("Nothing is called “qqqqqq”.").waitFor();
    await take(page, "palette", "nothing-found");
  });

  test("the keys", async () => {
    const { take } = at();
    const page = await thread();
    await page.locator(".head-title").focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await take(page, "keys", "sheet");
  });

  test("menus and dialogs", async () => {
    const { take } = at();
    const page = await thread();
    await page.locator(".head").getByRole("button", { name: /^Actions for/ }).click();
    await page.getByRole("menuitem", { name: "Rename" }).waitFor();
    await take(page, "menus", "thread");
    await page.getByRole("menuitem", { name: /MCP servers/ }).click();
    await page.getByRole("dialog", { name: /MCP servers in/ }).waitFor();
    await page.locator(".mcp-asking").waitFor({ state: "detached", timeout: 60_000 });
    await take(page, "menus", "mcp-servers");
    await page.keyboard.press("Escape");
    await page.locator(".head").getByRole("button", { name: /^Actions for/ }).click();
    await page.getByRole("menuitem", { name: /^Delete/ }).click();
    await page.getByRole("dialog").waitFor();
    await take(page, "menus", "delete-thread");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Go back to before this message" }).first().click();
    await page.getByRole("dialog", { name: "Go back?" }).waitFor();
    await take(page, "menus", "go-back");
    await page.keyboard.press("Escape");
    await page.locator(".side-group h2").first().hover();
    await page.getByRole("button", { name: "Actions for tally" }).click();
    await page.getByRole("menuitem", { name: /Remove from Baton/ }).waitFor();
    await page.getByRole("menuitem", { name: /Remove from Baton/ }).click();
    await page.getByRole("dialog").waitFor();
    await take(page, "menus", "remove-project");
    await page.keyboard.press("Escape");
    await page.locator(".head-title").dblclick();
    await page.getByRole("textbox", { name: "Thread title" }).waitFor();
    await take(page, "menus", "rename");
  });

  test("archive, and the way back", async () => {
    const { world, begin, open, take } = at();
    const page = await open("#/archive");
    await page.getByText("Nothing is archived").waitFor();
    await take(page, "archive", "empty");
    const place = await begin("Say something short.", [[{ text: "Something short." }]], { title: "Something short" });
    await page.goto(`${world.url}/${place}`);
    await rests(page);
    await page.locator(".head").getByRole("button", { name: /^Actions for/ }).click();
    await page.getByRole("menuitem", { name: "Archive" }).click();
    await page.locator(".toast").waitFor();
    await take(page, "archive", "undo");
    await page.goto(`${world.url}/${place}`);
    await page.getByText("This thread is archived.").waitFor();
    await take(page, "archive", "archived-thread");
    await page.goto(`${world.url}/#/archive`);
    await page.locator(".archive li").first().waitFor();
    await take(page, "archive", "listed");
  });
}
