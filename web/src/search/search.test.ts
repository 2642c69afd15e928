import { createRoot, createSignal } from "solid-js";
import { expect, test, vi } from "vitest";
import type { SearchHit, SearchPage } from "../generated/wire";
import { isQuestion } from "./question";
import { createMessageSearch, routeOf } from "./search";

const hit = (turn: string): SearchHit => ({ thread_id: "thr", project_id: "prj", title: "t", archived: false, turn, item: null, at: 1, pieces: [] });
const page = (turns: string[], before: number | null = null): SearchPage => ({ hits: turns.map(hit), before, whole: true });

/** A search whose answers a test gives. */
function searching() {
  const [words, setWords] = createSignal("");
  const open: { query: { q: string; before?: number }; answer: (page: SearchPage) => Promise<void>; fail: () => Promise<void> }[] = [];
  const settle = () => new Promise<void>((done) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(done))));
  const ask = vi.fn((query: { q: string; before?: number }) =>
    new Promise<SearchPage>((done, failed) => {
      open.push({ query, answer: (page) => (done(page), settle()), fail: () => (failed(new Error("no answer")), settle()) });
    }),
  );
  const search = createRoot(() => createMessageSearch(words, ask as never));
  return { search, setWords, open, turns: () => search.hits().map((hit) => hit.turn) };
}

test("only letters and digits make a question", () => {
  expect(["", " ", "a", "a!", "é", "--"].map(isQuestion)).toEqual([false, false, false, false, false, false]);
  expect(["ab", "a b", "日本", "x1"].map(isQuestion)).toEqual([true, true, true, true]);
});

test("a hit leads to its item, or to the message that began its turn", () => {
  expect(routeOf({ ...hit("trn"), item: "itm" })).toEqual({ page: "thread", id: "thr", at: "itm" });
  expect(routeOf(hit("trn"))).toEqual({ page: "thread", id: "thr", at: "trn" });
});

test("one question is on its way at a time, and what was typed meanwhile is asked next", async () => {
  const { search, setWords, open, turns } = searching();
  setWords("pa");
  setWords("par");
  setWords("pars");
  expect(open.map((one) => one.query.q)).toEqual(["pa"]);
  await open[0]!.answer(page(["stale"]));
  expect(turns()).toEqual([]);
  expect(open.map((one) => one.query.q)).toEqual(["pa", "pars"]);
  await open[1]!.answer(page(["a", "b"], 7));
  expect([turns(), search.answered(), search.more(), search.busy()]).toEqual([["a", "b"], "pars", true, false]);
  search.loadMore();
  expect(open[2]!.query).toMatchObject({ q: "pars", before: 7 });
  await open[2]!.answer(page(["c"]));
  expect([turns(), search.more()]).toEqual([["a", "b", "c"], false]);
  setWords("");
  expect([turns(), search.answered()]).toEqual([[], undefined]);
});

test("a failure is told, and asked again when wanted", async () => {
  const { search, setWords, open, turns } = searching();
  setWords("word");
  await open[0]!.fail();
  expect([search.problem(), turns()]).toEqual(["no answer", []]);
  search.again();
  await open[1]!.answer(page(["a"]));
  expect([search.problem(), turns()]).toEqual(["", ["a"]]);
});
