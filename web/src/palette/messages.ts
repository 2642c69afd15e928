// Messages in the palette: what was said in any thread, as the server finds it.

import { api } from "../api/client";
import type { Baton } from "../app/baton";
import { navigate } from "../app/router";
import type { SearchHit } from "../generated/wire";
import { isQuestion } from "../search/question";
import { routeOf } from "../search/search";
import type { Span } from "./rank";
import type { Row, Source } from "./source";

const SHOWN = 6;
/** A word that is still being written is not asked for. */
const WAIT_MS = 120;

export function messages(baton: Baton): Source {
  return {
    id: "messages",
    search(query, signal) {
      const words = query.trim();
      if (!isQuestion(words)) return [];
      return (async () => {
        await new Promise((done) => setTimeout(done, WAIT_MS));
        if (signal.aborted) return [];
        const page = await api.search({ q: words, archived: true, limit: SHOWN });
        return page.hits.map((hit) => row(hit, baton.state.shell.projects[hit.project_id]?.name));
      })();
    },
  };
}

function row(hit: SearchHit, project: string | undefined): Row {
  const { title, spans } = joined(hit.pieces);
  return {
    id: `message:${hit.thread_id}:${hit.item ?? hit.turn}`,
    title,
    spans,
    detail: [hit.title || "New thread", project].filter(Boolean).join(" · "),
    group: "Messages",
    icon: "read",
    run: () => navigate(routeOf(hit)),
  };
}

/** The pieces as one text, with the places of those that were found. */
export function joined(pieces: readonly { text: string; hit: boolean }[]): { title: string; spans: Span[] } {
  let title = "";
  const spans: Span[] = [];
  for (const { text, hit } of pieces) {
    if (hit) spans.push([title.length, title.length + text.length]);
    title += text;
  }
  return { title, spans };
}
