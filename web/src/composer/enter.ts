// What Enter does while the agent works; kept on this device.

import { createSignal } from "solid-js";
import { bindingWords } from "../app/keymap";
import { recall, remember } from "../lib/storage";

export type Enter = "queue" | "steer";

const KEPT = "enter";
const [enter, setSignal] = createSignal<Enter>(recall<string>(KEPT) === "steer" ? "steer" : "queue");

export { enter };

export function setEnter(next: Enter): void {
  setSignal(next);
  remember(KEPT, next === "steer" ? next : undefined);
}

/** The key that adds to the queue, and the one that sends into what runs. */
export const queueKey = (): string => bindingWords(enter() === "steer" ? "Mod+Enter" : "Enter");
export const steerKey = (): string => bindingWords(enter() === "steer" ? "Enter" : "Mod+Enter");
