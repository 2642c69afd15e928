import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
let project: string;
beforeAll(async () => {
  world = await createWorld();
  project = await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("an approval shows the whole command and is answered by a key", async () => {
  const page = await newThread(world);
  const command = "echo first && echo 'the second line of a long command' && echo third && exit 3";
  await send(page, scripted("Run it", [{ text: "Running." }, bash(command, "Says three things")], [{ text: "It ran." }]));
  const ask = page.locator(".ask");
  await ask.waitFor({ timeout: 60_000 });
  expect(await ask.locator(".ask-command pre").textContent()).toBe(command);
  expect(await ask.locator("header").textContent()).toContain("Kilo asks to run a command");
  await page.locator(".side .needs-you .row.on").waitFor();
  await until("the title counts it", async () => (await page.title()) === "(1) Baton");

  // A digit in the message is a digit; with Alt it is an answer.
  await page.getByRole("textbox", { name: "Message" }).press("1");
  expect(await ask.count()).toBe(1);
  await page.getByRole("textbox", { name: "Message" }).press("Alt+1");
  await ended(page, "completed");
  expect(await ask.count()).toBe(0);
  expect(await page.title()).toBe("Baton");
  const step = lastTurn(page).locator(".step").filter({ hasText: "echo first" });
  expect(await step.locator(".step-note .bad").textContent()).toBe("exit 3");
  await step.getByRole("img", { name: "failed" }).waitFor();
  await step.locator(".fold-line").click();
  expect(await step.locator(".pre").last().locator("pre").textContent()).toContain("the second line of a long command");
});

test("a rejection says why, and the agent goes on", async () => {
  const page = await newThread(world);
  await send(page, scripted("Try", [bash("rm -rf everything")], [{ text: "Then I will not." }]));
  await page.getByRole("button", { name: "Reject and say why…" }).click({ timeout: 60_000 });
  await page.getByRole("textbox", { name: /Why not/ }).fill("Never delete files");
  await page.keyboard.press("Enter");
  await ended(page, "completed");
  await lastTurn(page).locator(".step-icon[data-status=declined]").waitFor();
  expect(await lastTurn(page).textContent()).toContain("Then I will not.");
});

test("an edit is shown as a diff before it is allowed", async () => {
  const page = await newThread(world);
  const write = { tool: "write", args: { filePath: `${world.project}/e2e.txt`, content: "one\ntwo\n" } };
  await send(page, scripted("Write", [write], [{ text: "Written." }]));
  const added = page.locator(".ask .diff-line[data-kind=add]");
  await added.first().waitFor({ timeout: 60_000 });
  expect(await added.locator(".diff-text").allTextContents()).toEqual(["one", "two"]);
  await page.locator(".ask [data-decision=once]").click();
  await ended(page, "completed");
  expect(await lastTurn(page).locator(".step .plus").textContent()).toBe("+2");
});

test("a question is answered with an option and own words", async () => {
  const page = await newThread(world);
  const question = {
    tool: "question",
    args: {
      questions: [
        { header: "Colour", question: "Which colour?", options: [{ label: "Red", description: "Warm" }, { label: "Blue", description: "Cold" }], custom: true },
      ],
    },
  };
  await send(page, scripted("Ask", [question], [{ text: "Thanks." }]));
  await page.locator(".option").first().waitFor({ timeout: 60_000 });
  await page.locator(".option").filter({ hasText: "Blue" }).click();
  await page.getByRole("button", { name: "Answer" }).click();
  await ended(page, "completed");
  const asked = lastTurn(page).locator(".step").filter({ hasText: "Asked" });
  await asked.locator(".fold-line").click();
  expect(await asked.locator(".step-body").textContent()).toContain("Blue");
});

test("a plan is accepted and then built", async () => {
  const page = await newThread(world);
  await page.getByRole("radio", { name: "Plan" }).click();
  await send(page, "how would you do it?");
  await page.locator(".ask[data-kind=plan] .md").waitFor({ timeout: 60_000 });
  // It is kept in the project when that is wanted, and takes nothing's place unasked.
  const dock = page.locator(".ask[data-kind=plan]");
  const save = page.getByRole("button", { name: "Save the plan to a file" });
  const field = page.getByRole("textbox", { name: "File below the project" });
  for (const replace of [false, true]) {
    await dock.locator(save).click();
    await field.fill("notes/the plan.md");
    await page.keyboard.press("Enter");
    if (replace) {
      await page.getByRole("alert").filter({ hasText: "already" }).waitFor();
      await looksRight(page, "plan-save");
      await page.getByRole("button", { name: "Replace it" }).click();
    }
    await field.waitFor({ state: "detached" });
    expect(await readFile(join(world.project, "notes/the plan.md"), "utf8")).toContain("1.");
  }
  await dock.locator(save).click();
  await field.fill("../plan.md");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "below the workspace" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /Accept and build/ }).click();
  await until("the plan is no longer asked", async () => (await page.locator(".ask[data-kind=plan]").count()) === 0);
});

