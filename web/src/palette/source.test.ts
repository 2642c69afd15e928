import { expect, test } from "vitest";
import { grouped, withRecent, type Row } from "./source";

const row = (id: string, group: string, score?: number): Row => ({ id, title: id, group, score, run: () => {} });
const said = (sections: ReturnType<typeof grouped>) => sections.map(({ group, rows }) => `${group}: ${rows.map((r) => r.id).join(" ")}`);

test("the group with the best row comes first, and no group is too long", () => {
  const rows = [row("a", "Threads", 2), row("b", "Actions", 9), row("c", "Threads", 5), row("d", "Threads", 3)];
  expect(said(grouped(rows, 2))).toEqual(["Actions: b", "Threads: c d"]);
  expect(said(grouped([row("a", "One"), row("b", "Two"), row("c", "One")]))).toEqual(["One: a c", "Two: b"]);
});

test("what was chosen last stands first, once, and only while it is there", () => {
  const rows = [row("a", "Threads"), row("b", "Actions"), row("c", "Actions")];
  expect(said(withRecent(rows, ["gone", "c", "a"]))).toEqual(["Recent: c a", "Actions: b"]);
  expect(said(withRecent(rows, []))).toEqual(["Threads: a", "Actions: b c"]);
});
