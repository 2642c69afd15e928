import { expect, test } from "vitest";
import type { Model } from "../generated/wire";
import { firstChoice, modelFacts, modelName, searchModels, vanished } from "./models";

const model = (id: string, name: string, group: string, over: Partial<Model> = {}): Model => ({
  id, name, group, options: [], abilities: { tools: true, reasoning: false, images: false, pdf: false },
  cost: null, context: null, free: false, custom: false, default: false, ...over,
});
const models = [
  model("kilo/anthropic/claude", "Claude Sonnet 10", "Kilo"),
  model("kilo/small", "Claude Sonnet 9", "Kilo", { free: true }),
  model("openai/gpt", "GPT", "OpenAI", { default: true, options: ["low", "high"] }),
];
const ids = (query: string) => searchModels(models, query).map((g) => `${g.name}: ${g.models.map((m) => m.id).join(" ")}`);

test("models are grouped, the default's group first, numbers in order", () => {
  expect(ids("")).toEqual(["OpenAI: openai/gpt", "Kilo: kilo/small kilo/anthropic/claude"]);
});

test("every word of a search counts, names before ids", () => {
  expect(ids("claude kilo")).toEqual(["Kilo: kilo/small kilo/anthropic/claude"]);
  expect(ids("anthropic")).toEqual(["Kilo: kilo/anthropic/claude"]);
  expect(ids("FREE son")).toEqual(["Kilo: kilo/small"]);
  expect(ids("zzz")).toEqual([]);
});

test("facts are short", () => {
  expect(modelFacts(model("a", "A", "g", { context: 200_000, cost: { input: 3, output: 15 } }))).toBe("200k context · $3 in, $15 out");
  expect(modelFacts(model("a", "A", "g", { free: true, abilities: { tools: false, reasoning: true, images: false, pdf: false } }))).toBe("free · no tools");
});

test("the last choice is kept while it is offered", () => {
  expect(firstChoice(models, { model: "kilo/small", option: null })).toEqual({ model: "kilo/small", option: null });
  expect(firstChoice(models, { model: "openai/gpt", option: "high" })).toEqual({ model: "openai/gpt", option: "high" });
  expect(firstChoice(models, { model: "openai/gpt", option: "gone" })).toEqual({ model: "openai/gpt", option: null });
  expect(firstChoice(models, { model: "gone", option: null })).toEqual({ model: "openai/gpt", option: null });
  expect(firstChoice([])).toBe(null);
  const doubtful = model("x/y", "Y", "Custom", { default: true, custom: true, unverified: "Kilo does not list it" });
  expect(firstChoice([doubtful, ...models])).toEqual({ model: "openai/gpt", option: null });
  expect(firstChoice([doubtful])).toBe(null);
  expect(firstChoice([doubtful], { model: "x/y", option: null })).toEqual({ model: "x/y", option: null });
});

test("an id without a known model is cut at its first slash only", () => {
  expect(modelName({ model: "kilo/anthropic/claude-x", option: null }, [])).toBe("anthropic/claude-x");
  expect(modelName({ model: "openai/gpt", option: null }, models)).toBe("GPT");
});

test("a selection that is no longer offered says so, unless nothing is known", () => {
  const list = { models, stale: false, upstreams: [] };
  expect(vanished({ model: "openai/gpt", option: null }, list)).toBeUndefined();
  expect(vanished({ model: "openai/gone", option: null }, list)).toMatch(/openai\/gone is not offered/);
  expect(vanished({ model: "openai/gone", option: null }, { models, stale: true, upstreams: [] })).toMatch(/not offered/);
  expect(vanished({ model: "openai/gone", option: null }, { models: [], stale: true, upstreams: [] })).toBeUndefined();
  expect(vanished({ model: "openai/gone", option: null }, null)).toBeUndefined();
});
