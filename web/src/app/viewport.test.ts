import { expect, test } from "vitest";
import { heightOf } from "./viewport";

test("a keyboard leaves less height, a toolbar or a zoom does not", () => {
  expect(heightOf({ height: 460, scale: 1 }, 844)).toBe(460);
  expect(heightOf({ height: 844, scale: 1 }, 844)).toBeUndefined();
  expect(heightOf({ height: 770, scale: 1 }, 844)).toBeUndefined();
  expect(heightOf({ height: 422, scale: 2 }, 844)).toBeUndefined();
});
