//! What MCP servers ask a person through the agent: forms and pages.

use domain::{Access, Answer, Decision, RequestBody, TurnState};
use serde_json::{Value, json};
use testkit::mcp::Notes;
use testkit::model::Script;

use crate::harness::{Bench, mcp};

/// The answer that the server was given.
fn answer(notes: &Notes) -> Value {
    let text = std::fs::read_to_string(&notes.file).expect("an answer");
    let line = text.lines().last().expect("an answer").to_owned();
    serde_json::from_str::<Value>(&line).expect("JSON")["result"].clone()
}

fn using(tool: &str) -> Script {
    Script::new().tool(format!("mcp__notes.{tool}"), json!({})).step().text("Asked.")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_an_mcp_server_is_filled_in_or_declined() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap().asking();
    let bench = Bench::start_with(&mcp(&notes)).await;
    let thread = bench.thread_with(Access::Full).await;
    let turn = bench.send(&thread, &using("ask_form")).await;
    let ask = bench.asked(&thread).await;
    let RequestBody::Question { questions } = &ask.body else { panic!("{ask:?}") };
    assert_eq!(questions.len(), 3, "{questions:?}");
    let given = |text: &str| vec![text.to_owned()];
    let labels: Vec<_> = questions.iter().map(|q| q.options.len()).collect();
    assert_eq!(labels.iter().filter(|n| **n == 2).count(), 2, "{questions:?}");
    let answers = questions.iter().map(|q| match q.options.first() {
        None => given("Marmalade"),
        Some(first) => given(&first.label),
    });
    bench.answer(&ask, Answer::Question { answers: answers.collect() }).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let got = answer(&notes);
    assert_eq!((&got["action"], &got["content"]["title"]), (&json!("accept"), &json!("Marmalade")));
    assert!(got["content"]["urgent"].is_boolean(), "{got}");

    let turn = bench.send(&thread, &using("ask_form")).await;
    let ask = bench.asked(&thread).await;
    bench.answer(&ask, Answer::Dismiss).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let got = answer(&notes);
    assert_ne!(got["action"], "accept", "{got}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_an_mcp_server_wants_opened_is_shown_with_its_address() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap().asking();
    let bench = Bench::start_with(&mcp(&notes)).await;
    let thread = bench.thread_with(Access::Full).await;
    for (decision, action) in [(Decision::Once, "accept"), (Decision::Reject, "decline")] {
        let turn = bench.send(&thread, &using("ask_page")).await;
        let ask = bench.asked(&thread).await;
        let RequestBody::Approval(asked) = &ask.body else { panic!("{ask:?}") };
        assert_eq!(asked.url.as_deref(), Some("https://notes.invalid/sign-in"));
        bench.decide(&ask, decision).await;
        assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
        assert_eq!(answer(&notes)["action"], action);
    }
    bench.engine.shutdown().await;
}
