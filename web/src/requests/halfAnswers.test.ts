import { beforeEach, expect, test, vi } from "vitest";
import { dropHalf, loadHalf, saveHalf } from "./halfAnswers";

beforeEach(() => {
  const stored = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  });
});

test("the parts of an answer are kept beside each other, per request", () => {
  saveHalf("one", { chosen: [["Red"], []] });
  saveHalf("one", { own: ["", "words"] });
  saveHalf("two", { reason: "" });
  expect([loadHalf("one"), loadHalf("two"), loadHalf("three")]).toEqual([{ chosen: [["Red"], []], own: ["", "words"] }, { reason: "" }, {}]);
  dropHalf("one");
  expect(loadHalf("one")).toEqual({});
});

test("an answer of which nothing is left is not kept", () => {
  saveHalf("one", { reason: "because" });
  saveHalf("one", { reason: undefined });
  expect(localStorage.getItem("baton.draft.answer.one")).toBeNull();
});
