import { expect, test } from "vitest";
import { asTheyCome } from "../sync/state";
import { changed, isNothing, joined, moved, rest, split } from "./patch";

test("a change is shown as the server makes it", () => {
  const now = changed(asTheyCome, {
    keys: { "thread.new": ["Alt+N"], "thread.pin": [] },
    enter: "steer",
    marks: [{ model: "kilo a", mark: "favourite" }, { model: "kilo b", mark: "hidden" }],
    used: ["kilo a", "kilo b", "kilo a"],
  });
  expect(now).toEqual({
    revision: 0,
    keys: { "thread.new": ["Alt+N"], "thread.pin": [] },
    enter: "steer",
    models: { favourites: ["kilo a"], hidden: ["kilo b"], recent: ["kilo a", "kilo b"] },
  });
  const then = changed(now, { keys: { "thread.new": null }, marks: [{ model: "kilo a", mark: "hidden" }, { model: "kilo b", mark: null }] });
  expect(then.keys).toEqual({ "thread.pin": [] });
  expect(then.models).toEqual({ favourites: [], hidden: ["kilo a"], recent: ["kilo a", "kilo b"] });
  expect(changed(asTheyCome, { used: Array.from({ length: 30 }, (_, i) => `kilo m${i}`) }).models.recent).toHaveLength(12);
  expect(asTheyCome.models.favourites).toEqual([]);
});

test("two changes are one, the later counts", () => {
  const first = { keys: { a: ["F1"], b: ["F2"] }, enter: "steer" as const, marks: [{ model: "kilo a", mark: "hidden" as const }], used: ["kilo a", "kilo b"] };
  const second = { keys: { a: null }, marks: [{ model: "kilo a", mark: null }], used: ["kilo a"] };
  const both = joined(first, second);
  expect(both).toEqual({ keys: { a: null, b: ["F2"] }, enter: "steer", marks: [{ model: "kilo a", mark: null }], used: ["kilo b", "kilo a"] });
  expect(changed(asTheyCome, both)).toEqual(changed(changed(asTheyCome, first), second));
  expect(joined({}, {})).toEqual({});
});

test("what was changed again while it was saved stays to be saved", () => {
  const sent = { keys: { a: ["F1"], b: null }, enter: "steer" as const, marks: [{ model: "kilo a", mark: "hidden" as const }], used: ["kilo a"] };
  expect(rest(sent, sent)).toEqual({});
  const again = joined(sent, { keys: { a: ["F3"] }, marks: [{ model: "kilo a", mark: null }], used: ["kilo b"] });
  expect(rest(again, sent)).toEqual({ keys: { a: ["F3"] }, marks: [{ model: "kilo a", mark: null }], used: ["kilo b"] });
  expect(split(sent)).toHaveLength(5);
  expect(split(sent).reduce(joined)).toEqual(sent);
  expect([isNothing({}), isNothing({ keys: {} }), isNothing({ keys: { a: null } })]).toEqual([true, true, false]);
});

test("what a device kept is moved where nobody set anything else, as far as it is sound", () => {
  const old = {
    keys: { "thread.new": ["Alt+N"], "thread.pin": ["F9"], "a b": ["F1"], bad: "F1", worse: [1] },
    models: { favourites: ["kilo a", "kilo b", "kilo c", 7, "nonsense"], hidden: ["kilo d"], recent: ["kilo a", "kilo d"] },
    enter: "steer",
  };
  expect(moved(old, asTheyCome)).toEqual({
    keys: { "thread.new": ["Alt+N"], "thread.pin": ["F9"] },
    enter: "steer",
    marks: [{ model: "kilo d", mark: "hidden" }, { model: "kilo a", mark: "favourite" }, { model: "kilo b", mark: "favourite" }, { model: "kilo c", mark: "favourite" }],
    used: ["kilo d", "kilo a"],
  });
  // What stands as it came may have been put back: of what was changed, only lists are added to.
  const known = { ...changed(asTheyCome, { marks: [{ model: "kilo b", mark: "hidden" }] }), revision: 1 };
  expect(moved(old, known)).toEqual({
    marks: [{ model: "kilo d", mark: "hidden" }, { model: "kilo a", mark: "favourite" }, { model: "kilo c", mark: "favourite" }],
    used: ["kilo d", "kilo a"],
  });
  expect(changed(known, moved(old, known)).models.recent).toEqual(["kilo a", "kilo d"]);
  for (const nothing of [{}, { keys: null, models: "x", enter: "queue" }, { keys: [], models: { recent: {} } }]) expect(moved(nothing, known)).toEqual({});
  const many = Array.from({ length: 150 }, (_, i) => `kilo m${i}`);
  expect(moved({ models: { favourites: many } }, asTheyCome).marks).toHaveLength(100);
});
