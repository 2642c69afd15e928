import { expect, test } from "vitest";
import { mayRenew } from "./offline";

test("a kept page is loaded anew once, and never in a loop", () => {
  expect(mayRenew(false, undefined, 1_000)).toBe(false);
  expect(mayRenew(true, undefined, 1_000)).toBe(true);
  expect(mayRenew(true, 1_000, 2_000)).toBe(false);
  expect(mayRenew(true, 1_000, 100_000)).toBe(true);
  // The clock was set back.
  expect(mayRenew(true, 100_000, 1_000)).toBe(true);
});
