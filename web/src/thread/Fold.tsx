import { createSignal, Show, type JSX } from "solid-js";

/** One line that opens to more. What is inside exists only while it is open. */
export function Fold(props: {
  class?: string;
  /** Whether it is open as long as nobody has chosen. */
  open?: boolean;
  line: JSX.Element;
  children: JSX.Element;
  disabled?: boolean;
  label?: string;
}) {
  const [chosen, setChosen] = createSignal<boolean>();
  const open = () => !props.disabled && (chosen() ?? props.open ?? false);
  return (
    <div class={`fold ${props.class ?? ""}`} data-open={open() ? "" : undefined}>
      <button type="button" class="fold-line" aria-expanded={props.disabled ? undefined : open()} aria-label={props.label} disabled={props.disabled} onClick={() => setChosen(!open())}>
        {props.line}
      </button>
      <Show when={open()}>
        <div class="fold-body">{props.children}</div>
      </Show>
    </div>
  );
}
