import { expect, test } from "vitest";
import { happened, stillNews, titleOf, told, way, type Kind, type News, type Seen } from "./notify";

const row = (id: string, status: Seen["status"], more: Partial<Seen> = {}): Seen => ({
  id,
  title: `Thread ${id}`,
  status,
  open_requests: 0,
  queued: 0,
  queue_held: false,
  unread: false,
  archived: false,
  ...more,
});

test("what becomes of a thread is news once", () => {
  const cases: [Seen, Seen, Kind | undefined][] = [
    [row("a", "working"), row("a", "needs_you", { open_requests: 1 }), "needs"],
    [row("a", "needs_you", { open_requests: 1 }), row("a", "needs_you", { open_requests: 2 }), "needs"],
    [row("a", "needs_you", { open_requests: 2 }), row("a", "needs_you", { open_requests: 1 }), undefined],
    [row("a", "working"), row("a", "idle"), "done"],
    [row("a", "needs_you"), row("a", "idle"), "done"],
    [row("a", "working"), row("a", "failed"), "failed"],
    [row("a", "failed"), row("a", "failed"), undefined],
    [row("a", "failed"), row("a", "idle"), undefined],
    [row("a", "idle"), row("a", "working"), undefined],
    [row("a", "idle"), row("a", "idle", { unread: true }), undefined],
    // Stopped with messages behind it.
    [row("a", "working", { queued: 1 }), row("a", "idle", { queued: 1, queue_held: true }), "needs"],
    [row("a", "working"), row("a", "idle", { archived: true }), undefined],
  ];
  for (const [before, now, kind] of cases) {
    expect(happened({ a: before }, [now]).map((news) => news.kind), `${before.status} → ${now.status}`).toEqual(kind ? [kind] : []);
  }
});

test("what was so when the page came is no news", () => {
  expect(happened({}, [row("a", "needs_you", { open_requests: 1 }), row("b", "failed")])).toEqual([]);
});

test("news is over when it was looked at", () => {
  const news = new Map<string, Kind>([["a", "done"], ["b", "done"], ["c", "needs"], ["gone", "failed"]]);
  const rows = { a: row("a", "idle", { unread: true }), b: row("b", "idle"), c: row("c", "working") };
  expect([...stillNews(news, rows).keys()]).toEqual(["a"]);
});

test("the title says what is most pressing", () => {
  expect(titleOf(2, ["done", "failed"], true)).toEqual({ title: "(2) Baton", badge: "needs" });
  expect(titleOf(0, ["done", "failed", "done"], true)).toEqual({ title: "1 failed · Baton", badge: "failed" });
  expect(titleOf(0, ["done", "done"], true)).toEqual({ title: "2 done · Baton", badge: "done" });
  expect(titleOf(0, [], true)).toEqual({ title: "Baton", badge: "working" });
  expect(titleOf(0, [], false)).toEqual({ title: "Baton", badge: "none" });
});

test("one tab tells, on its page when a person looks at it, and never of what is on screen", () => {
  const news: News = { kind: "done", thread: "a", title: "" };
  expect(way(news, undefined, "one")).toBe("system");
  expect(way(news, { tab: "one", thread: "b" }, "one")).toBe("page");
  expect(way(news, { tab: "one", thread: "a" }, "one")).toBe("not");
  expect(way(news, { tab: "two", thread: null }, "one")).toBe("not");
});

test("much at once is told in one sentence", () => {
  const news = (["done", "done", "needs", "failed"] as const).map((kind, i): News => ({ kind, thread: String(i), title: `T${i}` }));
  expect(told(news)).toEqual([{ title: "4 threads", body: "1 needs you, 2 done, 1 failed", kind: "needs" }]);
  expect(told(news.slice(0, 1))).toEqual([{ title: "Done", body: "T0", thread: "0", kind: "done" }]);
});
