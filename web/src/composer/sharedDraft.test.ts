import { expect, test } from "vitest";
import { meet } from "./sharedDraft";

test("what another tab wrote is never lost, and nor is what is written here", () => {
  const check = (known: string, mine: string, stored: string, step: string) => expect(meet(known, mine, stored), `${known}|${mine}|${stored}`).toBe(step);
  check("a", "a", "a", "nothing");
  check("a", "ab", "a", "write");
  check("a", "a", "ax", "adopt");
  check("a", "ab", "ax", "both");
  // The other tab sent it or emptied it.
  check("a", "a", "", "adopt");
  check("a", "ab", "", "write");
  // It was sent here; the other tab goes on.
  check("a", "", "ax", "adopt");
  check("a", "", "a", "write");
  check("", "b", "x", "both");
  check("a", "x", "x", "nothing");
});
