// Changes of the settings that hold on all devices, as the server makes them: what they make of
// settings, how two become one, and what is left of one that was taken in part. Pure.

import { SETTINGS_BOUNDS as bounds, type MarkedModel, type Settings, type SettingsPatch } from "../generated/wire";

/** The settings after a change. What it may not do, the server refuses. */
export function changed(settings: Settings, patch: SettingsPatch): Settings {
  const keys = { ...settings.keys };
  for (const [action, given] of Object.entries(patch.keys ?? {})) {
    if (given) keys[action] = given;
    else delete keys[action];
  }
  let { favourites, hidden, recent } = settings.models;
  for (const { model, mark } of patch.marks ?? []) {
    favourites = put(favourites, model, mark === "favourite");
    hidden = put(hidden, model, mark === "hidden");
  }
  for (const model of patch.used ?? []) recent = [model, ...recent.filter((other) => other !== model)].slice(0, bounds.recent);
  return { ...settings, keys, enter: patch.enter ?? settings.enter, models: { favourites, hidden, recent } };
}

function put(list: string[], model: string, wanted: boolean): string[] {
  if (list.includes(model) === wanted) return list;
  return wanted ? [...list, model] : list.filter((other) => other !== model);
}

export const isNothing = (patch: SettingsPatch): boolean => split(patch).length === 0;

/** Two changes as one, the second made after the first. */
export function joined(first: SettingsPatch, second: SettingsPatch): SettingsPatch {
  const again = new Set(second.marks?.map((entry) => entry.model));
  return tidy({
    keys: { ...first.keys, ...second.keys },
    enter: second.enter ?? first.enter,
    marks: [...(first.marks ?? []).filter((entry) => !again.has(entry.model)), ...(second.marks ?? [])],
    used: [...(first.used ?? []).filter((model) => !second.used?.includes(model)), ...(second.used ?? [])].slice(-bounds.recent),
  });
}

/** What is still to be made of a change once a part of it was taken. What was changed again stays. */
export function rest(patch: SettingsPatch, taken: SettingsPatch): SettingsPatch {
  const same = (one: MarkedModel, other: MarkedModel) => one.model === other.model && one.mark === other.mark;
  return tidy({
    keys: Object.fromEntries(Object.entries(patch.keys ?? {}).filter(([action, keys]) => JSON.stringify(taken.keys?.[action]) !== JSON.stringify(keys))),
    enter: patch.enter === taken.enter ? undefined : patch.enter,
    marks: patch.marks?.filter((entry) => !taken.marks?.some((other) => same(entry, other))),
    used: patch.used?.filter((model) => !taken.used?.includes(model)),
  });
}

/** The single changes that a change is made of. */
export function split(patch: SettingsPatch): SettingsPatch[] {
  return [
    ...Object.entries(patch.keys ?? {}).map(([action, keys]) => ({ keys: { [action]: keys } })),
    ...(patch.enter ? [{ enter: patch.enter }] : []),
    ...(patch.marks ?? []).map((entry) => ({ marks: [entry] })),
    ...(patch.used ?? []).map((model) => ({ used: [model] })),
  ];
}

/** Without what says nothing. */
function tidy({ keys, enter, marks, used }: SettingsPatch): SettingsPatch {
  return {
    ...(keys && Object.keys(keys).length && { keys }),
    ...(enter && { enter }),
    ...(marks?.length && { marks }),
    ...(used?.length && { used }),
  };
}

/** What devices kept by themselves before the server did, read from where they kept it. */
export interface Old {
  keys?: unknown;
  models?: unknown;
  enter?: unknown;
}

/**
 * What is to be moved to the server of it: nothing that somebody set there already, nothing beyond
 * its bounds. Keys and what Enter does are moved only where nothing was ever changed: what stands
 * there as it came may have been put back by somebody.
 */
export function moved(old: Old, known: Settings): SettingsPatch {
  const isText = (most: number) => (value: unknown): value is string => typeof value === "string" && value.trim() !== "" && value.length <= most;
  const taste = (old.models ?? {}) as Record<string, unknown>;
  const models = (name: string) => (Array.isArray(taste[name]) ? taste[name].filter(isText(bounds.model_name_bytes)).filter((model) => /^[a-z0-9-]+ ./.test(model)) : []);
  const isFree = (model: string) => !known.models.favourites.includes(model) && !known.models.hidden.includes(model);
  const marks = (name: string, mark: "favourite" | "hidden", room: number): MarkedModel[] =>
    models(name).filter(isFree).slice(0, Math.max(0, room)).map((model) => ({ model, mark }));
  const untouched = known.revision === 0;
  const keys = Object.entries(untouched && old.keys && typeof old.keys === "object" ? old.keys : {}).filter(
    (entry): entry is [string, string[]] =>
      /^[\w.-]+$/.test(entry[0]) && entry[0].length <= bounds.key_bytes && Array.isArray(entry[1]) && entry[1].length <= bounds.action_keys && entry[1].every(isText(bounds.key_bytes)),
  );
  return tidy({
    keys: Object.fromEntries(keys.slice(0, bounds.changed_actions)),
    enter: untouched && old.enter === "steer" ? "steer" : undefined,
    marks: [
      ...marks("hidden", "hidden", bounds.hidden - known.models.hidden.length),
      ...marks("favourites", "favourite", bounds.favourites - known.models.favourites.length),
    ],
    // Those of another device were used last, as far as anybody knows.
    used: known.models.recent.length ? undefined : models("recent").slice(0, bounds.recent).reverse(),
  });
}
