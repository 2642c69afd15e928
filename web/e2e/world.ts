// One world for each test file: the real Baton, the real Kilo with a scripted model, a sample
// project, and a headless Chromium. `cargo xtask e2e` builds what it needs and names it in the
// environment.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { expect } from "vitest";

export interface World {
  url: string;
  /** The sample project's directory. */
  project: string;
  /** The home directory of the agents. */
  home: string;
  /** A page of a browser that is paired, at a place in the app. Its errors are collected. */
  open(hash?: string, options?: BrowserContextOptions): Promise<Page>;
  /** A page of a browser that nobody let in. */
  stranger(): Promise<Page>;
  /** A further tab of the same browser. */
  tab(page: Page, hash?: string): Promise<Page>;
  /** A link that pairs a browser, once. */
  pairingLink(): Promise<string>;
  /** Adds the sample project and returns its id. */
  addProject(): Promise<string>;
  /** Asks the server as a paired browser does. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Tells the scripted model in advance what it does for a message of just these words. */
  tell(words: string, ...steps: Action[][]): Promise<void>;
  /** Lets the scripted model go on that waits at this gate. */
  release(gate: string): Promise<void>;
  /** Ends Baton the hard way, and starts it again on the same port and data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stores a thread of so many items in the sample project, of a past that no agent knows, and so many short older ones. */
  seed(items: number, others?: number): Promise<string>;
  /** Runs the user's own Kilo in the project, as from a terminal, to its end. */
  kilo(...args: string[]): Promise<void>;
  /** Pictures every open page of a test that failed, when E2E_FAILED names a directory. */
  picture(name: string): Promise<void>;
  /** What pages complained of since the last look: errors, and whatever the policy forbade. */
  complaints(): string[];
  closePages(): Promise<void>;
  close(): Promise<void>;
}

interface Sandbox {
  control_url: string;
  home: string;
  project: string;
  kilo: string;
  env: Record<string, string>;
}

interface WorldOptions {
  /** Changes the user's own configuration of Kilo before anything reads it. */
  configure?: (config: Record<string, unknown>) => void;
  /** The agents beside Kilo. */
  agents?: ("codex" | "claude")[];
}

export async function createWorld({ configure, agents = [] }: WorldOptions = {}): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), "baton-e2e-"));
  const beside = agents.length ? ["--agents", agents.join(",")] : [];
  const sandboxProcess = spawn(needed("BATON_SANDBOX_BIN"), beside, { stdio: ["pipe", "pipe", "inherit"] });
  const sandbox = JSON.parse(await firstLine(sandboxProcess, () => true)) as Sandbox;
  if (configure) {
    const path = join(sandbox.home, ".config/kilo/kilo.json");
    const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    configure(config);
    await writeFile(path, JSON.stringify(config));
  }
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const world = new RealWorld(data, sandboxProcess, sandbox, browser);
  try {
    await world.start();
    await world.pair();
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}

class RealWorld implements World {
  url = "";
  readonly project: string;
  readonly home: string;
  #baton: ChildProcess | undefined;
  #port = 0;
  #link = "";
  #state: Awaited<ReturnType<BrowserContext["storageState"]>> | undefined;
  #complaints: string[] = [];

  constructor(
    readonly data: string,
    readonly sandboxProcess: ChildProcess,
    readonly sandbox: Sandbox,
    readonly browser: Browser,
  ) {
    this.project = sandbox.project;
    this.home = sandbox.home;
  }

