// What goes wrong in life: bad lines, sleeping tabs, several devices at once, more than fits.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { badLine } from "./line";
import { looksRight } from "./look";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const numbered = (n: number) => Array.from({ length: n }, (_, i) => `word${i}`).join(" ");

test("over a slow line that is cut again and again nothing is lost, repeated or asked for by hand", async () => {
  const line = await badLine(world.url, 300);
  try {
    const begun = await newThread(world);
    await send(begun, scripted("Begin", [{ text: "Begun." }]));
    await ended(begun, "completed");
    const page = await world.open("#/");
    await page.goto(`${line.url}/${new URL(begun.url()).hash}`);
    await lastTurn(page).filter({ hasText: "Begun." }).waitFor();
    await page.evaluate(() => void ((window as unknown as { same: boolean }).same = true));
    const text = numbered(300);
    await send(page, scripted("Count", [{ text, chunk: 12, delay_ms: 12 }, { wait: "cuts" }, { text: " and the end." }]));
    for (const word of ["word5 ", "word60 ", "word120 ", "word200 "]) {
      await lastTurn(page).locator(".agent").filter({ hasText: word }).waitFor({ timeout: 60_000 });
      line.cut();
    }
    await lastTurn(page).locator(".agent").filter({ hasText: "word299" }).waitFor({ timeout: 60_000 });
    line.down();
    await page.locator(".connection[data-status=reconnecting]").waitFor();
    await world.release("cuts");
    await ended(begun, "completed");
    line.mend();
    await ended(page, "completed");
    const said = await lastTurn(page).locator(".agent").allTextContents();
    expect(said.join("").replace(/\s+/g, " ").trim()).toBe(`${text} and the end.`);
    expect(await page.locator(".turn").count()).toBe(2);
    expect(await page.evaluate(() => (window as unknown as { same?: boolean }).same)).toBe(true);
  } finally {
    await line.close();
  }
});

test("a message sent while the line is down is sent once, when it is back", async () => {
  const line = await badLine(world.url, 50);
  try {
    const begun = await newThread(world);
    await send(begun, scripted("Begin", [{ text: "Begun." }]));
    await ended(begun, "completed");
    const page = await world.open("#/");
    await page.goto(`${line.url}/${new URL(begun.url()).hash}`);
    await lastTurn(page).filter({ hasText: "Begun." }).waitFor();
    line.down();
    await page.locator(".connection[data-status=reconnecting]").waitFor();
    await send(page, scripted("From the tunnel", [{ text: "Out of it." }]));
    await page.locator(".pending").filter({ hasText: "From the tunnel" }).waitFor();
    line.mend();
    await ended(page, "completed");
    await lastTurn(page).filter({ hasText: "Out of it." }).waitFor();
    await until("it is no longer pending", async () => (await page.locator(".pending").count()) === 0);
    await lastTurn(begun).filter({ hasText: "Out of it." }).waitFor();
    expect(await begun.locator(".turn").count()).toBe(2);
  } finally {
    await line.close();
  }
});

test("a tab that slept catches up without a reload", async () => {
  const awake = await newThread(world);
  await send(awake, scripted("Begin", [{ text: "Begun." }]));
  await ended(awake, "completed");
  const asleep = await world.open(new URL(awake.url()).hash);
  await lastTurn(asleep).filter({ hasText: "Begun." }).waitFor();
  await asleep.evaluate(() => void ((window as unknown as { same: boolean }).same = true));
  const control = await asleep.context().newCDPSession(asleep);
  await control.send("Page.setWebLifecycleState", { state: "frozen" });
  for (const word of ["first", "second", "third"]) {
    await send(awake, scripted(`While it slept, ${word}`, [{ text: `${numbered(400)} ${word}.`, chunk: 20, delay_ms: 1 }]));
    await lastTurn(awake).filter({ hasText: `${word}.` }).waitFor({ timeout: 60_000 });
    await ended(awake, "completed");
  }
  await send(awake, scripted("It wakes to this", [bash("echo awake")], [{ text: "All there." }]));
  await awake.locator(".ask").waitFor({ timeout: 60_000 });
  await control.send("Page.setWebLifecycleState", { state: "active" });
  await asleep.locator(".ask").waitFor();
  expect(await asleep.locator(".turn").count()).toBe(5);
  expect(await asleep.evaluate(() => (window as unknown as { same?: boolean }).same)).toBe(true);
  await asleep.locator(".ask [data-decision=once]").click();
  await ended(awake, "completed");
  await ended(asleep, "completed");
});

