import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { bash, createWorld, ended, lastTurn, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

const text = "One line of the story.\n\nAnother one, with aaaa repeats.\n\n";

test("a reload in the middle of a turn loses and repeats nothing", async () => {
  const page = await newThread(world);
  await send(page, scripted("Tell", [{ text, chunk: 3, delay_ms: 5 }, { wait: "reload" }, { text: "The end." }]));
  await lastTurn(page).filter({ hasText: "aaaa repeats." }).waitFor({ timeout: 60_000 });
  await page.reload();
  await lastTurn(page).filter({ hasText: "aaaa repeats." }).waitFor();
  await world.release("reload");
  await ended(page, "completed");
  expect(await lastTurn(page).locator(".agent p").allTextContents()).toEqual(["One line of the story.", "Another one, with aaaa repeats.", "The end."]);
});

test("two tabs are live on one thread, and an answer in one clears the other, which is told of it", async () => {
  const page = await newThread(world);
  await send(page, scripted("Share", [{ text: "Together." }, bash("echo shared")], [{ text: "Both saw it." }]));
  await page.locator(".ask").waitFor({ timeout: 60_000 });
  const other = await world.tab(page, new URL(page.url()).hash);
  await other.locator(".ask").waitFor();
  // The answer of the first one is on a slow line.
  let arrive!: () => void;
  const line = new Promise<void>((done) => (arrive = done));
  await page.route("**/answer", async (route) => {
    await line;
    await route.continue();
  });
  await page.locator(".ask [data-decision=reject]").click();
  await other.locator(".ask [data-decision=once]").click();
  await ended(page, "completed");
  arrive();
  await page.getByText("Already answered on another device: allowed once.").waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await ended(other, "completed");
  expect(await page.locator(".ask, .ask-late").count()).toBe(0);
  expect(await other.locator(".ask-late").count()).toBe(0);
  for (const tab of [page, other]) expect(await lastTurn(tab).textContent()).toContain("Both saw it.");
});

test("a draft survives a reload and a change of threads, with its files", async () => {
  const page = await newThread(world);
  await send(page, scripted("First", [{ text: "Hello." }]));
  await ended(page, "completed");
  const thread = new URL(page.url()).hash;
  await page.getByRole("textbox", { name: "Message" }).fill("half a thought");
  await page.locator("input[type=file]").setInputFiles(
    ["kept.txt", "taken-out.txt"].map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`words of ${name}`) })),
  );
  await until("two are attached", async () => (await page.locator(".file[data-state=ready]").count()) === 2);
  await page.getByRole("button", { name: "Remove taken-out.txt" }).click();
  await page.getByRole("link", { name: "New", exact: true }).click();
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  expect(await page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("");
  expect(await page.locator(".composer .file").count()).toBe(0);
  await page.goto(`${world.url}/${thread}`);
  await page.reload();
  const area = page.getByRole("textbox", { name: "Message" });
  expect(await area.inputValue()).toBe("half a thought");
  expect(await page.locator(".composer .file").allTextContents()).toEqual(["kept.txt"]);
  await area.press("Enter");
  await until("it is sent with its file", async () => (await page.locator(".sent .file").count()) === 1);
  await page.reload();
  await page.locator(".sent .file").waitFor();
  expect(await page.locator(".composer .file").count()).toBe(0);
});

test("the page says when Baton is gone, keeps what is sent, and needs no reload when it is back", async () => {
  const page = await newThread(world);
  await send(page, scripted("Begin", [{ text: "Under way." }, { wait: "outage" }]));
  await lastTurn(page).filter({ hasText: "Under way." }).waitFor({ timeout: 60_000 });
  await world.kill();
  await page.locator(".connection[data-status=reconnecting]").waitFor();
  await send(page, scripted("Sent into the void", [{ text: "It arrived." }]));
  await page.locator(".pending").filter({ hasText: "Sent into the void" }).waitFor();
  await world.start();
  await page.locator(".connection[data-status=connected]").waitFor({ timeout: 20_000 });
  await until("the message is confirmed", async () => (await page.locator(".pending").count()) === 0, 60_000);
  await world.release("outage");
  // The turn that was cut goes on or ends; then the message gets its turn.
  await until("the first turn ended", async () => /completed|interrupted|failed/.test((await page.locator(".turn").first().getAttribute("data-state")) ?? ""), 60_000);
  const held = page.getByRole("button", { name: "Send now" });
  await until(
    "the second turn is there",
    async () => {
      if (await held.isVisible()) await held.click();
      return (await lastTurn(page).textContent())?.includes("It arrived.") ?? false;
    },
    60_000,
  );
  expect(await page.locator(".turn").first().textContent()).toContain("Under way.");
  expect(await page.locator(".turn").count()).toBe(2);
});

test("scrolling away stays away, and the latest is one click off", async () => {
  const page = await newThread(world);
  const long = Array.from({ length: 80 }, (_, i) => `Paragraph ${i}.`).join("\n\n");
  await send(page, scripted("Long", [{ text: long, chunk: 400 }, { wait: "scroll" }, { text: `\n\n${long}\n\nLast words.`, chunk: 400 }]));
  await lastTurn(page).filter({ hasText: "Paragraph 79." }).waitFor({ timeout: 60_000 });
  const top = () => page.locator(".scroll").evaluate((element) => element.scrollTop);
  const fromEnd = () => page.locator(".scroll").evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
  await until("it is at its end", async () => (await fromEnd()) < 4);
  await page.locator(".scroll").hover();
  await page.mouse.wheel(0, -1200);
  await page.getByRole("button", { name: "Jump to latest" }).waitFor();
  const away = await top();
  await world.release("scroll");
  await ended(page, "completed");
  expect(Math.abs((await top()) - away)).toBeLessThan(4);
  await page.getByRole("button", { name: "Jump to latest" }).click();
  await until("it is at its end again", async () => (await fromEnd()) < 4);
});
