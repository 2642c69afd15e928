//! Tools of MCP servers, files that go with a message, and work in the background.

use domain::{
    Access, ApprovalKind, Decision, ItemContent, ItemStatus, ModelSelection, ThreadPatch, TurnState,
};
use serde_json::json;
use testkit::mcp::Notes;
use testkit::model::Script;

use crate::harness::{Bench, approval, item, message, said, trust_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_of_an_mcp_server_asks_and_is_shown_as_its() {
    let bench = Bench::start().await;
    let notes = Notes::at(bench.sandbox.home.path()).unwrap();
    trust_with(&bench, &notes).await;
    let thread = bench.thread().await;
    let script = Script::new().tool("mcp__notes__add_note", json!({ "text": "marmalade" })).step();
    let turn = bench.send(&thread, &script.text("Noted.")).await;
    let request = bench.asked(&thread).await;
    assert_eq!(approval(&request).what, ApprovalKind::Mcp);
    bench.decide(&request, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let call = item(&window, |c| matches!(c, ItemContent::McpCall { .. }));
    let ItemContent::McpCall { server, tool, .. } = &call.content else { panic!("a call") };
    assert_eq!(
        (server.as_str(), tool.as_str(), call.status),
        ("notes", "add_note", ItemStatus::Done)
    );
    assert_eq!(notes.count(), 1);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_and_its_effort_change_from_one_message_to_the_next() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("First.")).await;
    let pids = bench.claude.pids();
    let choose = |model: &str, option: Option<&str>| ThreadPatch {
        model: Some(ModelSelection { model: model.to_owned(), option: option.map(str::to_owned) }),
        ..ThreadPatch::default()
    };
    for (model, option, wanted) in [
        ("default", Some("low"), "opus"),
        ("default", Some("high"), "opus"),
        ("haiku", None, "haiku"),
    ] {
        bench.engine.patch_thread(&thread, choose(model, option)).await.unwrap();
        let words = format!("By {model} {}.", option.unwrap_or("itself"));
        bench.run(&thread, &Script::new().text(words.clone())).await;
        let calls = bench.sandbox.model.calls_with(&words);
        let call = calls.last().expect("a call");
        assert!(call.model.contains(wanted), "{} for {model}", call.model);
        if option.is_some() {
            assert_eq!(call.reasoning_effort.as_deref(), option, "{}", call.body["output_config"]);
        }
    }
    assert_eq!(bench.claude.pids(), pids, "the same process");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_with_its_message() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let notes = bench.engine.attach("notes.txt", b"marmalade\n".to_vec()).await.unwrap();
    let mut new = message(&Script::new().text("Read.").prompt("Read this."));
    new.attachments = vec![notes];
    let turn = bench.engine.send(&thread, new).await.unwrap().id;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let calls = bench.sandbox.model.calls_with("Read this.");
    assert!(calls.last().unwrap().body.to_string().contains("marmalade"));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_does_by_itself_after_a_task_in_the_background_is_shown() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let bash = json!({ "command": "true", "description": "Quick", "run_in_background": true });
    let script = Script::new().tool("Bash", bash).step().text("It runs behind.");
    assert_eq!(bench.run(&thread, &script).await.state, TurnState::Completed);
    bench.see(&thread, |w| (w.turns.len() > 1 && said(w).len() > 1).then_some(())).await;
    let next = bench.run(&thread, &Script::new().text("And on.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&thread).await).last(), Some(&"And on."));
    bench.engine.shutdown().await;
}
