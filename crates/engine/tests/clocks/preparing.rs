//! Turns that do not get as far as the agent.

use std::time::Duration;

use domain::{ErrorCode, TurnState};

use crate::agent::{Call, What};
use crate::kit::{Bench, say};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_taken_and_never_seen_is_looked_for_and_reported_once() {
    let bench = Bench::start().await;
    bench.agent.lose();
    let lost = bench.send("hello").await;
    bench.pass(29).await;
    assert_eq!(bench.turn(&lost).await.state, TurnState::Preparing);
    assert_eq!(bench.agent.count(&Call::LookUp(lost.clone())), 0, "too early");
    let (turn, _) = bench.until(&lost, secs(12), |turn| turn.state.is_terminal()).await;
    let error = turn.error.unwrap();
    assert_eq!((turn.state, error.code), (TurnState::Failed, ErrorCode::NotAccepted));
    assert!(error.retryable && error.hint.is_some());
    assert_eq!(bench.agent.count(&Call::LookUp(lost.clone())), 1);
    assert_eq!(bench.agent.count(&Call::Abandon(lost.clone())), 1, "should it come after all");
    bench.agent.mend();
    bench.runs().await;
    assert_eq!(bench.agent.count(&Call::Send(lost)), 1, "never sent twice");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_never_opens_fails_its_turn_and_the_next_one_gets_its_own() {
    let bench = Bench::start().await;
    bench.agent.hang(&[What::Open]);
    let first = bench.send("hello").await;
    let (turn, took) = bench.ended(&first).await;
    assert_eq!(turn.error.unwrap().code, ErrorCode::AgentUnavailable);
    assert!(took > secs(170) && took < secs(200), "{took:?}");

    // A turn that is stopped leaves its opening behind; the next one waits for it, and when it
    // fails is not failed by it.
    let stopped = bench.send("again").await;
    bench.pass(100).await;
    bench.stop().await;
    assert_eq!(bench.turn(&stopped).await.state, TurnState::Interrupted);
    let next = bench.send("and again").await;
    bench.agent.mend();
    bench.finishes(&next).await;
    assert_eq!(bench.agent.count(&Call::Open), 3);
    for unsent in [first, stopped] {
        assert_eq!(bench.agent.count(&Call::Send(unsent)), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_at_once_open_one_session_and_run_in_order() {
    let bench = Bench::start().await;
    bench.agent.hang(&[What::Open]);
    let messages: Vec<_> = (0..20)
        .map(|n| {
            let (engine, thread) = (bench.engine.clone(), bench.thread.clone());
            tokio::spawn(async move { say(&engine, &thread, &format!("message {n}")).await })
        })
        .collect();
    for message in messages {
        message.await.unwrap().unwrap();
    }
    bench.pass(5).await;
    assert_eq!(bench.agent.count(&Call::Open), 1);
    bench.agent.release(What::Open);
    bench.agent.mend();
    let mut turns = bench.window().await.turns;
    turns.sort_by_key(|turn| turn.ordinal);
    assert_eq!(turns.len(), 20);
    for turn in turns {
        bench.finishes(&turn.id).await;
    }
    assert_eq!(bench.agent.count(&Call::Open), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_sending_never_returns_is_looked_for() {
    let bench = Bench::start().await;
    bench.agent.hang(&[What::Send]);
    let sent = bench.send("hello").await;
    bench.pass(59).await;
    assert_eq!(bench.agent.count(&Call::LookUp(sent.clone())), 0, "too early");
    let (turn, _) = bench.until(&sent, secs(20), |turn| turn.state.is_terminal()).await;
    assert_eq!(turn.error.unwrap().code, ErrorCode::NotAccepted);
    assert_eq!(bench.agent.count(&Call::Abandon(sent)), 1);
    bench.agent.mend();
    bench.runs().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_answers_nothing_fails_the_turn_after_a_bounded_time() {
    let bench = Bench::start().await;
    bench.agent.hang(&[What::Send, What::LookUp]);
    let sent = bench.send("hello").await;
    let (turn, took) = bench.ended(&sent).await;
    assert_eq!(turn.error.unwrap().code, ErrorCode::AgentUnavailable);
    assert!(took < secs(300), "{took:?}");
    bench.agent.mend();
    bench.runs().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_there_and_never_begun_fails_after_a_bounded_time() {
    let bench = Bench::start().await;
    let sent = bench.send("hello").await;
    bench.handed(&sent).await;
    let (turn, took) = bench.ended(&sent).await;
    assert_eq!(turn.error.unwrap().code, ErrorCode::NotAccepted);
    assert!(took > secs(590) && took < secs(620), "{took:?}");
    bench.runs().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_left_while_it_is_opened_is_not_gone_back_to() {
    let before = Bench::start().await;
    before.runs().await;
    let bench = before.again(Vec::new(), &[What::Open]).await;
    bench.send("hello").await;
    while bench.agent.count(&Call::Open) == 0 {
        bench.pass(1).await;
    }
    bench.stop().await;
    bench.engine.renew_session(&bench.thread).await.unwrap();
    bench.agent.call_sessions("another");
    let next = bench.send("hello again").await;
    while bench.agent.count(&Call::Open) == 1 {
        bench.pass(1).await;
    }
    bench.agent.release(What::Open);
    bench.agent.release(What::Open);
    bench.finishes(&next).await;
    let window = bench.window().await;
    assert_eq!(window.thread.session.as_deref(), Some("another"));
    assert!(!window.thread.renewed, "its notice was shown");
}
