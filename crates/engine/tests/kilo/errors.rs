//! Trouble with the model's provider: each a typed end, in its own words, and the thread goes on.

use std::collections::BTreeMap;

use domain::{Answer, ErrorCode, ItemContent, Phase, TurnState};
use serde_json::{Value, json};
use testkit::model::{Action, Script};

use crate::harness::{Bench, said};

/// Runs a script that fails, and says how. The thread is asked to go on by the next one.
async fn failed(bench: &Bench, thread: &domain::ThreadId, script: &Script) -> domain::TurnError {
    let turn = bench.run(thread, script).await;
    assert_eq!(turn.state, TurnState::Failed, "{turn:#?}");
    assert_eq!(bench.row(thread).await.status, domain::ThreadStatus::Failed);
    turn.error.expect("an error")
}

/// Whether something worth knowing is said in a turn.
async fn has_notice(bench: &Bench, turn: &domain::Turn) -> bool {
    let window = bench.window(&turn.thread_id).await;
    let notice = |i: &domain::Item| matches!(i.content, ItemContent::Notice { .. });
    window.items.iter().any(|i| i.turn_id == turn.id && notice(i))
}

/// A refusal with a body of one's own.
fn refusal(status: u16, body: Value, times: Option<u32>) -> Script {
    Script::new().action(Action::Status { status, body, headers: BTreeMap::new(), times })
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_fail_the_turn_with_the_providers_words() {
    let bench = Bench::start().await;
    // Whoever asks for a title waits for ever, which holds up nothing.
    bench.sandbox.model.answer_titles(&Script::new().hang());
    let thread = bench.thread().await;
    for (status, code) in [
        (400, ErrorCode::ProviderError),
        (401, ErrorCode::Unauthorized),
        (402, ErrorCode::Payment),
        (403, ErrorCode::Unauthorized),
        (404, ErrorCode::ModelUnavailable),
        (429, ErrorCode::RateLimited),
        (500, ErrorCode::ProviderError),
    ] {
        let words = format!("refused with {status} for a reason");
        let error = failed(&bench, &thread, &Script::new().status(status, &words)).await;
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(&words), "{error:?}");
        let hint = error.hint.unwrap_or_else(|| panic!("{status}: what is to be done?"));
        assert_eq!(hint.contains("kilo auth login"), code == ErrorCode::Unauthorized, "{hint}");
    }
    // A page of a proxy where JSON was due. Kilo takes one with status 200 for an empty answer.
    let page = || json!("<html><body><h1>Sign in to the café's Wi-Fi</h1></body></html>");
    let error = failed(&bench, &thread, &refusal(503, page(), None)).await;
    assert!(!error.message.is_empty() && error.hint.is_some(), "{error:?}");
    let turn = bench.run(&thread, &refusal(200, page(), None)).await;
    assert!(has_notice(&bench, &turn).await, "nothing says that there was no answer: {turn:?}");
    let error = failed(&bench, &thread, &Script::new().error_chunk("out of luck")).await;
    assert!(error.message.contains("out of luck") && error.hint.is_some(), "{error:?}");

    // What Kilo tries again by itself is said while it waits, and is no failure.
    let script = Script::new().status_times(429, "slow down", 1).text("back again");
    let turn = bench.send(&thread, &script).await;
    bench
        .see(&thread, |w| {
            let turn = w.turns.iter().find(|t| t.id == turn)?;
            matches!(&turn.phase, Some(Phase::Retrying { message, .. }) if message.contains("slow"))
                .then_some(())
        })
        .await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    assert_eq!(said(&bench.window(&thread).await), ["back again"]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_ends_of_an_answer_are_said() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    // Too long for the model: Kilo shortens the conversation and goes on in the same turn.
    let first = bench.run(&thread, &Script::new().text("Something to shorten.")).await;
    assert_eq!(first.state, TurnState::Completed);
    let overflow = json!({ "error": {
        "message": "This model's maximum context length is 100000 tokens.",
        "type": "invalid_request_error",
        "code": "context_length_exceeded",
    } });
    let turn = bench.run(&thread, &refusal(400, overflow, Some(1)).text("It fits now.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None), "{turn:#?}");
    let window = bench.window(&thread).await;
    let of_it: Vec<_> = window.items.iter().filter(|i| i.turn_id == turn.id).collect();
    let compacted = |i: &&&domain::Item| matches!(i.content, ItemContent::Compaction { .. });
    assert!(of_it.iter().any(|i| compacted(&i)), "{of_it:#?}");
    assert!(of_it.iter().any(|i| i.content == ItemContent::AgentMessage), "{of_it:#?}");

    let cut = bench.run(&thread, &Script::new().text("And so on").finish("length")).await;
    assert_eq!(cut.state, TurnState::Completed, "{cut:#?}");
    let window = bench.window(&thread).await;
    let words = window.items.iter().filter(|i| i.turn_id == cut.id);
    let words: Vec<&str> = words.map(|i| i.body.head.as_str()).collect();
    assert!(words.len() > 1 && words.contains(&"And so on"), "that it was cut is said: {words:?}");

    let script = Script::new().text("I will").finish("content_filter");
    let error = failed(&bench, &thread, &script).await;
    assert_eq!(error.code, ErrorCode::ContentFiltered, "{error:?}");
    assert!(error.hint.is_some(), "{error:?}");

    let empty = bench.run(&thread, &Script::new().finish("stop")).await;
    assert_eq!(empty.state, TurnState::Completed, "{empty:#?}");
    let turn = bench.run(&thread, &Script::new().text("back again")).await;
    assert_eq!(turn.state, TurnState::Completed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_the_users_configuration_lacks_fails_the_turn_with_a_reason() {
    let config = json!({ "agent": { "code": { "disable": true } } });
    let bench = Bench::start_with_config(&config).await;
    let thread = bench.thread().await;
    let error = failed(&bench, &thread, &Script::new().text("never")).await;
    assert_eq!(error.code, ErrorCode::Rejected, "{error:?}");
    assert!(error.message.contains("Agent not found"), "in Kilo's words: {error:?}");
    assert!(error.hint.is_some_and(|hint| hint.contains("`code`")));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stream_keeps_its_text_and_an_early_end_is_said() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    // Cut once the text has certainly arrived: a reset throws away what is still on its way.
    let script = Script::new().text("half of it").wait("seen").cut();
    let turn = bench.send(&thread, &script).await;
    bench.see(&thread, |w| (said(w) == ["half of it"]).then_some(())).await;
    bench.sandbox.model.release("seen");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!(turn.state, TurnState::Failed, "{turn:?}");
    assert_eq!(said(&bench.window(&thread).await), ["half of it"]);

    let turn = bench.run(&thread, &Script::new().text("and then").end()).await;
    assert_eq!(turn.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    assert!(
        window.items.iter().any(|i| matches!(i.content, ItemContent::Notice { .. })),
        "{:#?}",
        window.items
    );
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_provider_asks_and_can_be_given_up() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    // Cut before the first byte: Kilo takes it for a network that is down, and waits for ever.
    let turn = bench.send(&thread, &Script::new().cut()).await;
    let ask = bench.asked(&thread).await;
    let answers = vec![vec!["Give up".to_owned()]];
    bench.answer(&ask, Answer::Question { answers }).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!(turn.state, TurnState::Failed, "{turn:?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_model_fails_with_a_reason() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let mut wrong = crate::harness::message("hello");
    wrong.model = Some(domain::ModelSelection { model: "mock/none".to_owned(), option: None });
    let refused = bench.engine.send(&thread, wrong).await;
    assert!(
        matches!(&refused, Err(engine::EngineError::UnknownModel { model, .. }) if model == "mock/none"),
        "{refused:?}"
    );
    bench.engine.shutdown().await;
}
