//! Each kind of tool, and how it ended.

use domain::{FileChangeKind, ItemContent, ItemStatus, Todo, TodoStatus, Usage};
use serde_json::{Value, json};

use super::frames::{ANSWER, CHILD, ROOT, answering, part, tool};
use super::play::turn_id;

/// What a finished tool is to a person.
fn tool_is(name: &str, state: &Value, content: &ItemContent, body: &str) {
    let mut play = answering();
    let mut state = state.clone();
    state.as_object_mut().unwrap().entry("status").or_insert("completed".into());
    play.event(&tool("prt_1", name, "call_1", &json!({ "status": "pending", "input": {} })));
    assert!(play.items.values().all(|i| i.status == ItemStatus::Running));
    play.event(&tool("prt_1", name, "call_1", &state));
    let items = play.items_of(&turn_id(0));
    let item = items.first().expect("the tool is shown");
    assert_eq!(items.len(), 1, "{name}");
    assert_eq!(item.content, *content, "{name}");
    assert_eq!(play.bodies[&item.id], body, "{name}");
}

#[test]
fn every_tool_is_shown_as_what_it_does() {
    let command = |command: &str, exit_code| ItemContent::Command {
        command: command.to_owned(),
        description: Some("Build".to_owned()),
        cwd: Some("/tmp".to_owned()),
        exit_code,
    };
    tool_is(
        "bash",
        &json!({
            "input": { "command": "make", "description": "Build", "workdir": "/tmp" },
            "output": "ok\n", "metadata": { "exit": 2 },
        }),
        &command("make", Some(2)),
        "ok\n",
    );
    tool_is(
        "edit",
        &json!({ "input": { "filePath": "/repo/a.rs" }, "metadata": {
            "diff": "--- a\n+++ b\n-x\n+y\n+z\n",
            "filediff": { "file": "/repo/a.rs", "additions": 2, "deletions": 1 } } }),
        &ItemContent::FileChange {
            path: "a.rs".to_owned(),
            change: FileChangeKind::Edited,
            additions: 2,
            deletions: 1,
        },
        "--- a\n+++ b\n-x\n+y\n+z\n",
    );
    tool_is(
        "write",
        &json!({ "input": { "filePath": "/repository/a" }, "metadata": {
            "exists": false, "diff": "--- a\n+++ b\n+y\n" } }),
        &ItemContent::FileChange {
            // It only looks as if it were inside the workspace.
            path: "/repository/a".to_owned(),
            change: FileChangeKind::Created,
            additions: 1,
            deletions: 0,
        },
        "--- a\n+++ b\n+y\n",
    );
    tool_is(
        "apply_patch",
        &json!({ "input": { "patchText": "…" }, "metadata": {
            "files": [{ "filePath": "/repo/a" }, { "relativePath": "b" }], "diff": "+x\n" } }),
        &ItemContent::FileChange {
            path: "a, b".to_owned(),
            change: FileChangeKind::Edited,
            additions: 1,
            deletions: 0,
        },
        "+x\n",
    );
    tool_is(
        "read",
        &json!({ "input": { "filePath": "/repo/a" }, "output": "<content>\n1: x\n</content>",
            "metadata": { "display": { "type": "file", "text": "x" } } }),
        &ItemContent::Read { path: "a".to_owned() },
        "x",
    );
    tool_is(
        "grep",
        &json!({ "input": { "pattern": "x", "path": "/repo/src" }, "output": "src/a",
            "metadata": { "matches": 3 } }),
        &ItemContent::Search {
            query: "x".to_owned(),
            path: Some("src".to_owned()),
            matches: Some(3),
        },
        "src/a",
    );
    tool_is(
        "glob",
        &json!({ "input": { "pattern": "*.rs" }, "output": "a.rs", "metadata": { "count": 1 } }),
        &ItemContent::Search { query: "*.rs".to_owned(), path: None, matches: Some(1) },
        "a.rs",
    );
    tool_is(
        "webfetch",
        &json!({ "input": { "url": "https://example.org" }, "output": "page" }),
        &ItemContent::Web { target: "https://example.org".to_owned() },
        "page",
    );
    tool_is(
        "websearch",
        &json!({ "input": { "query": "rust" }, "output": "found" }),
        &ItemContent::Web { target: "rust".to_owned() },
        "found",
    );
    tool_is(
        "notes_add_note",
        &json!({ "input": { "text": "hi" }, "output": "posted" }),
        &ItemContent::McpCall {
            server: "notes".to_owned(),
            tool: "add_note".to_owned(),
            input: "{\n  \"text\": \"hi\"\n}".to_owned(),
        },
        "posted",
    );
    tool_is(
        "no_such_tool",
        &json!({ "input": {}, "status": "error", "error": "unavailable" }),
        &ItemContent::Tool { name: "no_such_tool".to_owned(), title: None, input: String::new() },
        "",
    );
    tool_is(
        "skill",
        &json!({ "input": {}, "title": "Loaded it", "output": "done" }),
        &ItemContent::Tool {
            name: "skill".to_owned(),
            title: Some("Loaded it".to_owned()),
            input: String::new(),
        },
        "done",
    );
    tool_is(
        "question",
        &json!({ "input": { "questions": [{ "question": "Which?" }] },
            "metadata": { "answers": [["Red", "Blue"], [], ["own words"]] } }),
        &ItemContent::Question { title: "Which?".to_owned() },
        "Red, Blue\n\nown words",
    );
    tool_is(
        "todowrite",
        &json!({ "input": { "todos": [
            { "content": "a", "status": "completed" }, { "content": "b", "status": "odd" } ] } }),
        &ItemContent::TodoList {
            todos: vec![
                Todo { text: "a".to_owned(), status: TodoStatus::Completed },
                Todo { text: "b".to_owned(), status: TodoStatus::Pending },
            ],
        },
        "",
    );
    tool_is(
        "task",
        &json!({
            "input": { "description": "look", "subagent_type": "explore" },
            "output": "<task id=\"ses_child\">\n<task_result>\nIt is\nthere.\n</task_result>\n</task>",
            "metadata": { "sessionId": CHILD } }),
        &ItemContent::SubAgent {
            agent: "explore".to_owned(),
            task: "look".to_owned(),
            session: Some(CHILD.to_owned()),
            steps: 0,
            usage: Usage::default(),
            waiting: false,
            phase: None,
        },
        "It is\nthere.",
    );
}

