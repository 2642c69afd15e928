import { expect, test } from "vitest";
import type { Project, Trust } from "../generated/wire";
import { asksTrust, trustWords } from "./words";

const project = (trust: Trust, fingerprint: string | null): Project => ({ id: "p", name: "p", path: "/p", created_at: 1, trust, fingerprint });

test("only what would start something and is not decided asks", () => {
  expect(asksTrust(project("undecided", "a"))).toBe(true);
  expect(asksTrust(project("undecided", null))).toBe(false);
  expect(asksTrust(project("trusted", "a"))).toBe(false);
  expect(asksTrust(project("untrusted", "a"))).toBe(false);
});

test("a project with nothing to start has nothing to say", () => {
  expect(trustWords(project("trusted", null))).toBeUndefined();
  expect(trustWords(project("trusted", "a"))).toMatch(/in force/);
  expect(trustWords(project("untrusted", "a"))).toMatch(/unread/);
});
