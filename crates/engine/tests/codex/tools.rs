//! Tools: commands, changes of files, todo lists, MCP servers, and what was left running.

use domain::{FileChangeKind, ItemContent, ItemStatus, TodoStatus, TurnState};
use testkit::mcp::Notes;
use testkit::model::Script;

use crate::harness::{Bench, Tools as _, item};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_streams_and_ends_with_its_exit_code() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let script =
        Script::new().run_command("echo one; sleep 1; echo two; exit 3").step().text("It failed.");
    let turn = bench.run(&thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    let ran = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    let ItemContent::Command { command, exit_code, .. } = &ran.content else { unreachable!() };
    assert_eq!(command, "echo one; sleep 1; echo two; exit 3");
    assert_eq!((*exit_code, ran.status), (Some(3), ItemStatus::Done));
    assert_eq!(ran.body.head, "one\ntwo\n");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_of_megabytes_is_kept_up_to_codex_s_own_bound() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let command = "head -c 1000000 /dev/zero | tr '\\0' x";
    let turn = bench.run(&thread, &Script::new().run_command(command).step().text("ok")).await;
    assert_eq!(turn.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let ran = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(ran.body.len(), 1_000_000);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_created_changed_and_deleted_each_with_its_diff() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    std::fs::write(bench.sandbox.project.join("old.txt"), "one\ntwo\n").unwrap();
    std::fs::write(bench.sandbox.project.join("gone.txt"), "x\n").unwrap();
    let patch = "*** Add File: new/made.txt\n+hello\n*** Update File: old.txt\n@@\n one\n-two\n\
                 +TWO\n*** Delete File: gone.txt";
    let turn = bench.run(&thread, &Script::new().patch(patch).step().text("ok")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.file("new/made.txt").as_deref(), Some("hello\n"));
    assert_eq!(bench.file("old.txt").as_deref(), Some("one\nTWO\n"));
    assert_eq!(bench.file("gone.txt"), None);
    let window = bench.window(&thread).await;
    let mut changes: Vec<_> = window
        .items
        .iter()
        .filter_map(|i| match &i.content {
            ItemContent::FileChange { path, change, additions, deletions } => {
                assert_eq!(i.status, ItemStatus::Done);
                Some((path.as_str(), *change, *additions, *deletions, i.body.head.as_str()))
            }
            _ => None,
        })
        .collect();
    changes.sort_by_key(|change| change.0);
    let kinds: Vec<_> = changes.iter().map(|c| (c.0, c.1, c.2, c.3)).collect();
    assert_eq!(
        kinds,
        [
            ("gone.txt", FileChangeKind::Deleted, 0, 1),
            ("new/made.txt", FileChangeKind::Created, 1, 0),
            ("old.txt", FileChangeKind::Edited, 1, 1),
        ]
    );
    assert!(changes[2].4.contains("-two\n+TWO"), "{}", changes[2].4);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_todo_list_is_one_item_that_changes() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new()
        .todos(&[("one", "in_progress"), ("two", "pending")])
        .step()
        .todos(&[("one", "completed"), ("two", "in_progress")])
        .step()
        .text("ok");
    assert_eq!(bench.run(&thread, &script).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let lists: Vec<_> = window
        .items
        .iter()
        .filter_map(|i| match &i.content {
            ItemContent::TodoList { todos } => Some(todos),
            _ => None,
        })
        .collect();
    let [todos] = lists.as_slice() else { panic!("{lists:?}") };
    let states: Vec<_> = todos.iter().map(|todo| todo.status).collect();
    assert_eq!(states, [TodoStatus::Completed, TodoStatus::InProgress]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_of_an_mcp_server_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap();
    let bench = Bench::start_with(&crate::harness::mcp(&notes)).await;
    let thread = bench.free().await;
    let script = Script::new()
        .tool("mcp__notes.add_note", serde_json::json!({"text": "remember"}))
        .step()
        .text("ok");
    let turn = bench.run(&thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(notes.count(), 1);
    let window = bench.window(&thread).await;
    let used = item(&window, |c| matches!(c, ItemContent::McpCall { .. }));
    let ItemContent::McpCall { server, tool, input } = &used.content else { unreachable!() };
    assert_eq!(
        (server.as_str(), tool.as_str(), used.status),
        ("notes", "add_note", ItemStatus::Done)
    );
    assert!(input.contains("remember"), "{input}");
    bench.engine.shutdown().await;
}
