// An item as one line: icon, verb, target and what is worth knowing beside it.

import type { Item, ItemContent, ItemStatus } from "../generated/wire";
import { plural } from "../lib/format";

export type StepIcon = "terminal" | "edit" | "read" | "search" | "web" | "plug" | "agent" | "list" | "plan" | "question" | "compact" | "tool";

export interface Line {
  icon: StepIcon;
  verb: string;
  target: string;
  /** The target is code, a path or an address. */
  code: boolean;
  /** What else is worth saying. */
  note?: string;
  /** What went wrong, in a word or two. */
  problem?: string;
  additions?: number;
  deletions?: number;
}

/** What a kind of step does: in the infinitive, while it does it, and once it was done. */
const verbs = {
  run: ["run", "Running", "Ran", "run"],
  create: ["create", "Creating", "Created", "created"],
  edit: ["edit", "Editing", "Edited", "edited"],
  delete: ["delete", "Deleting", "Deleted", "deleted"],
  read: ["read", "Reading", "Read", "read"],
  search: ["search", "Searching", "Searched", "searched"],
  fetch: ["fetch", "Fetching", "Fetched", "fetched"],
  call: ["call", "Calling", "Called", "called"],
  use: ["use", "Using", "Used", "used"],
  plan: ["write a plan", "Writing a plan", "Wrote a plan", "written"],
  compact: ["compact the context", "Compacting the context", "Compacted the context", "compacted"],
} as const;

function said(name: keyof typeof verbs, status: ItemStatus): string {
  const [infinitive, doing, done, participle] = verbs[name];
  switch (status) {
    case "running":
      return doing;
    case "waiting":
      return `Waiting to ${infinitive}`;
    case "done":
      return done;
    case "failed":
      return `Could not ${infinitive}`;
    case "declined":
    case "not_run":
      return `Not ${participle}`;
  }
}

export function describe(item: Pick<Item, "content" | "status">): Line {
  const { content, status } = item;
  switch (content.kind) {
    case "command":
      return {
        icon: "terminal",
        // One that failed without a code was cut short or never began: only that is known.
        verb: status === "failed" ? (content.exit_code === null ? "Did not finish" : "Ran") : said("run", status),
        target: firstLine(content.command),
        code: true,
        problem: content.exit_code ? `exit ${content.exit_code}` : undefined,
      };
    case "file_change":
      return {
        icon: "edit",
        verb: said(({ created: "create", edited: "edit", deleted: "delete" } as const)[content.change], status),
        target: content.path,
        code: true,
        additions: content.additions,
        deletions: content.deletions,
      };
    case "read":
      return { icon: "read", verb: said("read", status), target: content.path, code: true };
    case "search":
      return { icon: "search", verb: said("search", status), target: content.query, code: true, note: searchNote(content) };
    case "web":
      return { icon: "web", verb: said("fetch", status), target: content.target, code: true };
    case "mcp_call":
      // It may have been called and have failed there.
      return { icon: "plug", verb: status === "failed" ? "Call failed" : said("call", status), target: content.tool, code: true, note: content.server };
    case "sub_agent":
      return { icon: "agent", verb: subAgent(content.agent, status), target: content.task, code: false };
    case "todo_list": {
      const done = content.todos.filter((t) => t.status === "completed").length;
      return { icon: "list", verb: "Todo list", target: `${done} of ${content.todos.length} done`, code: false };
    }
    case "plan":
      return { icon: "plan", verb: said("plan", status), target: content.path ?? "", code: true };
    case "question":
      return { icon: "question", verb: question[status], target: content.title, code: false };
    case "compaction":
      return { icon: "compact", verb: said("compact", status), target: "", code: false, note: content.automatic ? "automatic" : undefined };
    case "tool":
      return { icon: "tool", verb: status === "failed" ? "Failed" : (content.title ?? said("use", status)), target: content.name, code: true };
    case "user_message":
      return { icon: "tool", verb: "You added", target: "", code: false };
    case "agent_message":
    case "reasoning":
    case "notice":
    case "error":
      return { icon: "tool", verb: "", target: "", code: false };
  }
}

const question = {
  running: "Asking",
  waiting: "Asking",
  done: "Asked",
  failed: "Not answered",
  declined: "Skipped",
  not_run: "Not answered",
} satisfies Record<ItemStatus, string>;

function subAgent(agent: string, status: ItemStatus): string {
  switch (status) {
    case "running":
    case "done":
      return `Agent ${agent}`;
    case "waiting":
      return `Waiting to start agent ${agent}`;
    case "failed":
      return `Agent ${agent} failed`;
    case "declined":
    case "not_run":
      return `Not started: agent ${agent}`;
  }
}

/** Whether it went wrong: a command that ended with another code than 0 did too. */
export function hasFailed(item: Pick<Item, "content" | "status">): boolean {
  return item.status === "failed" || (item.status === "done" && item.content.kind === "command" && !!item.content.exit_code);
}

/** Whether it was held up by a person's answer, or the want of one, and did nothing. */
export function isUnrun(status: ItemStatus): boolean {
  return status === "waiting" || status === "declined" || status === "not_run";
}

/** A run of reads and searches as one line; those that failed are counted apart. */
export function describeRun(all: readonly Pick<Item, "content" | "status">[]): { verb: string; targets: string[] } {
  const items = all.filter((item) => item.status !== "failed");
  const kinds = new Set(all.map((item) => item.content.kind));
  if (!items.length) return { verb: kinds.size > 1 ? "Could not read or search" : kinds.has("read") ? `Could not read ${plural(all.length, "file")}` : "Could not search", targets: [] };
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
