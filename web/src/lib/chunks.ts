// A text of any size as pieces that a browser lays out without holding up the page: no piece is
// long, and no line is.

export interface Chunk {
  text: string;
  /** How much of the piece's last line was left out, in UTF-16 units. */
  cut: number;
  /** The piece ends in the middle of a line. */
  open: boolean;
}

/** Up to here a text is one piece. */
export const CHUNK = 32 * 1024;
/** What is shown of a line before a person asks for the rest. */
export const LINE = 20 * 1024;

/** Whether a text is to be cut at all. */
export function isLong(text: string): boolean {
  return text.length > 4 * CHUNK || (text.length > LINE && longestLine(text) > LINE);
}

/** Cuts a text: between lines where it can, within one that is longer than a piece. */
export function chunksOf(text: string, wholeLines: boolean): Chunk[] {
  const chunks: Chunk[] = [];
  let from = 0;
  while (from < text.length) {
    const stop = lineEnd(text, from);
    if (stop - from > LINE) {
      // One long line: by itself.
      if (wholeLines) for (let at = from; at < stop; ) at = push(chunks, text, at, nearCut(text, at, Math.min(stop, at + CHUNK)), stop);
      else {
        const cut = nearCut(text, from, from + LINE);
        chunks.push({ text: text.slice(from, cut), cut: stop - cut, open: false });
      }
      from = stop + 1;
      continue;
    }
    let end = stop;
    for (let next = end + 1; next < text.length; next = end + 1) {
      const line = lineEnd(text, next);
      if (line - from > CHUNK || line - next > LINE) break;
      end = line;
    }
    chunks.push({ text: text.slice(from, end), cut: 0, open: false });
    from = end + 1;
  }
  return chunks;
}

function push(chunks: Chunk[], text: string, from: number, to: number, stop: number): number {
  chunks.push({ text: text.slice(from, to), cut: 0, open: to < stop });
  return to;
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at;
}

/** Not between the halves of a character, nor between it and the marks on it. */
export function nearCut(text: string, from: number, to: number): number {
  let at = to;
  while (at > from + 1 && at > to - 64 && at < text.length && /^(?:[\udc00-\udfff]|\p{M}|\u200d)/u.test(text.slice(at, at + 2))) at--;
  return at;
}

function longestLine(text: string): number {
  let longest = 0;
  for (let from = 0; from < text.length; ) {
    const end = lineEnd(text, from);
    longest = Math.max(longest, end - from);
    from = end + 1;
  }
  return longest;
}