test("Escape twice stops in the middle of a text, and what was said stays", async () => {
  const page = await newThread(world);
  await send(page, scripted("Talk", [{ text: "word ", repeat: 3 }, { wait: "never" }]));
  await lastTurn(page).filter({ hasText: "word word word" }).waitFor({ timeout: 60_000 });
  await page.keyboard.press("Escape");
  await page.getByPlaceholder("Press Escape again to stop").waitFor();
  await page.keyboard.press("Escape");
  await ended(page, "interrupted");
  expect(await lastTurn(page).textContent()).toContain("word word word");
  expect(await page.locator(".send.stop").count()).toBe(0);
});

test("messages wait in a queue that can be changed, and go on after a stop when told", async () => {
  const page = await newThread(world);
  await send(page, scripted("Busy", [{ text: "Working." }, { wait: "queue-gate" }]));
  await page.locator(".send.stop").waitFor({ timeout: 60_000 });
  await send(page, scripted("second", [{ text: "Second done." }]));
  await send(page, "third, a mistake");
  const queued = page.locator(".queued");
  await until("two wait", async () => (await queued.count()) === 2);

  // Edited in place, moved by a button and by a key, and taken back.
  await queued.nth(1).getByRole("button", { name: "Edit", exact: true }).click();
  const field = page.getByRole("textbox", { name: "Queued message" });
  expect(await field.inputValue()).toBe("third, a mistake");
  await page.keyboard.type(" that is not kept");
  await page.keyboard.press("Escape");
  const words = queued.nth(1).getByRole("button", { name: "Edit: third, a mistake" });
  await until("it is where it was", () => words.evaluate((button) => button === document.activeElement));
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("third, mended");
  await page.keyboard.press("Enter");
  await queued.nth(1).filter({ hasText: "third, mended" }).waitFor();
  await queued.nth(1).getByRole("button", { name: "Move up" }).click();
  await queued.nth(0).filter({ hasText: "third, mended" }).waitFor();
  await queued.nth(0).getByRole("button", { name: /^Edit: / }).press("Alt+ArrowDown");
  await queued.nth(1).filter({ hasText: "third, mended" }).waitFor();
  await queued.nth(1).getByRole("button", { name: "Remove from the queue" }).click();
  await until("one waits", async () => (await queued.count()) === 1);

  await page.locator(".send.stop").click();
  await page.locator(".queue[data-held]").waitFor();
  // It is taken up while it is written anew: nothing of that is lost.
  await queued.getByRole("button", { name: "Edit", exact: true }).click();
  await page.keyboard.type(" and more");
  await page.getByRole("button", { name: "Send now" }).click();
  await lastTurn(page).filter({ hasText: "Second done." }).waitFor({ timeout: 60_000 });
  await ended(page, "completed");
  expect(await page.getByRole("textbox", { name: "Message", exact: true }).inputValue()).toMatch(/and more$/);
  expect(await page.locator(".turn").count()).toBe(2);
});

test("what is being written is not lost by leaving: a queued message's change, and a refused message with its files", async () => {
  const page = await newThread(world);
  await send(page, scripted("Busy", [{ text: "Working." }, { wait: "leave-gate" }]));
  await page.locator(".send.stop").waitFor({ timeout: 60_000 });
  await send(page, "wait here");
  await page.locator(".queued").getByRole("button", { name: "Edit", exact: true }).click();
  await page.keyboard.type(" and longer");
  const thread = new URL(page.url()).hash;
  const away = async () => {
    await page.getByRole("link", { name: "New", exact: true }).click();
    await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  };
  await away();
  await page.goto(`${world.url}/${thread}`);
  const field = page.getByRole("textbox", { name: "Queued message" });
  await field.waitFor();
  expect(await field.inputValue()).toBe("wait here and longer");
  // It is taken up while nobody looks.
  await away();
  await world.release("leave-gate");
  const rests = async () => {
    const row = await world.ask<{ status: string; queued: number }>("GET", `threads/${thread.split("/").pop()}`);
    return row.status === "idle" && row.queued === 0;
  };
  await until("all is done", rests, 60_000);
  await page.goto(`${world.url}/${thread}`);
  const area = page.getByRole("textbox", { name: "Message", exact: true });
  await until("the words are in the message field", async () => (await area.inputValue()) === "wait here and longer");

  // A picture that the model cannot see.
  await area.fill("Look at this");
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  await page.locator("input[type=file]").setInputFiles({ name: "pixel.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") });
  await page.locator(".file[data-state=ready]").waitFor();
  await area.press("Enter");
  await page.locator(".pending[data-pending=failed]").getByRole("button", { name: "Edit" }).click();
  expect([await area.inputValue(), await page.locator(".composer .file").allTextContents()]).toEqual(["Look at this", ["pixel.png"]]);
});

