// Answers that are not given yet: what is chosen and written stays with its request, on this
// device, over a change of threads or a reload.

import { createEffect, createSignal, on, onCleanup, type Accessor, type Setter } from "solid-js";
import type { RequestId } from "../generated/wire";
import { recall, remember } from "../lib/storage";

/** Among the drafts, so that the oldest of all go first. */
const KEY = "draft.answer.";

export interface Half {
  /** The options chosen, per question. */
  chosen?: string[][];
  /** Own words, per question. */
  own?: string[];
  /** Why not, or what to change; present while it is being written. */
  reason?: string;
}

export function loadHalf(request: RequestId): Half {
  const { at: _, ...half } = recall<Half & { at?: number }>(KEY + request) ?? {};
  return half;
}

export function saveHalf(request: RequestId, change: Half): void {
  const half = { ...loadHalf(request), ...change };
  const empty = half.reason === undefined && !half.chosen?.some((list) => list.length) && !half.own?.some(Boolean);
  remember(KEY + request, empty ? undefined : { ...half, at: Date.now() });
}

/** Forgets it: the request is answered. */
export const dropHalf = (request: RequestId) => void remember(KEY + request, undefined);

/** The reason that is being written with an answer, if any. */
export function createReason(request: RequestId): [Accessor<string | undefined>, Setter<string | undefined>] {
  const [reason, setReason] = createSignal(loadHalf(request).reason);
  keepHalf(request, () => ({ reason: reason() }));
  return [reason, setReason];
}

const AFTER_MS = 200;

/** Stores a part of a half-written answer soon after it changed, and at the latest when it is left. */
export function keepHalf(request: RequestId, part: Accessor<Half>): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const save = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    saveHalf(request, part());
  };
  createEffect(
    on(part, () => {
      clearTimeout(timer);
      timer = setTimeout(save, AFTER_MS);
    }, { defer: true }),
  );
  window.addEventListener("pagehide", save);
  onCleanup(() => {
    save();
    window.removeEventListener("pagehide", save);
  });
}
