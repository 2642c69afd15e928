import { expect, test } from "vitest";
import { newThreadId, newTurnId, uuidv7 } from "./ids";

test("a UUIDv7 carries the time, the version and the variant", () => {
  const id = uuidv7(0x0123456789ab, new Uint8Array(10).fill(0xff));
  expect(id).toBe("0123456789ab7fffbfffffffffffffff");
});

test("ids sort by time and differ", () => {
  expect(uuidv7(1000) < uuidv7(2000)).toBe(true);
  expect(newThreadId()).toMatch(/^thr_[0-9a-f]{32}$/);
  expect(newTurnId()).not.toBe(newTurnId());
});
