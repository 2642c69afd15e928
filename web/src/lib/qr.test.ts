import { expect, test } from "vitest";
import { pathOf, sideOf } from "./qr";

test("dark modules in a row are one piece, inside the quiet zone", () => {
  expect(pathOf(["1101", "0000", "0010"])).toBe("M4 4h2v1h-2zM7 4h1v1h-1zM6 6h1v1h-1z");
  expect([pathOf([]), sideOf(["1", "0"])]).toEqual(["", 10]);
});
