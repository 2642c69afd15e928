// What is written and not sent, with its files, per thread, on this device. Of a file its name and
// id are kept here; the server keeps the file itself for a day after it was last looked at.

import type { Attachment } from "../generated/wire";
import { onRemembered, recall, remember, rememberedKeys } from "../lib/storage";

const PREFIX = "draft.";
/** Drafts of threads long gone are dropped, the oldest first. */
const MAX_DRAFTS = 200;

interface Draft {
  text: string;
  files?: readonly Attachment[];
  at: number;
}

export function loadDraft(place: string): string {
  return recall<Draft>(PREFIX + place)?.text ?? "";
}

/** The files that were attached. The server may have dropped them since. */
export function loadFiles(place: string): readonly Attachment[] {
  const files = recall<Draft>(PREFIX + place)?.files;
  return Array.isArray(files) ? files : [];
}

/** Returns whether it is kept. */
export function saveDraft(place: string, text: string, files: readonly Attachment[] = loadFiles(place)): boolean {
  if (!text && files.length === 0) {
    return remember(PREFIX + place, undefined);
  }
  const kept = recall<Draft>(PREFIX + place);
  // Looking at a draft, or leaving it, is no change of it.
  if (kept?.text === text && JSON.stringify(kept.files ?? []) === JSON.stringify(files)) return true;
  const draft = { text, ...(files.length && { files }), at: Date.now() } satisfies Draft;
  if (remember(PREFIX + place, draft)) return true;
  prune(MAX_DRAFTS / 4);
  return remember(PREFIX + place, draft);
}

/** Tells of drafts that other tabs store, until what is returned is called. */
export function onDraft(changed: (place: string) => void): () => void {
  return onRemembered((key) => key.startsWith(PREFIX) && changed(key.slice(PREFIX.length)));
}

/** The places with this beginning that have a draft. */
export function draftPlaces(start: string): string[] {
  return rememberedKeys(PREFIX + start).map((key) => key.slice(PREFIX.length));
}

export function prune(keep = MAX_DRAFTS): void {
  const drafts = rememberedKeys(PREFIX).map((key) => ({ key, at: recall<Draft>(key)?.at ?? 0 }));
  drafts.sort((a, b) => b.at - a.at);
  for (const { key } of drafts.slice(keep)) remember(key, undefined);
}
