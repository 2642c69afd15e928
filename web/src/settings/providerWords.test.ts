import { describe, expect, it } from "vitest";
import { clock } from "../lib/format";
import { isScarce, limitWords } from "./providerWords";

describe("limits of an account", () => {
  const now = new Date(2026, 10, 28, 12, 0).getTime();
  const later = now + 90 * 60_000;

  it("says what is used and when it is renewed", () => {
    expect(limitWords({ name: "5 h", used_percent: 37, resets_at: null }, now)).toBe("37 % used");
    const limit = { name: "5 h", used_percent: 37, resets_at: later };
    expect(limitWords(limit, now)).toBe(`37 % used, renewed at ${clock(later, now)}`);
  });

  it("says nothing of what was used before it was renewed", () => {
    const limit = { name: "5 h", used_percent: 99, resets_at: later };
    expect(limitWords(limit, later)).toBe(`renewed at ${clock(later, later)}`);
    expect([isScarce(limit, now), isScarce(limit, later)]).toEqual([true, false]);
  });
});
