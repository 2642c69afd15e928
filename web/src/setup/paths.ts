// Completing a path as it is typed.

import type { DirectoryEntry } from "../generated/wire";

/** What to ask the server for: the directory part of what is typed. */
export function parentOf(typed: string): string {
  const cut = typed.lastIndexOf("/");
  if (cut < 0) return "~/";
  return typed.slice(0, cut + 1);
}

/** The entries that continue what is typed; hidden ones only when asked for with a dot. */
export function continuing(entries: readonly DirectoryEntry[], typed: string): DirectoryEntry[] {
  const start = typed.slice(typed.lastIndexOf("/") + 1).toLowerCase();
  return entries.filter((entry) => {
    const name = entry.name.toLowerCase();
    return name.startsWith(start) && (start.startsWith(".") || !name.startsWith("."));
  });
}

/** What is typed once an entry is taken: the person's own beginning stays, e.g. `~/`. */
export function completed(typed: string, entry: DirectoryEntry): string {
  return `${parentOf(typed)}${entry.name}/`;
}

/** What is sent: a trailing slash means nothing. */
export function trimmed(typed: string): string {
  const path = typed.trim();
  return path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
}
