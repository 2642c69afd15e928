import "./MessageHits.css";
import { For, Show } from "solid-js";
import { useBaton } from "../app/baton";
import { hrefOf, navigate } from "../app/router";
import type { SearchHit } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, exact } from "../lib/format";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";
import { NoTitle } from "./NoTitle";
import { createMessageSearch, MAX_HITS, routeOf } from "./search";

/**
 * What was said that has the words, below the threads whose titles have them. `untitled`: no
 * thread's title has them, which is said where nothing was said with them either.
 */
export function MessageHits(props: { words: string; untitled: boolean; onChosen: () => void }) {
  const search = createMessageSearch(() => props.words);
  return (
    <>
      <Show when={props.untitled && search.hits().length === 0}>
        <NoTitle words={props.words} />
      </Show>
      <section class="side-group hits" aria-label="In messages">
        <h2>
          In messages
          <Show when={search.busy()}>
            <Spinner />
          </Show>
        </h2>
        <ul>
          <For each={search.hits()}>{(hit) => <Hit hit={hit} onChosen={props.onChosen} />}</For>
        </ul>
        <Show when={search.problem()}>
          <div class="side-note bad" role="alert">
            <p>
              <Words text={search.problem()} />
            </p>
            <button type="button" class="btn small" onClick={() => search.again()}>
              <Icon name="refresh" size={14} /> Try again
            </button>
          </div>
        </Show>
        <Show when={search.more() && !search.problem()}>
          <button type="button" class="side-action" disabled={search.busy()} onClick={() => search.loadMore()}>
            More messages
          </button>
        </Show>
        <p class="side-note" role="status">
          <Show when={search.answered() !== undefined && !search.busy() && !search.problem()}>
            {search.hits().length === 0 && `No message has “${search.answered()}”. `}
            {search.hits().length >= MAX_HITS && "These are the newest: further words find the rest. "}
            {!search.whole() && "Older messages are still being read in."}
          </Show>
        </p>
      </section>
    </>
  );
}

function Hit(props: { hit: SearchHit; onChosen: () => void }) {
  const baton = useBaton();
  const to = () => routeOf(props.hit);
  const project = () => baton.state.shell.projects[props.hit.project_id]?.name;
  return (
    <li class="row hit">
      <a
        class="row-link"
        href={hrefOf(to())}
        title={`${props.hit.title || "New thread"}${project() ? ` · ${project()}` : ""} · ${exact(props.hit.at)}`}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          navigate(to());
          props.onChosen();
        }}
      >
        <span class="hit-head">
          <span class="row-title ellip grow">{props.hit.title || "New thread"}</span>
          <Show when={props.hit.archived}>
            <span class="tag">archived</span>
          </Show>
          <span class="row-age">{age(props.hit.at, minuteClock())}</span>
        </span>
        <bdi class="hit-text">
          <For each={props.hit.pieces}>{(piece) => (piece.hit ? <mark>{piece.text}</mark> : piece.text)}</For>
        </bdi>
      </a>
    </li>
  );
}
