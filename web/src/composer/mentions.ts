// Files that a message names with `@`: which one is being typed, and how its path is written.
//
// A mention is text, which each agent reads in its own way: Kilo and Codex read the file with their
// tools, by the path below the workspace that the message has; Claude Code reads it into the message.

/** What is being typed behind an `@`. */
export interface Mention {
  /** Where the `@` stands. */
  from: number;
  /** Where what was typed of the path ends. */
  to: number;
  /** What was typed of the path, without quotation marks. */
  query: string;
}

/** What may stand before an `@` that begins a mention; after a letter it is an address. */
const BEFORE = /[\s([{<"'“‘,;:]/;

/** The mention that the caret stands in. */
export function typedMention(text: string, caret: number): Mention | undefined {
  const line = text.lastIndexOf("\n", caret - 1) + 1;
  if (isCode(text.slice(0, line))) return undefined;
  for (let from = text.lastIndexOf("@", caret - 1); from >= line; from = from > 0 ? text.lastIndexOf("@", from - 1) : -1) {
    if (from > 0 && !BEFORE.test(text[from - 1]!)) continue;
    const quoted = text[from + 1] === '"';
    const begin = from + (quoted ? 2 : 1);
    if (caret < begin) return undefined;
    // A caret within the path seeks what the whole of it says.
    const rest = (quoted ? /^[^"\n]*/ : /^[^\s"]*/).exec(text.slice(begin))![0];
    if (caret > begin + rest.length) return undefined;
    const closed = quoted && text[begin + rest.length] === '"';
    return { from, to: begin + rest.length + (closed ? 1 : 0), query: rest };
  }
  return undefined;
}

/** Whether what comes next stands in a block of code. */
function isCode(before: string): boolean {
  return (before.match(/^ {0,3}(```|~~~)/gm)?.length ?? 0) % 2 === 1;
}

/** A path as a message names it: one with spaces between quotation marks. */
export function mentionOf(path: string): string {
  return /\s/.test(path) && !path.includes('"') ? `@"${path}"` : `@${path}`;
}

/**
 * A message with a path in place of what was typed of it, and where to go on. A directory is left
 * open to go deeper, unless it is what was typed already.
 */
export function withMention(text: string, mention: Mention, path: string): { text: string; caret: number } {
  const before = text.slice(0, mention.from);
  const after = text.slice(mention.to);
  let named = mentionOf(path);
  const deeper = path.endsWith("/") && path !== mention.query;
  if (deeper) named = named.replace(/"$/, "");
  else if (!/^\s/.test(after)) named += " ";
  const caret = before.length + named.length + (deeper || named.endsWith(" ") ? 0 : 1);
  return { text: before + named + after, caret };
}

/** A part of a path, and whether it was typed. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** The pieces of a path from one place to another, told apart by whether they were typed. */
export function pieces(path: string, at: readonly number[], from: number, to: number): Piece[] {
  const hits = new Set(at);
  const found: Piece[] = [];
  for (let i = from; i < to; ) {
    const size = path.codePointAt(i)! > 0xffff ? 2 : 1;
    const hit = hits.has(i);
    const last = found.at(-1);
    const text = path.slice(i, i + size);
    if (last?.hit === hit) last.text += text;
    else found.push({ text, hit });
    i += size;
  }
  return found;
}

/** Where the name begins in a path. */
export function nameAt(path: string): number {
  return path.lastIndexOf("/", path.length - 2) + 1;
}
