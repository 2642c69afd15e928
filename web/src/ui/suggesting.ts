// A list beside a field that completes what is being typed in it: when it is open, which row the
// keys stand on, and which keys are for it. The rows are drawn by `Suggestions.tsx`.

import { createEffect, createMemo, createSignal, createUniqueId, on } from "solid-js";

export interface SuggestingOptions<Row, Sought> {
  text: () => string;
  area: () => HTMLTextAreaElement;
  /** What the list would complete at a caret; nothing where it has no place. */
  typed: (text: string, caret: number) => Sought | undefined;
  found: () => readonly Row[];
  choose: (row: Row) => void;
  /** What Enter and Tab do other than to take the row: the key is spent, or it is not for the list. */
  instead?: (event: KeyboardEvent) => "spent" | "passed" | undefined;
}

export function createSuggesting<Row, Sought>(options: SuggestingOptions<Row, Sought>) {
  const id = createUniqueId();
  const [caret, setCaret] = createSignal(0);
  const [wanted, setWanted] = createSignal(false);
  const [at, setAt] = createSignal(0);
  const sought = createMemo(() => options.typed(options.text(), caret()));
  const open = createMemo(() => wanted() && sought() !== undefined);
  createEffect(on([open, sought], () => setAt(0)));

  /** Escape closes it for as long as the same thing is typed. */
  let dismissed = false;
  const close = () => setWanted(false);
  const step = (by: 1 | -1) => {
    const count = options.found().length;
    setAt((at() + count + by) % count);
  };

  return {
    id,
    open,
    sought,
    at,
    setAt,
    found: options.found,
    choose: options.choose,
    close,
    optionId: (index: number) => `${id}-${index}`,
    /** Takes note of what was typed. */
    typed: () => {
      setCaret(options.area().selectionStart);
      if (sought() === undefined) dismissed = false;
      setWanted(sought() !== undefined && !dismissed);
    },
    /** Takes note of where the caret went. */
    moved: () => setCaret(options.area().selectionStart),
    /** Goes on from a caret that was put there by the list itself. */
    goOn: (to: number) => {
      setCaret(to);
      setWanted(sought() !== undefined);
    },
    /** Closes it when the focus goes elsewhere than between the field and the list. */
    left: (event: FocusEvent) => {
      const to = event.relatedTarget as Element | null;
      if (to !== options.area() && !to?.closest(".suggestions")) close();
    },
    /** Whether a key was for the list. */
    key: (event: KeyboardEvent): boolean => {
      if (!open() || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
      const row = options.found()[at()];
      const takes = event.key === "Tab" || event.key === "Enter";
      const instead = takes ? options.instead?.(event) : undefined;
      if (instead === "passed") return false;
      if (event.key === "Escape") {
        dismissed = true;
        close();
      } else if (instead !== "spent") {
        if (!row) return false;
        if (event.key === "ArrowDown") step(1);
        else if (event.key === "ArrowUp") step(-1);
        else if (takes) options.choose(row);
        else return false;
      }
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}

/** What is drawn of a list, whatever its rows are. */
export type Suggesting<Row> = Omit<ReturnType<typeof createSuggesting<Row, unknown>>, "sought">;
