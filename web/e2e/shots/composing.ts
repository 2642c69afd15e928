// Below a thread: what is written, what goes with it, and what waits.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "vitest";
import { lastTurn, until } from "../world";
import { rests, type Stage } from "./stage";

const screen = "composer";
const PIXELS = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export function composing(at: () => Stage): void {
  const message = { name: "Message", exact: true };

  test("the queue", async () => {
    const { shown, take, say } = at();
    const page = await shown("Keep busy.", [[{ text: "Working on it." }, { wait: "never" }]], { title: "A queue of messages" });
    await lastTurn(page).filter({ hasText: "Working on it." }).waitFor({ timeout: 60_000 });
    const place = new URL(page.url()).hash;
    await say(place, "Then update the change log and say in a few words what is new in it, for people who read nothing else");
    await say(place, "And open a pull request.");
    const queued = page.locator(".queued");
    await until("two wait", async () => (await queued.count()) === 2);
    await page.getByRole("textbox", message).fill("And what about this?");
    await take(page, screen, "queue");
    await queued.nth(1).getByRole("button", { name: "Edit", exact: true }).click();
    await take(page, screen, "queue-edited");
    await page.keyboard.press("Escape");
    await page.locator(".send.stop").click();
    await page.locator(".queue[data-held]").waitFor({ timeout: 60_000 });
    await take(page, screen, "queue-held");
  });

  test("a message that is not sent", async () => {
    const { shown, take } = at();
    const page = await rests(await shown("Say hello.", [[{ text: "Hello." }]], { title: "Messages that are not sent" }));
    await page.route("**/turns", (route) => route.abort());
    await page.getByRole("textbox", message).fill("This one waits for the line.");
    await page.keyboard.press("Enter");
    await page.locator(".pending").waitFor();
    await page.getByText("waiting for the connection").first().waitFor();
    await take(page, screen, "waiting-to-be-sent");
    await page.unroute("**/turns");
    await page.reload();
    await rests(page);
    await page.locator(".turn").nth(1).waitFor();
    await rests(page);
    await page.route("**/turns", (route) => route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify({ status: 409, code: "queue_full", title: "50 messages wait already", detail: "take one back first" }) }));
    await page.getByRole("textbox", message).fill("This one is refused.");
    await page.keyboard.press("Enter");
    await page.locator(".pending[data-pending=failed]").waitFor();
    await take(page, screen, "refused");
  });

  test("files", async () => {
    const { shown, take } = at();
    const page = await rests(await shown("Look at what I attach.", [[{ text: "I am looking." }]], { title: "Attached files" }));
    await page.locator("input[type=file]").setInputFiles([
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("some words") },
      { name: "a-very-long-name-of-a-file-that-somebody-attached.md", mimeType: "text/markdown", buffer: Buffer.from("# words") },
      { name: "picture.png", mimeType: "image/png", buffer: Buffer.from(PIXELS, "base64") },
    ]);
    await until("three are attached", async () => (await page.locator(".file[data-state=ready]").count()) === 3);
    await page.locator("input[type=file]").setInputFiles({ name: "program.bin", mimeType: "application/octet-stream", buffer: Buffer.from("\u0000\u0001") });
    await page.locator(".files-notes").filter({ hasText: "program.bin" }).waitFor();
    await page.getByRole("textbox", message).fill("What do you see in these?");
    await take(page, screen, "files");
    await page.keyboard.press("Enter");
    await page.locator(".sent .file").first().waitFor();
    await take(page, screen, "files-sent");
  });

  test("files by @ and commands by /", async () => {
    const { world, shown, take, tidy } = at();
    for (const path of ["src/app/router.ts", "src/app/router.test.ts", "src/a-rather-long-directory/another-long-directory/a-component-with-a-long-name.tsx"]) {
      await mkdir(join(world.project, path, ".."), { recursive: true });
      await writeFile(join(world.project, path), "x");
    }
    const page = await rests(await shown("Be ready.", [[{ text: "Ready." }]], { title: "Files and commands" }));
    const area = page.getByRole("textbox", message);
    const files = page.getByRole("listbox", { name: "Files" }).getByRole("option");
    await area.pressSequentially("Look at @");
    await files.first().waitFor();
    await take(page, screen, "files-named");
    await area.pressSequentially("rout");
    await files.first().filter({ hasText: "router" }).waitFor();
    await take(page, screen, "files-found");
    await area.fill("");
    await area.pressSequentially("@zzqq");
    await page.getByText("No file fits.").waitFor();
    await take(page, screen, "files-nothing-found");
    await area.fill("");
    await area.pressSequentially("/");
    await page.getByRole("option").filter({ hasText: "/init" }).waitFor({ timeout: 60_000 });
    await take(page, screen, "commands");
    await area.fill("");
    await area.pressSequentially("/inot now");
    await page.keyboard.press("Enter");
    await page.getByRole("group", { name: "No such command" }).waitFor();
    await take(page, screen, "no-such-command");
    await tidy();
  });

  test("the meter, and the choices beside it", async () => {
    const { shown, take } = at();
    const usage = { usage: { prompt_tokens: 61_400, completion_tokens: 2_310, total_tokens: 63_710, prompt_tokens_details: { cached_tokens: 48_000 } } };
    const page = await rests(await shown("How full is it?", [[{ text: "About a third." }, usage]], { title: "How full the context is", option: "high" }));
    await page.getByRole("button", { name: /^Context and cost/ }).click();
    await page.getByRole("heading", { name: "Context now" }).waitFor();
    await take(page, screen, "meter");
    await page.keyboard.press("Escape");
    await page.getByRole("radio", { name: "Plan" }).click();
    await page.locator(".pick[data-state=supervised]").click();
    await page.getByRole("menuitemradio", { name: /^Full/ }).click();
    await page.locator(".pick[data-state=full]").waitFor();
    await take(page, screen, "full-access-and-plan");
  });

  test("two drafts, and a long text", async () => {
    const { world, shown, take } = at();
    const page = await rests(await shown("Keep what I write.", [[{ text: "It is kept." }]], { title: "Two drafts of one message" }));
    const other = await world.tab(page, new URL(page.url()).hash);
    const area = (of: typeof page) => of.getByRole("textbox", message);
    await area(other).waitFor();
    await other.evaluate(() => {
      const set = Storage.prototype.setItem;
      Storage.prototype.setItem = () => {
        throw new DOMException("not now", "QuotaExceededError");
      };
      (window as unknown as { mend: () => void }).mend = () => void (Storage.prototype.setItem = set);
    });
    await area(other).fill("Written in the one that is shown");
    await other.getByText("This browser cannot keep what you write").waitFor();
    await take(other, screen, "draft-not-kept");
    await area(page).fill("Written in the other tab");
    await until("it is stored", async () => page.evaluate(() => Object.values(localStorage).some((value) => String(value).includes("other tab"))));
    await other.evaluate(() => (window as unknown as { mend: () => void }).mend());
    await area(other).press("End");
    await area(other).pressSequentially("!");
    await other.locator("[data-other]").waitFor();
    await take(other, screen, "draft-of-another-tab");
    await area(page).fill(Array.from({ length: 40 }, (_, n) => `${n + 1}: a line of something that was pasted`).join("\n"));
    await take(page, screen, "long-text");
  });
}
