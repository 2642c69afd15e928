// What Enter does while the agent works.

import { bindingWords } from "../app/keymap";
import type { Delivery } from "../generated/wire";
import { settings } from "../settings/common";

export const enter = (): Delivery => settings().enter;

/** The key that adds to the queue, and the one that sends into what runs. */
export const queueKey = (): string => bindingWords(enter() === "steer" ? "Mod+Enter" : "Enter");
export const steerKey = (): string => bindingWords(enter() === "steer" ? "Enter" : "Mod+Enter");
