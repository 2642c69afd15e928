import assert from "node:assert/strict";
import { test } from "node:test";

import { tally, top } from "../src/tally.js";

test("counts words whatever their case", () => {
  assert.equal(tally("To be or not to be").get("to"), 2);
});

test("an empty text has no words", () => {
  assert.equal(tally("").size, 0);
});

test("the most frequent come first", () => {
  assert.deepEqual(top(tally("a b b c c c"), 2), [["c", 3], ["b", 2]]);
});
