// How well something fits what is looked for. Pure.

/** Where in a text the query was found: `[from, to)`, in order. */
export type Span = readonly [number, number];

export interface Fit {
  /** Higher is better; above zero. */
  score: number;
  spans: readonly Span[];
}

const WHOLE = 120;
const START = 100;
const WORD = 80;
const INITIALS = 60;
const INSIDE = 50;
const SCATTERED = 20;
/** What is found beside the title counts for less. */
const BESIDE = 0.5;
/** Letters found here and there say something only when there are some of them. */
const SCATTERED_FROM = 3;

/** How a title, or the words beside it, fit a query: every word of it has to be found. */
export function fit(query: string, title: string, beside = ""): Fit | undefined {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return { score: 1, spans: [] };
  const [low, other] = [lower(title), beside.toLowerCase()];
  let score = 0;
  const spans: Span[] = [];
  for (const word of words) {
    const own = find(word, low, title);
    const near = own && own.score > INSIDE * BESIDE ? undefined : findBeside(word, other);
    if (!own && !near) return undefined;
    if (own && own.score >= (near ?? 0)) {
      score += own.score;
      spans.push(...own.spans);
    } else score += near!;
  }
  // Of two that fit alike, the shorter one is more likely meant.
  return { score: score / words.length + 5 / (5 + title.length), spans: merge(spans) };
}

/** Lower case of the same length, so that places stay where they are. */
function lower(text: string): string {
  const low = text.toLowerCase();
  return low.length === text.length ? low : [...text].map((c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
}

function find(word: string, low: string, title: string): Fit | undefined {
  if (low === word) return { score: WHOLE, spans: [[0, word.length]] };
  if (low.startsWith(word)) return { score: START, spans: [[0, word.length]] };
  for (let at = low.indexOf(word); at >= 0; at = low.indexOf(word, at + 1)) {
    if (isStart(title, at)) return { score: WORD, spans: [[at, at + word.length]] };
  }
  const initials = scattered(word, low, (at) => isStart(title, at));
  if (initials && word.length > 1) return { score: INITIALS, spans: initials };
  const inside = low.indexOf(word);
  if (inside >= 0) return { score: INSIDE, spans: [[inside, inside + word.length]] };
  if (word.length < SCATTERED_FROM) return undefined;
  const spans = scattered(word, low, () => true);
  if (!spans) return undefined;
  // The nearer the letters are to each other the better; far apart they mean nothing.
  const reach = spans.at(-1)![1] - spans[0]![0];
  return reach > word.length * 3 ? undefined : { score: (SCATTERED * word.length) / reach, spans };
}

function findBeside(word: string, other: string): number | undefined {
  const at = other.indexOf(word);
  if (at < 0) return undefined;
  return (at === 0 || /[^\p{L}\p{N}]/u.test(other[at - 1]!) ? WORD : INSIDE) * BESIDE;
}

/** The letters one after the other, each where it may be. */
function scattered(word: string, low: string, may: (at: number) => boolean): Span[] | undefined {
  const spans: Span[] = [];
  let from = 0;
  for (const letter of word) {
    let at = low.indexOf(letter, from);
    while (at >= 0 && !may(at)) at = low.indexOf(letter, at + 1);
    if (at < 0) return undefined;
    spans.push([at, at + letter.length]);
    from = at + letter.length;
  }
  return merge(spans);
}

/** Whether a word begins there: after a space or a sign, or with a capital inside of a name. */
function isStart(text: string, at: number): boolean {
  if (at === 0) return true;
  const [before, here] = [text[at - 1]!, text[at]!];
  return /[^\p{L}\p{N}]/u.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(here));
}

function merge(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** A text cut into pieces, found ones and others. */
export function pieces(text: string, spans: readonly Span[]): { text: string; found: boolean }[] {
  const cut: { text: string; found: boolean }[] = [];
  let at = 0;
  for (const [from, to] of spans) {
    if (from > at) cut.push({ text: text.slice(at, from), found: false });
    cut.push({ text: text.slice(from, to), found: true });
    at = to;
  }
  if (at < text.length) cut.push({ text: text.slice(at), found: false });
  return cut;
}
