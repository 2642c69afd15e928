// Opening, closing and widening the panel, with what that means for the focus.

import { untrack } from "solid-js";
import { focusMain } from "../app/focus";
import { remember } from "../lib/storage";
import { docks, fitWidth, KEPT, keptTab, openTab, setOpenTab, setWidth, width, WIDTH } from "./state";

/** The tab that was open last. */
let last = untrack(openTab);
/** What had the focus before it was opened. */
let before: Element | null = null;
/** Whether it was opened by a person, and so takes the focus. */
let wanted = false;

/** Opens a tab, the one that was open last unless it is said which. */
export function openPanel(tab = last ?? keptTab() ?? "tasks"): void {
  if (!openTab()) before = document.activeElement;
  last = tab;
  // A tab that is open already has nothing to take the focus for.
  wanted = tab !== openTab();
  if (docks()) remember(KEPT.tab, tab);
  setOpenTab(tab);
}

/** Closes it, and gives the focus back. */
export function closePanel(): void {
  if (!openTab()) return;
  if (docks()) remember(KEPT.tab, undefined);
  const had = document.activeElement === document.body || !!document.activeElement?.closest(".panel, .panel-sheet");
  setOpenTab(undefined);
  if (!had) return;
  if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus({ preventScroll: true });
  else focusMain();
}

/** Opens a tab, or closes it when it is the one that is open; without one the panel as a whole. */
export function togglePanel(tab?: string): void {
  if (openTab() && (tab === undefined || tab === openTab())) closePanel();
  else openPanel(tab);
}

/** Whether it is to take the focus; asking answers it. */
export function takeWanted(): boolean {
  const now = wanted;
  wanted = false;
  return now;
}

/** Makes it so wide; `keep` on this device too. */
export function widen(wish: number, keep: boolean): void {
  setWidth(fitWidth(wish));
  if (keep) remember(KEPT.width, width() === WIDTH.first ? undefined : width());
}
