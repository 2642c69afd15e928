import { afterEach, expect, test, vi } from "vitest";
import { api } from "../api/client";
import { addPage } from "../sync/reduce";
import { item, turn, windowOf } from "../sync/samples";
import { emptyThread } from "../sync/state";
import { planOf, wholeText } from "./plans";

afterEach(() => vi.restoreAllMocks());

test("a request asks about the plan that it names, or else about the last of its turn", () => {
  const view = emptyThread();
  const plan = (position: number, turn_id = "trn_1") => item(position, { kind: "plan", path: null }, { turn_id });
  addPage(view, windowOf({ turns: [turn(), turn({ id: "trn_2", ordinal: 2 })], items: [plan(1), plan(2), item(3), plan(4, "trn_2")] }));
  expect(planOf(view, { turn_id: "trn_1", item_id: null })).toBe("itm_2");
  expect(planOf(view, { turn_id: "trn_1", item_id: "itm_1" })).toBe("itm_1");
  expect(planOf(view, { turn_id: "trn_3", item_id: null })).toBeUndefined();
});

test("the whole text of an item is fetched where some of it was left out", async () => {
  const fetched = vi.spyOn(api, "itemBody").mockResolvedValue({ text: "all of it" });
  const plan = { kind: "plan", path: null } as const;
  expect(await wholeText("thr_1", item(1, plan, { body: { head: "short" } }))).toBe("short");
  expect(await wholeText("thr_1", item(1, plan))).toBe("");
  expect(fetched).not.toHaveBeenCalled();
  expect(await wholeText("thr_1", item(1, plan, { body: { head: "a", omitted: 5, tail: "t" } }))).toBe("all of it");
});
