//! Every kind of tool, as the item a person sees.

use domain::{
    Access, Answer, Decision, FileChangeKind, ItemContent, ItemStatus, RequestBody, TodoStatus,
    TurnState,
};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn each_tool_is_an_item_of_its_kind() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let path = |name: &str| bench.sandbox.project.join(name).to_string_lossy().into_owned();
    let script = Script::new()
        .bash("printf 'one\\ntwo\\n'; exit 3")
        .tool("write", json!({"filePath": path("new.txt"), "content": "alpha\nbeta\n"}))
        .step()
        .tool("read", json!({"filePath": path("new.txt")}))
        .tool("glob", json!({"pattern": "*.txt"}))
        .tool("grep", json!({"pattern": "beta"}))
        .step()
        .tool(
            "edit",
            json!({"filePath": path("new.txt"), "oldString": "beta", "newString": "gamma"}),
        )
        .tool(
            "todowrite",
            json!({"todos": [
                {"content": "first", "status": "completed", "priority": "high"},
                {"content": "second", "status": "in_progress", "priority": "low"},
            ]}),
        )
        .step()
        .tool("no_such_tool", json!({"x": 1}))
        .step()
        .text("All done.");
    let turn = bench.run(&thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.file("new.txt").as_deref(), Some("alpha\ngamma\n"));

    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert!(
        matches!(&command.content, ItemContent::Command { command, exit_code: Some(3), .. } if command.contains("printf")),
        "{command:?}"
    );
    assert!(command.body.head.starts_with("one\ntwo\n"), "{command:?}");
    let changes: Vec<_> = window
        .items
        .iter()
        .filter_map(|i| match &i.content {
            ItemContent::FileChange { path, change, additions, deletions } => {
                Some((path.as_str(), *change, *additions, *deletions, i.body.head.as_str()))
            }
            _ => None,
        })
        .collect();
    let [(created, kind, 2, 0, _), (edited, FileChangeKind::Edited, 1, 1, diff)] = changes[..]
    else {
        panic!("{changes:#?}");
    };
    assert_eq!((created, edited, kind), ("new.txt", "new.txt", FileChangeKind::Created));
    assert!(diff.contains("-beta") && diff.contains("+gamma"), "{diff}");
    let read = item(&window, |c| *c == ItemContent::Read { path: "new.txt".to_owned() });
    assert!(read.body.head.contains("alpha"), "{read:?}");
    let searches = window.items.iter().filter_map(|i| match &i.content {
        ItemContent::Search { query, .. } => Some(query.as_str()),
        _ => None,
    });
    assert_eq!(searches.collect::<Vec<_>>(), ["*.txt", "beta"]);
    let todos = item(&window, |c| matches!(c, ItemContent::TodoList { .. }));
    let ItemContent::TodoList { todos: list } = &todos.content else { unreachable!() };
    let list: Vec<_> = list.iter().map(|t| (t.text.as_str(), t.status)).collect();
    assert_eq!(list, [("first", TodoStatus::Completed), ("second", TodoStatus::InProgress)]);
    assert!(
        window.items.iter().any(|i| i.status == ItemStatus::Failed && i.error.is_some()),
        "the unknown tool's failure shows: {:#?}",
        window.items
    );
    assert_eq!(said(&window), ["All done."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_agent_nests_and_its_requests_are_answered() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let child = Script::new().text("Looking.").bash("echo from-the-child > child.txt").step();
    let child = child.text("The child is done.");
    let script =
        Script::new().task("general", "Survey the code", &child).step().text("The parent too.");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    assert_eq!(ask.from.as_deref(), Some("general"));
    bench.decide(&ask, Decision::Once).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(bench.file("child.txt").is_some());
    let window = bench.window(&thread).await;
    let agent = item(&window, |c| matches!(c, ItemContent::SubAgent { .. }));
    assert!(
        matches!(&agent.content, ItemContent::SubAgent { agent, task, session: Some(_), .. } if agent == "general" && task == "Survey the code"),
        "{agent:?}"
    );
    let nested: Vec<_> =
        window.items.iter().filter(|i| i.parent.as_ref() == Some(&agent.id)).collect();
    assert!(nested.iter().any(|i| matches!(i.content, ItemContent::Command { .. })), "{nested:#?}");
    assert!(nested.iter().any(|i| i.body.head == "The child is done."), "{nested:#?}");
    // The child is no thread of its own.
    let (threads, _) = bench
        .engine
        .threads(store::ThreadQuery { archived: false, project: None, before: None, limit: 100 })
        .await
        .unwrap();
    assert_eq!(threads.len(), 1);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_with_its_options_and_answered() {
    let bench = Bench::start().await;
    // Full access answers approvals, never questions.
    let thread = bench.thread_with(Access::Full).await;
    let questions = json!({"questions": [
        {"question": "Which colour?", "header": "Colour",
         "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]},
        {"question": "Which toppings?", "header": "Toppings", "multiple": true,
         "options": [{"label": "Cheese", "description": ""}, {"label": "Ham", "description": ""}]},
    ]});
    let script = Script::new().tool("question", questions).step().text("Noted.");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    let RequestBody::Question { questions } = &ask.body else { panic!("{ask:?}") };
    assert_eq!(questions.len(), 2);
    assert!(questions[1].multiple && questions[0].custom && questions[0].options.len() == 2);
    let answers = vec![vec!["Green, please".to_owned()], vec!["Cheese".into(), "Ham".into()]];
    bench.answer(&ask, Answer::Question { answers }).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let heard = bench.sandbox.model.calls_with("Green, please");
    assert!(!heard.is_empty(), "the model never saw the answer");
    bench.engine.shutdown().await;
}
