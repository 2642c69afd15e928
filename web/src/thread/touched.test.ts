import { expect, test } from "vitest";
import type { Item, ItemContent, ItemStatus } from "../generated/wire";
import { touchedFiles } from "./touched";

let position = 0;
const item = (content: object, status: ItemStatus = "done"): [string, Item] => {
  position += 1;
  return [`i${position}`, { id: `i${position}`, position, status, content: content as ItemContent } as Item];
};
const change = (path: string, change = "edited") => ({ kind: "file_change", path, change, additions: 1, deletions: 0 });
const read = (path: string) => ({ kind: "read", path });

test("what was changed comes before what was read, the last first, each once", () => {
  const items = Object.fromEntries([
    item(read("r1")), item(change("c1")), item(change("c2")), item(read("c1")), item(read("r2")), item(change("c1")),
    item(change("gone", "deleted")), item(read("/outside")), item(read("../outside")), item(read("missing"), "failed"), item({ kind: "agent_message" }),
  ]);
  expect(touchedFiles({ items })).toEqual(["c1", "c2", "r2", "r1"]);
});
