import { expect, test } from "vitest";
import type { Model } from "../generated/wire";
import { byTaste } from "./modelTaste";

const models = ["a", "b", "c", "d"].map((id) => ({ id, name: id }) as Model);
const ids = (list: Model[]) => list.map((model) => model.id).join("");

test("each model is in one place: a favourite, used lately, or among the rest", () => {
  const taste = { favourites: ["kilo c", "kilo gone"], recent: ["kilo c", "kilo b", "codex a"], hidden: ["kilo d"] };
  const all = byTaste(models, "kilo", taste, { hidden: false, recent: true });
  expect([ids(all.favourites), ids(all.recent), ids(all.rest), all.hidden]).toEqual(["c", "b", "a", 1]);
  const found = byTaste(models, "kilo", taste, { hidden: true, recent: false });
  expect([ids(found.favourites), ids(found.recent), ids(found.rest)]).toEqual(["c", "", "abd"]);
});
