// What it takes to read and render markdown: the larger part of the page's code, in a chunk of
// its own that is fetched while the page connects.

export { blocksOf, BlockStream, codePieces, MAX_ROWS, partsOf, tableOf } from "./blocks";
export { renderMarkdown } from "./render";
