import { expect, test } from "vitest";
import { fitting, MAX_BYTES, MAX_FILES } from "./attachments";

const files = (count: number, size = 1) => Array.from({ length: count }, (_, n) => ({ name: `${n}.txt`, size }));

test("of too many files it is said how many were left out, and of one that is too large which", () => {
  expect(fitting(files(MAX_FILES), 0).refused).toEqual([]);
  const { take, refused } = fitting([...files(1, MAX_BYTES + 1), ...files(20)], 10);
  expect(take).toHaveLength(10);
  expect(refused).toEqual([
    "0.txt has more than 10 MiB. Put it into the workspace and name its path in the message.",
    "At most 20 files go with a message: 10 were left out.",
  ]);
});
