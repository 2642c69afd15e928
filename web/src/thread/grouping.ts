// How the items of a turn become rows: prose stands alone, tools are steps, and runs of reads and
// searches fold into one step. A row is named by its first item, so it keeps its place and state
// while it grows.

import type { Item, ItemContent, ItemId } from "../generated/wire";
import { isUnrun } from "./describe";

export type RowKind = "prose" | "reasoning" | "step" | "run" | "hidden";

export interface Row {
  key: ItemId;
  kind: RowKind;
  ids: ItemId[];
}

type Kinds = Pick<Item, "content" | "status">;

/** `itemOf` reads an item; `lastTodo` is the todo list that is shown, all others are hidden. */
export function rowsOf(ids: readonly ItemId[], itemOf: (id: ItemId) => Kinds | undefined, lastTodo?: ItemId): Row[] {
  const rows: Row[] = [];
  for (const id of ids) {
    const item = itemOf(id);
    if (!item) continue;
    const kind = item.content.kind === "todo_list" && id !== lastTodo ? "hidden" : kindOf(item.content);
    if (kind === "hidden") continue;
    const before = rows.at(-1);
    if (kind === "run" && before?.kind === "run" && !isUnrun(item.status)) before.ids.push(id);
    else rows.push({ key: id, kind, ids: [id] });
  }
  for (const row of rows) if (row.kind === "run" && row.ids.length === 1) row.kind = "step";
  return rows;
}

function kindOf(content: ItemContent): RowKind {
  switch (content.kind) {
    case "agent_message":
    case "user_message":
    case "notice":
    case "error":
    case "plan":
      return "prose";
    case "reasoning":
      return "reasoning";
    case "read":
    case "search":
      return "run";
    case "command":
    case "file_change":
    case "web":
    case "mcp_call":
    case "sub_agent":
    case "todo_list":
    case "question":
    case "compaction":
    case "tool":
      return "step";
  }
}
