import { afterEach, expect, test, vi } from "vitest";
import { dismissToast, leaveToasts, toast, toasts } from "./toasts";

afterEach(() => {
  for (const { id } of toasts()) dismissToast(id);
  vi.useRealTimers();
});

const texts = () => toasts().map((t) => t.text);

test("what was said of one page is not said on the next, but for what can be undone", () => {
  toast("It could not be copied.", { tone: "bad" });
  toast("It is archived.", { action: { label: "Undo", run: () => {} } });
  toast("It failed.", { thread: "a", action: { label: "Open", run: () => {} } });
  toast("It is deleted.", { stays: true });
  leaveToasts("b");
  expect(texts()).toEqual(["It is archived.", "It failed.", "It is deleted."]);
  leaveToasts("a");
  expect(texts()).toEqual(["It is archived.", "It is deleted."]);
});

test("they are few, end by themselves, and the same words are one", () => {
  vi.useFakeTimers();
  for (const text of ["a", "b", "c", "d", "b"]) toast(text);
  expect(texts()).toEqual(["c", "d", "b"]);
  vi.advanceTimersByTime(6_000);
  expect(texts()).toEqual([]);
});
