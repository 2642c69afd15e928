// What is written and not sent, per thread, on this device.

import { recall, remember, rememberedKeys } from "../lib/storage";

const PREFIX = "draft.";
/** Drafts of threads long gone are dropped, the oldest first. */
const MAX_DRAFTS = 200;

interface Draft {
  text: string;
  at: number;
}

export function loadDraft(place: string): string {
  return recall<Draft>(PREFIX + place)?.text ?? "";
}

export function saveDraft(place: string, text: string): void {
  if (!text) {
    remember(PREFIX + place, undefined);
    return;
  }
  if (!remember(PREFIX + place, { text, at: Date.now() } satisfies Draft)) {
    prune(MAX_DRAFTS / 4);
    remember(PREFIX + place, { text, at: Date.now() } satisfies Draft);
  }
}

export function prune(keep = MAX_DRAFTS): void {
  const drafts = rememberedKeys(PREFIX).map((key) => ({ key, at: recall<Draft>(key)?.at ?? 0 }));
  drafts.sort((a, b) => b.at - a.at);
  for (const { key } of drafts.slice(keep)) remember(key, undefined);
}