test("a message is sent into what runs, by a key or from the queue, and taken at the next step", async () => {
  const page = await newThread(world);
  await send(page, scripted("Busy", [{ text: "Working." }, { wait: "steer-gate" }, bash("echo one")], [{ text: "Never said." }]));
  await page.locator(".send.stop").waitFor({ timeout: 60_000 });
  await lastTurn(page).filter({ hasText: "Working." }).waitFor({ timeout: 60_000 });
  const area = page.getByRole("textbox", { name: "Message" });
  await area.fill(scripted("now", [{ text: "Taken first." }]));
  await area.press("Control+Enter");
  await lastTurn(page).filter({ hasText: "Taken up at Kilo's next step" }).waitFor({ timeout: 60_000 });
  await send(page, scripted("later", [{ text: "Said last." }]));
  await send(page, scripted("sooner", [{ text: "Taken second." }]));
  const queued = page.locator(".queued");
  await until("two wait", async () => (await queued.count()) === 2);
  await queued.nth(1).getByRole("button", { name: "Send now" }).click();
  await queued.nth(0).filter({ hasText: "Next" }).filter({ hasText: "sooner" }).waitFor();

  await world.release("steer-gate");
  await page.locator(".ask [data-decision=once]").click({ timeout: 60_000 });
  await until("all is said", async () => (await page.locator(".turn[data-state=completed]").count()) === 4);
  // What each turn says, behind the script in its message.
  const said = (await page.locator(".turn").allTextContents()).map((text) => text.split("```").at(-1)!);
  for (const [n, words] of ["Working.", "Taken first.", "Taken second.", "Said last."].entries()) expect(said[n]).toContain(words);
  expect(said.join()).not.toContain("Never said.");
});