#[test]
fn how_a_tool_ended_is_what_is_shown() {
    let cases = [
        (json!({ "status": "pending" }), ItemStatus::Running, None),
        (json!({ "status": "running" }), ItemStatus::Running, None),
        (json!({ "status": "new kind" }), ItemStatus::Running, None),
        (json!({ "status": "completed", "metadata": { "exit": 1 } }), ItemStatus::Done, None),
        (json!({ "status": "error", "error": "no" }), ItemStatus::Failed, Some("no")),
        (
            json!({ "status": "completed", "metadata": { "exit": null },
                "output": "a\n\n<shell_metadata>\ntook too long\n</shell_metadata>" }),
            ItemStatus::Failed,
            Some("took too long"),
        ),
        (
            json!({ "status": "completed", "output": "a", "metadata": { "exit": null } }),
            ItemStatus::Failed,
            Some("it was stopped before it ended"),
        ),
    ];
    for (state, status, error) in cases {
        let mut play = answering();
        play.event(&tool("prt_1", "bash", "call_1", &state));
        let item = play.item("prt_1").unwrap();
        assert_eq!((item.status, item.error.as_deref()), (status, error), "{state}");
    }
}

#[test]
fn output_streams_by_position_although_it_is_sent_whole() {
    let mut play = answering();
    for output in ["", "a\n", "a\nb\n"] {
        let state = json!({ "status": "running", "metadata": { "output": output } });
        play.event(&tool("prt_1", "bash", "call_1", &state));
    }
    assert_eq!(play.text("prt_1"), Some("a\nb\n"));
}

#[test]
fn unknown_parts_are_shown_and_known_bookkeeping_is_not() {
    let mut play = answering();
    play.event(&part(ROOT, ANSWER, "prt_1", &json!({ "type": "hologram", "x": 1 })));
    for kind in ["snapshot", "agent", "subtask", "retry", "step-start"] {
        play.event(&part(ROOT, ANSWER, "prt_2", &json!({ "type": kind })));
    }
    let items = play.items_of(&turn_id(0));
    assert_eq!(items.len(), 1);
    assert!(matches!(&items[0].content, ItemContent::Tool { name, .. } if name == "hologram"));
}

#[test]
fn one_todo_list_changes_in_place_and_is_running_while_something_is_open() {
    let mut play = answering();
    let todos = |status: &str| json!({ "status": "completed", "input": { "todos": [{ "content": "a", "status": status }] } });
    play.event(&tool("prt_1", "todowrite", "call_1", &todos("in_progress")));
    assert_eq!(play.items_of(&turn_id(0))[0].status, ItemStatus::Running);
    play.event(&tool("prt_2", "todowrite", "call_2", &todos("completed")));
    let items = play.items_of(&turn_id(0));
    assert_eq!((items.len(), items[0].status), (1, ItemStatus::Done));
}
