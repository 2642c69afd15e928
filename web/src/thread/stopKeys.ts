// Stop is always one key away: Escape twice, or Ctrl/⌘ and the full stop.

import { createSignal, onCleanup, type Accessor } from "solid-js";

const TWICE_WITHIN_MS = 1_500;

/** Listens while it may stop; returns what to tell a person after the first Escape. */
export function useStopKeys(mayStop: () => boolean, stop: () => void): Accessor<string> {
  const [hint, setHint] = createSignal("");
  let timer: ReturnType<typeof setTimeout> | undefined;

  const forget = () => {
    clearTimeout(timer);
    setHint("");
  };
  const listen = (event: KeyboardEvent) => {
    if (event.isComposing || event.defaultPrevented || !mayStop()) return;
    if (event.key === "." && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      forget();
      stop();
    } else if (event.key === "Escape" && !document.querySelector("dialog[open], [popover]:popover-open")) {
      if (hint()) {
        forget();
        stop();
        return;
      }
      setHint("Press Escape again to stop");
      timer = setTimeout(forget, TWICE_WITHIN_MS);
    } else if (hint()) forget();
  };
  window.addEventListener("keydown", listen);
  onCleanup(() => {
    window.removeEventListener("keydown", listen);
    clearTimeout(timer);
  });
  return hint;
}
