// Characters that cannot be seen, or that move others about, made visible: what a person is to
// allow must not be able to look like something else.

/** A piece of text as it is, or one character that is shown by its code. */
export interface Piece {
  text: string;
  /** What it is called, e.g. `right-to-left override`; set for a character that hides. */
  hidden?: string;
}

/**
 * Controls, separators, spaces that are no plain space, characters without a width and those that
 * change the direction of what follows. A line feed and a tab are what they look like.
 */
const HIDDEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;
const EACH = new RegExp(HIDDEN, "gu");

/** A joiner between emoji is what makes them one picture, and hides nothing. */
const JOINED = /\p{Extended_Pictographic}[\u{1f3fb}-\u{1f3ff}\ufe0f]?$/u;

const names: Record<string, string> = {
  "00": "null",
  "07": "bell",
  "08": "backspace",
  "0D": "carriage return",
  "1B": "escape",
  "7F": "delete",
  A0: "no-break space",
  AD: "soft hyphen",
  "61C": "Arabic letter mark",
  "200B": "zero-width space",
  "200C": "zero-width non-joiner",
  "200D": "zero-width joiner",
  "200E": "left-to-right mark",
  "200F": "right-to-left mark",
  "2028": "line separator",
  "2029": "paragraph separator",
  "202A": "left-to-right embedding",
  "202B": "right-to-left embedding",
  "202C": "end of direction",
  "202D": "left-to-right override",
  "202E": "right-to-left override",
  "2060": "word joiner",
  "2066": "left-to-right isolate",
  "2067": "right-to-left isolate",
  "2068": "first strong isolate",
  "2069": "end of isolate",
  "3000": "ideographic space",
  FEFF: "zero-width no-break space",
};

/** A text cut at every character that hides. */
export function visiblePieces(text: string): Piece[] {
  if (!HIDDEN.test(text)) return text ? [{ text }] : [];
  const pieces: Piece[] = [];
  let from = 0;
  for (const { 0: character, index } of text.matchAll(EACH)) {
    if (character === "\u200d" && JOINED.test(text.slice(Math.max(0, index - 4), index)) && /^\p{Extended_Pictographic}/u.test(text.slice(index + 1))) continue;
    // The line feed after it makes it the end of a line, as other systems write it.
    if (character === "\r" && text[index + 1] === "\n") continue;
    if (index > from) pieces.push({ text: text.slice(from, index) });
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, "0");
    pieces.push({ text: `U+${code.padStart(4, "0")}`, hidden: names[code] ?? "a character that cannot be seen" });
    from = index + character.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** Whether anything in a text hides. */
export function hasHidden(text: string): boolean {
  return visiblePieces(text).some((piece) => piece.hidden);
}

/** A text with its hidden characters written out, where there is no place for marks. */
export function visible(text: string): string {
  return visiblePieces(text)
    .map((piece) => (piece.hidden ? `⟨${piece.text}⟩` : piece.text))
    .join("");
}
