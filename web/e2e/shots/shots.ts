// Pictures of every screen and state, at three widths and in both themes: `cargo xtask shots`.
// They are taken in this order, in one world; one that cannot be taken does not hold up the others.

import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { agents } from "./agents";
import { around } from "./around";
import { beginning } from "./beginning";
import { composing } from "./composing";
import { copyForReadme, writeSheet } from "./sheet";
import { requests } from "./requests";
import { settings } from "./settings";
import { createStage, populate, type Stage } from "./stage";
import { setup } from "./setup";
import { threads } from "./threads";
import { trouble } from "./trouble";

const folder = process.env.SHOTS_DIR;
if (!folder) throw new Error("SHOTS_DIR is not set: take the pictures with `cargo xtask shots`");

let stage: Stage;
/** The stage, once it is there. */
const at = () => stage;

beforeAll(async () => void (stage = await createStage(folder)));
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await stage.world.picture(`failed-${task.name}`);
  await stage.world.closePages();
});
afterAll(async () => {
  await writeSheet(folder);
  const readme = process.env.SHOTS_README;
  if (readme) await copyForReadme(folder, readme);
  await stage?.world.close();
});

describe("without a project", () => setup(at));
describe("with projects", () => {
  beforeAll(() => populate(stage));
  beginning(at);
  threads(at);
  requests(at);
  composing(at);
  around(at);
  agents(at);
  settings(at);
  trouble(at);
});
