// Models as a list to choose from.

import type { Model, ModelList, ModelSelection } from "../generated/wire";
import { count, price } from "../lib/format";

export interface ModelGroup {
  name: string;
  models: Model[];
}

/** The models that match every word, in groups; the best matches and the usable ones first. */
export function searchModels(models: readonly Model[], query: string): ModelGroup[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, Model[]>();
  for (const model of models) {
    const text = `${model.name} ${model.id} ${model.group} ${model.free ? "free" : ""}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const group = groups.get(model.group);
    if (group) group.push(model);
    else groups.set(model.group, [model]);
  }
  const rank = (model: Model) => {
    const name = model.name.toLowerCase();
    if (!words.length) return model.default ? 0 : 1;
    return words.every((word) => name.includes(word)) ? (name.startsWith(words[0]!) ? 0 : 1) : 2;
  };
  const sorted = [...groups].map(([name, list]) => ({
    name,
    models: list.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true })),
  }));
  return sorted.sort((a, b) => rank(a.models[0]!) - rank(b.models[0]!) || a.name.localeCompare(b.name));
}

/** What is worth knowing before choosing a model: `200k · $3 in, $15 out`. */
export function modelFacts(model: Model): string {
  const parts: string[] = [];
  if (model.context) parts.push(`${count(model.context)} context`);
  if (model.free) parts.push("free");
  else if (model.cost) parts.push(`${price(model.cost.input)} in, ${price(model.cost.output)} out`);
  if (!model.abilities.tools) parts.push("no tools");
  return parts.join(" · ");
}

/** What people call a selection; its id when the model is not listed. */
export function modelName(selection: ModelSelection | null, models: readonly Model[] | undefined): string {
  if (!selection) return "Choose a model";
  const known = models?.find((model) => model.id === selection.model);
  if (known) return known.name;
  return selection.model.slice(selection.model.indexOf("/") + 1) || selection.model;
}

/** The model to begin with: the one used last if it is still offered, else the provider's own choice. */
export function firstChoice(models: readonly Model[], last?: ModelSelection | null): ModelSelection | null {
  const known = last && models.find((model) => model.id === last.model);
  if (last && known) return { model: last.model, option: last.option && known.options.includes(last.option) ? last.option : null };
  // A model that is not known to work is only ever chosen by hand.
  const sure = models.filter((model) => !model.unverified);
  const first = sure.find((model) => model.default) ?? sure.find((model) => model.abilities.tools) ?? sure[0];
  return first ? { model: first.id, option: null } : null;
}

/** Why a selection cannot be used now, when that is known: the list is there and does not have it. */
export function vanished(selection: ModelSelection | null, list: ModelList | null | undefined): string | undefined {
  if (!selection || !list || list.models.some((model) => model.id === selection.model)) return undefined;
  // An empty list that could not be read says nothing.
  if (list.models.length === 0 && list.stale) return undefined;
  return `The model ${selection.model} is not offered any more. Choose another one.`;
}
