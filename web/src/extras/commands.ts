// The slash commands of an agent: which one is being typed, and which it may be.

import type { AgentCommand } from "../generated/wire";

/** Rows of the list; of more, the page says how many, and their names can be typed further. */
export const MAX_SHOWN = 50;

/** The name that is being typed at the beginning of a message, without its slash. */
export function typedCommand(text: string, caret: number): string | undefined {
  const typed = /^\/(\S*)$/.exec(text.slice(0, caret))?.[1];
  // A caret within the name seeks what the whole name says.
  return typed === undefined ? undefined : typed + (/^\S*/.exec(text.slice(caret))?.[0] ?? "");
}

/** Those that a name may mean: whose name begins so, then whose name or description holds it. */
export function searchCommands(commands: readonly AgentCommand[], query: string): AgentCommand[] {
  const sought = query.toLowerCase();
  const rank = (command: AgentCommand) => {
    const name = command.name.toLowerCase();
    if (name.startsWith(sought)) return 0;
    if (name.includes(sought)) return 1;
    return command.description.toLowerCase().includes(sought) ? 2 : 3;
  };
  const ranked = commands.map((command) => ({ command, rank: rank(command) })).filter((found) => found.rank < 3);
  return ranked.sort((a, b) => a.rank - b.rank).map((found) => found.command);
}

/** A message with a command's name in place of what was typed of it, and where to go on. */
export function withCommand(text: string, command: AgentCommand): { text: string; caret: number } {
  const rest = text.replace(/^\/\S*\s?/, "");
  const begun = `/${command.name} `;
  return { text: begun + rest, caret: begun.length };
}