test("what is asked is on two desks and a phone, and answered on one it is gone from the others", async () => {
  const desk = await newThread(world);
  await send(desk, scripted("Ask everywhere", [{ text: "Soon." }, bash("echo one")], [bash("echo two")], [{ text: "Both ran." }]));
  await desk.locator(".ask").waitFor({ timeout: 60_000 });
  const hash = new URL(desk.url()).hash;
  const other = await world.open(hash);
  const mobile = await world.open(hash, phone);
  const all = [desk, other, mobile];
  for (const page of all) await page.locator(".ask-command pre").filter({ hasText: "echo one" }).waitFor();
  await mobile.locator(".ask [data-decision=once]").tap();
  for (const page of all) await page.locator(".ask-command pre").filter({ hasText: "echo two" }).waitFor({ timeout: 60_000 });
  await other.locator(".ask [data-decision=once]").click();
  for (const page of all) {
    await ended(page, "completed");
    expect(await page.locator(".ask").count()).toBe(0);
    expect(await lastTurn(page).textContent()).toContain("Both ran.");
  }
});

test("200 KB that are pasted are sent whole, and shown in part", async () => {
  const page = await newThread(world);
  const pasted = Array.from({ length: 4_000 }, (_, n) => `${n}: what somebody copied from a log file, ${"x".repeat(12)}`).join("\n");
  expect(pasted.length).toBeGreaterThan(200_000);
  const area = page.getByRole("textbox", { name: "Message" });
  await area.focus();
  await page.keyboard.insertText(`${scripted("Read this", [{ text: "Read." }])}\n${pasted}`);
  await page.locator(".send:not([disabled])").waitFor();
  await area.press("Enter");
  await ended(page, "completed");
  const message = lastTurn(page).locator(".you").first();
  expect((await message.textContent())!.length).toBeLessThan(4_000);
  await message.getByRole("button", { name: "Show all of it" }).click();
  await message.locator(".you-text").filter({ hasText: "3999: what somebody copied" }).waitFor();
  await looksRight(page, "pasted");
});

/** Messages that wait for one turn, at most; see the domain's `MAX_QUEUED`. */
const MAX_QUEUED = 50;

test("a message that finds the queue full is kept, and goes in once there is room", async () => {
  const page = await newThread(world);
  await send(page, scripted("Hold", [{ text: "Held." }, { wait: "full" }]));
  await lastTurn(page).filter({ hasText: "Held." }).waitFor({ timeout: 60_000 });
  for (let n = 1; n <= MAX_QUEUED; n++) await send(page, `Message ${n}`);
  await until("the queue is full", async () => (await page.locator(".queued").count()) === MAX_QUEUED);
  await send(page, "One too many");
  const refused = page.locator(".pending[data-pending=failed]").filter({ hasText: "One too many" });
  await refused.waitFor();
  await refused.getByRole("alert").waitFor();
  await looksRight(page, "queue-full");
  await page.reload();
  await refused.waitFor();
  await page.locator(".queued").first().getByRole("button", { name: /Remove|Withdraw|Delete/ }).click();
  await until("there is room", async () => (await page.locator(".queued").count()) === MAX_QUEUED - 1);
  await refused.getByRole("button", { name: "Try again" }).click();
  await page.locator(".queued").filter({ hasText: "One too many" }).waitFor();
  expect(await page.locator(".pending").count()).toBe(0);
});
