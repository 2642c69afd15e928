/** Counts how often each word occurs, ignoring case. */
export function tally(text) {
  const counts = new Map();
  for (const word of words(text)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Returns the `limit` most frequent words as [word, count] pairs, ties in order of appearance. */
export function top(counts, limit = 10) {
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, limit);
}

function words(text) {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}
