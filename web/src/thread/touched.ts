// The files that an agent changed or read last, for who wants to name one.

import type { ThreadView } from "../sync/state";

/** How many items are looked at, newest first. */
const MAX_ITEMS = 300;

/** Paths of the files that there still are, the last first: those that were changed before those that were read. */
export function touchedFiles(view: Pick<ThreadView, "items">): string[] {
  const items = Object.values(view.items).sort((a, b) => b.position - a.position).slice(0, MAX_ITEMS);
  const seen = new Set<string>();
  const [changed, read]: [string[], string[]] = [[], []];
  for (const { content, status } of items) {
    if (content.kind !== "file_change" && content.kind !== "read") continue;
    // What lies outside the workspace is no file of it.
    if (status !== "done" || content.path.startsWith("/") || content.path.startsWith("..") || seen.has(content.path)) continue;
    seen.add(content.path);
    if (content.kind === "read") read.push(content.path);
    else if (content.change !== "deleted") changed.push(content.path);
  }
  return [...changed, ...read];
}
