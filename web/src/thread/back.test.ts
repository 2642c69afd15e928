import { expect, test } from "vitest";
import type { Thread } from "../generated/wire";
import { isPutAway, isTakenBack } from "./back";

const row: Pick<Thread, "back" | "taken_back"> = {
  back: { turn: "turn_3" as never, key: "msg_3", turns: { first: 3, last: 5 } },
  taken_back: [{ first: 2, last: 2 }],
};
const where = (test: typeof isPutAway) => [1, 2, 3, 4, 5, 6].filter((ordinal) => test(row, { ordinal }));

test("turns are put away up to the one that was last, and others gone", () => {
  expect(where(isPutAway)).toEqual([3, 4, 5]);
  expect(where(isTakenBack)).toEqual([2]);
  expect(isPutAway({}, { ordinal: 1 }) || isTakenBack({}, { ordinal: 1 })).toBe(false);
});
