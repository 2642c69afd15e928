import { Show } from "solid-js";

/** Lines added and removed, where there are any. */
export function Stat(props: { additions?: number; deletions?: number }) {
  return (
    <Show when={props.additions || props.deletions}>
      <span class="stat">
        <Show when={props.additions}>
          <span class="plus">+{props.additions}</span>{" "}
        </Show>
        <Show when={props.deletions}>
          <span class="minus">−{props.deletions}</span>
        </Show>
      </span>
    </Show>
  );
}
