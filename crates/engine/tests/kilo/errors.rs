//! Trouble with the model's provider: each a typed end, in its own words, and the thread goes on.

use domain::{Answer, ErrorCode, ItemContent, TurnState};
use testkit::model::Script;

use crate::harness::{Bench, said};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_fail_the_turn_with_the_providers_words() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    for (status, code) in [
        (401, ErrorCode::Unauthorized),
        (402, ErrorCode::Payment),
        (429, ErrorCode::RateLimited),
        (500, ErrorCode::ProviderError),
    ] {
        let words = format!("refused with {status} for a reason");
        let turn = bench.run(&thread, &Script::new().status(status, &words)).await;
        assert_eq!(turn.state, TurnState::Failed, "{status}");
        let error = turn.error.expect("an error");
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(&words), "{error:?}");
        assert_eq!(bench.row(&thread).await.status, domain::ThreadStatus::Failed);
    }
    let turn = bench.run(&thread, &Script::new().text("back again")).await;
    assert_eq!(turn.state, TurnState::Completed);
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
        matches!(&refused, Err(engine::EngineError::UnknownModel { model }) if model == "mock/none"),
        "{refused:?}"
    );
    bench.engine.shutdown().await;
}
