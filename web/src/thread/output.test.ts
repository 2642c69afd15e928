import { expect, test } from "vitest";
import { cleanOutput } from "./output";

test.each([
  ["plain\ntext", "plain\ntext"],
  ["\x1b[1;31merror\x1b[0m: no", "error: no"],
  ["\x1b]0;title\x07done", "done"],
  ["10%\r50%\r100%\nnext", "100%\nnext"],
  ["windows\r\nlines\r\n", "windows\nlines\n"],
  ["spin |\r", "spin |"],
])("%j reads %j", (raw, clean) => expect(cleanOutput(raw)).toBe(clean));
