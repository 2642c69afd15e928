import "./Suggestions.css";
import { createEffect, For, onCleanup, onMount, Show, type JSX } from "solid-js";
import { Icon } from "./Icon";
import { Spinner } from "./Mark";
import { position } from "./Popover";
import type { Suggesting } from "./suggesting";
import { Words } from "./Words";

const MAX_HEIGHT = 320;

interface SuggestionsProps<Row> {
  list: Suggesting<Row>;
  /** The box it stands beside, as wide as it. */
  beside: () => HTMLElement;
  /** What the rows are called. */
  label: string;
  row: (row: Row) => JSX.Element;
  /** A row in full, for who points at it. */
  title?: (row: Row) => string;
  /** Stands below the rows: how to use them, unless there is something else to say. */
  foot?: JSX.Element;
  /** Stands for the rows while there are none. */
  nothing: JSX.Element;
}

/** The box of a list of suggestions, beside the field whose words it completes. The field keeps the focus. */
export function Suggestions<Row>(props: SuggestionsProps<Row>) {
  let box!: HTMLDivElement;
  const place = () => {
    const beside = props.beside().getBoundingClientRect();
    box.style.width = `${beside.width}px`;
    position(box, beside, "start", MAX_HEIGHT);
  };
  onMount(() => {
    box.showPopover();
    place();
    const seen = new ResizeObserver(place);
    seen.observe(box);
    seen.observe(props.beside());
    window.addEventListener("resize", place);
    onCleanup(() => {
      seen.disconnect();
      window.removeEventListener("resize", place);
    });
  });
  createEffect(() => {
    const row = props.list.optionId(props.list.at());
    if (props.list.found().length) box.querySelector(`#${CSS.escape(row)}`)?.scrollIntoView({ block: "nearest" });
  });
  return (
    <div
      ref={box}
      popover="manual"
      class="popover suggestions"
      tabindex="0"
      onKeyDown={(event) => props.list.key(event)}
      onPointerDown={(event) => event.preventDefault()}
      onFocusOut={(event) => props.list.left(event)}
    >
      <Show when={props.list.found().length} fallback={props.nothing}>
        <div role="listbox" id={props.list.id} aria-label={props.label}>
          <For each={props.list.found()}>
            {(row, index) => (
              <div
                role="option"
                class="suggestion"
                id={props.list.optionId(index())}
                aria-selected={index() === props.list.at()}
                title={props.title?.(row)}
                onPointerMove={() => props.list.setAt(index())}
                onClick={() => props.list.choose(row)}
              >
                {props.row(row)}
              </div>
            )}
          </For>
        </div>
        {props.foot}
      </Show>
    </div>
  );
}

/** The last line of a list: how to use it, or what else there is to say. */
export function SuggestionsFoot(props: { children?: JSX.Element }) {
  return (
    <p class="suggestions-foot" role="status">
      <Show when={props.children} fallback={<span class="suggestions-keys">↑ ↓ to choose, Enter or Tab to take, Esc to close</span>}>
        {props.children}
      </Show>
    </p>
  );
}

interface SuggestionsNoteProps {
  /** Why there is nothing to show. */
  problem: string;
  onAgain: () => void;
  /** Said while the rows are on their way. */
  waits: string | false;
  /** Said when there are none. */
  none: string;
}

/** What is said in place of rows: that they come, that there are none, or why they could not be had. */
export function SuggestionsNote(props: SuggestionsNoteProps) {
  return (
    <Show
      when={props.problem}
      fallback={
        <p class="suggestions-note" role="status">
          <Show when={props.waits} fallback={props.none}>
            <Spinner /> {props.waits}
          </Show>
        </p>
      }
    >
      <div class="suggestions-note" role="alert">
        <span class="bad">
          <Words text={props.problem} />
        </span>
        <button type="button" class="btn small" onClick={() => props.onAgain()}>
          <Icon name="refresh" size={14} />
          Try again
        </button>
      </div>
    </Show>
  );
}
