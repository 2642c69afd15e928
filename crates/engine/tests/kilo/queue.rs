//! Messages sent while the agent works wait their turn, in order, and survive.

use domain::{Refusal, TurnPatch, TurnState};
use engine::EngineError;
use testkit::model::Script;

use crate::harness::{Bench, message, said};

#[tokio::test(flavor = "multi_thread")]
async fn queued_messages_run_in_order_and_one_can_be_taken_back() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let first = bench.send(&thread, &Script::new().wait("go").text("one")).await;
    let second = bench.send(&thread, &Script::new().text("two")).await;
    let third = bench.send(&thread, &Script::new().text("three")).await;
    assert_eq!(bench.row(&thread).await.queued, 2);
    bench.engine.withdraw(&thread, &second).await.unwrap();
    bench.sandbox.model.release("go");
    for turn in [&first, &third] {
        assert_eq!(bench.ended(&thread, turn).await.state, TurnState::Completed);
    }
    assert_eq!(said(&bench.window(&thread).await), ["one", "three"]);
    assert_eq!(bench.ended(&thread, &second).await.state, TurnState::Interrupted);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_holds_the_queue_across_a_restart_until_it_is_released() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    let first = bench.send(&thread, &Script::new().wait("never").text("one")).await;
    let second = bench.send(&thread, &Script::new().text("two")).await;
    let third = bench.send(&thread, &Script::new().text("three")).await;
    bench.reached("never").await;
    // What waits is changed and moved, and stays so.
    let text = Some(Script::new().text("two, changed").prompt("Something else."));
    let patch = TurnPatch { text, ..TurnPatch::default() };
    bench.engine.edit_queued(&thread, &second, patch.clone()).await.unwrap();
    bench.engine.move_queued(&thread, &third, Some(second.clone())).await.unwrap();
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &first).await.state, TurnState::Interrupted);
    bench.restart().await;
    let row = bench.row(&thread).await;
    assert!(row.queue_held && row.queued == 2, "{row:?}");
    bench.engine.release(&thread).await.unwrap();
    for turn in [&third, &second] {
        assert_eq!(bench.ended(&thread, turn).await.state, TurnState::Completed);
    }
    assert_eq!(said(&bench.window(&thread).await), ["three", "two, changed"]);
    // The answer to the same change may have been lost: it is no failure, another one is.
    bench.engine.edit_queued(&thread, &second, patch).await.unwrap();
    let late = TurnPatch { text: Some("late".to_owned()), ..TurnPatch::default() };
    let late = bench.engine.edit_queued(&thread, &second, late).await;
    assert!(matches!(late, Err(EngineError::Refused(Refusal::NotQueued))), "{late:?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_again_is_the_same_turn() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let new = message(&Script::new().text("once").prompt("Say it once."));
    let turn = bench.engine.send(&thread, new.clone()).await.unwrap();
    let again = bench.engine.send(&thread, new.clone()).await.unwrap();
    assert_eq!(turn.id, again.id);
    bench.ended(&thread, &turn.id).await;
    bench.engine.send(&thread, new).await.unwrap();
    assert_eq!(said(&bench.window(&thread).await), ["once"]);
    bench.engine.shutdown().await;
}
