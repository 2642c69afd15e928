// What a turn runs on, as chosen beside Send, and what was chosen last in each project.

import type { Access, Mode, ModelSelection, ProviderId } from "../generated/wire";
import { recall, remember } from "../lib/storage";

export interface Choices {
  provider: ProviderId;
  model: ModelSelection | null;
  access: Access;
  mode: Mode;
}

const key = (project: string) => `choices.${project}`;
const ANY = "any";

/** The last choices in a project, else anywhere. A plan is asked for each time anew. */
export function lastChoices(project: string): Partial<Choices> {
  return { ...(recall<Partial<Choices>>(key(project)) ?? recall<Partial<Choices>>(key(ANY)) ?? {}), mode: "build" };
}

export function rememberChoices(project: string, choices: Choices): void {
  remember(key(project), choices);
  // Full access is given to a project, not to those that come after it.
  remember(key(ANY), { ...choices, access: choices.access === "full" ? "supervised" : choices.access });
}

export const accessWords: Record<Access, { name: string; text: string }> = {
  supervised: { name: "Supervised", text: "Asks before it changes or runs anything." },
  "auto-edit": { name: "Auto-edit", text: "Edits files in the workspace by itself. Asks before everything else." },
  full: { name: "Full access", text: "Asks nothing. It may run any command and reach anything you can." },
};

export const modeWords: Record<Mode, { name: string; text: string }> = {
  build: { name: "Build", text: "The agent does the work." },
  plan: { name: "Plan", text: "The agent writes a plan and waits until you accept it." },
};
