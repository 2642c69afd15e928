// Which keys actions have, changed for all devices.

import { keysOf } from "../app/actions";
import { catalogue, entryOf, type ActionId } from "../app/catalogue";
import type { Binding } from "../app/keymap";
import { settings } from "./common";
import { changeSettings } from "./saving";

export const isChanged = (id: ActionId): boolean => settings().keys[id] !== undefined;

/** Gives an action other keys; its own ones again for nothing. */
export function setKeys(id: ActionId, keys: readonly Binding[] | undefined): void {
  const own = !keys || keys.join() === entryOf(id).keys.join();
  changeSettings({ keys: { [id]: own ? null : [...keys] } });
}

export function resetKeys(): void {
  changeSettings({ keys: Object.fromEntries(Object.keys(settings().keys).map((id) => [id, null])) });
}

/** All keys by action, to find conflicts. */
export function allKeys(): Map<ActionId, readonly Binding[]> {
  return new Map(catalogue.map((entry) => [entry.id, keysOf(entry.id)]));
}
