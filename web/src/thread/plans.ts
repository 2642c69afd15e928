// Plans: which item a request asks about, and the whole text of one.

import { api } from "../api/client";
import type { Item, ItemId, Request } from "../generated/wire";
import type { ThreadView } from "../sync/state";

/** The plan that a request asks about: the one it names, or else the last of its turn. */
export function planOf(view: Pick<ThreadView, "items" | "lists">, request: Pick<Request, "item_id" | "turn_id">): ItemId | undefined {
  return request.item_id ?? view.lists[request.turn_id]?.findLast((id) => view.items[id]?.content.kind === "plan");
}

/**
 * The text of an item of a thread, with what was left out of it on its way here.
 *
 * Throws what the API throws when that cannot be had.
 */
export async function wholeText(thread: string, item: Item): Promise<string> {
  return item.body?.omitted ? (await api.itemBody(thread, item.id)).text : (item.body?.head ?? "");
}
