// The sidebar: beside the page where there is room, else a drawer over it.

import { createSignal } from "solid-js";
import { recall, remember } from "../lib/storage";

const KEPT = "sidebar";

const [drawer, setDrawer] = createSignal(false);
const [hidden, setHidden] = createSignal(recall<string>(KEPT) === "hidden");
const narrowly = typeof matchMedia === "undefined" ? undefined : matchMedia("(max-width: 760px)");

export { drawer };
/** Whether it is put away where it would have a place; kept on this device. */
export const sidebarHidden = hidden;
export const openDrawer = () => setDrawer(true);
export const closeDrawer = () => setDrawer(false);

export function hideSidebar(hide: boolean): void {
  setHidden(hide);
  remember(KEPT, hide ? "hidden" : undefined);
}

/** Shows the sidebar, wherever it stands. */
export function showSidebar(): void {
  if (narrowly?.matches) openDrawer();
  else hideSidebar(false);
}

export function toggleSidebar(): void {
  if (narrowly?.matches) setDrawer(!drawer());
  else hideSidebar(!hidden());
}
