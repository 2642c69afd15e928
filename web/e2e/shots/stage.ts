// Where the pictures are taken: one world with a few projects and threads in it, and the camera.

import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BrowserContextOptions, Page } from "playwright-core";
import { newThreadId, newTurnId } from "../../src/lib/ids";
import { fits, inEveryLook } from "../look";
import { createWorld, ended, until, type Action, type World } from "../world";

/** What a thread is begun with, where it is not the usual. */
export interface Setting {
  project?: string;
  provider?: "kilo" | "codex" | "claude";
  model?: string;
  option?: string;
  access?: "supervised" | "auto-edit" | "full";
  mode?: "build" | "plan";
  title?: string;
}

export interface Stage {
  world: World;
  /** The ids of the projects, by their names. */
  projects: Record<"tally" | "harbor" | "field-notes", string>;
  /** Begins a thread with a message that the model answers like this, and returns its place in the app. */
  begin(words: string, steps: Action[][] | undefined, setting?: Setting): Promise<string>;
  /** The same, shown. */
  shown(words: string, steps: Action[][] | undefined, setting?: Setting): Promise<Page>;
  /** Sends a further message to a thread, from nowhere. */
  say(place: string, words: string, steps?: Action[][], delivery?: "queue" | "steer"): Promise<void>;
  open(place?: string, options?: BrowserContextOptions): Promise<Page>;
  /** Pictures what is on screen, at every width and in both themes. `narrow` goes on to what is meant on a phone. */
  take(page: Page, screen: string, state: string, narrow?: (page: Page) => Promise<void>): Promise<void>;
  /** Pictures a page of a phone as it is, in both themes. */
  takeOnPhone(page: Page, screen: string, state: string): Promise<void>;
  /** Puts the sample project's files back. */
  tidy(): Promise<void>;
}

const MODELS: Record<string, string> = { kilo: "mock/m1", codex: "gpt-5.5", claude: "sonnet" };

/** Creates the world, with agents that are ready and no project. */
export async function createStage(folder: string): Promise<Stage> {
  const world = await createWorld({ agents: ["codex", "claude"], configure: furnish });
  const projects = {} as Stage["projects"];

  const say: Stage["say"] = async (place, words, steps, delivery = "queue") => {
    if (steps) await world.tell(words, ...steps);
    await world.ask("POST", `threads/${place.slice("#/t/".length)}/turns`, { id: newTurnId(), text: words, delivery });
  };
  const begin: Stage["begin"] = async (words, steps, setting = {}) => {
    const { project = projects.tally, provider = "kilo", access = "supervised", mode = "build", title } = setting;
    const id = newThreadId();
    const model = { model: setting.model ?? MODELS[provider], ...(setting.option && { option: setting.option }) };
    await world.ask("POST", "threads", { id, project_id: project, provider, model, access, mode });
    await say(`#/t/${id}`, words, steps);
    if (title) await world.ask("PATCH", `threads/${id}`, { title });
    return `#/t/${id}`;
  };
  const open: Stage["open"] = (place, options) => world.open(place, { viewport: { width: 1440, height: 900 }, ...options });
  return {
    world,
    projects,
    say,
    begin,
    open,
    async shown(words, steps, setting) {
      const page = await open(await begin(words, steps, setting));
      await page.locator(".turn").first().waitFor({ timeout: 60_000 });
      return page;
    },
    async take(page, screen, state, narrow) {
      const name = `${screen}: ${state}`;
      await mkdir(join(folder, screen), { recursive: true });
      let isNarrow = false;
      await inEveryLook(page, async (look) => {
        const phone = look.width < 500;
        if (phone || isNarrow) await finger(page, phone);
        if (phone && !isNarrow) await narrow?.(page);
        isNarrow = phone;
        await settled(page);
        await page.screenshot({ path: join(folder, screen, `${state}-${look.width}-${look.theme}.png`), animations: "disabled" });
        await fits(page, name, look);
      });
    },
    async takeOnPhone(page, screen, state) {
      const { width } = page.viewportSize()!;
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await settled(page);
        await page.screenshot({ path: join(folder, screen, `${state}-${width}-${colorScheme}.png`), animations: "disabled" });
      }
    },
    async tidy() {
      await git(world.project, "checkout", "--quiet", ".");
      await git(world.project, "clean", "--quiet", "-fd");
    },
  };
}

const run = promisify(execFile);
const git = (cwd: string, ...args: string[]) => run("git", args, { cwd });

