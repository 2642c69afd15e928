import "./Suggestions.css";
import { createEffect, onCleanup, onMount, Show, type JSX } from "solid-js";
import { position } from "./Popover";

const MAX_HEIGHT = 320;

/** What a list beside a field needs of whoever keeps its state. */
export interface SuggestionState {
  /** The id of the list. */
  id: string;
  open: () => boolean;
  count: () => number;
  /** The row that Enter takes. */
  at: () => number;
  optionId: (index: number) => string;
  /** Whether a key was for the list. */
  key: (event: KeyboardEvent) => boolean;
  /** The focus goes elsewhere. */
  left: (event: FocusEvent) => void;
}

/** The box of a list of suggestions, beside the field whose words it completes. The field keeps the focus. */
export function Suggestions(props: { state: SuggestionState; beside: () => HTMLElement; children: JSX.Element }) {
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
    const row = props.state.optionId(props.state.at());
    if (props.state.count()) box.querySelector(`#${CSS.escape(row)}`)?.scrollIntoView({ block: "nearest" });
  });
  return (
    <div
      ref={box}
      popover="manual"
      class="popover suggestions"
      tabindex="0"
      onKeyDown={(event) => props.state.key(event)}
      onPointerDown={(event) => event.preventDefault()}
      onFocusOut={(event) => props.state.left(event)}
    >
      {props.children}
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
