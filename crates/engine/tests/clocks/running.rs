//! Turns the agent has begun and of which nothing more is heard.

use std::time::Duration;

use domain::{
    Access, ErrorCode, ItemStatus, Phase, ThreadPatch, TurnEvent, TurnOutcome, TurnState,
};

use crate::agent::{Call, What};
use crate::kit::{Bench, ask, command, retrying, sub_agent, words};

#[tokio::test(start_paused = true)]
async fn an_end_that_was_lost_is_found_by_reading_the_session() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    let whole = words("so far, and to the end", ItemStatus::Done);
    let end = TurnEvent::Ended(TurnOutcome::Completed);
    bench.agent.on_reading(vec![TurnEvent::Item(whole), end]);
    bench.pass(44).await;
    assert_eq!(bench.agent.count(&Call::Resync), 0, "too early");
    let soon = Duration::from_secs(12);
    let (turn, _) = bench.until(&turn, soon, |turn| turn.state.is_terminal()).await;
    assert_eq!(turn.state, TurnState::Completed);
    let items = bench.window().await.items;
    assert_eq!(items[0].body.head, "so far, and to the end");
    assert_eq!(bench.agent.count(&Call::Resync), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_model_is_said_and_in_the_end_its_turn_fails() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    // Reading the session says only what is known: the agent works on.
    let known = words("so far", ItemStatus::Running);
    bench.agent.on_reading(vec![TurnEvent::Item(known), TurnEvent::Phase(None)]);
    bench.pass(59).await;
    assert_eq!(bench.turn(&turn).await.phase, None, "too early");
    let silent = |turn: &domain::Turn| matches!(turn.phase, Some(Phase::Silent { .. }));
    let soon = Duration::from_secs(12);
    bench.until(&turn, soon, silent).await;
    bench.pass(60).await;
    assert!(silent(&bench.turn(&turn).await), "reading the session again is no word of the model");

    let more = TurnEvent::Text { key: "words".to_owned(), at: 6, text: ", and more".to_owned() };
    bench.tell(&turn, more).await;
    bench.until(&turn, Duration::from_secs(1), |turn| turn.phase.is_none()).await;
    let known = words("so far, and more", ItemStatus::Running);
    bench.agent.on_reading(vec![TurnEvent::Item(known), TurnEvent::Phase(None)]);
    let (ended, took) = bench.ended(&turn).await;
    let error = ended.error.unwrap();
    assert_eq!((ended.state, error.code), (TurnState::Failed, ErrorCode::Silent));
    assert!(error.hint.is_some() && error.retryable);
    let limit = Duration::from_secs(600);
    assert!(took > limit && took < limit + soon, "{took:?}");
    assert_eq!(bench.agent.count(&Call::Abandon(turn.clone())), 1);

    // What it says after all is late.
    let late = words("so far, and more, and late", ItemStatus::Done);
    bench.tell(&turn, TurnEvent::Item(late)).await;
    bench.runs().await;
    let items = bench.window().await.items;
    assert_eq!(items[0].body.head, "so far, and more");
    assert_eq!(items[0].status, ItemStatus::Done);
}

#[tokio::test(start_paused = true)]
async fn what_is_waited_for_with_a_reason_is_no_silence() {
    let long_ahead = i64::MAX;
    let network = Phase::WaitingForNetwork { message: "offline".to_owned() };
    let waits = [
        TurnEvent::Item(command(ItemStatus::Running)),
        TurnEvent::Item(sub_agent()),
        TurnEvent::Asked(ask()),
        TurnEvent::Phase(Some(network)),
        retrying(long_ahead),
    ];
    for wait in waits {
        let bench = Bench::start().await;
        let turn = bench.running().await;
        bench.tell(&turn, wait.clone()).await;
        bench.pass(1200).await;
        let row = bench.turn(&turn).await;
        assert_eq!(row.state, TurnState::Running, "{wait:?}");
        assert!(!matches!(row.phase, Some(Phase::Silent { .. })), "{wait:?}");
        assert!(bench.agent.count(&Call::Resync) > 0, "it is read all the same: {wait:?}");
        bench.tell(&turn, TurnEvent::Ended(TurnOutcome::Completed)).await;
        assert_eq!(bench.ended(&turn).await.0.state, TurnState::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_may_do_is_told_in_order_and_again_after_a_restart() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    for access in [Access::Full, Access::Supervised, Access::AutoEdit] {
        let patch = ThreadPatch { access: Some(access), ..ThreadPatch::default() };
        bench.engine.patch_thread(&bench.thread, patch).await.unwrap();
    }
    let told = [Access::Supervised, Access::Full, Access::Supervised, Access::AutoEdit];
    bench.pass(1).await;
    assert_eq!(bench.agent.wanted(), told);

    // Whether the agent that survived was told of the last is not known.
    let known = TurnEvent::Item(words("so far", ItemStatus::Running));
    let again = bench.again(vec![known], &[]).await;
    again.until(&turn, Duration::from_secs(60), |t| t.state == TurnState::Running).await;
    again.pass(1).await;
    assert_eq!(again.agent.wanted(), [Access::AutoEdit]);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_access_is_answered_once_the_agent_goes_by_it() {
    let bench = Bench::start().await;
    bench.running().await;
    let change = |access| {
        let (engine, thread) = (bench.engine.clone(), bench.thread.clone());
        let patch = ThreadPatch { access: Some(access), ..ThreadPatch::default() };
        tokio::spawn(async move { engine.patch_thread(&thread, patch).await })
    };
    bench.agent.hang(&[What::Apply]);
    let changed = change(Access::Full);
    bench.pass(5).await;
    assert_eq!(bench.agent.wanted().last(), Some(&Access::Full), "it is being told");
    assert!(!changed.is_finished(), "a tool may still run by the access of before");
    // Nothing else waits for that.
    let renamed = ThreadPatch { title: Some("New".to_owned()), ..ThreadPatch::default() };
    assert_eq!(bench.engine.patch_thread(&bench.thread, renamed).await.unwrap().title, "New");
    bench.agent.release(What::Apply);
    assert_eq!(changed.await.unwrap().unwrap().access, Access::Full);
    // An agent that says nothing keeps nobody waiting for ever.
    assert_eq!(change(Access::Supervised).await.unwrap().unwrap().access, Access::Supervised);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_comes_and_goes_does_not_keep_a_silent_turn() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    for _ in 0..22 {
        bench.agent.flap().await;
        bench.pass(30).await;
    }
    let row = bench.ended(&turn).await.0;
    assert_eq!(row.state, TurnState::Failed, "{row:?}");
    assert_eq!(row.error.map(|error| error.code), Some(ErrorCode::Silent));
}

#[tokio::test(start_paused = true)]
async fn a_thread_that_nobody_uses_is_let_go_though_its_link_comes_and_goes() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    for _ in 0..20 {
        bench.agent.flap().await;
        bench.pass(30).await;
    }
    assert!(!bench.agent.is_left(), "its turn goes on");
    bench.tell(&turn, TurnEvent::Ended(TurnOutcome::Completed)).await;
    bench.ended(&turn).await;
    for _ in 0..11 {
        bench.agent.flap().await;
        bench.pass(30).await;
    }
    assert!(bench.agent.is_left(), "it is live for its bad link alone");
}
