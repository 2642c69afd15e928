//! Failures: of the model's provider, of the installation, of the agent's process.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{ErrorCode, ItemContent, TurnState, UsageLimit};
use providers::Provider as _;
use testkit::model::{Action, Script};

use crate::harness::{Bench, said};

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_of_the_provider_ends_the_turn_with_its_kind_and_the_next_one_runs() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    for (script, code) in [
        (Script::new().status(401, "bad key"), ErrorCode::Unauthorized),
        (Script::new().status(429, "slow down"), ErrorCode::RateLimited),
        (Script::new().status(500, "boom"), ErrorCode::ProviderError),
        (Script::new().status(404, "no such model"), ErrorCode::ModelUnavailable),
    ] {
        let turn = bench.run(&thread, &script).await;
        assert_eq!(turn.state, TurnState::Failed, "{code:?}");
        let error = turn.error.expect("an error");
        assert_eq!(error.code, code, "{error:?}");
        assert!(!error.message.is_empty() && error.hint.is_some(), "{error:?}");
    }
    // A failure is told once, as the turn's, and not as words of the agent.
    let window = bench.window(&thread).await;
    assert!(said(&window).is_empty(), "{:?}", said(&window));
    let next = bench.run(&thread, &Script::new().text("Fine again.")).await;
    assert_eq!(next.state, TurnState::Completed);
    assert!(window.items.iter().all(|i| !matches!(i.content, ItemContent::AgentMessage)));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_again_and_again_fails_its_turn_and_keeps_what_was_said() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let words = |text: &str| Script::new().stream(text, 4, Duration::from_millis(1));
    for (script, code) in [
        (words("Half of it").end(), ErrorCode::ProviderError),
        (words("Again").cut(), ErrorCode::Network),
    ] {
        let turn = bench.run(&thread, &script).await;
        assert_eq!(turn.state, TurnState::Failed);
        let error = turn.error.expect("an error");
        assert_eq!((error.code, error.retryable), (code, true), "{error:?}");
    }
    let next = bench.run(&thread, &Script::new().text("Whole.")).await;
    assert_eq!(next.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let [half, again, whole] = said(&window)[..] else { panic!("{:?}", said(&window)) };
    assert_eq!((half, whole), ("Half of it", "Whole."));
    // What was on its way when the connection was reset may be lost.
    assert!(!again.is_empty() && "Again".starts_with(again), "{again:?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_too_long_is_said_to_be() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let body = serde_json::json!({ "type": "error", "error": { "type": "invalid_request_error",
        "message": "prompt is too long: 250000 tokens > 200000 maximum" } });
    let action = Action::Status { status: 400, body, headers: BTreeMap::new(), times: None };
    let turn = bench.run(&thread, &Script::new().action(action)).await;
    assert_eq!(turn.state, TurnState::Failed);
    assert_eq!(turn.error.map(|error| error.code), Some(ErrorCode::ContextOverflow));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_over_its_limit_is_told_with_when_it_is_renewed() {
    // Limits are of accounts, not of keys.
    let bench = Bench::start_with(|sandbox| {
        sandbox.env.retain(|(name, _)| name != "ANTHROPIC_API_KEY");
        sandbox.env.push(("CLAUDE_CODE_OAUTH_TOKEN".to_owned(), "sk-ant-oat01-mock".to_owned()));
    })
    .await;
    let thread = bench.thread().await;
    let headers = [
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", "4102444800"),
        ("anthropic-ratelimit-unified-representative-claim", "seven_day"),
    ];
    let action = Action::Status {
        status: 429,
        body: serde_json::Value::Null,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        times: None,
    };
    let turn = bench.run(&thread, &Script::new().action(action)).await;
    assert_eq!(turn.state, TurnState::Failed);
    assert_eq!(turn.error.expect("an error").code, ErrorCode::RateLimited);
    let limit = UsageLimit {
        name: "7 days".to_owned(),
        used_percent: 100,
        resets_at: Some(4_102_444_800_000),
    };
    assert_eq!(bench.claude.status().borrow().limits, [limit]);
    bench.engine.shutdown().await;
}
