import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/client";
import type { Settings, SettingsPatch } from "../generated/wire";
import { asTheyCome } from "../sync/state";
import { changed } from "./patch";

const settle = () => new Promise((done) => setTimeout(done));
const offline = () => new ApiError({ status: 0, code: "internal", title: "no answer" }, true);
const refused = () => new ApiError({ status: 400, code: "bad_request", title: "at most 100 models can be favourites" });

let server: Settings;
let sent: SettingsPatch[];
/** What the server answers instead, change by change. */
let answers: ((patch: SettingsPatch) => Error | undefined)[];

vi.mock("../api/client", async (original) => ({
  ...(await original<object>()),
  api: {
    changeSettings: async (patch: SettingsPatch) => {
      sent.push(patch);
      const error = answers.shift()?.(patch);
      if (error) throw error;
      server = { ...changed(server, patch), revision: server.revision + 1 };
      return server;
    },
  },
}));

/** A page with what the browser kept. */
async function page() {
  vi.resetModules();
  const { settings } = await import("./common");
  return { settings, toasts: (await import("../app/toasts")).toasts, ...(await import("./saving")) };
}

let stored: Map<string, string>;
const unsaved = () => stored.get("baton.settings.unsaved");

beforeEach(() => {
  [server, sent, answers, stored] = [asTheyCome, [], [], new Map()];
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
});

test("a change holds at once and at the next start, and is saved", async () => {
  const { settings, told, changeSettings } = await page();
  told(server);
  changeSettings({ enter: "steer" });
  expect(settings().enter).toBe("steer");
  await settle();
  expect([sent, unsaved()]).toEqual([[{ enter: "steer" }], undefined]);
  // Another device is heard.
  told({ ...server, revision: 2, keys: { "thread.new": ["F2"] } });
  expect(settings().keys).toEqual({ "thread.new": ["F2"] });
  const next = await page();
  expect([next.settings().enter, next.settings().keys]).toEqual(["steer", { "thread.new": ["F2"] }]);
});

test("what cannot be saved is told, kept over a new start, and saved when it can be", async () => {
  const { settings, told, changeSettings, notSaved, toasts } = await page();
  told(server);
  answers = [offline, offline];
  changeSettings({ enter: "steer" });
  await settle();
  changeSettings({ keys: { "thread.new": ["F2"] } });
  await settle();
  expect([settings().enter, notSaved(), toasts().length]).toEqual(["steer", "No answer.", 1]);
  // The other device's change does not undo it.
  told({ ...server, models: { ...server.models, favourites: ["kilo a"] } });
  expect([settings().enter, settings().models.favourites]).toEqual(["steer", ["kilo a"]]);
  await settle();
  expect([unsaved(), notSaved()]).toEqual([undefined, undefined]);
  answers = [offline];
  changeSettings({ enter: "queue" });
  await settle();

  const next = await page();
  expect(next.settings().enter).toBe("queue");
  await next.save();
  expect(sent.at(-1)).toEqual({ enter: "queue" });
  const before = sent.length;
  next.told(server);
  await settle();
  expect([sent.length, server.enter, unsaved()]).toEqual([before + 1, "queue", undefined]);
});

test("a failure is told also of what was changed while something of less weight was saved", async () => {
  const { told, changeSettings, toasts } = await page();
  told(server);
  answers = [() => undefined, offline];
  changeSettings({ used: ["kilo a"] });
  changeSettings({ enter: "steer" });
  await settle();
  expect([sent.length, toasts().length]).toEqual([2, 1]);
  answers = [offline];
  changeSettings({ used: ["kilo b"] });
  await settle();
  expect(toasts()).toHaveLength(1);
});

test("what is refused is undone and told, and nothing else with it", async () => {
  const { settings, told, changeSettings, toasts } = await page();
  told(server);
  answers = [offline];
  changeSettings({ enter: "steer" });
  await settle();
  const full = (patch: SettingsPatch) => (patch.marks ? refused() : undefined);
  answers = [full, full, full];
  changeSettings({ marks: [{ model: "kilo a", mark: "favourite" }] });
  await settle();
  expect(settings().models.favourites).toEqual([]);
  expect([settings().enter, server.enter, unsaved()]).toEqual(["steer", "steer", undefined]);
  expect(toasts().at(-1)!.text).toContain("At most 100 models can be favourites.");
});

test("what changes while another change is on its way is saved after it", async () => {
  const { settings, told, changeSettings } = await page();
  told(server);
  changeSettings({ enter: "steer" });
  changeSettings({ enter: "queue" });
  changeSettings({ used: ["kilo a"] });
  await settle();
  expect(sent).toEqual([{ enter: "steer" }, { enter: "queue", used: ["kilo a"] }]);
  expect([settings().enter, server.enter, server.models.recent]).toEqual(["queue", "queue", ["kilo a"]]);
});

test("a change that is heard after the answer to a later one undoes nothing", async () => {
  const { settings, told, changeSettings } = await page();
  told(server, true);
  changeSettings({ enter: "steer" });
  await settle();
  const late = server;
  changeSettings({ enter: "queue" });
  await settle();
  told(late);
  expect(settings().enter).toBe("queue");
  // A server that was put back to a backup is believed.
  told(late, true);
  expect(settings().enter).toBe("steer");
});

test("what this device kept by itself is moved once", async () => {
  stored.set("baton.keys", JSON.stringify({ "thread.new": ["F2"] }));
  stored.set("baton.models", JSON.stringify({ favourites: ["kilo a"] }));
  stored.set("baton.enter", JSON.stringify("steer"));
  const { settings, told } = await page();
  answers = [offline];
  told(server);
  expect([settings().enter, settings().keys, settings().models.favourites]).toEqual(["steer", { "thread.new": ["F2"] }, ["kilo a"]]);
  await settle();
  expect([...stored.keys()].sort()).toEqual(["baton.settings", "baton.settings.unsaved"]);
  const next = await page();
  next.told(server);
  await settle();
  expect([server.enter, server.models.favourites, unsaved()]).toEqual(["steer", ["kilo a"], undefined]);
  // A person who sets it otherwise is not overruled by another start.
  next.changeSettings({ enter: "queue" });
  await settle();
  (await page()).told(server);
  await settle();
  expect(server.enter).toBe("queue");
});
