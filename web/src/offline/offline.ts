// The page without its server: it is opened from what the browser kept, says that Baton cannot be
// reached, and gets itself anew once Baton is back.

import { recall, remember } from "../lib/storage";

/** Lets the browser keep the page, where it can. */
export function keepShell(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("./sw.js", { scope: "./", updateViaCache: "none" }).catch(() => {
    // Private windows and plain http have none: the page works without.
  });
}

/** Whether this page came from what the browser kept. */
export const isKept = (): boolean => document.documentElement.dataset.offline !== undefined;

const KEY = "renewed";
/** A page that came from there again so soon is not asked for once more. */
const AGAIN_MS = 60_000;

/** Whether a page is to be loaded anew, now that the server has answered. Never twice in a row. */
export function mayRenew(kept: boolean, last: number | undefined, now: number): boolean {
  return kept && !(last !== undefined && now - last < AGAIN_MS && now >= last);
}

/** Loads the page anew if it is one that was kept. The server has answered. */
export function renew(): void {
  const now = Date.now();
  // Without storage nothing says whether it was done already: then the kept page goes on.
  if (mayRenew(isKept(), recall<number>(KEY), now) && remember(KEY, now)) location.reload();
}
