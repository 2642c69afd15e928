//! What the model's provider refuses, and what Codex makes of it.

use domain::{ErrorCode, Turn, TurnState};
use testkit::model::Script;

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
