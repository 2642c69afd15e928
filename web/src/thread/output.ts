// Output of programs, made fit to read: colours and cursor movements are taken out, and a line
// that overwrote itself shows its last state.

// CSI and OSC sequences, and single-character escapes.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g;

export function cleanOutput(text: string): string {
  if (!/[\x1b\r\b]/.test(text)) return text;
  return text
    .replace(ESCAPES, "")
    .replace(/\r\n/g, "\n")
    .split("\n")
    .map((line) => overwritten(line))
    .join("\n");
}

function overwritten(line: string): string {
  if (!line.includes("\r")) return line.includes("\b") ? line.replace(/[^\b]\x08/g, "").replace(/\x08/g, "") : line;
  const last = line.replace(/\r+$/, "");
  return last.slice(last.lastIndexOf("\r") + 1);
}