test("files go with a message: picked, pasted, taken out again, and shown with it", async () => {
  const page = await newThread(world);
  const pick = async (name: string, mimeType: string, text: string) =>
    page.locator("input[type=file]").setInputFiles({ name, mimeType, buffer: Buffer.from(text) });
  await pick("notes.txt", "text/plain", "the word is xylophone");
  await page.locator(".file[data-state=ready]").filter({ hasText: "notes.txt" }).waitFor();
  await pick("program.bin", "application/octet-stream", "\u0000\u0001");
  const notes = page.locator(".files-notes");
  await notes.filter({ hasText: "program.bin could not be attached" }).waitFor();
  await page.getByRole("textbox", { name: "Message" }).evaluate((area) => {
    const data = new DataTransfer();
    data.items.add(new File(["pasted words"], "pasted.txt", { type: "text/plain" }));
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  // Wherever on the page it is dropped.
  await page.locator("body").evaluate((place) => {
    const data = new DataTransfer();
    data.items.add(new File(["dropped words"], "dropped.txt", { type: "text/plain" }));
    for (const type of ["dragover", "drop"]) place.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await until("three are attached", async () => (await page.locator(".file[data-state=ready]").count()) === 3);
  await page.getByRole("button", { name: "Remove pasted.txt" }).click();
  await page.getByRole("button", { name: "Remove dropped.txt" }).click();
  // Words too long for a message are not sent, and lost as little as what is wrong with a file is.
  const area = page.getByRole("textbox", { name: "Message" });
  await area.fill("x".repeat(1_000_001));
  await page.getByText("1,000,001 characters are too long for a message").waitFor();
  expect(await page.locator(".send").isDisabled()).toBe(true);
  await area.fill("");
  await looksRight(page, "file-refused");
  expect(await notes.count()).toBe(1);
  await send(page, scripted("Read it", [{ text: "Read." }]));
  await ended(page, "completed");
  expect(await notes.count()).toBe(0);
  const sent = lastTurn(page).locator(".sent .file");
  expect(await sent.allTextContents()).toEqual(["notes.txt"]);
  const given = await page.request.get((await sent.first().getAttribute("href"))!);
  expect([given.status(), await given.text()]).toEqual([200, "the word is xylophone"]);
  expect(given.headers()["content-disposition"]).toBe("attachment");
});

test("a failed turn says why in the provider's words and can be tried again", async () => {
  const page = await newThread(world);
  await send(page, scripted("Fail once", [{ status: 400, body: { error: { message: "the model is on strike" } }, times: 1 }, { text: "Now it works." }]));
  await ended(page, "failed");
  await page.locator(".failure").filter({ hasText: "the model is on strike" }).waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await until("a second turn", async () => (await page.locator(".turn").count()) === 2);
  await ended(page, "completed");
  expect(await lastTurn(page).textContent()).toContain("Now it works.");
});

test("↑ brings back what was said, and threads are renamed, archived and deleted", async () => {
  const page = await newThread(world);
  await send(page, scripted("Short", [{ text: "Yes." }]));
  await ended(page, "completed");
  const area = page.getByRole("textbox", { name: "Message" });
  await area.press("ArrowUp");
  expect(await area.inputValue()).toContain("Short");
  await area.press("ArrowDown");
  expect(await area.inputValue()).toBe("");

  const row = page.locator(".side .row.on");
  const id = (await row.getAttribute("data-thread"))!;
  await row.locator(".row-link").press("F2");
  await page.getByRole("textbox", { name: "Thread title" }).fill("A title of my own");
  await page.keyboard.press("Enter");
  await row.filter({ hasText: "A title of my own" }).waitFor();
  expect(await page.locator("h1").textContent()).toContain("A title of my own");

  const act = async (name: RegExp) => {
    await page.locator(`[data-thread="${id}"].row`).hover();
    await page.locator(`[data-thread="${id}"].row .row-menu`).click();
    await page.getByRole("menuitem", { name }).click();
  };
  await act(/^Archive/);
  await page.getByText("This thread is archived.").waitFor();
  expect(await page.locator(`.side [data-thread="${id}"]`).count()).toBe(0);
  await page.getByRole("button", { name: "Bring back" }).click();
  await page.locator(`.side [data-thread="${id}"]`).waitFor();

  await act(/^Delete/);
  await page.getByRole("dialog").getByRole("button", { name: "Delete thread" }).click();
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  expect(await page.locator(`.side [data-thread="${id}"]`).count()).toBe(0);
  await page.getByText("is deleted.").waitFor();
});

test("a deleted thread takes its conversation along when that is wanted, and else leaves it to the agent", async () => {
  const kept: string[] = [];
  for (const whole of [false, true]) {
    const page = await newThread(world);
    await send(page, scripted(`Delete it ${whole ? "all" : "here"}`, [{ text: "Yes." }]));
    await ended(page, "completed");
    const id = (await page.locator(".side .row.on").getAttribute("data-thread"))!;
    const { session } = await world.ask<{ session: string }>("GET", `threads/${id}`);
    await page.locator(`[data-thread="${id}"].row`).hover();
    await page.locator(`[data-thread="${id}"].row .row-menu`).click();
    await page.getByRole("menuitem", { name: /^Delete/ }).click();
    if (whole) await page.getByRole("dialog").getByRole("checkbox").check();
    await page.getByRole("dialog").getByRole("button", { name: "Delete thread" }).click();
    await page.getByRole("heading", { name: /What should be done/ }).waitFor();
    const { sessions } = await world.ask<{ sessions: { id: string }[] }>("GET", `projects/${project}/sessions?provider=kilo`);
    if (sessions.some((listed) => listed.id === session)) kept.push(whole ? "all" : "here");
  }
  expect(kept).toEqual(["here"]);
});

test("a long output is shortened and shown whole on demand", async () => {
  const page = await newThread(world);
  await send(page, scripted("Print much", [bash("seq -f 'line number %g' 1 1500")], [{ text: "Printed." }]));
  await page.locator(".ask [data-decision=once]").click({ timeout: 60_000 });
  await ended(page, "completed");
  const step = lastTurn(page).locator(".step").filter({ hasText: "seq -f" });
  await step.locator(".fold-line").click();
  expect(await step.locator(".step-body").textContent()).not.toContain("\nline number 700\n");
  await step.getByRole("button", { name: /Show all/ }).click();
  await until("all of it is there", async () => (await step.locator(".step-body").textContent())?.includes("\nline number 700\n") ?? false);
});
