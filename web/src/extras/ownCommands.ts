// Baton's own slash commands: what the page can do, by name. An agent's command of the same name wins.

import type { AgentCommand, Mode } from "../generated/wire";

/** A command that the page carries out itself. */
export interface OwnCommand {
  name: string;
  description: string;
  /** What may be written behind it; nothing may where this is missing. */
  hint?: string;
  /** Whether it does nothing without that. */
  needsText?: boolean;
  /** Does it; gives what of the message is to be sent. */
  run: (text: string) => string | void;
}

/** What can be done where a message is written. What is missing cannot be done there now. */
export interface Acts {
  newThread?: (draft: string) => void;
  mode?: (mode: Mode) => void;
  openModels?: () => void;
  compact?: () => void;
  rename?: (title: string) => void;
  archive?: () => void;
  stop?: () => void;
}

/** The commands for what can be done. */
export function ownCommands(acts: Acts): OwnCommand[] {
  const { newThread, mode, openModels, compact, rename, archive, stop } = acts;
  const all: OwnCommand[] = [];
  if (newThread) all.push({ name: "new", description: "Begin a new thread in this project", hint: "message", run: newThread });
  for (const to of ["plan", "build"] as const) {
    if (!mode) break;
    const description = to === "plan" ? "Plan first, from this message on" : "Build, from this message on";
    all.push({
      name: to,
      description,
      hint: "message",
      run: (text) => {
        mode(to);
        return text;
      },
    });
  }
  if (openModels) all.push({ name: "model", description: "Choose the model", run: openModels });
  if (compact) all.push({ name: "compact", description: "Compact the context", run: compact });
  if (rename) all.push({ name: "rename", description: "Give this thread another title", hint: "title", needsText: true, run: rename });
  if (archive) all.push({ name: "archive", description: "Put this thread into the archive", run: archive });
  if (stop) all.push({ name: "stop", description: "Stop what runs", run: stop });
  return all;
}

/** A row of the list: an agent's command, or Baton's own. */
export type ListedCommand = AgentCommand & { own?: OwnCommand };

/** The commands of an agent with those of Baton's that it has none of the name of. */
export function withOwn(commands: readonly AgentCommand[], own: readonly OwnCommand[]): ListedCommand[] {
  const names = new Set(commands.map((command) => command.name));
  const ours = own.filter(({ name }) => !names.has(name));
  const listed = ours.map(
    (command): ListedCommand => ({
      name: command.name,
      description: command.description,
      source: "command",
      hint: command.hint ?? null,
      takes_arguments: command.hint !== undefined,
      own: command,
    }),
  );
  return [...commands, ...listed];
}

/** The command of Baton's that a message is, with what is written behind its name. */
export function ownCommand(message: string, own: readonly OwnCommand[]): { command: OwnCommand; text: string } | undefined {
  const [, name, text = ""] = /^\/(\S+)(?:\s+([\s\S]*))?$/.exec(message.trim()) ?? [];
  const command = own.find((command) => command.name === name);
  if (!command || (text && command.hint === undefined)) return undefined;
  return { command, text };
}
