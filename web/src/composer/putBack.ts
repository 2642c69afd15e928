// What goes back into a thread's composer: a message taken back, or one that was not sent.

import { createSignal } from "solid-js";
import type { Attachment } from "../generated/wire";
import { loadDraft, loadFiles, saveDraft } from "./drafts";

const [returned, setReturned] = createSignal<{ place: string; text: string; files: readonly Attachment[] }>();

/** What was put back last, for the composer on screen. */
export { returned };

/** Puts a text before what is written there already, and its files beside what is attached. */
export function putBack(place: string, text: string, files: readonly Attachment[] = []): void {
  const draft = loadDraft(place);
  const joined = draft.trim() ? `${text}\n\n${draft}` : text;
  const held = loadFiles(place);
  const more = files.filter((file) => !held.some((known) => known.id === file.id));
  saveDraft(place, joined, [...held, ...more]);
  setReturned({ place, text: joined, files: more });
}
