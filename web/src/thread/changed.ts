// The files that a turn changed, for its last line. Pure.

import type { Item, ItemId } from "../generated/wire";

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
