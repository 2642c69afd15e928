// Text by position, as `domain::Body` defines it. JavaScript counts text in UTF-16 units too.

import type { Body } from "../generated/wire";

export type Splice = "appended" | "repeated" | "hole";

/** The length of the whole text, what is left out included. */
export function bodyLength(body: Body | undefined): number {
  return body ? body.head.length + (body.omitted ?? 0) + (body.tail?.length ?? 0) : 0;
}

/**
 * Applies a piece that begins at `at`: what is known is skipped, what is new goes to the end, and
 * a piece after a hole changes nothing.
 */
export function splice(body: Body, at: number, piece: string): Splice {
  const known = bodyLength(body);
  if (at > known) return "hole";
  const fresh = piece.slice(known - at);
  if (!fresh) return "repeated";
  if (body.omitted) body.tail = (body.tail ?? "") + fresh;
  else body.head += fresh;
  return "appended";
}

/** What can be shown of a body without fetching the rest. */
export function bodyParts(body: Body | undefined): { head: string; omitted: number; tail: string } {
  return { head: body?.head ?? "", omitted: body?.omitted ?? 0, tail: body?.tail ?? "" };
}
