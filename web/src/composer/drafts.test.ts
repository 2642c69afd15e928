import { beforeEach, expect, test, vi } from "vitest";
import type { Attachment } from "../generated/wire";
import { remember } from "../lib/storage";
import { loadDraft, loadFiles, saveDraft } from "./drafts";
import { putBack } from "./putBack";

const file = (name: string): Attachment => ({ id: `att_${name}`, name, kind: "text", bytes: 5 });

beforeEach(() => {
  const stored: Record<string, string> = {};
  Object.defineProperties(stored, {
    getItem: { value: (key: string) => stored[key] ?? null },
    setItem: { configurable: true, value: (key: string, value: string) => void (stored[key] = value) },
    removeItem: { value: (key: string) => void delete stored[key] },
  });
  vi.stubGlobal("localStorage", stored);
});

test("a draft keeps its files while its text changes, and each thread has its own", () => {
  saveDraft("a", "words", [file("one.txt")]);
  saveDraft("a", "more words");
  expect([loadDraft("a"), loadFiles("a")]).toEqual(["more words", [file("one.txt")]]);
  expect([loadDraft("b"), loadFiles("b")]).toEqual(["", []]);
});

test("files alone are a draft, and nothing at all is none", () => {
  saveDraft("a", "", [file("one.txt")]);
  expect(loadFiles("a")).toEqual([file("one.txt")]);
  saveDraft("a", "", []);
  expect(Object.keys(localStorage)).toEqual([]);
});

test("a message that comes back stands before what is written, and brings its files", () => {
  saveDraft("a", "written since", [file("one.txt")]);
  putBack("a", "taken back", [file("one.txt"), file("two.txt")]);
  expect([loadDraft("a"), loadFiles("a")]).toEqual(["taken back\n\nwritten since", [file("one.txt"), file("two.txt")]]);
});

test("what has not changed is not written again", () => {
  saveDraft("a", "words", [file("one.txt")]);
  remember("choices", { access: "full" });
  const written = vi.fn(localStorage.setItem);
  Object.defineProperty(localStorage, "setItem", { value: written });
  saveDraft("a", "words");
  saveDraft("a", "words", [file("one.txt")]);
  remember("choices", { access: "full" });
  expect(written).not.toHaveBeenCalled();
  saveDraft("a", "other words");
  remember("choices", { access: "supervised" });
  expect(written).toHaveBeenCalledTimes(2);
});
