import { expect, test } from "vitest";
import { typedWith } from "./open";

test("what is typed before the palette is there is kept, and keys that type nothing are none of it", () => {
  const typed = ["a", "é", "Backspace", " ", "👍"].reduce((text, key) => typedWith(text, key) ?? "wrong", "");
  expect(typed).toBe("a 👍");
  expect(typedWith("", "Backspace")).toBe("");
  expect(["F5", "Tab", "ArrowDown", "Enter", "Escape"].map((key) => typedWith("a", key))).toEqual(Array(5).fill(undefined));
});
