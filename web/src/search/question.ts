// What is known of a search before any of it is loaded.

/** Fewer letters than this mean nearly every message. */
const MIN_LETTERS = 2;

/** Whether there is something to look for. */
export function isQuestion(words: string): boolean {
  return (words.match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= MIN_LETTERS;
}
