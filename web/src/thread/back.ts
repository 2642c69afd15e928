// Turns that a conversation went back behind: put away until the next message, then gone.

import type { Span, Thread, Turn } from "../generated/wire";

type Row = Pick<Thread, "back" | "taken_back">;
type Place = Pick<Turn, "ordinal">;

const within = (span: Span, turn: Place) => span.first <= turn.ordinal && turn.ordinal <= span.last;

/** Whether a turn is put away: the next message takes its place, until then it can be brought back. */
export function isPutAway(thread: Row, turn: Place): boolean {
  return thread.back !== undefined && within(thread.back.turns, turn);
}

/** Whether a turn was taken back for good. */
export function isTakenBack(thread: Row, turn: Place): boolean {
  return (thread.taken_back ?? []).some((span) => within(span, turn));
}
