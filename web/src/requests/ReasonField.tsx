import { onMount } from "solid-js";

/** A short text that goes with an answer. */
export function ReasonField(props: { text: string; onText: (text: string) => void; label: string; action: string; busy: boolean; onSend: (text: string) => void; onCancel: () => void }) {
  const text = () => props.text;
  let field!: HTMLTextAreaElement;
  // What was left half-written and is come back to does not take the focus.
  onMount(() => !props.text && field.focus());
  const send = () => {
    if (text().trim() && !props.busy) props.onSend(text().trim());
  };
  return (
    <div class="reason">
      <textarea
        ref={field}
        class="field"
        rows="2"
        aria-label={props.label}
        placeholder={`${props.label}…`}
        value={text()}
        onInput={(event) => props.onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.isComposing || event.keyCode === 229) return;
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            send();
          } else if (event.key === "Escape") {
            event.stopPropagation();
            props.onCancel();
          }
        }}
      />
      <div class="choices">
        <button type="button" class="btn primary" disabled={props.busy || !text().trim()} onClick={send}>
          {props.action}
        </button>
        <button type="button" class="btn quiet" onClick={() => props.onCancel()}>
          Back
        </button>
      </div>
    </div>
  );
}
