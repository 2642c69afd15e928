// The main flows with the agents beside Kilo: what a person does is the same with each of them.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { createWorld, ended, lastTurn, lookBack, newThread, scripted, scriptedThen, send, until, type Action, type World } from "./world";

interface Agent {
  id: "codex" | "claude";
  name: string;
  model: string;
  /** How its model calls for a command, for a new file, and for an answer. */
  command: (command: string) => Action;
  write: (path: string, lines: string[]) => Action;
  /** How it asks the person something, and whether it does so in plan mode alone. */
  question: (header: string, question: string, options: { label: string; description: string }[]) => Action;
  asksInPlanMode: boolean;
}

const agents: Agent[] = [
  {
    id: "codex",
    name: "Codex",
    model: "gpt-5.5",
    command: (command) => ({ tool: "exec_command", args: { cmd: command } }),
    write: (path, lines) => ({ tool: "apply_patch", raw: `*** Begin Patch\n*** Add File: ${path}\n${lines.map((line) => `+${line}\n`).join("")}*** End Patch` }),
    question: (header, question, options) => ({ tool: "request_user_input", args: { questions: [{ id: "one", header, question, options }] } }),
    asksInPlanMode: true,
  },
  {
    id: "claude",
    name: "Claude Code",
    model: "sonnet",
    command: (command) => ({ tool: "Bash", args: { command, description: "A command" } }),
    write: (path, lines) => ({ tool: "Write", args: { file_path: path, content: lines.map((line) => `${line}\n`).join("") } }),
    question: (header, question, options) => ({ tool: "AskUserQuestion", args: { questions: [{ header, question, options, multiSelect: false }] } }),
    asksInPlanMode: false,
  },
];

