import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import type { Extras, Project } from "../generated/wire";
import { extrasOf } from "./read";

const project = (id: string, over: Partial<Project> = {}): Project => ({ id, name: "p", path: "/p", created_at: 1, trust: "undecided", fingerprint: "a", ...over });
const none: Extras = { commands: [], servers: [] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("what was read is kept for a moment, and another decision on trust asks anew", async () => {
  const asked = vi.spyOn(api, "extras").mockResolvedValue(none);
  await extrasOf(project("one"), "kilo");
  await extrasOf(project("one"), "kilo");
  expect(asked).toHaveBeenCalledTimes(1);
  await extrasOf(project("one", { trust: "trusted" }), "kilo");
  await extrasOf(project("one"), "kilo", true);
  expect(asked).toHaveBeenCalledTimes(3);
  vi.advanceTimersByTime(31_000);
  await extrasOf(project("one"), "kilo");
  expect(asked).toHaveBeenCalledTimes(4);
});

test("a failure is told and not kept", async () => {
  const asked = vi.spyOn(api, "extras").mockRejectedValueOnce(new Error("no agent")).mockResolvedValue(none);
  await expect(extrasOf(project("two"), "kilo")).rejects.toThrow("no agent");
  expect(await extrasOf(project("two"), "kilo")).toBe(none);
  expect(asked).toHaveBeenCalledTimes(2);
});
