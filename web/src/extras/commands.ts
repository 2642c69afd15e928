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
export function searchCommands<T extends AgentCommand>(commands: readonly T[], query: string): T[] {
  const sought = query.toLowerCase();
  const rank = (command: T) => {
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

/** A name that a message begins with and no command has, and the command that comes nearest. */
export interface UnknownCommand {
  name: string;
  near?: AgentCommand;
}

/** Whether a message begins like a command that there is none of. A path is no name. */
export function unknownCommand(text: string, commands: readonly AgentCommand[]): UnknownCommand | undefined {
  const name = /^\/([^\s/]+)(?=\s|$)/.exec(text)?.[1];
  if (!name || !/[\p{L}\p{N}]/u.test(name) || commands.some((command) => command.name === name)) return undefined;
  return { name, near: nearest(name, commands) };
}

/** Letters that may be wrong in a name of which this many are right. */
const WRONG_PER_LETTERS = 3;

function nearest(name: string, commands: readonly AgentCommand[]): AgentCommand | undefined {
  const typed = name.toLowerCase();
  const far = (command: AgentCommand) => {
    const known = command.name.toLowerCase();
    // What was not typed to its end is no mistake.
    return known.startsWith(typed) ? 0 : distance(typed, known);
  };
  const ranked = commands.map((command) => ({ command, far: far(command) })).sort((a, b) => a.far - b.far);
  const best = ranked[0];
  return best && best.far <= Math.ceil(typed.length / WRONG_PER_LETTERS) ? best.command : undefined;
}

/** How many letters are to be put in, left out, changed or swapped with their neighbour. */
function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same, swapped ? before[j - 2]! + 1 : Infinity));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
