import "./NoSuchCommand.css";
import { onMount, Show } from "solid-js";
import type { UnknownCommand } from "./commands";

/** Asks what is meant by a message that begins like a command there is none of. */
export function NoSuchCommand(props: { unknown: UnknownCommand; agent: string; onUse: () => void; onSend: () => void; onClose: () => void }) {
  let box!: HTMLDivElement;
  onMount(() => box.querySelector("button")?.focus({ preventScroll: true }));
  return (
    <div
      ref={box}
      class="no-command"
      role="group"
      aria-label="No such command"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        // It closes this, and is no part of stopping the turn.
        event.preventDefault();
        event.stopPropagation();
        props.onClose();
      }}
    >
      <p class="grow" role="alert">
        {props.agent} has no command <code>/{props.unknown.name}</code> here.
      </p>
      <Show when={props.unknown.near}>
        {(near) => (
          <button type="button" class="btn small" onClick={() => props.onUse()}>
            Use <code>/{near().name}</code>
          </button>
        )}
      </Show>
      <button type="button" class="btn small" onClick={() => props.onSend()}>
        Send as text
      </button>
    </div>
  );
}
