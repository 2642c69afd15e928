//! Tools as items: commands, files, lists, sub-agents, and what is not known.

use domain::{Access, Decision, FileChangeKind, ItemContent, ItemStatus, TodoStatus, TurnState};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn tools_become_items_with_what_they_did() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let file = bench.sandbox.project.join("w.txt").display().to_string();
    let bash = |command: &str| json!({ "command": command, "description": "Say" });
    let todo = |content: &str, status: &str| json!({ "content": content, "status": status, "activeForm": content });
    let script = Script::new()
        .tool("Bash", bash("echo out; echo err >&2"))
        .step()
        .tool("Bash", bash("echo gone; exit 3"))
        .step()
        .tool("Write", json!({ "file_path": file, "content": "one\ntwo\n" }))
        .step()
        .tool("Edit", json!({ "file_path": file, "old_string": "one", "new_string": "ONE" }))
        .step()
        .tool("Read", json!({ "file_path": file }))
        .step()
        .tool("TodoWrite", json!({ "todos": [todo("a", "completed"), todo("b", "in_progress")] }))
        .step()
        .tool("NoSuchTool", json!({ "x": 1 }))
        .step()
        .text("Done.");
    let turn = bench.run(&thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    let commands: Vec<_> = window
        .items
        .iter()
        .filter_map(|i| match &i.content {
            ItemContent::Command { exit_code, .. } => {
                Some((i.status, *exit_code, i.body.head.as_str()))
            }
            _ => None,
        })
        .collect();
    let wanted = [(ItemStatus::Done, Some(0), "out\nerr"), (ItemStatus::Failed, Some(3), "gone")];
    assert_eq!(commands, wanted);
    let changes: Vec<_> = window
        .items
        .iter()
        .filter_map(|i| match &i.content {
            ItemContent::FileChange { path, change, additions, deletions } => {
                Some((path.as_str(), *change, *additions, *deletions))
            }
            _ => None,
        })
        .collect();
    let wanted =
        [("w.txt", FileChangeKind::Created, 2, 0), ("w.txt", FileChangeKind::Edited, 1, 1)];
    assert_eq!(changes, wanted);
    let edit =
        window.items.iter().rev().find(|i| matches!(i.content, ItemContent::FileChange { .. }));
    assert!(edit.unwrap().body.head.contains("-one\n+ONE\n two"), "{edit:?}");
    let read = item(&window, |c| matches!(c, ItemContent::Read { .. }));
    assert_eq!(read.body.head, "ONE\ntwo\n");
    let list = item(&window, |c| matches!(c, ItemContent::TodoList { .. }));
    let ItemContent::TodoList { todos } = &list.content else { panic!("a list") };
    let statuses: Vec<_> = todos.iter().map(|todo| todo.status).collect();
    assert_eq!(statuses, [TodoStatus::Completed, TodoStatus::InProgress]);
    let unknown = item(&window, |c| matches!(c, ItemContent::Tool { .. }));
    assert_eq!(unknown.status, ItemStatus::Failed);
    assert!(window.items.iter().all(|i| !i.status.is_open()), "{:?}", window.items);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_agent_s_work_is_nested_and_its_approvals_name_it() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let inner = Script::new()
        .text("I look.")
        .tool("Bash", json!({ "command": "touch sub.txt", "description": "x" }))
        .step()
        .text("All is well.");
    let task = json!({ "subagent_type": "general-purpose", "description": "Look around",
        "prompt": inner.prompt("Look.") });
    let script = Script::new().tool("Task", task).step().text("It is done.");
    let turn = bench.send(&thread, &script).await;
    let request = bench.asked(&thread).await;
    assert!(
        request.from.as_deref().is_some_and(|from| from.contains("Look around")),
        "{request:?}"
    );
    bench.decide(&request, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert!(bench.file("sub.txt").is_some());
    let window = bench.window(&thread).await;
    let agent = item(&window, |c| matches!(c, ItemContent::SubAgent { .. }));
    assert_eq!((agent.status, agent.body.head.as_str()), (ItemStatus::Done, "All is well."));
    let inside: Vec<_> =
        window.items.iter().filter(|i| i.parent.as_ref() == Some(&agent.id)).collect();
    assert!(inside.iter().any(|i| matches!(i.content, ItemContent::Command { .. })), "{inside:?}");
    assert_eq!(said(&window).last(), Some(&"It is done."));
    bench.engine.shutdown().await;
}
