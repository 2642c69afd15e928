// What a project's own configuration would do, in plain words.

import type { Project, StartupKind } from "../generated/wire";

const kinds: Record<StartupKind, string> = {
  command: "Starts a program at once",
  code: "Loads code into the agent",
  packages: "Downloads packages",
  helper: "Runs a program on files that are read or changed",
  prompt: "Runs commands when a slash command is used",
  remote: "Connects to another machine",
  models: "Changes how models are reached",
  permission: "Lets the agent do more unasked",
};

export const actWords = (kind: StartupKind): string => kinds[kind];

/** Where a project stands, or nothing when there is nothing to decide. */
export function trustWords(project: Project): string | undefined {
  if (project.fingerprint === null) return undefined;
  switch (project.trust) {
    case "undecided":
      return "Not decided: its own agent configuration is left unread.";
    case "trusted":
      return "Trusted: its own agent configuration is in force.";
    case "untrusted":
      return "Not trusted: its own agent configuration is left unread.";
  }
}

/** Whether a person is still to be asked. */
export const asksTrust = (project: Project): boolean => project.trust === "undecided" && project.fingerprint !== null;
