// What the panel's tabs show of a thread, found among the items that are held. Pure.

import type { Item, ItemId } from "../generated/wire";
import type { ThreadView } from "../sync/state";
import { describe } from "../thread/describe";
import { rowsOf } from "../thread/grouping";
import { isOver } from "../thread/status";

type Held = Pick<ThreadView, "items" | "lists" | "turnOrder">;

/** The last item of a kind that the agent itself said, not one of its sub-agents. */
export function lastOf(view: Held, kind: Item["content"]["kind"]): Item | undefined {
  for (const turn of view.turnOrder.toReversed()) {
    const id = view.lists[turn]?.findLast((id) => view.items[id]?.content.kind === kind);
    if (id) return view.items[id];
  }
  return undefined;
}

/**
 * The row of the timeline where an item was said. Of a turn's todo lists only the last has a row,
 * once the turn is over; any other stands behind what was done before it, and what came first in a
 * turn behind the message that began it.
 */
export function rowAt(view: Held & Pick<ThreadView, "turns">, item: Item): ItemId {
  const list = view.lists[item.parent && view.items[item.parent] ? item.parent : item.turn_id] ?? [];
  const turn = view.turns[item.turn_id];
  const last = turn && isOver(turn) ? lastTodo(list, view) : undefined;
  const rows = rowsOf(list.slice(0, list.indexOf(item.id) + 1), (id) => view.items[id], last);
  return rows.at(-1)?.key ?? item.parent ?? item.turn_id;
}

function lastTodo(list: readonly ItemId[], { items }: Pick<Held, "items">): ItemId | undefined {
  return list.findLast((id) => items[id]?.content.kind === "todo_list");
}

export interface SubAgent {
  item: Item;
  /** The sub-agent that started it. */
  within?: string;
}

/** The sub-agents: those at work in the order they began, and those that ended, the last first. */
export function subAgents(view: Held): { working: SubAgent[]; ended: SubAgent[] } {
  const all = Object.values(view.items)
    .filter((item) => item.content.kind === "sub_agent")
    .sort((a, b) => a.position - b.position)
    .map((item) => {
      const parent = item.parent ? view.items[item.parent]?.content : undefined;
      return parent?.kind === "sub_agent" ? { item, within: parent.agent } : { item };
    });
  const works = ({ item }: SubAgent) => item.status === "running" || item.status === "waiting";
  return { working: all.filter(works), ended: all.filter((agent) => !works(agent)).reverse() };
}

/** What a sub-agent does at this moment, in a few words; nothing when nothing is known. */
export function doing(view: Held, agent: ItemId): { words: string; target: string; code: boolean } | undefined {
  const id = view.lists[agent]?.at(-1);
  const item = id ? view.items[id] : undefined;
  if (!item) return undefined;
  const plain = (words: string) => ({ words, target: "", code: false });
  switch (item.content.kind) {
    case "reasoning":
      return plain("Thinking");
    case "agent_message":
      return plain("Writing");
    case "user_message":
    case "notice":
    case "error":
      return undefined;
    default: {
      const line = describe(item);
      return { words: line.verb, target: line.target, code: line.code };
    }
  }
}
