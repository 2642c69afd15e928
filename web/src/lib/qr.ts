// QR codes as paths. Pure.

/** The light border that readers need around a code, in modules. */
export const QUIET = 4;

/** The side of a code with its border, in modules. */
export const sideOf = (rows: readonly string[]): number => rows.length + 2 * QUIET;

/** The dark modules of a code, given row by row with `1` for dark, as the path of an SVG. */
export function pathOf(rows: readonly string[]): string {
  return rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`)).join("");
}
