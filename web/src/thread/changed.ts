// The files that a turn changed, for its last line. Pure.

import type { Item, ItemId, TurnId } from "../generated/wire";
import type { ThreadView } from "../sync/state";

export interface ChangedFile {
  path: string;
  change: "created" | "edited" | "deleted";
  additions: number;
  deletions: number;
  /** The last item that changed it. */
  item: ItemId;
}

/** What the items of a turn changed, its sub-agents' included, by path in the order it was first done. */
export function changedFiles(list: (home: string) => readonly ItemId[], itemOf: (id: ItemId) => Item | undefined, turn: string): ChangedFile[] {
  const files = new Map<string, ChangedFile>();
  const look = (home: string) => {
    for (const id of list(home)) {
      const item = itemOf(id);
      if (item?.content.kind === "sub_agent") look(id);
      if (item?.content.kind !== "file_change" || item.status !== "done") continue;
      const { path, change, additions, deletions } = item.content;
      const known = files.get(path);
      files.set(path, {
        path,
        // One that was made in this turn was not there before it, whatever was done to it then.
        change: known?.change === "created" && change === "edited" ? "created" : change,
        additions: additions + (known?.additions ?? 0),
        deletions: deletions + (known?.deletions ?? 0),
        item: id,
      });
    }
  };
  look(turn);
  return [...files.values()];
}

/** Whether a turn may have more items than are held of it: the held ones of the thread begin or end in it. */
export function isCut({ older, newer, turnOrder, lists, items }: Pick<ThreadView, "older" | "newer" | "turnOrder" | "lists" | "items">, turn: TurnId): boolean {
  const at = (id: ItemId | undefined) => items[id ?? ""]?.position;
  // What still works is held from before the beginning, too.
  const first = older !== null && turnOrder.find((id) => (at(lists[id]?.at(-1)) ?? -1) >= older);
  const last = newer !== null && turnOrder.findLast((id) => (at(lists[id]?.[0]) ?? newer) < newer);
  return first === turn || last === turn;
}