let world: World;
beforeAll(async () => {
  world = await createWorld({ agents: agents.map((agent) => agent.id) });
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

/** A page for a new thread with this agent, chosen as a person does. */
async function begin(agent: Agent): Promise<Page> {
  const page = await newThread(world);
  await page.locator(".pick-model").click();
  await page.getByRole("tab", { name: agent.name }).click();
  await page.locator(`.model[data-model="${agent.model}"]`).click({ timeout: 60_000 });
  await page.keyboard.press("Escape");
  await until(`${agent.name} is chosen`, async () => (await page.locator(".pick-model").textContent())?.includes(`via ${agent.name}`) ?? false);
  return page;
}

describe.each(agents)("$name", (agent) => {
  test("a turn streams, survives a reload and goes on in the same session after Baton was killed", async () => {
    const page = await begin(agent);
    await send(page, scripted("Tell", [{ text: "One line of the story. ", chunk: 3, delay_ms: 5 }, { wait: `${agent.id}-reload` }, { text: "The end." }]));
    await lastTurn(page).filter({ hasText: "One line of the story." }).waitFor({ timeout: 60_000 });
    await page.reload();
    await lastTurn(page).filter({ hasText: "One line of the story." }).waitFor();
    await world.release(`${agent.id}-reload`);
    await ended(page, "completed");
    expect(await lastTurn(page).locator(".agent p").allTextContents()).toEqual(["One line of the story. The end."]);

    const thread = await page.locator(".side .row.on").getAttribute("data-thread");
    const session = async () => (await world.ask<{ session: string | null }>("GET", `threads/${thread}`)).session;
    const before = await session();
    await world.kill();
    await world.start();
    await send(page, scripted("Go on", [{ text: "Here I am again." }]));
    await lastTurn(page).filter({ hasText: "Here I am again." }).waitFor({ timeout: 60_000 });
    await ended(page, "completed");
    expect(await session()).toBe(before);
  });

  test("a command is asked about, answered by a key, and refused with a reason", async () => {
    const page = await begin(agent);
    const command = `echo ${agent.id} > by-${agent.id}.txt`;
    // Codex is told the reason as a message of its own.
    const sorry = [{ text: "Then I will not." }];
    await send(page, scriptedThen("Run it", [[agent.command(command)], [agent.command("rm -rf everything")], sorry], [sorry]));
    const ask = page.locator(".ask");
    await ask.waitFor({ timeout: 60_000 });
    expect(await ask.locator(".ask-command pre").textContent()).toBe(command);
    expect(await ask.locator("header").textContent()).toContain(`${agent.name} asks to run a command`);
    await page.getByRole("textbox", { name: "Message" }).press("Alt+1");
    await ask.filter({ hasText: "rm -rf everything" }).waitFor({ timeout: 60_000 });
    expect(await readFile(join(world.project, `by-${agent.id}.txt`), "utf8")).toBe(`${agent.id}\n`);
    await page.getByRole("button", { name: "Reject and say why…" }).click();
    await page.getByRole("textbox", { name: /Why not/ }).fill("Never delete files");
    await page.keyboard.press("Enter");
    await ended(page, "completed");
    await lastTurn(page).locator(".step-icon[data-status=declined]").waitFor();
    expect(await lastTurn(page).textContent()).toContain("Then I will not.");
    await rm(join(world.project, `by-${agent.id}.txt`));
  });

  test("an edit is shown as a diff before it is allowed", async () => {
    const page = await begin(agent);
    const path = join(world.project, `${agent.id}-e2e.txt`);
    await send(page, scripted("Write", [agent.write(path, ["one", "two"])], [{ text: "Written." }]));
    const added = page.locator(".ask .diff-line[data-kind=add]");
    await added.first().waitFor({ timeout: 60_000 });
    expect(await added.locator(".diff-text").allTextContents()).toEqual(["one", "two"]);
    await page.locator(".ask [data-decision=once]").click();
    await ended(page, "completed");
    expect(await lastTurn(page).locator(".step .plus").textContent()).toBe("+2");
    expect(await readFile(path, "utf8")).toBe("one\ntwo\n");
    await rm(path);
  });

  test("a question is answered with an option and in own words", async () => {
    const page = await begin(agent);
    if (agent.asksInPlanMode) await page.getByRole("radio", { name: "Plan" }).click();
    const options = [
      { label: "Red", description: "Warm" },
      { label: "Blue", description: "Cold" },
    ];
    await send(page, scripted("Ask", [agent.question("Colour", "Which colour?", options)], [agent.question("Shape", "Which shape?", options)], [{ text: "Thanks." }]));
    await page.locator(".ask").filter({ hasText: "Which colour?" }).locator(".option").filter({ hasText: "Blue" }).click({ timeout: 60_000 });
    await page.getByRole("button", { name: "Answer" }).click();
    const second = page.locator(".ask").filter({ hasText: "Which shape?" });
    await second.waitFor({ timeout: 60_000 });
    await second.getByRole("textbox").fill("A circle");
    await page.getByRole("button", { name: "Answer" }).click();
    await ended(page, "completed");
    const asked = lastTurn(page).locator(".step").filter({ hasText: "Asked" });
    for (const [at, answer] of ["Blue", "A circle"].entries()) {
      await asked.nth(at).locator(".fold-line").click();
      expect(await asked.nth(at).locator(".step-body").textContent()).toContain(answer);
    }
  });

  test("a plan is accepted, and built with approvals", async () => {
    const page = await begin(agent);
    await page.getByRole("radio", { name: "Plan" }).click();
    await send(page, "How would you do it?");
    const plan = page.locator(".ask[data-kind=plan]");
    await plan.locator(".md").filter({ hasText: "Count words with apostrophes" }).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: /Accept and build/ }).click();
    await until("the plan is no longer asked", async () => (await plan.count()) === 0);
    await page.locator(".ask").filter({ hasText: "npm test" }).locator("[data-decision=once]").click({ timeout: 60_000 });
    await ended(page, "completed");
  });

  test("the demonstration without a script shows commands, edits, lists and sub-agents", async () => {
    const page = await begin(agent);
    /** Says something, and allows all that is asked until the turn has ended. */
    const allowed = async (words: string) => {
      const turns = await page.locator(".turn").count();
      await send(page, words);
      const done = page.locator(`.turn:nth-of-type(${turns + 1})[data-state=completed]`);
      await until(`"${words}" is done`, async () => {
        await page.locator(".ask [data-decision=once]").click({ timeout: 200 }).catch(() => {});
        return (await done.count()) > 0;
      }, 60_000);
      return lastTurn(page).innerText();
    };
    expect(await allowed("run the tests")).toContain("npm test");
    expect(await allowed("fix the words")).toMatch(/Edited src\/tally\.js\s+\+1 −1/);
    expect(await allowed("make todos")).toContain("3 of 3 done");
    expect(await allowed("delegate it")).toMatch(/Agent .*(Survey|Say what)/);
  });

  test("stop ends the turn, and the next message runs", async () => {
    const page = await begin(agent);
    await send(page, scripted("Busy", [{ text: "Working." }, { wait: `${agent.id}-never` }]));
    await lastTurn(page).filter({ hasText: "Working." }).waitFor({ timeout: 60_000 });
    await page.locator(".send.stop").click();
    await ended(page, "interrupted");
    await send(page, scripted("And now", [{ text: "At work again." }]));
    await lastTurn(page).filter({ hasText: "At work again." }).waitFor({ timeout: 60_000 });
    await ended(page, "completed");
  });
});

test("the settings say of each agent whether it can be used, and the sidebar which a thread is with", async () => {
  const page = await world.open("#/settings");
  for (const name of ["Kilo", ...agents.map((agent) => agent.name)]) {
    await page.locator(`.provider[aria-label="${name}"][data-state=ready]`).waitFor({ timeout: 60_000 });
  }
  await page.locator(".side .row .row-via[title=Codex]").first().waitFor();
  await page.locator(`.side .row .row-via[title="Claude Code"]`).first().waitFor();
});
