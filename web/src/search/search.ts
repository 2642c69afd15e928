// Searching what was said in all threads: one question at a time, the newest words last.

import { createEffect, createSignal, on, onCleanup, type Accessor } from "solid-js";
import { api, explain } from "../api/client";
import type { SearchHit, SearchPage } from "../generated/wire";
import type { Route } from "../app/router";
import { isQuestion } from "./question";

/** Hits that are asked for at once. */
const PAGE = 20;
/** Hits that are kept; who wants more asks more precisely. */
export const MAX_HITS = 200;

export interface MessageSearch {
  /** What was found for the words that were answered last. */
  hits: Accessor<readonly SearchHit[]>;
  /** The words that were answered last. */
  answered: Accessor<string | undefined>;
  busy: Accessor<boolean>;
  problem: Accessor<string>;
  /** Whether there may be more. */
  more: Accessor<boolean>;
  /** Whether everything that is stored was looked at. */
  whole: Accessor<boolean>;
  loadMore(): void;
  again(): void;
}

/** Where a hit leads. */
export function routeOf(hit: Pick<SearchHit, "thread_id" | "turn" | "item">): Route {
  return { page: "thread", id: hit.thread_id, at: hit.item ?? hit.turn };
}

/** Keeps up with the words that are typed. Nothing is asked while they are no question. */
export function createMessageSearch(words: Accessor<string>, ask: typeof api.search = api.search): MessageSearch {
  const [answer, setAnswer] = createSignal<{ words: string; pages: SearchPage[] }>();
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  const sought = () => words().trim();

  let gone = false;
  onCleanup(() => (gone = true));
  let asking = false;
  const load = async (next: boolean) => {
    if (asking) return;
    asking = true;
    setBusy(true);
    setProblem("");
    try {
      for (let more = next; isQuestion(sought()); more = false) {
        const now = sought();
        const known = answer();
        const before = more && known?.words === now ? known.pages.at(-1)?.before : undefined;
        const page = await ask({ q: now, archived: true, limit: PAGE, ...(typeof before === "number" && { before }) });
        if (gone) return;
        if (now !== sought()) continue;
        setAnswer({ words: now, pages: typeof before === "number" ? [...known!.pages, page] : [page] });
        break;
      }
    } catch (error) {
      if (!gone) setProblem(explain(error));
    } finally {
      asking = false;
      if (!gone) setBusy(false);
    }
  };
  createEffect(
    on(sought, (now) => {
      if (isQuestion(now)) {
        if (now !== answer()?.words) void load(false);
      } else {
        setAnswer(undefined);
        setProblem("");
      }
    }),
  );

  const pages = () => answer()?.pages ?? [];
  const hits = () => pages().flatMap((page) => page.hits).slice(0, MAX_HITS);
  return {
    hits,
    answered: () => answer()?.words,
    busy,
    problem,
    more: () => hits().length < MAX_HITS && typeof pages().at(-1)?.before === "number",
    whole: () => pages().at(-1)?.whole ?? true,
    loadMore: () => void load(true),
    again: () => void load(answer()?.words === sought()),
  };
}
