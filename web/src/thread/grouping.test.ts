import { expect, test } from "vitest";
import type { ItemContent } from "../generated/wire";
import { item } from "../sync/samples";
import { describe, describeRun, firstLine, prettyJson } from "./describe";
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
  const line = (content: ItemContent, status: "running" | "done" | "declined" = "done") => {
    const { verb, target, note } = describe({ content, status });
    return [verb, target, note].filter(Boolean).join(" | ");
  };
  expect(line(run("cargo test\nls"), "running")).toBe("Running | cargo test … | exit 1");
  expect(line(read("src/a.rs"))).toBe("Read | src/a.rs");
  expect(line(read("src/a.rs"), "declined")).toBe("Not read | src/a.rs");
  expect(line(run("rm -r x"), "declined")).toBe("Not run | rm -r x | exit 1");
  expect(line({ kind: "search", query: "x", path: "src", matches: 1 })).toBe("Searched | x | in src · 1 match");
  expect(line({ kind: "mcp_call", server: "github", tool: "list", input: "{}" })).toBe("Called | list | github");
  expect(line({ kind: "file_change", path: "a", change: "created", additions: 1, deletions: 0 }, "running")).toBe("Creating | a");
});

test("a run names what it read and searched", () => {
  const say = (...contents: ItemContent[]) => describeRun(contents.map((content) => ({ content })));
  expect(say(read("a"), read("b"), read("a"), search("x"))).toEqual({ verb: "Read 2 files and searched", targets: ["x"] });
  expect(say(search("a"), search("b"), search("c"))).toEqual({ verb: "Searched 3 times", targets: [] });
});

test("commands and JSON read well", () => {
  expect(firstLine("  ls -l\n")).toBe("ls -l");
  expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyJson('{"a":1, cut')).toBe('{"a":1, cut');
});
