// What a person set for all of their devices, as far as this page knows: what the server said last,
// with what it has not taken yet. What changes it is in `saving.ts`, which the first paint does not need.

import { createSignal } from "solid-js";
import type { Settings } from "../generated/wire";
import { recall, remember } from "../lib/storage";
import { asTheyCome } from "../sync/state";

/** The settings as they were shown last, so that keys do what they should before the server says so. */
const SHOWN = "settings";
/** Where what the server has not taken yet is kept. */
export const UNSAVED = "settings.unsaved";

const kept = recall<Settings>(SHOWN);
const [settings, setSettings] = createSignal<Settings>(kept?.keys && kept.models ? kept : asTheyCome);

export { settings };

/** Shows these from now on, also at the page's next start. */
export function show(next: Settings): void {
  setSettings(next);
  remember(SHOWN, next);
}
