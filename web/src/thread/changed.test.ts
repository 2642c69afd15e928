import { expect, test } from "vitest";
import type { ItemContent } from "../generated/wire";
import { addPage } from "../sync/reduce";
import { item, noUsage, turn, windowOf } from "../sync/samples";
import { emptyThread } from "../sync/state";
import { changedFiles, isCut } from "./changed";

const change = (path: string, change: "created" | "edited" | "deleted", additions: number, deletions: number): ItemContent => ({ kind: "file_change", path, change, additions, deletions });
const agent: ItemContent = { kind: "sub_agent", agent: "explore", task: "look", session: null, steps: 0, usage: noUsage, waiting: false, phase: null };

test("the files of a turn by path, with what was done to them in all and by whom last", () => {
  const view = emptyThread();
  const items = [
    item(1, change("a", "created", 5, 0)),
    item(2, agent),
    item(3, change("b", "edited", 1, 2), { parent: "itm_2" }),
    item(4, change("a", "edited", 1, 1)),
    item(5, change("c", "edited", 9, 9), { status: "declined" }),
    item(6, change("b", "deleted", 0, 7)),
    item(7, change("d", "edited", 1, 0), { turn_id: "trn_2" }),
  ];
  addPage(view, windowOf({ turns: [turn(), turn({ id: "trn_2", ordinal: 2 })], items }));
  const files = changedFiles((home) => view.lists[home] ?? [], (id) => view.items[id], "trn_1");
  expect(files).toEqual([
    { path: "a", change: "created", additions: 6, deletions: 1, item: "itm_4" },
    { path: "b", change: "deleted", additions: 1, deletions: 9, item: "itm_6" },
  ]);
});

test("a turn in which the held items begin or end may have more of them", () => {
  const view = emptyThread();
  const of = (turn_id: string, ...positions: number[]) => positions.map((position) => item(position, undefined, { turn_id }));
  const turns = [1, 2, 3, 4].map((n) => turn({ id: `trn_${n}`, ordinal: n }));
  addPage(view, windowOf({ turns, items: [...of("trn_1", 2), ...of("trn_2", 10, 11), ...of("trn_3", 12), ...of("trn_4", 20)] }));
  const cut = () => view.turnOrder.filter((id) => isCut(view, id));
  expect(cut()).toEqual([]);
  view.older = 10;
  expect(cut()).toEqual(["trn_2"]);
  view.newer = 13;
  expect(cut()).toEqual(["trn_2", "trn_3"]);
});
