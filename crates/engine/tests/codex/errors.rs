//! What the model's provider refuses, and what Codex makes of it.

use domain::{ErrorCode, Turn, TurnState, UsageLimit};
use providers::Provider as _;
use serde_json::json;
use testkit::model::{Action, Script};

use crate::harness::{Bench, said};

async fn failed(bench: &Bench, script: &Script) -> (Turn, ErrorCode) {
    let thread = bench.thread().await;
    let turn = bench.run(&thread, script).await;
    assert_eq!(turn.state, TurnState::Failed, "{turn:?}");
    let error = turn.error.clone().expect("an error");
    assert!(!error.message.is_empty() && error.hint.is_some(), "{error:?}");
    // The next one works.
    let next = bench.run(&thread, &Script::new().text("Fine.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    (turn, error.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_code_and_the_next_turn_works() {
    let bench = Bench::start().await;
    let refused = |status| Script::new().status(status, "no");
    let (turn, code) = failed(&bench, &refused(401)).await;
    assert_eq!(code, ErrorCode::Unauthorized);
    assert!(turn.error.unwrap().hint.unwrap().contains("codex login"));
    assert_eq!(failed(&bench, &refused(429)).await.1, ErrorCode::RateLimited);
    assert_eq!(failed(&bench, &refused(500)).await.1, ErrorCode::ProviderError);
    let (turn, code) = failed(&bench, &refused(400)).await;
    assert_eq!(code, ErrorCode::ProviderError);
    // The provider's JSON is not shown as it is.
    assert!(!turn.error.unwrap().message.contains('{'));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_tried_again_and_told_once() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let turn = bench.run(&thread, &Script::new().text("Half of an answer").cut()).await;
    assert_eq!(turn.state, TurnState::Failed, "{turn:?}");
    let window = bench.window(&thread).await;
    assert!(said(&window).len() <= 1, "{:?}", said(&window));
    let turn = bench.run(&thread, &Script::new().text("Fine.")).await;
    assert_eq!(turn.state, TurnState::Completed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_allows_is_told_and_when_it_is_renewed() {
    let bench = Bench::start().await;
    assert_eq!(bench.codex.status().borrow().limits, []);
    let headers = [
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-at", "4102444800"),
        ("x-codex-secondary-used-percent", "37.2"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-at", "4102488000"),
    ];
    let action = Action::Status {
        status: 429,
        body: json!({ "error": { "type": "usage_limit_reached", "message": "no more",
            "plan_type": "plus", "resets_at": 4_102_444_800_u64 } }),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        times: None,
    };
    let (turn, code) = failed(&bench, &Script::new().action(action)).await;
    assert_eq!(code, ErrorCode::Payment);
    let error = turn.error.expect("an error");
    assert!(error.message.contains("2100"), "Codex says when: {error:?}");
    let limit = |name: &str, used_percent, resets_at| UsageLimit {
        name: name.to_owned(),
        used_percent,
        resets_at: Some(resets_at),
    };
    let limits = [limit("5 h", 100, 4_102_444_800_000), limit("7 days", 37, 4_102_488_000_000)];
    assert_eq!(bench.codex.status().borrow().limits, limits);
    bench.engine.shutdown().await;
}
