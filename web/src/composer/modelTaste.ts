// Which models a person likes, used last and does not want to see.

import type { Model, ModelMark, ModelTaste, ProviderId } from "../generated/wire";
import { settings } from "../settings/common";
import { changeSettings } from "../settings/saving";

/** Of the models used last, so many are shown. */
const SHOWN_RECENT = 4;

export const taste = (): ModelTaste => settings().models;

/** A model's name here: two providers may have the same id. */
export const tasteKey = (provider: ProviderId, model: string): string => `${provider} ${model}`;

const toggle = (model: string, list: readonly string[], mark: ModelMark) => changeSettings({ marks: [{ model, mark: list.includes(model) ? null : mark }] });

export const toggleFavourite = (key: string): void => toggle(key, taste().favourites, "favourite");
export const toggleHidden = (key: string): void => toggle(key, taste().hidden, "hidden");
export const usedModel = (key: string): void => changeSettings({ used: [key] });

export interface Sorted {
  favourites: Model[];
  recent: Model[];
  rest: Model[];
  hidden: number;
}

/** A provider's models by a person's taste; each is in one place only. */
export function byTaste(models: readonly Model[], provider: ProviderId, taste: ModelTaste, show: { hidden: boolean; recent: boolean }): Sorted {
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
