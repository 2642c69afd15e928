import { expect, test } from "vitest";
import type { Body } from "../generated/wire";
import { bodyLength, splice } from "./body";

test("what is known is skipped, repeated characters stay, a hole changes nothing", () => {
  const body: Body = { head: "" };
  expect(splice(body, 0, "aa")).toBe("appended");
  expect(splice(body, 2, "aa")).toBe("appended");
  expect(splice(body, 2, "aa")).toBe("repeated");
  expect(splice(body, 3, "ab")).toBe("appended");
  expect(splice(body, 9, "x")).toBe("hole");
  expect(body).toEqual({ head: "aaaab" });
});

test("a shortened body grows at its tail", () => {
  const body: Body = { head: "ab", omitted: 10, tail: "yz" };
  expect(bodyLength(body)).toBe(14);
  expect(splice(body, 13, "z!")).toBe("appended");
  expect(splice(body, 5, "in the middle")).toBe("appended");
  expect(body.head).toBe("ab");
  expect(bodyLength(body)).toBe(18);
  expect(splice(body, 19, "?")).toBe("hole");
});

test("positions are UTF-16 units", () => {
  const body: Body = { head: "" };
  splice(body, 0, "👍é");
  expect(bodyLength(body)).toBe(3);
  expect(splice(body, 3, "漢")).toBe("appended");
  expect(body.head).toBe("👍é漢");
});

test("any split with repeats gives the text", () => {
  const text = "Ein Satz 👍🏽 mit aaaa Wiederholungen\n\n```rust\nfn main() {}\n```";
  let seed = 7;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 200; round++) {
    const body: Body = { head: "" };
    while (bodyLength(body) < text.length) {
      const from = random(bodyLength(body) + 1);
      splice(body, from, text.slice(from, from + random(9)));
      expect(text.startsWith(body.head)).toBe(true);
    }
    expect(body.head).toBe(text);
  }
});
