// The panel beside a thread: which of its tabs is open and how wide it is, as far as the page needs
// it to be laid out. It stands beside the thread where there is room for both, and is kept so on
// this device; elsewhere it lies over it.

import { batch, createSignal } from "solid-js";
import { recall } from "../lib/storage";

export const KEPT = { tab: "panel", width: "panel.width" };

/** How wide it may be, in pixels. The page takes some of it where the thread needs the room. */
export const WIDTH = { least: 300, first: 380, most: 900 };

/** The width that is nearest to a wish and allowed, in whole pixels. */
export function fitWidth(wish: unknown): number {
  return Number.isFinite(wish) ? Math.round(Math.min(WIDTH.most, Math.max(WIDTH.least, wish as number))) : WIDTH.first;
}

/** The tab that is kept as the open one. */
export function keptTab(): string | undefined {
  const tab = recall<unknown>(KEPT.tab);
  return typeof tab === "string" ? tab : undefined;
}

const wide = typeof matchMedia === "undefined" ? undefined : matchMedia("(min-width: 1100px)");
const room = () => wide?.matches ?? true;

/** Whether there is room for it beside the thread. */
export const [docks, setDocks] = createSignal(room());
/** The tab that is open, by its id. */
export const [openTab, setOpenTab] = createSignal(room() ? keptTab() : undefined);
export const [width, setWidth] = createSignal(fitWidth(recall(KEPT.width)));

wide?.addEventListener("change", () => {
  batch(() => {
    setDocks(room());
    // One that lies over the thread is opened by a person alone.
    setOpenTab(room() ? (openTab() ?? keptTab()) : undefined);
  });
});
