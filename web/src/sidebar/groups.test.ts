import { expect, test } from "vitest";
import { thread } from "../sync/samples";
import { listing } from "./groups";

const project = (id: string, name: string) => ({ id, name, path: `/${name}`, created_at: 1, trust: "undecided" as const, fingerprint: null });
const projects = [project("prj_2", "harbor"), project("prj_1", "field-notes")];
const threads = [
  thread({ id: "a", title: "Bump dependencies", project_id: "prj_2", active_at: 1 }),
  thread({ id: "b", title: "Port the scheduler", project_id: "prj_2", active_at: 5 }),
  thread({ id: "c", title: "Pinned", project_id: "prj_2", active_at: 0, pinned: true }),
  thread({ id: "d", title: "Asks", project_id: "prj_1", status: "needs_you", active_at: 9 }),
  thread({ id: "e", title: "Asks longer", project_id: "prj_2", status: "needs_you", active_at: 3 }),
  thread({ id: "g", title: "Held", project_id: "prj_2", queue_held: true, queued: 2, active_at: 4 }),
  thread({ id: "f", title: "Away", project_id: "prj_2", archived: true }),
];

function check(filter: string, expected: Record<string, string>) {
  const { needsYou, groups } = listing(projects, threads, filter);
  const found = { needs: needsYou.map((t) => t.id).join(""), ...Object.fromEntries(groups.map((g) => [g.project.name, g.threads.map((t) => t.id).join("")])) };
  expect(found).toEqual(expected);
}

test("what needs a person is on top, pinned and recent threads follow", () => {
  check("", { needs: "egd", "field-notes": "", harbor: "cba" });
});

test("a filter looks at titles and project names", () => {
  check("port", { needs: "", harbor: "b" });
  check("HARBOR dep", { needs: "", harbor: "a" });
  check("field", { needs: "d" });
  check("nothing", { needs: "" });
});
