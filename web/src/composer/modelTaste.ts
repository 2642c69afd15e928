// Which models a person likes, used last and does not want to see. Kept on this device.

import { createSignal } from "solid-js";
import type { Model, ProviderId } from "../generated/wire";
import { recall, remember } from "../lib/storage";

export interface Taste {
  favourites: readonly string[];
  /** The last used first. */
  recent: readonly string[];
  hidden: readonly string[];
}

const KEPT = "models";
const MAX_RECENT = 12;
/** Of them are shown. */
const SHOWN_RECENT = 4;

const none: Taste = { favourites: [], recent: [], hidden: [] };
const [taste, setTaste] = createSignal<Taste>({ ...none, ...recall<Partial<Taste>>(KEPT) });

export { taste };

/** A model's name here: two providers may have the same id. */
export const tasteKey = (provider: ProviderId, model: string): string => `${provider} ${model}`;

function change(next: Partial<Taste>): void {
  setTaste({ ...taste(), ...next });
  remember(KEPT, taste());
}

const toggled = (list: readonly string[], key: string) => (list.includes(key) ? list.filter((other) => other !== key) : [...list, key]);

export const toggleFavourite = (key: string): void => change({ favourites: toggled(taste().favourites, key), hidden: taste().hidden.filter((other) => other !== key) });
export const toggleHidden = (key: string): void => change({ hidden: toggled(taste().hidden, key), favourites: taste().favourites.filter((other) => other !== key) });
export const usedModel = (key: string): void => change({ recent: used(taste().recent, key) });

export function used(recent: readonly string[], key: string): string[] {
  return [key, ...recent.filter((other) => other !== key)].slice(0, MAX_RECENT);
}

export interface Sorted {
  favourites: Model[];
  recent: Model[];
  rest: Model[];
  hidden: number;
}

/** A provider's models by a person's taste; each is in one place only. */
export function byTaste(models: readonly Model[], provider: ProviderId, taste: Taste, show: { hidden: boolean; recent: boolean }): Sorted {
  const key = (model: Model) => tasteKey(provider, model.id);
  const known = new Map(models.map((model) => [key(model), model]));
  const hidden = new Set(taste.hidden);
  const pick = (keys: readonly string[]) => keys.flatMap((one) => known.get(one) ?? []);
  const favourites = pick(taste.favourites);
  const liked = new Set(favourites);
  const recent = show.recent ? pick(taste.recent).filter((model) => !liked.has(model) && !hidden.has(key(model))).slice(0, SHOWN_RECENT) : [];
  const taken = new Set([...favourites, ...recent]);
  const rest = models.filter((model) => !taken.has(model) && (show.hidden || !hidden.has(key(model))));
  return { favourites, recent, rest, hidden: models.filter((model) => hidden.has(key(model))).length };
}
