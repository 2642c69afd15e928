// Streaming markdown as blocks: closed ones, which no later text can change, and one live tail.
// Only the tail is read again when text comes, so a long answer costs what its last block costs,
// and a long list in it what its last item costs.

import { Lexer, type Token, type Tokens } from "marked";
import { nearCut } from "../lib/chunks";
import { size } from "../lib/format";

export interface Block {
  /** The block's own markdown. */
  raw: string;
  /** Set for a code block: its text, shown without going through HTML. */
  code?: { text: string; lang: string; closed: boolean };
  /** Set for a list that is written in parts: whether it goes on from the part before, and its first number if it has numbers. */
  part?: { goesOn: boolean; start?: number };
  /** Set for a block that is too large to be drawn at once: its beginning, and what is left out. */
  short?: { raw: string; rest: string; rows?: number };
}

/** Rows of a table that are drawn before somebody asks for the others. */
export const MAX_ROWS = 200;
/** The longest block that is drawn at once, in UTF-16 units. */
export const MAX_BLOCK = 20 * 1024;

/** The longest list, in UTF-16 units, that is read and drawn again as a whole while it is written. */
const MAX_LIVE_LIST = 2 * 1024;

/** The shortest piece of code that is still written, in UTF-16 units. */
const CODE_PIECE = 2 * 1024;

/** Follows one text that mostly grows. */
export class BlockStream {
  #text = "";
  /** How much of the text the closed blocks cover. */
  #closedTo = 0;
  /** How much of the text was looked at for closed blocks: whole lines only. */
  #readTo = 0;
  #closed: Block[] = [];
  /** Set while the tail begins within a list whose first items are closed. */
  #part: Block["part"];

  /** `live`: more text is to come. A list then comes in parts, of which only the last one may change. */
  constructor(readonly live = false) {}

  /** The blocks of the text now. Closed blocks keep their identity. */
  update(text: string): Block[] {
    if (!text.startsWith(this.#text)) {
      this.#closedTo = this.#readTo = 0;
      this.#closed = [];
      this.#part = undefined;
    }
    this.#text = text;
    this.#close(text.lastIndexOf("\n") + 1);
    const tail = topLevel(text.slice(this.#closedTo)).filter((token) => token.type !== "space");
    return [...this.#closed, ...tail.map((token, i) => ({ ...blockOf(token, false), ...(i === 0 && this.#part && { part: this.#part }) }))];
  }

  /**
   * Closes blocks within whole lines. A line that is not complete decides nothing: the `2` that
   * becomes `2. second` goes on with a list that it seemed to end.
   */
  #close(lines: number): void {
    if (lines <= this.#readTo) return;
    this.#readTo = lines;
    const tokens = topLevel(this.#text.slice(this.#closedTo, lines));
    const open = lastOpen(tokens);
    for (const token of tokens.slice(0, open)) this.#push(token);
    const last = tokens[open];
    if (this.live && last?.type === "list" && last.raw.length > MAX_LIVE_LIST) this.#closeItems(last as Tokens.List);
  }

  #push(token: Token): void {
    this.#closedTo += token.raw.length;
    if (token.type === "space") return;
    this.#closed.push({ ...blockOf(token, true), ...(this.#part && { part: this.#part }) });
    this.#part = undefined;
  }

  /** Closes all items of a list but the last one: what follows them can only go on with that. */
  #closeItems(list: Tokens.List): void {
    const done = list.items.slice(0, -1);
    const raw = done.map((item) => item.raw).join("");
    if (!raw || !this.#text.startsWith(raw, this.#closedTo)) return;
    const start = this.#part?.start ?? (list.ordered ? Number(list.start) : undefined);
    const numbered = (at: number) => start !== undefined && { start: start + at };
    this.#closedTo += raw.length;
    this.#closed.push({ ...shortened({ type: "list", raw } as Token), part: { goesOn: this.#part !== undefined, ...numbered(0) } });
    this.#part = { goesOn: true, ...numbered(done.length) };
  }
}

/** Blocks that stand in one part of the page, which is laid out by itself. */
export const PART = 24;

/** Blocks in parts. One that is the same as before keeps its identity. */
export function partsOf(blocks: readonly Block[], before: readonly (readonly Block[])[]): (readonly Block[])[] {
  const parts: (readonly Block[])[] = [];
  for (let from = 0; from < blocks.length; from += PART) {
    const part = blocks.slice(from, from + PART);
    const known = before[parts.length];
    parts.push(known?.length === part.length && known.every((block, i) => block === part[i]) ? known : part);
  }
  return parts;
}

/** Code in pieces of whole lines, so that while it grows only its last piece is laid out again. */
export function codePieces(code: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let end = code.indexOf("\n", CODE_PIECE); end >= 0; end = code.indexOf("\n", from + CODE_PIECE)) {
    pieces.push(code.slice(from, end));
    from = end + 1;
  }
  return [...pieces, code.slice(from)];
}

/** The blocks of a text that no longer grows. */
export function blocksOf(text: string): Block[] {
  // Definitions serve links in every block: such a text stays in one piece.
  if (/^ {0,3}\[[^\]]+\]:/m.test(text)) return [shortened({ type: "paragraph", raw: text } as Token)];
  return new BlockStream().update(text);
}

/** Blocks only: what is inside them is read when they are rendered. */
function topLevel(text: string): Token[] {
  if (!text) return [];
  try {
    return new Lexer({ gfm: true }).blockTokens(text, []);
  } catch {
    // Nested deeper than can be read: one block, shown as it was written.
    return [{ type: "paragraph", raw: text, text } as Token];
  }
}

/** The index from which text to come may still change what is there: the last block that is one. */
function lastOpen(tokens: Token[]): number {
  for (let i = tokens.length - 1; i >= 0; i--) if (tokens[i]!.type !== "space") return i;
  return 0;
}

function blockOf(token: Token, closed: boolean): Block {
  if (token.type !== "code") return shortened(token);
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(token.raw);
  const done = closed || !fence || new RegExp(`\\n {0,3}${fence[1]}[\`~]*\\s*$`).test(token.raw);
  return { raw: token.raw, code: { text: token.text, lang: (token.lang ?? "").trim().split(/\s/)[0] ?? "", closed: done } };
}

function shortened(token: Token): Block {
  const { raw } = token;
  if (token.type === "table") {
    const more = (token as Tokens.Table).rows.length - MAX_ROWS;
    // A row is a line; two lines stand before them.
    if (more > 0) return { raw, short: { raw: firstLines(raw, MAX_ROWS + 2), rest: moreRows(more), rows: more + MAX_ROWS } };
  }
  if (raw.length <= MAX_BLOCK) return { raw };
  const line = raw.lastIndexOf("\n", MAX_BLOCK);
  const cut = line > MAX_BLOCK / 2 ? line : nearCut(raw, 0, MAX_BLOCK);
  return { raw, short: { raw: raw.slice(0, cut), rest: `${size(raw.length - cut)} more` } };
}

/** A table's first rows, and what is left out then. */
export function tableOf(raw: string, all: number, rows: number): { raw: string; rest?: string } {
  return rows < all ? { raw: firstLines(raw, rows + 2), rest: moreRows(all - rows) } : { raw };
}

const moreRows = (rows: number) => `${rows.toLocaleString("en")} more rows`;

function firstLines(text: string, lines: number): string {
  let end = -1;
  for (let n = 0; n < lines; n++) {
    end = text.indexOf("\n", end + 1);
    if (end < 0) return text;
  }
  return text.slice(0, end);
}
