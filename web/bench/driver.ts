// Drives a headless Chromium for `cargo xtask bench page`: one line of JSON asks for something, one
// line answers it. What is asked for, and what the answers mean, is in `crates/bench/src/page/browser.rs`.

import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from "playwright-core";
import { inPage, type Frames, type Typed, type Visit } from "./inPage";

type Ask =
  | { do: "visit"; thread: string; fresh: boolean }
  | { do: "open" | "go" | "switch"; thread: string }
  | { do: "type"; keys: number; every_ms: number }
  | { do: "watch" | "frames" | "heap" | "trace" }
  | { do: "traced"; to: string };

interface Heap {
  bytes: number;
  nodes: number;
  listeners: number;
  turns: number;
}

const url = needed("BATON_URL");

class Driver {
  /** The browser profile of visits, with what its cache holds. */
  #visitor: BrowserContext | undefined;
  #page: Page | undefined;
  #session: CDPSession | undefined;

  constructor(
    readonly browser: Browser,
    readonly cookie: { name: string; value: string },
  ) {}

  answer(ask: Ask): Promise<unknown> {
    switch (ask.do) {
      case "visit":
        return this.visit(ask.thread, ask.fresh);
      case "open":
        return this.open(ask.thread);
      case "go":
        return this.page.evaluate((thread) => window.bench.go(thread), ask.thread);
      case "switch":
        return this.switch(ask.thread);
      case "type":
        return this.type(ask.keys, ask.every_ms);
      case "watch":
        return this.page.evaluate(() => window.bench.watch());
      case "frames":
        return this.page.evaluate((): Frames => window.bench.frames());
      case "heap":
        return this.heap();
      case "trace":
        return this.trace();
      case "traced":
        return this.traced(ask.to);
    }
  }

  async context(): Promise<BrowserContext> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 } });
    await context.addCookies([{ ...this.cookie, url }]);
    await context.addInitScript(inPage);
    return context;
  }

  async visit(thread: string, fresh: boolean): Promise<Visit> {
    if (fresh || !this.#visitor) {
      await this.#visitor?.close();
      this.#visitor = await this.context();
    }
    const page = await this.#visitor.newPage();
    await page.goto(`${url}/#/t/${thread}`, { waitUntil: "commit" });
    const seen = await page.evaluate((id) => window.bench.seen(id), thread);
    // What comes again finds what was kept: the files, and the worker that hands them out.
    if (!fresh) await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await page.close();
    return seen;
  }

  async open(thread: string): Promise<void> {
    await this.#visitor?.close();
    this.#visitor = undefined;
    await this.#page?.context().close();
    const context = await this.context();
    this.#page = await context.newPage();
    this.#session = await context.newCDPSession(this.#page);
    await this.#page.goto(`${url}/#/t/${thread}`);
    await this.#page.evaluate((id) => window.bench.go(id), thread);
  }

  async switch(thread: string): Promise<number> {
    const took = this.page.evaluate((id) => window.bench.switched(id), thread);
    await this.page.locator(`.row[data-thread="${thread}"] .row-link`).click();
    return took;
  }

  async type(keys: number, every: number): Promise<Typed> {
    await this.page.getByRole("textbox", { name: "Message" }).focus();
    await this.page.evaluate(() => window.bench.listen());
    for (let n = 0; n < keys; n++) {
      await this.page.keyboard.press(n % 6 === 5 ? "Space" : "abcde"[n % 6]!);
      await new Promise((done) => setTimeout(done, every));
    }
    return this.page.evaluate(() => window.bench.typed());
  }

  async heap(): Promise<Heap> {
    // Once more for what the first one's finalizers let go of.
    for (let n = 0; n < 2; n++) await this.session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await this.session.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await this.session.send("Memory.getDOMCounters");
    const turns = await this.page.locator(".turn").count();
    return { bytes: usedSize, nodes, listeners: jsEventListeners, turns };
  }

  async trace(): Promise<void> {
    await this.browser.startTracing(this.page, { categories: ["devtools.timeline", "disabled-by-default-v8.cpu_profiler", "blink.user_timing", "toplevel"] });
  }

  async traced(to: string): Promise<void> {
    await writeFile(to, await this.browser.stopTracing());
  }

  get page(): Page {
    if (!this.#page) throw new Error("no page is open");
    return this.#page;
  }

  get session(): CDPSession {
    if (!this.#session) throw new Error("no page is open");
    return this.#session;
  }
}

/** Lets a browser in, as one who has the secret of command lines may. */
async function pair(): Promise<{ name: string; value: string }> {
  const headers = { "content-type": "application/json", origin: url };
  const made = await fetch(`${url}/api/pair/new`, { method: "POST", headers: { ...headers, authorization: `Bearer ${needed("BATON_TOKEN")}` }, body: "{}" });
  const { code } = (await made.json()) as { code: string };
  const paired = await fetch(`${url}/api/pair`, { method: "POST", headers, body: JSON.stringify({ code }) });
  const cookie = /^([^=]+)=([^;]+)/.exec(paired.headers.get("set-cookie") ?? "");
  if (!cookie) throw new Error(`the browser was not let in: ${paired.status}`);
  return { name: cookie[1]!, value: cookie[2]! };
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this is run by \`cargo xtask bench page\``);
  return value;
}

const browser = await chromium.launch({
  executablePath: needed("CHROMIUM"),
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const driver = new Driver(browser, await pair());
for await (const line of createInterface({ input: process.stdin })) {
  const told = await driver.answer(JSON.parse(line) as Ask).then(
    (answer) => ({ answer: answer ?? null }),
    (error: unknown) => ({ error: String(error) }),
  );
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
await browser.close();
