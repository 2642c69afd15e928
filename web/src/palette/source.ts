// Where the palette's rows come from. A source may answer at once or later; each can be added
// without the palette knowing it.

import type { IconName } from "../ui/Icon";
import type { Binding } from "../app/keymap";
import type { Mark } from "../thread/status";
import type { Span } from "./rank";

export interface Row {
  /** Unlike any other, also of other sources: what was chosen is remembered by it. */
  id: string;
  title: string;
  /** Where in the title the query was found. */
  spans?: readonly Span[];
  /** Said after the title: a project, a path, a piece of a message. */
  detail?: string;
  /** The heading it stands under. */
  group: string;
  /** How well it fits; the best group comes first. What has none keeps the order of its source. */
  score?: number;
  icon?: IconName;
  mark?: Mark;
  keys?: readonly Binding[];
  /** Does it. The palette is closed by then, and the focus is where it was. */
  run(): void;
}

export interface Source {
  id: string;
  /** The rows for a query; for an empty one those that are likely wanted, or none. */
  search(query: string, signal: AbortSignal): readonly Row[] | Promise<readonly Row[]>;
}

/** Rows of a group that are shown at most. */
const MOST = 8;

export interface Section {
  group: string;
  rows: readonly Row[];
}

/** Rows under their headings: the best group first, and the best row first in each. */
export function grouped(rows: readonly Row[], most = MOST): Section[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const known = groups.get(row.group);
    if (known) known.push(row);
    else groups.set(row.group, [row]);
  }
  const best = (list: readonly Row[]) => Math.max(...list.map((row) => row.score ?? 0));
  return [...groups]
    .map(([group, list]) => ({ group, rows: list.sort((a, b) => (b.score ?? 0) - (a.score ?? 0)).slice(0, most) }))
    .sort((a, b) => best(b.rows) - best(a.rows));
}

/** What is shown for an empty query: what was chosen last, then the rest without it. */
export function withRecent(rows: readonly Row[], recent: readonly string[], most = 5): Section[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  const first = recent.flatMap((id) => known.get(id) ?? []).slice(0, most);
  const shown = new Set(first.map((row) => row.id));
  const rest = grouped(rows.filter((row) => !shown.has(row.id)));
  return first.length ? [{ group: "Recent", rows: first }, ...rest] : rest;
}
