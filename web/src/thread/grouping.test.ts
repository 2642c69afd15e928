import { expect, test } from "vitest";
import type { ItemContent, ItemStatus } from "../generated/wire";
import { item, noUsage } from "../sync/samples";
import { describe, describeRun, firstLine, hasFailed, prettyJson } from "./describe";
import { rowsOf } from "./grouping";

const read = (path: string): ItemContent => ({ kind: "read", path });
const search = (query: string): ItemContent => ({ kind: "search", query, path: null, matches: null });
const run = (command: string): ItemContent => ({ kind: "command", command, description: null, cwd: null, exit_code: 1 });
const todos: ItemContent = { kind: "todo_list", todos: [] };

function check(contents: ItemContent[], expected: string[], lastTodo?: string) {
  const items = Object.fromEntries(contents.map((content, i) => [`itm_${i}`, item(i, content)]));
  const rows = rowsOf(Object.keys(items), (id) => items[id], lastTodo);
  expect(rows.map((row) => `${row.kind} ${row.ids.join(" ")}`)).toEqual(expected);
}

test("reads and searches fold, everything else stands alone", () => {
  check(
    [read("a"), search("x"), read("b"), { kind: "agent_message" }, read("c"), run("ls"), { kind: "reasoning" }],
    ["run itm_0 itm_1 itm_2", "prose itm_3", "step itm_4", "step itm_5", "reasoning itm_6"],
  );
});

test("only one todo list is shown", () => {
  check([todos, run("a"), todos], ["step itm_1", "step itm_2"], "itm_2");
  check([todos, run("a")], ["step itm_1"]);
});

test("a line says what is done in the tense of its state", () => {
  const line = (content: ItemContent, status: ItemStatus = "done") => {
    const { verb, target, problem, note } = describe({ content, status });
    return [verb, target, problem, note].filter(Boolean).join(" | ");
  };
  expect(line(run("cargo test\nls"), "running")).toBe("Running | cargo test … | exit 1");
  expect(line(read("src/a.rs"))).toBe("Read | src/a.rs");
  expect(line(read("src/a.rs"), "declined")).toBe("Not read | src/a.rs");
  expect(line(run("rm -r x"), "declined")).toBe("Not run | rm -r x | exit 1");
  expect(line({ kind: "search", query: "x", path: "src", matches: 1 })).toBe("Searched | x | in src · 1 match");
  expect(line({ kind: "mcp_call", server: "github", tool: "list", input: "{}" })).toBe("Called | list | github");
  expect(line({ kind: "file_change", path: "a", change: "created", additions: 1, deletions: 0 }, "running")).toBe("Creating | a");
});

test("what waits, was never allowed or failed does not read like what was done", () => {
  const all: ItemContent[] = [
    run("ls"),
    read("a"),
    search("x"),
    { kind: "file_change", path: "a", change: "edited", additions: 0, deletions: 0 },
    { kind: "web", target: "https://a" },
    { kind: "mcp_call", server: "s", tool: "t", input: "" },
    { kind: "sub_agent", agent: "explore", task: "look", session: null, steps: 0, usage: noUsage, waiting: false, phase: null },
    { kind: "tool", name: "skill", title: null, input: "" },
  ];
  const verbs = (status: ItemStatus) => all.map((content) => describe({ content: content.kind === "command" ? { ...content, exit_code: null } : content, status }).verb);
  expect(verbs("waiting")).toEqual([
    "Waiting to run", "Waiting to read", "Waiting to search", "Waiting to edit", "Waiting to fetch", "Waiting to call",
    "Waiting to start agent explore", "Waiting to use",
  ]);
  const unrun = ["Not run", "Not read", "Not searched", "Not edited", "Not fetched", "Not called", "Not started: agent explore", "Not used"];
  expect(verbs("not_run")).toEqual(unrun);
  expect(verbs("declined")).toEqual(unrun);
  expect(verbs("failed")).toEqual([
    "Did not finish", "Could not read", "Could not search", "Could not edit", "Could not fetch", "Call failed", "Agent explore failed", "Failed",
  ]);
});

test("a command that ended with another code than 0 has failed", () => {
  const ended = (exit_code: number | null, status: ItemStatus) => {
    const content: ItemContent = { kind: "command", command: "a", description: null, cwd: null, exit_code };
    return [hasFailed({ content, status }), describe({ content, status }).problem];
  };
  expect(ended(0, "done")).toEqual([false, undefined]);
  expect(ended(254, "done")).toEqual([true, "exit 254"]);
  expect(ended(null, "failed")).toEqual([true, undefined]);
  expect(ended(null, "not_run")).toEqual([false, undefined]);
});

test("a run names what it read and searched", () => {
  const say = (...contents: ItemContent[]) => describeRun(contents.map((content) => ({ content, status: "done" })));
  expect(say(read("a"), read("b"), read("a"), search("x"))).toEqual({ verb: "Read 2 files and searched", targets: ["x"] });
  expect(say(search("a"), search("b"), search("c"))).toEqual({ verb: "Searched 3 times", targets: [] });
  const failed = (path: string) => ({ content: read(path), status: "failed" }) as const;
  expect(describeRun([{ content: read("a"), status: "done" }, failed("b")]).verb).toBe("Read 1 file");
  expect(describeRun([failed("a"), failed("b")]).verb).toBe("Could not read 2 files");
});

test("what is asked about stands apart from the run it is in", () => {
  const items = { a: item(1, read("a")), b: item(2, read("b"), { status: "waiting" }), c: item(3, read("c"), { status: "not_run" }) };
  const rows = rowsOf(["a", "b", "c"], (id) => items[id as keyof typeof items]);
  expect(rows.map((row) => row.ids)).toEqual([["a"], ["b"], ["c"]]);
});

test("commands and JSON read well", () => {
  expect(firstLine("  ls -l\n")).toBe("ls -l");
  expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyJson('{"a":1, cut')).toBe('{"a":1, cut');
});
