// What goes wrong: the line, the server, the session, the page. The server is ended last of all.

import { test } from "vitest";
import { rests, type Stage } from "./stage";

const screen = "trouble";

export function trouble(at: () => Stage): void {
  test("pages that are not there, and ones that cannot be drawn", async () => {
    const { world, open, take } = at();
    const page = await open("#/t/thr_00000000000070008000000000000000");
    await page.locator(".page-note").waitFor();
    await take(page, screen, "no-such-thread");
    await page.goto(`${world.url}/#/settings`);
    await page.locator(".settings").waitFor();
    // Something that the archive needs is broken.
    await page.evaluate(() => {
      Array.prototype.toSorted = () => {
        throw new TypeError("cannot read what is not there");
      };
      location.hash = "#/";
    });
    await page.getByText("This page could not be drawn").waitFor();
    await take(page, screen, "broken-page");
  });

  test("a session that is gone", async () => {
    const { world, begin, open, say, take } = at();
    const place = await begin("Remember the heron.", [[{ text: "The bird is a heron." }]], { title: "A session that is gone" });
    const page = await rests(await open(place));
    const { session } = await world.ask<{ session: string }>("GET", `threads/${place.slice("#/t/".length)}`);
    await world.kilo("session", "delete", session);
    await say(place, "And the tree?", [[{ text: "An oak." }]]);
    await page.locator(".turn").nth(1).waitFor();
    await rests(page, "failed");
    await take(page, screen, "session-gone");
  });

  // Its server ends, and with it what runs.
  test("an agent that cannot be used", async () => {
    const { world, open, take, projects } = at();
    const page = await open(`#/new/${projects.tally}`);
    await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
    await page.locator(".pick-model").click();
    await page.locator('.model[data-model="mock/m1"]').click();
    await page.keyboard.press("Escape");
    await world.ask("PATCH", "providers/kilo", { binary: "/opt/no/such/kilo" });
    await page.locator(".new-trouble").waitFor({ timeout: 60_000 });
    await take(page, "new-thread", "agent-cannot-be-used");
    await world.ask("PATCH", "providers/kilo", { binary: "" });
    await page.locator(".new-trouble").waitFor({ state: "detached", timeout: 60_000 });
  });

  test("a server that is gone, for a page that was open and for one that is opened", async () => {
    const { world, begin, open, take } = at();
    const page = await rests(await open(await begin("Stay with me.", [[{ text: "I am here." }]], { title: "When the server is gone" })));
    const kept = await open("#/", { serviceWorkers: "allow" });
    await kept.locator(".pick-model").waitFor({ timeout: 60_000 });
    await kept.evaluate(async () => {
      await navigator.serviceWorker.ready;
      if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
    });
    await world.kill();
    await page.locator(".connection[data-status=reconnecting]").waitFor();
    await page.getByRole("textbox", { name: "Message", exact: true }).fill("Sent into the void");
    await page.keyboard.press("Enter");
    await page.locator(".pending").waitFor();
    await take(page, screen, "connection-lost");
    await kept.reload();
    await kept.getByText("Baton cannot be reached.").waitFor();
    await take(kept, screen, "offline");
  });
}
