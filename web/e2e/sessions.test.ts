// Conversations that Kilo has: continued, forked, taken back, and what stands above the composer.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("a session of Kilo is found, continued with its history, forked, taken back and brought back, and once deleted another one begins", async () => {
  const page = await newThread(world);
  await send(page, scripted("Remember the bird", [{ text: "The bird is a heron." }]));
  await ended(page, "completed");
  // Without its thread it is one that Kilo alone has.
  const first = new URL(page.url()).hash.split("/").at(-1)!;
  await world.ask("DELETE", `threads/${first}`);

  await page.goto(`${world.url}/#/`);
  await page.getByRole("button", { name: /Continue a session of Kilo/ }).click();
  const dialog = page.getByRole("dialog", { name: /Continue a session/ });
  const sessions = dialog.getByRole("list", { name: "Sessions" }).getByRole("button");
  await sessions.first().waitFor({ timeout: 60_000 });
  expect(await sessions.count()).toBe(1);
  await looksRight(page, "sessions");
  await dialog.getByRole("searchbox").fill("no such title");
  await dialog.getByText("No session has this in its title.").waitFor();
  await dialog.getByRole("searchbox").fill("");
  await sessions.first().click();
  await page.locator(".turn").filter({ hasText: "The bird is a heron." }).waitFor({ timeout: 60_000 });

  await send(page, scripted("And the tree", [{ text: "The tree is an oak." }]));
  await lastTurn(page).filter({ hasText: "The tree is an oak." }).waitFor({ timeout: 60_000 });
  await ended(page, "completed");
  const continued = page.url();
  await page.locator(".turn").first().getByRole("button", { name: "Fork from here" }).click();
  await until("the fork is shown", async () => page.url() !== continued);
  await page.locator(".turn").filter({ hasText: "The bird is a heron." }).waitFor({ timeout: 60_000 });
  expect(await page.locator(".turn").count()).toBe(1);
  expect(await page.locator(".you header").first().textContent()).toContain("You, before the fork");

  await page.goto(continued);
  await lastTurn(page).filter({ hasText: "oak" }).waitFor();
  await lastTurn(page).getByRole("button", { name: "Go back to before this message" }).click();
  const asked = page.getByRole("dialog", { name: "Go back?" });
  await looksRight(page, "go-back");
  await asked.getByRole("button", { name: "Go back" }).click();
  const away = page.locator(".put-away");
  await away.filter({ hasText: "One turn put away" }).waitFor({ timeout: 60_000 });
  const area = page.getByRole("textbox", { name: "Message" });
  await until("its words are offered again", async () => (await area.inputValue()).includes("And the tree"));
  await looksRight(page, "put-away");
  await away.getByRole("button", { name: "Bring back" }).click();
  await away.waitFor({ state: "detached" });
  await lastTurn(page).filter({ hasText: "The tree is an oak." }).waitFor();

  // Deleted in Kilo it cannot go on, which is told; in a new one the thread goes on.
  const thread = new URL(continued).hash.split("/").at(-1)!;
  const session = async () => (await world.ask<{ thread: { session: string | null } }>("GET", `threads/${thread}/window`)).thread.session;
  const deleted = (await session())!;
  await world.kilo("session", "delete", deleted);
  await send(page, scripted("And the river", [{ text: "The river is the Weser." }]));
  await ended(page, "failed");
  await lastTurn(page).locator(".failure[data-code=session_lost]").getByRole("button", { name: "Go on in a new session" }).click();
  await lastTurn(page).filter({ hasText: "The river is the Weser." }).waitFor({ timeout: 60_000 });
  await ended(page, "completed");
  const renewed = await session();
  expect(renewed).not.toBe(deleted);
  await send(page, scripted("And the hill", [{ text: "The hill is the Brocken." }]));
  await lastTurn(page).filter({ hasText: "The hill is the Brocken." }).waitFor({ timeout: 60_000 });
  await ended(page, "completed");
  expect(await session()).toBe(renewed);
});

test("what is queued, attached and asked has room at every width", async () => {
  const page = await newThread(world);
  await page.getByRole("radio", { name: "Plan" }).click();
  await send(page, "how would you do it?");
  await page.locator(".ask[data-kind=plan] .md").waitFor({ timeout: 60_000 });
  await looksRight(page, "plan");
  await page.getByRole("button", { name: /Build in a new thread/ }).click();
  await page.getByRole("link", { name: "Built in a new thread" }).or(page.locator(".turn[data-state=running]")).first().waitFor({ timeout: 60_000 });

  const other = await newThread(world);
  await send(other, scripted("Busy", [{ text: "Working." }, { wait: "room" }, bash("echo one")], [{ text: "Done." }]));
  await lastTurn(other).filter({ hasText: "Working." }).waitFor({ timeout: 60_000 });
  await send(other, "a second message with so many words that they cannot all be shown on a phone");
  await send(other, "a third one");
  const queued = other.locator(".queued");
  await until("two wait", async () => (await queued.count()) === 2);
  await queued.nth(1).getByRole("button", { name: "Edit", exact: true }).click();
  await other.locator("input[type=file]").setInputFiles([
    { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("some words") },
    { name: "a-very-long-name-of-a-file-that-somebody-attached-to-a-message.md", mimeType: "text/markdown", buffer: Buffer.from("# words") },
  ]);
  await until("two are attached", async () => (await other.locator(".file[data-state=ready]").count()) === 2);
  await other.getByRole("textbox", { name: "Message", exact: true }).fill("and what about this?");
  await other.locator(".send.steer").waitFor();
  await looksRight(other, "crowded");
  await world.release("room");
  await other.locator(".ask").waitFor({ timeout: 60_000 });
  await looksRight(other, "crowded-ask");
});