/** A choice of models as people have one, with prices. They all are the scripted one. */
function furnish(config: Record<string, unknown>): void {
  const providers = config["provider"] as Record<string, { name: string; models: Record<string, Record<string, unknown>> }>;
  const mock = providers["mock"]!;
  const model = (name: string, input: number, output: number, context: number, more: object = {}) => ({
    name,
    tool_call: true,
    cost: { input, output },
    limit: { context, output: 16_000 },
    ...more,
  });
  const thinks = { reasoning: true, variants: { low: { reasoningEffort: "low" }, medium: { reasoningEffort: "medium" }, high: { reasoningEffort: "high" } } };
  const sees = { attachment: true, modalities: { input: ["text", "image"], output: ["text"] } };
  mock.name = "Meadow";
  mock.models = {
    m1: model("Heron 2", 3, 15, 200_000, { ...thinks, ...sees }),
    m2: model("Heron 2 mini", 0.25, 1.25, 200_000, thinks),
    "vendor/name:free": model("Sparrow 32B (free)", 0, 0, 64_000),
    "m-vision": model("Kestrel Vision", 1.1, 4.4, 128_000, sees),
  };
  providers["studio"] = {
    ...mock,
    name: "Studio on this machine",
    models: {
      "wren-7b": model("Wren 7B", 0, 0, 32_000),
      "a-model-whose-name-is-long": model("A model whose name does not fit into one line of a phone", 2, 8, 1_000_000, thinks),
    },
  };
  config["enabled_providers"] = ["mock", "studio"];
}

/** Adds the projects, and threads in every state that the sidebar shows. */
export async function populate(stage: Stage): Promise<void> {
  const { world, projects, begin } = stage;
  // As it came, whatever the pictures before did to it.
  await world.ask("PATCH", "providers/kilo", { enabled: true, binary: "" });
  await world.ask("POST", "providers/kilo/refresh");
  for (const name of ["harbor", "field-notes"] as const) {
    const path = join(world.home, "code", name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "README.md"), `# ${name}\n`);
    await git(path, "init", "--quiet", "--initial-branch=main");
    projects[name] = (await world.ask<{ id: string }>("POST", "projects", { path })).id;
  }
  projects.tally = await world.addProject();
  const { harbor, "field-notes": notes } = projects;
  const done = [[{ text: "Done, and the tests pass." }]];
  const question = (header: string, question: string, options: [string, string][]) => [
    [{ tool: "question", args: { questions: [{ header, question, options: options.map(([label, description]) => ({ label, description })) }] } }],
  ];
  const quiet = [
    await begin("What has to be done before a release?", done, { project: harbor, title: "Release checklist" }),
    await begin("Bump the dependencies", done, { project: harbor, title: "Bump dependencies", provider: "codex" }),
    await begin("Pass over the dark theme's contrast", done, { project: notes, title: "Dark theme contrast pass" }),
  ];
  const seen = await begin("Why is the login test flaky?", done, { project: harbor, title: "Explain the flaky login test", provider: "claude" });
  const failed = await begin("Index the attachments", [[{ status: 400, body: { error: { message: "the model is overloaded" } } }]], { project: notes, title: "Index attachments for search" });
  await begin("Port the scheduler", [[{ text: "Working on it." }, { wait: "never" }]], { project: harbor, title: "Port the scheduler to async" });
  await begin("Add a command line sign-in", question("Sign-in", "Which flow should the command line use?", [["Device code", "A code to type in a browser"], ["Loopback", "A browser on the same machine"]]), { project: notes, title: "Which sign-in for the command line?" });
  const state = async (place: string) => world.ask<{ status: string }>("GET", `threads/${place.slice("#/t/".length)}`);
  for (const place of [...quiet, seen]) await until(`${place} is done`, async () => (await state(place)).status === "idle", 60_000);
  await until("it failed", async () => (await state(failed)).status === "failed", 60_000);
  for (const place of quiet) await world.ask("PATCH", `threads/${place.slice("#/t/".length)}`, { unread: false });
  await world.ask("PATCH", `threads/${quiet[0]!.slice("#/t/".length)}`, { pinned: true });
}

/**
 * Lets a page look as it does under a finger, or under a mouse again. The browser can be told of a
 * finger too, but not to forget it.
 */
const finger = (page: Page, isThere: boolean) =>
  page.evaluate((isThere) => {
    const [always, meant] = ["(min-width: 0.01px)", "(min-width: 0.02px)"];
    const swaps: [string, string][] = [["(pointer: coarse)", always], ["(hover: none)", meant]];
    const walk = (rules: CSSRuleList) => {
      for (const rule of rules) {
        if (rule instanceof CSSMediaRule) {
          let words = rule.media.mediaText;
          for (const [real, stand] of swaps) words = isThere ? words.replace(real, stand) : words.replace(stand, real);
          if (words !== rule.media.mediaText) rule.media.mediaText = words;
        }
        if (rule instanceof CSSGroupingRule) walk(rule.cssRules);
      }
    };
    for (const sheet of document.styleSheets) walk(sheet.cssRules);
  }, isThere);

/** Waits until what a change of the width has moved is where it belongs. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
  });
}

/** A page whose last turn has ended like this. */
export async function rests(page: Page, state: "completed" | "interrupted" | "failed" = "completed"): Promise<Page> {
  await ended(page, state);
  return page;
}
