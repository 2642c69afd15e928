import { expect, test } from "vitest";
import type { Item, ItemContent } from "../generated/wire";
import { addPage } from "../sync/reduce";
import { item, noUsage, turn, windowOf } from "../sync/samples";
import { emptyThread } from "../sync/state";
import { doing, lastOf, rowAt, subAgents } from "./found";

const todos = (...texts: string[]): ItemContent => ({ kind: "todo_list", todos: texts.map((text) => ({ text, status: "pending" })) });
const read = (path: string): ItemContent => ({ kind: "read", path });
const agent = (name: string): ItemContent => ({ kind: "sub_agent", agent: name, task: "look", session: null, steps: 0, usage: noUsage, waiting: false, phase: null });

function view(...items: Item[]) {
  const made = emptyThread();
  addPage(made, windowOf({ turns: [turn(), turn({ id: "trn_2", ordinal: 2 })], items }));
  return made;
}

test("the last todo list is the agent's own, not its sub-agents'", () => {
  const held = view(item(1, todos("a")), item(2, todos("b")), item(3, agent("explore")), item(4, todos("c"), { parent: "itm_3" }), item(5, read("x"), { turn_id: "trn_2" }));
  expect(lastOf(held, "todo_list")?.id).toBe("itm_2");
  expect(lastOf(held, "plan")).toBe(undefined);
});

test("what was said is found where it stands in the timeline", () => {
  const held = view(
    item(1, todos("a")),
    item(2, read("x")),
    item(3, read("y")),
    item(4, todos("b")),
    item(5, { kind: "plan", path: null }),
    item(6, agent("explore")),
    item(7, read("z"), { parent: "itm_6" }),
  );
  const rows = Object.fromEntries(Object.values(held.items).map((one) => [one.id, rowAt(held, one)]));
  expect(rows).toEqual({
    // Nothing came before it but the message.
    itm_1: "trn_1",
    itm_2: "itm_2",
    // It is folded into the run that it goes on with.
    itm_3: "itm_2",
    itm_4: "itm_2",
    itm_5: "itm_5",
    itm_6: "itm_6",
    itm_7: "itm_7",
  });
  held.turns.trn_1!.state = "completed";
  expect([rowAt(held, held.items.itm_1!), rowAt(held, held.items.itm_4!)]).toEqual(["trn_1", "itm_4"]);
});

test("sub-agents at work come first, and say what they do and within which they are", () => {
  const held = view(
    item(1, agent("explore")),
    item(2, agent("general"), { status: "running" }),
    item(3, agent("inner"), { parent: "itm_2", status: "running" }),
    item(4, { kind: "command", command: "npm test", description: null, cwd: null, exit_code: null }, { parent: "itm_3", status: "running" }),
    item(5, agent("last"), { status: "failed" }),
  );
  const { working, ended } = subAgents(held);
  expect(working.map(({ item, within }) => [item.id, within])).toEqual([["itm_2", undefined], ["itm_3", "general"]]);
  expect(ended.map(({ item }) => item.id)).toEqual(["itm_5", "itm_1"]);
  expect(doing(held, "itm_3")).toEqual({ words: "Running", target: "npm test", code: true });
  expect(doing(held, "itm_2")?.target).toBe("look");
  expect(doing(held, "itm_1")).toBe(undefined);
});
