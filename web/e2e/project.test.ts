// What a project brings of its own: trust in it, its commands, its MCP servers; and the upstreams.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { createWorld, ended, lastTurn, lookBack, scripted, send, until, type World } from "./world";

let world: World;
let project: string;
beforeAll(async () => {
  // Besides the scripted upstream one that nobody is signed in to, and an MCP server that is switched off.
  world = await createWorld({
    configure: (config) => {
      config["enabled_providers"] = ["mock", "groq"];
      config["mcp"] = { resting: { type: "local", command: ["cat"], enabled: false } };
    },
  });
  const answer = [[{ text: "Greetings from the command." }]];
  await write(".kilo/command/greet.md", `---\ndescription: Greets somebody by name\n---\nGreet $ARGUMENTS.\n\`\`\`script\n${JSON.stringify(answer)}\n\`\`\`\n`);
  await write(".kilo/command/deep/farewell.md", "---\ndescription: Says goodbye\n---\nSay goodbye to $ARGUMENTS.\n");
  await configure({ theirs: { type: "local", command: ["/no/such/program"] } });
  project = await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

async function write(path: string, text: string): Promise<void> {
  const at = join(world.project, path);
  await mkdir(dirname(at), { recursive: true });
  await writeFile(at, text);
}

const configure = (mcp: Record<string, unknown>) => write("kilo.json", JSON.stringify({ mcp }));

test("what a project would start is shown and decided, and its commands are offered and run", async () => {
  const page = await world.open();
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  const card = page.locator(".trust.asks");
  await card.getByText("/no/such/program").waitFor();
  await looksRight(page, "trust-card");

  // Without trust its commands are not there.
  const area = page.getByRole("textbox", { name: "Message" });
  const options = page.getByRole("listbox", { name: /Commands of Kilo/ }).getByRole("option");
  await area.pressSequentially("/");
  await options.filter({ hasText: "/init" }).waitFor({ timeout: 60_000 });
  expect(await options.filter({ hasText: "/greet" }).count()).toBe(0);
  await area.press("Escape");
  expect(await options.count()).toBe(0);
  await area.fill("");
  await card.getByRole("button", { name: "Trust and use it" }).click();
  await card.waitFor({ state: "detached" });

  await area.pressSequentially("/");
  await options.filter({ hasText: "/greet" }).filter({ hasText: "Greets somebody by name" }).waitFor({ timeout: 60_000 });
  await looksRight(page, "commands");
  await area.pressSequentially("zzz");
  await page.getByText(/No command of Kilo is called so/).waitFor();
  await area.fill("");
  await area.pressSequentially("/gr");
  await until("the first one is chosen", async () => (await options.first().getAttribute("aria-selected")) === "true");
  expect(await options.first().textContent()).toContain("/greet");
  expect(await area.getAttribute("aria-activedescendant")).toBe(await options.first().getAttribute("id"));
  await area.press("Tab");
  expect(await area.inputValue()).toBe("/greet ");
  expect(await options.count()).toBe(0);

  await area.pressSequentially("Ada");
  await area.press("Enter");
  await ended(page, "completed");
  // Kilo ran it: the model was told what the command's file says, and played the script in it.
  expect(await lastTurn(page).textContent()).toContain("/greet Ada");
  expect(await lastTurn(page).textContent()).toContain("Greetings from the command.");

  // A name that no command has is asked about, a path is not.
  await area.pressSequentially("/gret Ada");
  await area.press("Enter");
  const doubt = page.getByRole("group", { name: "No such command" });
  await doubt.getByText("has no command /gret here").waitFor();
  await looksRight(page, "no-such-command");
  await page.keyboard.press("Escape");
  expect(await doubt.count()).toBe(0);
  await area.press("Enter");
  await doubt.getByRole("button", { name: "Use /greet" }).click();
  expect(await area.inputValue()).toBe("/greet Ada");
  await area.fill("");
  await area.pressSequentially("/tmp/x is a path");
  await area.press("Enter");
  await lastTurn(page).filter({ hasText: "/tmp/x is a path" }).waitFor();
});

test("a project whose configuration changed asks again in its threads, and says how its MCP servers are", async () => {
  const page = await world.open();
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  await send(page, scripted("Begin", [{ text: "Begun." }]));
  await ended(page, "completed");
  const strip = page.locator("[data-trust-strip]");
  expect(await strip.count()).toBe(0);

  await configure({ theirs: { type: "local", command: ["/no/such/program"] }, more: { type: "local", command: ["/another/program"] } });
  await page.reload();
  await strip.waitFor();
  await looksRight(page, "trust-strip");
  await strip.getByRole("button", { name: /Look and decide/ }).click();
  const dialog = page.getByRole("dialog", { name: /Trust what/ });
  await dialog.getByText("/another/program").waitFor();
  await looksRight(page, "trust-dialog");
  await dialog.getByRole("button", { name: "Trust and use it" }).click();
  await strip.waitFor({ state: "detached" });
  expect(await dialog.count()).toBe(0);
  expect((await world.ask<{ project: { trust: string } }>("GET", `projects/${project}/trust`)).project.trust).toBe("trusted");

  await page.locator(".head").getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: /MCP servers/ }).click();
  const servers = page.getByRole("dialog", { name: /MCP servers in/ });
  const theirs = servers.locator("[data-server=theirs][data-state=failed]");
  await theirs.waitFor({ timeout: 60_000 });
  expect(await theirs.textContent()).toContain("/no/such/program");
  await servers.locator("[data-server=resting][data-state=disabled]").waitFor();
  await looksRight(page, "mcp");
  await page.keyboard.press("Escape");
  expect(await servers.count()).toBe(0);
});

test("the settings say which upstreams cannot be used, and the command that mends it", async () => {
  const page = await world.open("#/settings", { permissions: ["clipboard-read", "clipboard-write"] });
  const kilo = page.locator(".provider[data-provider=kilo]");
  await kilo.locator("[data-upstream=mock][data-state=connected]").waitFor({ timeout: 60_000 });
  await kilo.getByLabel("Custom models").fill("groq/llama-by-hand");
  await kilo.getByRole("button", { name: "Save" }).click();
  const groq = kilo.locator("[data-upstream=groq][data-state=signed_out]");
  await groq.waitFor({ timeout: 60_000 });
  await groq.getByRole("button", { name: /Copy the command/ }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("kilo auth login -p groq");
  await kilo.getByRole("list", { name: "Unverified models" }).filter({ hasText: "groq/llama-by-hand" }).waitFor();
  await looksRight(page, "settings");
  await page.getByRole("link", { name: "Projects", exact: true }).click();
  await page.getByRole("heading", { name: "Projects" }).and(page.locator(":focus")).waitFor();
  await page.locator(".mcp-details[data-provider=kilo] summary").first().click();
  await page.locator("[data-server=resting][data-state=disabled]").waitFor({ timeout: 60_000 });
  await looksRight(page, "settings-projects");
});
