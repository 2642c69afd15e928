// Unified diffs as lines with their numbers.

export interface DiffLine {
  kind: "add" | "del" | "same" | "hunk" | "meta";
  text: string;
  /** The line's number in the new file, or in the old one where it is gone. */
  number?: number;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

/** Reads a unified diff. Text that is none comes back as plain lines, nothing is dropped. */
export function parseDiff(text: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 1;
  let after = 1;
  let inHunk = false;
  const raw = text.split("\n");
  if (raw.at(-1) === "") raw.pop();
  for (const line of raw) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      inHunk = true;
      lines.push({ kind: "hunk", text: hunk[3] ?? "" });
    } else if (!inHunk) {
      if (!isHeader(line)) lines.push({ kind: "meta", text: line });
    } else if (line.startsWith("+")) {
      lines.push({ kind: "add", text: line.slice(1), number: after++ });
    } else if (line.startsWith("-")) {
      lines.push({ kind: "del", text: line.slice(1), number: before++ });
    } else if (line.startsWith("\\")) {
      lines.push({ kind: "meta", text: line.slice(1).trim() });
    } else if (line.startsWith("diff ") || line.startsWith("Index: ")) {
      inHunk = false;
      lines.push({ kind: "meta", text: line });
    } else {
      lines.push({ kind: "same", text: line.slice(1), number: after++ });
      before++;
    }
  }
  // A hunk that opens the diff says nothing a reader misses, unless it names its place.
  if (lines[0]?.kind === "hunk" && !lines[0].text) lines.shift();
  return lines;
}

/** Lines that only repeat the file's name. */
function isHeader(line: string): boolean {
  return line === "" || /^(---|\+\+\+|===|Index: |index |diff )/.test(line);
}
