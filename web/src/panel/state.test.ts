import { expect, test } from "vitest";
import { fitWidth, WIDTH } from "./state";

test("a width is a whole number within its bounds, whatever was kept", () => {
  expect([412.4, 1, 1e9].map(fitWidth)).toEqual([412, WIDTH.least, WIDTH.most]);
  for (const wrong of [undefined, null, "wide", Number.NaN, Infinity]) expect(fitWidth(wrong)).toBe(WIDTH.first);
});
