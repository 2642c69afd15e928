// Text that goes back into a thread's composer: a message taken back, or one that was not sent.

import { createSignal } from "solid-js";
import { loadDraft, saveDraft } from "./drafts";

const [returned, setReturned] = createSignal<{ place: string; text: string }>();

/** The last text that was put back, for the composer on screen. */
export { returned };

/** Puts a text before what is written there already. */
export function putBack(place: string, text: string): void {
  const draft = loadDraft(place);
  const joined = draft.trim() ? `${text}\n\n${draft}` : text;
  saveDraft(place, joined);
  setReturned({ place, text: joined });
}
