import { expect, test } from "vitest";
import type { McpServer } from "../generated/wire";
import { mcpFix, mcpTone, mcpWords } from "./words";

const server = (state: object) => ({ name: "notes", ...state }) as McpServer;
const all = [
  server({ state: "connected" }),
  server({ state: "disabled" }),
  server({ state: "failed", message: "no such program" }),
  server({ state: "needs_sign_in", command: "kilo mcp auth notes" }),
  server({ state: "other", word: "napping" }),
];

test("every state has words of its own, and what is amiss says what mends it", () => {
  expect(new Set(all.map(mcpWords)).size).toBe(all.length);
  expect(mcpWords(all[4]!)).toContain("napping");
  expect(all.map((s) => mcpFix(s, "Kilo") !== undefined)).toEqual([false, true, true, true, true]);
  expect(all.map(mcpTone)).toEqual(["good", "quiet", "attention", "attention", "quiet"]);
});
