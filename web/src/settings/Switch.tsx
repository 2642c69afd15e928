import type { JSX } from "solid-js";

/** A setting that is on or off, with what it means. */
export function Switch(props: { label: string; on: boolean; disabled?: boolean; onChange: (on: boolean) => void; children?: JSX.Element }) {
  return (
    <label class="setting-switch" data-off={props.disabled ? "" : undefined}>
      <input type="checkbox" role="switch" checked={props.on} disabled={props.disabled} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>
        {props.label}
        <span class="setting-note">{props.children}</span>
      </span>
    </label>
  );
}
