#!/usr/bin/env node
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

import { tally, top } from "./tally.js";

const { values } = parseArgs({ options: { top: { type: "string", default: "10" } } });
const counts = tally(await text(process.stdin));
for (const [word, count] of top(counts, Number(values.top))) {
  console.log(word, count);
}
