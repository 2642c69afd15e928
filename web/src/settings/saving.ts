// Changes the settings that hold on all devices: shown at once, saved by the server, and kept by
// this browser until it has.

import { createSignal } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import { toast } from "../app/toasts";
import type { Settings, SettingsPatch } from "../generated/wire";
import { onRemembered, recall, remember } from "../lib/storage";
import { settings, show, UNSAVED } from "./common";
import { changed, isNothing, joined, moved, rest, split } from "./patch";

/** How long it is waited for another try, where nothing says sooner that it may work. */
const RETRY_MS = 10_000;
/** Where devices kept these by themselves before the server did. */
const OLD = ["keys", "models", "enter"] as const;

/** What the server said last. */
let known: Settings | undefined;
let unsaved: SettingsPatch = recall<SettingsPatch>(UNSAVED) ?? {};
let saving = false;
/** Whether a person is to hear of the next failure. */
let telling = false;
let timer: ReturnType<typeof setTimeout> | undefined;

const [notSaved, setNotSaved] = createSignal<string>();

/** Why what was changed last is not saved yet. */
export { notSaved };

/** Changes the settings at once, and has them saved. */
export function changeSettings(patch: SettingsPatch): void {
  keep(joined(unsaved, patch));
  show(changed(known ?? settings(), unsaved));
  // Which models were used is of no such weight.
  void save(!isNothing({ ...patch, used: undefined }));
}

/**
 * Takes what the server says: a change, or `anew` what it has. A change may come after the answer to
 * a later one, and then says nothing new; what a server has anew may be of a backup.
 */
export function told(said: Settings, anew = false): void {
  if (!anew && known && said.revision < known.revision) return;
  known = said;
  moveOld(said);
  show(changed(said, unsaved));
  void save();
}

/**
 * Saves what is not, one change after the other. A failure is tried again later, and told where
 * this or a call since the last end was to `tell` it.
 */
export async function save(tell = false): Promise<void> {
  telling ||= tell;
  if (saving || !known) return;
  saving = true;
  clearTimeout(timer);
  try {
    while (!isNothing(unsaved)) await put(unsaved);
    setNotSaved();
  } catch (error) {
    setNotSaved(explain(error));
    if (telling) toast(`That is not saved yet: ${explain(error)}`, { tone: "bad" });
    timer = setTimeout(() => void save(), RETRY_MS);
  } finally {
    saving = telling = false;
  }
}

async function put(patch: SettingsPatch): Promise<void> {
  try {
    const next = await api.changeSettings(patch);
    // What another device changed meanwhile may have been told before.
    if (!known || next.revision > known.revision) known = next;
  } catch (error) {
    if (!isRefused(error)) throw error;
    // One that is refused must not take the others with it.
    const parts = split(patch);
    if (parts.length > 1) {
      for (const part of parts) await put(part);
      return;
    }
    toast(`That setting was not taken: ${explain(error)}`, { tone: "bad" });
  }
  keep(rest(unsaved, patch));
  show(changed(known ?? settings(), unsaved));
}

/** Whether the server has looked at it and will say the same again. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.offline) return false;
  return [400, 413, 422].includes(error.problem.status);
}

function keep(next: SettingsPatch): boolean {
  unsaved = next;
  return remember(UNSAVED, isNothing(next) ? undefined : next);
}

/** Moves what this device kept by itself to the server, once. */
function moveOld(said: Settings): void {
  const [keys, models, enter] = OLD.map((name) => recall<unknown>(name));
  if (keys === undefined && models === undefined && enter === undefined) return;
  if (!keep(joined(moved({ keys, models, enter }, said), unsaved))) return;
  for (const name of OLD) remember(name, undefined);
}

// Another tab of this browser changed something, or has saved it.
if (typeof window !== "undefined") {
  onRemembered((name) => {
    if (name !== UNSAVED) return;
    unsaved = recall<SettingsPatch>(UNSAVED) ?? {};
    if (known) show(changed(known, unsaved));
  });
}
