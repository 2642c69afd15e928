// Short messages about something a person just did.

import { createSignal } from "solid-js";
import { explain } from "../api/client";

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "bad";
  action?: { label: string; run: () => void };
  /** The thread that the action leads to. */
  thread?: string;
  /** Whether it is still of use on another page, since what it says leads there. */
  stays?: boolean;
}

const MAX_SHOWN = 3;
const PLAIN_MS = 6_000;
const BAD_MS = 12_000;

const [toasts, setToasts] = createSignal<readonly Toast[]>([]);
let last = 0;

export { toasts };

export function toast(text: string, options: Partial<Omit<Toast, "id" | "text">> = {}): void {
  const tone = options.tone ?? "plain";
  const id = ++last;
  // The same words twice are one message.
  setToasts((list) => [...list.filter((t) => t.text !== text), { ...options, id, text, tone }].slice(-MAX_SHOWN));
  setTimeout(() => dismissToast(id), tone === "bad" ? BAD_MS : PLAIN_MS);
}

export function dismissToast(id: number): void {
  setToasts((list) => list.filter((t) => t.id !== id));
}

/** Another page is shown: only what can still be done is of use there, and not what leads to it. */
export function leaveToasts(thread?: string): void {
  setToasts((list) => list.filter((t) => t.stays || (t.action && (t.thread === undefined || t.thread !== thread))));
}

/** Does something for a person and tells them when it fails. Returns whether it worked. */
export async function attempt(what: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    toast(`${what}: ${explain(error)}`, { tone: "bad" });
    return false;
  }
}
