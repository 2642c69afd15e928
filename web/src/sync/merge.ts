// Replacing plain data by newer data so that only what differs is touched. In a store each
// touched property wakes its readers; what stayed the same keeps its identity and its DOM.

type Plain = Record<string, unknown>;

/** Sets `record[key]` to `value`, keeping the object that is there when it is of the same kind. */
export function put<T>(record: Record<string, T>, key: string, value: T): void {
  const known = record[key];
  if (isPlain(known) && isPlain(value) && sameKind(known, value)) mergeInto(known, value);
  else if (known !== value) record[key] = value;
}

/** Makes `target` deeply equal to `source`. */
export function mergeInto(target: Plain, source: Plain): void {
  for (const key of Object.keys(target)) if (!(key in source)) delete target[key];
  for (const key of Object.keys(source)) put(target, key, source[key]);
}

/** Makes a list equal to another, touching nothing when it already is. */
export function putList<T>(list: T[], next: T[]): void {
  if (list.length === next.length && list.every((entry, i) => entry === next[i])) return;
  list.splice(0, list.length, ...next);
}

/** Variants of a tagged union are replaced whole: their fields have nothing in common. */
function sameKind(a: Plain, b: Plain): boolean {
  return a.kind === b.kind && a.id === b.id;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
