// The draft of a place, which several tabs may have open. What another tab writes is taken over
// where nothing was written since; else both are kept and a person says which one goes on.

import { createSignal, onCleanup, type Accessor } from "solid-js";
import { loadDraft, onDraft, saveDraft } from "./drafts";

/** Where the other tab's words are kept, beside a place's own. */
const other = (place: string) => `${place}~other`;

export type Step = "nothing" | "write" | "adopt" | "both";

/** What is to be done, by what this tab knew to be stored, what is written in it, and what is stored. */
export function meet(known: string, mine: string, stored: string): Step {
  if (stored === mine) return "nothing";
  if (stored === known) return "write";
  if (mine === known || mine === "") return "adopt";
  return stored === "" ? "write" : "both";
}

export interface SharedDraft {
  text: Accessor<string>;
  setText(text: string): void;
  /** Stores what is written, and never over what another tab wrote. */
  save(): void;
  /** What is stored now is what is written here. */
  settle(): void;
  /** What another tab wrote into the same place meanwhile. */
  other: Accessor<string>;
  takeOther(): void;
  dropOther(): void;
  /** Whether the browser keeps it. */
  kept: Accessor<boolean>;
}

export function createSharedDraft(place: string, onAdopt: () => void): SharedDraft {
  let known = loadDraft(place);
  const [text, setText] = createSignal(known);
  const [theirs, setTheirs] = createSignal(loadDraft(other(place)));
  const [kept, setKept] = createSignal(true);

  const write = () => {
    const done = saveDraft(place, text());
    setKept(done);
    if (done) known = text();
  };
  const keep = (words: string) => {
    setTheirs(words);
    saveDraft(other(place), words);
  };
  const save = () => {
    const stored = loadDraft(place);
    const step = meet(known, text(), stored);
    if (step === "adopt") {
      known = stored;
      setText(stored);
      onAdopt();
    } else if (step === "both") {
      keep(stored);
      write();
    } else write();
  };
  onCleanup(
    onDraft((changed) => {
      if (changed === other(place)) setTheirs(loadDraft(changed));
      if (changed !== place) return;
      const stored = loadDraft(place);
      const step = meet(known, text(), stored);
      // What this tab has not stored yet stays here until it is.
      if (step === "adopt") save();
      else if (step === "nothing" || step === "write") known = stored;
    }),
  );

  return {
    text,
    setText,
    save,
    settle: () => void (known = loadDraft(place)),
    other: theirs,
    takeOther() {
      const mine = text();
      setText(theirs());
      known = loadDraft(place);
      write();
      keep(mine);
      onAdopt();
    },
    dropOther: () => keep(""),
    kept,
  };
}
