// What can be done now, and the one place that listens for keys.

import { createSignal, onCleanup, untrack } from "solid-js";
import { takesText } from "../lib/writing";
import { settings } from "../settings/common";
import { catalogue, entryOf, type ActionId, type Entry } from "./catalogue";
import { ariaKeys, bindingWords, isStroke, isText, strokeOf, strokesOf, type Binding } from "./keymap";

export interface Action extends Entry {
  id: ActionId;
  /** Whether it can be done now. */
  when(): boolean;
  run(event?: KeyboardEvent): void;
}

interface Handler {
  run: (event?: KeyboardEvent) => void;
  when: () => boolean;
}

// Who came last does it: what lies on top of the rest.
const [handlers, setHandlers] = createSignal<ReadonlyMap<ActionId, readonly Handler[]>>(new Map());

function change(id: ActionId, to: (list: readonly Handler[]) => readonly Handler[]): void {
  setHandlers((now) => new Map(now).set(id, to(now.get(id) ?? [])));
}

/** Says who does an action, as long as the component lives. */
export function useAction(id: ActionId, run: Handler["run"], when: () => boolean = () => true): void {
  const handler: Handler = { run, when };
  change(id, (list) => [...list, handler]);
  onCleanup(() => change(id, (list) => list.filter((other) => other !== handler)));
}

function actionOf(id: ActionId): Action {
  const able = () => handlers().get(id)?.findLast((handler) => handler.when());
  return { ...entryOf(id), id, when: () => able() !== undefined, run: (event) => able()?.run(event) };
}

/** Everything that can be done now. */
export function actions(): Action[] {
  return catalogue.map((entry) => actionOf(entry.id)).filter((action) => action.when());
}

export function runAction(id: ActionId): void {
  untrack(() => actionOf(id).run());
}

/** The keys of an action: those a person gave it, or its own. None is none. */
export function keysOf(id: ActionId): readonly Binding[] {
  const entry = entryOf(id);
  return entry.fixed ? entry.keys : (settings().keys[id] ?? entry.keys);
}

/** Whether a pressed key is one of an action, for what is done where the focus is. */
export function hasKey(id: ActionId, event: KeyboardEvent): boolean {
  const stroke = strokeOf(event);
  return stroke !== undefined && keysOf(id).includes(stroke);
}

/** An action's keys in words, after what it is called: ` (Ctrl+K)`. */
export function keyHint(id: ActionId): string {
  const keys = keysOf(id);
  return keys.length ? ` (${keys.map((key) => bindingWords(key)).join(", ")})` : "";
}

export const ariaKeysOf = (id: ActionId): string | undefined => ariaKeys(keysOf(id));

const AGAIN_WITHIN_MS = 1_500;

/** The action whose first stroke was pressed, while it waits for the next. */
const [begun, setBegun] = createSignal<{ id: ActionId; strokes: readonly string[] }>();
let timer: ReturnType<typeof setTimeout> | undefined;

export const begunAction = (): ActionId | undefined => begun()?.id;

function wait(next: { id: ActionId; strokes: readonly string[] } | undefined): void {
  clearTimeout(timer);
  setBegun(next);
  if (next) timer = setTimeout(() => setBegun(undefined), AGAIN_WITHIN_MS);
}

/** Listens for the keys of all actions, for as long as the component lives. */
export function listenForKeys(): void {
  const listen = (event: KeyboardEvent) => untrack(() => pressed(event));
  window.addEventListener("keydown", listen);
  onCleanup(() => {
    window.removeEventListener("keydown", listen);
    wait(undefined);
  });
}

function pressed(event: KeyboardEvent): void {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || event.getModifierState("AltGraph")) return;
  const stroke = strokeOf(event);
  if (!stroke) return;
  const before = begun()?.strokes ?? [];
  wait(undefined);
  // What lies on top has its own keys.
  if (document.querySelector("dialog[open]")) return;
  if (isText(stroke) && takesText(event.target)) return;
  for (const strokes of before.length ? [[...before, stroke], [stroke]] : [[stroke]]) {
    if (take(strokes, event)) return;
  }
}

/** Does what the strokes mean, or waits for the rest of them. */
function take(strokes: readonly string[], event: KeyboardEvent): boolean {
  for (const { id, fixed } of catalogue as readonly (Entry & { id: ActionId })[]) {
    // What belongs to one place is done there, unless somebody says that it is done everywhere.
    if (fixed && !handlers().get(id)?.length) continue;
    for (const binding of keysOf(id)) {
      const all = strokesOf(binding);
      if (strokes.length > all.length || !strokes.every((stroke, i) => isStroke(all[i]!, stroke))) continue;
      const action = actionOf(id);
      if (!action.when()) continue;
      if (strokes.length < all.length) {
        // A first Escape also closes what is open.
        if (document.querySelector("[popover]:popover-open")) return false;
        wait({ id, strokes });
        return true;
      }
      event.preventDefault();
      action.run(event);
      return true;
    }
  }
  return false;
}
