import { createSignal, onMount, Show, type JSX } from "solid-js";

/** A text that is edited in its place; Enter keeps, Escape leaves. */
export function EditableTitle(props: {
  value: string;
  editing: boolean;
  label: string;
  onDone: (value: string | null) => void;
  children: JSX.Element;
}) {
  return (
    <Show when={props.editing} fallback={props.children}>
      <TitleInput value={props.value} label={props.label} onDone={props.onDone} />
    </Show>
  );
}

const MAX_TITLE = 200;

function TitleInput(props: { value: string; label: string; onDone: (value: string | null) => void }) {
  let input!: HTMLInputElement;
  const [left, setLeft] = createSignal(false);
  onMount(() => {
    input.focus();
    input.select();
  });
  const done = (keep: boolean) => {
    if (left()) return;
    setLeft(true);
    const value = input.value.trim();
    props.onDone(keep && value && value !== props.value ? value : null);
  };
  return (
    <input
      ref={input}
      class="title-input"
      value={props.value}
      aria-label={props.label}
      maxlength={MAX_TITLE}
      onClick={(event) => event.preventDefault()}
      onBlur={() => done(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.isComposing) return;
        if (event.key === "Enter") done(true);
        if (event.key === "Escape") done(false);
      }}
    />
  );
}
