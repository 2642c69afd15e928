import { expect, test } from "vitest";
import { joined } from "./messages";

test("the pieces of a message become one text with the places of what was found", () => {
  expect(joined([{ text: "the ", hit: false }, { text: "parser", hit: true }, { text: " and ", hit: false }, { text: "tests", hit: true }])).toEqual({
    title: "the parser and tests",
    spans: [[4, 10], [15, 20]],
  });
  expect(joined([])).toEqual({ title: "", spans: [] });
});
