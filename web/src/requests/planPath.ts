// Where a plan is saved unless a person says otherwise.

/** Characters of a plan's title that go into the name of its file. */
const MAX_NAME = 60;

/** A file below the project, named after the plan's first heading, or its first words. */
export function planPath(markdown: string): string {
  const lines = markdown.split("\n").map((line) => line.trim()).filter(Boolean);
  const title = (lines.find((line) => /^#{1,6}\s/.test(line)) ?? lines[0] ?? "").replace(/^plan\b:?/i, "");
  const words = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  let name = "";
  for (const word of words) {
    const longer = name ? `${name}-${word}` : word;
    if (longer.length > MAX_NAME) break;
    name = longer;
  }
  return `plans/${name.replace(/^plan-/, "") || "plan"}.md`;
}
