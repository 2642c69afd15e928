// An item as one line: icon, verb, target and what is worth knowing beside it.

import type { Item, ItemContent } from "../generated/wire";
import { plural } from "../lib/format";

export type StepIcon = "terminal" | "edit" | "read" | "search" | "web" | "plug" | "agent" | "list" | "plan" | "question" | "compact" | "tool";

export interface Line {
  icon: StepIcon;
  verb: string;
  target: string;
  /** The target is code, a path or an address. */
  code: boolean;
  /** What else is worth saying, e.g. an exit code. */
  note?: string;
  additions?: number;
  deletions?: number;
}

export function describe(item: Pick<Item, "content" | "status">): Line {
  const { content, status } = item;
  const verb = (doing: string, done: string) =>
    status === "running" ? doing : status === "declined" ? `Not ${done.charAt(0).toLowerCase()}${done.slice(1)}` : done;
  switch (content.kind) {
    case "command":
      return {
        icon: "terminal",
        verb: status === "declined" ? "Not run" : verb("Running", "Ran"),
        target: firstLine(content.command),
        code: true,
        note: content.exit_code ? `exit ${content.exit_code}` : undefined,
      };
    case "file_change": {
      const done = { created: "Created", edited: "Edited", deleted: "Deleted" }[content.change];
      const doing = { created: "Creating", edited: "Editing", deleted: "Deleting" }[content.change];
      return {
        icon: "edit",
        verb: verb(doing, done),
        target: content.path,
        code: true,
        additions: content.additions,
        deletions: content.deletions,
      };
    }
    case "read":
      return { icon: "read", verb: verb("Reading", "Read"), target: content.path, code: true };
    case "search":
      return {
        icon: "search",
        verb: verb("Searching", "Searched"),
        target: content.query,
        code: true,
        note: searchNote(content),
      };
    case "web":
      return { icon: "web", verb: verb("Fetching", "Fetched"), target: content.target, code: true };
    case "mcp_call":
      return { icon: "plug", verb: verb("Calling", "Called"), target: content.tool, code: true, note: content.server };
    case "sub_agent":
      return { icon: "agent", verb: `Agent ${content.agent}`, target: content.task, code: false };
    case "todo_list": {
      const done = content.todos.filter((t) => t.status === "completed").length;
      return { icon: "list", verb: "Todo list", target: `${done} of ${content.todos.length} done`, code: false };
    }
    case "plan":
      return { icon: "plan", verb: status === "running" ? "Writing a plan" : "Wrote a plan", target: content.path ?? "", code: true };
    case "question":
      return { icon: "question", verb: status === "declined" ? "Skipped" : verb("Asking", "Asked"), target: content.title, code: false };
    case "compaction":
      return {
        icon: "compact",
        verb: verb("Compacting the context", "Compacted the context"),
        target: "",
        code: false,
        note: content.automatic ? "automatic" : undefined,
      };
    case "tool":
      return { icon: "tool", verb: content.title ?? verb("Using", "Used"), target: content.name, code: true };
    case "user_message":
      return { icon: "tool", verb: "You added", target: "", code: false };
    case "agent_message":
    case "reasoning":
    case "notice":
    case "error":
      return { icon: "tool", verb: "", target: "", code: false };
  }
}

/** A run of reads and searches as one line. */
export function describeRun(items: readonly Pick<Item, "content">[]): { verb: string; targets: string[] } {
  const reads = items.filter((item) => item.content.kind === "read");
  const queries = items.flatMap((item) => (item.content.kind === "search" ? [item.content.query] : []));
  const pages = items.filter((item) => item.content.kind === "web").length;
  const files = new Set(reads.map((item) => (item.content.kind === "read" ? item.content.path : ""))).size;
  const parts: string[] = [];
  if (files) parts.push(`read ${plural(files, "file")}`);
  if (pages) parts.push(`fetched ${plural(pages, "page")}`);
  if (queries.length) parts.push(queries.length > 2 ? `searched ${queries.length} times` : "searched");
  const text = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : (parts[0] ?? "");
  return { verb: text.charAt(0).toUpperCase() + text.slice(1), targets: queries.length > 2 ? [] : queries };
}

/** A search says where it looked and how much it found. */
function searchNote(content: Extract<ItemContent, { kind: "search" }>): string | undefined {
  const parts: string[] = [];
  if (content.path) parts.push(`in ${content.path}`);
  if (content.matches !== null) parts.push(content.matches === 0 ? "nothing found" : plural(content.matches, "match", "matches"));
  return parts.join(" · ") || undefined;
}

export function firstLine(text: string): string {
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  return line.length < text.trim().length ? `${line} …` : line;
}

/** JSON text made easy to read; any other text as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
