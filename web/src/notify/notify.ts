// What a person who looks elsewhere is told of. Pure: what happened to the threads, what is said of
// it, and who says it.

import type { Thread } from "../generated/wire";
import { waitsForPerson } from "../thread/status";

export type Kind = "needs" | "done" | "failed";

export type Seen = Pick<Thread, "id" | "title" | "status" | "open_requests" | "queued" | "queue_held" | "unread" | "archived">;

export interface News {
  kind: Kind;
  thread: string;
  title: string;
}

/** What a row was when it was last looked at. */
type Before = Readonly<Record<string, Pick<Seen, "status" | "open_requests" | "queued" | "queue_held">>>;

/** What became of threads since; nothing of those that were not known before. */
export function happened(before: Before, now: readonly Seen[]): News[] {
  return now.flatMap((thread) => {
    const was = before[thread.id];
    const kind = was && !thread.archived ? kindOf(was, thread) : undefined;
    return kind ? [{ kind, thread: thread.id, title: thread.title || "New thread" }] : [];
  });
}

function kindOf(was: Before[string], now: Seen): Kind | undefined {
  if (now.status === "needs_you") return was.status !== "needs_you" || now.open_requests > was.open_requests ? "needs" : undefined;
  if (now.status === "failed") return was.status !== "failed" ? "failed" : undefined;
  if (now.status !== "idle" || was.status === "idle" || was.status === "failed") return undefined;
  // One that was stopped with messages behind it waits for a person.
  return waitsForPerson(now) ? "needs" : "done";
}

export const kinds: readonly Kind[] = ["needs", "done", "failed"];

export const kindWords: Record<Kind, string> = { needs: "Needs you", done: "Done", failed: "Failed" };

/** What happened and has not been looked at since. */
export function stillNews(news: ReadonlyMap<string, Kind>, rows: Readonly<Record<string, Seen>>): Map<string, Kind> {
  return new Map([...news].filter(([id, kind]) => rows[id] && (kind === "needs" ? waitsForPerson(rows[id]) : rows[id].unread)));
}

/** The page's title: what needs a person first, then what went wrong, then what is done. */
export function titleOf(needs: number, news: readonly Kind[], working: boolean): { title: string; badge: Kind | "working" | "none" } {
  const failed = news.filter((kind) => kind === "failed").length;
  const done = news.filter((kind) => kind === "done").length;
  if (needs) return { title: `(${needs}) Baton`, badge: "needs" };
  if (failed) return { title: `${failed} failed · Baton`, badge: "failed" };
  if (done) return { title: `${done} done · Baton`, badge: "done" };
  return { title: "Baton", badge: working ? "working" : "none" };
}

export interface Settings {
  /** What is told. */
  needs: boolean;
  done: boolean;
  failed: boolean;
  /** How: the page's title and icon, the desktop, a sound. */
  title: boolean;
  desktop: boolean;
  sound: boolean;
}

export const defaults: Settings = { needs: true, done: true, failed: true, title: true, desktop: false, sound: false };

/** Where a person of this browser is looking: a thread, another page of Baton, or not at it. */
export type Looking = { tab: string; thread: string | null } | undefined;

/** How news is told by one tab: not at all, on its page, or by the system. */
export function way(news: News, looking: Looking, tab: string): "not" | "page" | "system" {
  if (!looking) return "system";
  // Another tab is in front: it tells.
  if (looking.tab !== tab || looking.thread === news.thread) return "not";
  return "page";
}

/** More news at once than this is told in one sentence. */
const AT_ONCE = 3;

/** News in words: one by one, or together when it is much. */
export function told(news: readonly News[]): { title: string; body: string; thread?: string; kind: Kind }[] {
  if (news.length <= AT_ONCE) return news.map(({ kind, title, thread }) => ({ title: kindWords[kind], body: title, thread, kind }));
  const parts = kinds.flatMap((kind) => {
    const many = news.filter((one) => one.kind === kind).length;
    return many ? [`${many} ${{ needs: many === 1 ? "needs you" : "need you", done: "done", failed: "failed" }[kind]}`] : [];
  });
  return [{ title: `${news.length} threads`, body: parts.join(", "), kind: worst(news) }];
}

export const worst = (news: readonly News[]): Kind => (["needs", "failed", "done"] as const).find((kind) => news.some((one) => one.kind === kind)) ?? "done";
