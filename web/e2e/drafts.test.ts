// What is written and not sent is never lost: answers to requests, two tabs on one thread, a
// browser that keeps nothing.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { looksRight } from "./look";
import { bash, createWorld, ended, lookBack, newThread, scripted, send, until, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.addProject();
});
afterAll(() => world?.close());
afterEach(({ task }) => lookBack(world, task));

test("half an answer is kept when its thread is left, and dropped once it is given", async () => {
  const page = await newThread(world);
  const question = {
    tool: "question",
    args: {
      questions: [
        { header: "Colour", question: "Which colours?", multiple: true, options: [{ label: "Red", description: "Warm" }, { label: "Blue", description: "Cold" }], custom: true },
      ],
    },
  };
  await send(page, scripted("Ask", [question], [bash("echo asked")], [{ text: "Thanks." }]));
  await page.locator(".option").first().waitFor({ timeout: 60_000 });
  await page.locator(".option").filter({ hasText: "Blue" }).click();
  await page.getByRole("textbox", { name: /Own answer/ }).fill("and a little green");
  const thread = new URL(page.url()).hash;
  await page.getByRole("link", { name: "New", exact: true }).click();
  await page.getByRole("heading", { name: /What should be done/ }).waitFor();
  await page.goto(`${world.url}/${thread}`);
  await page.reload();
  expect(await page.getByRole("checkbox", { name: /Blue/ }).isChecked()).toBe(true);
  expect(await page.getByRole("checkbox", { name: /Red/ }).isChecked()).toBe(false);
  expect(await page.getByRole("textbox", { name: /Own answer/ }).inputValue()).toBe("and a little green");
  await page.getByRole("button", { name: "Answer" }).click();

  await page.getByRole("button", { name: "Reject and say why…" }).click({ timeout: 60_000 });
  await page.getByRole("textbox", { name: /Why not/ }).fill("Because it is");
  await page.reload();
  const why = page.getByRole("textbox", { name: /Why not/ });
  expect(await why.inputValue()).toBe("Because it is");
  await why.press("Enter");
  await ended(page, "completed");
  await until("nothing of it is left", async () => page.evaluate(() => !Object.keys(localStorage).some((key) => key.includes("answer."))));
});

test("two tabs on one thread share a draft, and neither writes over the other", async () => {
  const one = await newThread(world);
  await send(one, scripted("Share", [{ text: "Hello." }]));
  await ended(one, "completed");
  const two = await world.tab(one, new URL(one.url()).hash);
  const area = (page: typeof one) => page.getByRole("textbox", { name: "Message" });
  await area(two).waitFor();
  await area(one).fill("written in one");
  await until("it is in both", async () => (await area(two).inputValue()) === "written in one");
  await area(two).fill("");
  await until("it is gone from both", async () => (await area(one).inputValue()) === "");

  // Both write before the second one's words are stored.
  await two.evaluate(() => {
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = () => {
      throw new DOMException("not now", "QuotaExceededError");
    };
    (window as unknown as { mend: () => void }).mend = () => void (Storage.prototype.setItem = set);
  });
  await area(two).fill("thought of in two");
  await two.getByText("This browser cannot keep what you write").waitFor();
  await area(one).fill("thought of in one");
  await until("one has stored it", async () => one.evaluate(() => Object.values(localStorage).some((value) => String(value).includes("thought of in one"))));
  await two.evaluate(() => (window as unknown as { mend: () => void }).mend());
  await area(two).press("End");
  await area(two).pressSequentially("!");
  await two.locator("[data-other]").filter({ hasText: "thought of in one" }).waitFor();
  expect(await area(two).inputValue()).toBe("thought of in two!");
  await looksRight(two, "two-drafts");
  await two.getByRole("button", { name: "Use that" }).click();
  expect(await area(two).inputValue()).toBe("thought of in one");
  await two.locator("[data-other]").filter({ hasText: "thought of in two!" }).waitFor();
  await two.getByRole("button", { name: "Drop it" }).click();
  await two.locator("[data-other]").waitFor({ state: "detached" });
  await until("both show the one that was chosen", async () => (await area(one).inputValue()) === "thought of in one");
});

test("a browser that keeps nothing says so while there is something to lose", async () => {
  const page = await newThread(world);
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  const note = page.getByText("This browser cannot keep what you write");
  await page.getByRole("textbox", { name: "Message" }).fill("precious");
  await note.waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("");
  await note.waitFor({ state: "detached" });
});