  async start(): Promise<void> {
    const baton = spawn(needed("BATON_BIN"), ["serve", "--no-open", "--port", String(this.#port), "--data-dir", this.data], {
      env: { ...process.env, ...this.sandbox.env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#baton = baton;
    this.#link = "";
    const lines = createInterface({ input: baton.stdout! });
    await new Promise<void>((done, failed) => {
      baton.once("exit", (code) => failed(new Error(`Baton ended by itself (${code})`)));
      lines.on("line", (line) => {
        this.url = /^baton listening on (\S+)/.exec(line)?.[1] ?? this.url;
        this.#link = /(http\S+#pair=\S+)/.exec(line)?.[1] ?? this.#link;
        if (this.url && this.#link) done();
      });
    });
    this.#port = Number(new URL(this.url).port);
  }

  /** Pairs one browser; the others share what it was given. */
  async pair(): Promise<void> {
    const context = await this.browser.newContext();
    const page = await context.newPage();
    await page.goto(this.#link);
    await page.locator(".shell").waitFor();
    this.#state = await context.storageState();
    await context.close();
  }

  async open(hash = "#/", options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, storageState: this.#state, serviceWorkers: "block", ...options });
    const page = this.#watched(await context.newPage());
    await page.goto(`${this.url}/${hash}`);
    return page;
  }

  async stranger(): Promise<Page> {
    const context = await this.browser.newContext();
    return context.newPage();
  }

  async tab(page: Page, hash = "#/"): Promise<Page> {
    const tab = this.#watched(await page.context().newPage());
    await tab.goto(`${this.url}/${hash}`);
    return tab;
  }

  #watched(page: Page): Page {
    page.on("pageerror", (error) => this.#complaints.push(`page: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      // A server that is gone, or a refusal that a test asks for, is the network's to report.
      if (message.type() === "error" && !/Failed to load resource|WebSocket connection to/.test(text)) this.#complaints.push(`console: ${text}`);
    });
    return page;
  }

  async picture(name: string): Promise<void> {
    const dir = process.env.E2E_FAILED;
    if (!dir) return;
    const pages = this.browser.contexts().flatMap((context) => context.pages());
    await Promise.all(pages.map((page, i) => page.screenshot({ path: join(dir, `${name.replace(/\W+/g, "-")}-${i}.png`) })));
  }

  complaints(): string[] {
    const said = this.#complaints;
    this.#complaints = [];
    return said;
  }

  async pairingLink(): Promise<string> {
    const made = await this.ask<{ code: string }>("POST", "pair/new", {});
    return `${this.url}/#pair=${made.code}`;
  }

  async addProject(): Promise<string> {
    const project = await this.ask<{ id: string }>("POST", "projects", { path: this.project });
    return project.id;
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const cookie = this.#state?.cookies.map((c) => `${c.name}=${c.value}`).join("; ") ?? "";
    const response = await fetch(`${this.url}/api/${path}`, {
      method,
      headers: { cookie, origin: this.url, "content-type": "application/json" },
      ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  async tell(words: string, ...steps: Action[][]): Promise<void> {
    const headers = { "content-type": "application/json" };
    const told = await fetch(`${this.sandbox.control_url}/script`, { method: "POST", headers, body: JSON.stringify({ words, script: steps }) });
    if (!told.ok) throw new Error(`the script of "${words}": ${await told.text()}`);
  }

  async release(gate: string): Promise<void> {
    await fetch(`${this.sandbox.control_url}/release/${gate}`, { method: "POST" });
  }

  async kill(): Promise<void> {
    await end(this.#baton, "SIGKILL");
  }

  async seed(items: number, others = 0): Promise<string> {
    await end(this.#baton, "SIGTERM");
    const seed = spawn(needed("BATON_SEED_BIN"), [this.data, this.project, String(items), String(others)], { stdio: ["ignore", "pipe", "inherit"] });
    const id = await firstLine(seed, () => true);
    await end(seed);
    await this.start();
    return id;
  }

  async kilo(...args: string[]): Promise<void> {
    const env = { ...process.env, ...this.sandbox.env };
    const child = spawn(this.sandbox.kilo, args, { cwd: this.project, env, stdio: ["ignore", "ignore", "inherit"] });
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`kilo ${args.join(" ")} ended with ${code}`);
  }

  async closePages(): Promise<void> {
    await Promise.all(this.browser.contexts().map((context) => context.close()));
  }

  async close(): Promise<void> {
    await this.browser.close();
    await end(this.#baton, "SIGTERM");
    this.sandboxProcess.stdin?.end();
    await end(this.sandboxProcess);
    await rm(this.data, { recursive: true, force: true });
  }
}

/** Waits for a process to end, after a signal if one is given; in the end it is forced. */
async function end(child: ChildProcess | undefined, signal?: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners("exit");
  const ended = once(child, "exit");
  if (signal) child.kill(signal);
  const force = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(force);
}

async function firstLine(child: ChildProcess, wanted: (line: string) => boolean): Promise<string> {
  return new Promise((done, failed) => {
    createInterface({ input: child.stdout! }).on("line", (line) => wanted(line) && done(line));
    child.once("exit", (code) => failed(new Error(`${child.spawnfile} ended by itself (${code})`)));
    child.once("error", failed);
  });
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with \`cargo xtask e2e\``);
  return value;
}

/** A page where a message begins a thread: its agent's model is chosen. */
export async function newThread(world: World): Promise<Page> {
  const page = await world.open();
  await page.locator(".pick-model[data-state=chosen]").waitFor({ timeout: 60_000 });
  return page;
}

/** One thing the scripted model does; see the test kit's `model::script`. */
export type Action = Record<string, unknown>;

/** A message with what the model answers to it, call by call. */
export function scripted(words: string, ...steps: Action[][]): string {
  return `${words}\n\`\`\`script\n${JSON.stringify(steps)}\n\`\`\``;
}

/** A message like that, and what the model answers to the next one without a script, such as a reason. */
export function scriptedThen(words: string, steps: Action[][], then: Action[][]): string {
  return `${words}\n\`\`\`script\n${JSON.stringify({ steps, then: [then] })}\n\`\`\``;
}

/** A shell command of the agent. */
export const bash = (command: string, description = "A command"): Action => ({ tool: "bash", args: { command, description } });

/** Writes a message and sends it. */
export async function send(page: Page, text: string): Promise<void> {
  const area = page.getByRole("textbox", { name: "Message" });
  await area.fill(text);
  await page.locator(".send:not(.stop, .steer):not([disabled])").waitFor();
  await area.press("Enter");
}

/** The last turn on the page. */
export const lastTurn = (page: Page): Locator => page.locator(".turn").last();

/** Waits until the last turn has ended like this. */
export async function ended(page: Page, state: "completed" | "interrupted" | "failed"): Promise<void> {
  await page.locator(`.turn:last-of-type[data-state=${state}]`).waitFor({ timeout: 60_000 });
}

/** For `afterEach`: pictures what failed, closes its pages, and fails on what pages complained of. */
export async function lookBack(world: World, test: { name: string; result?: { state?: string } }): Promise<void> {
  if (test.result?.state === "fail") await world.picture(`failed-${test.name}`);
  await world.closePages();
  expect(world.complaints()).toEqual([]);
}

/** Waits for a condition on the server or the page, with a deadline. */
export async function until(what: string, condition: () => Promise<boolean>, within = 20_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
