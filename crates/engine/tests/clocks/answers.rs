//! Answers that do not reach the agent.

use std::time::Duration;

use domain::{Request, RequestState, TurnEvent, TurnOutcome, TurnState};

use crate::agent::{Call, What};
use crate::kit::{Bench, ask};

/// Waits until the request is open again, with what went wrong.
async fn reopened(bench: &Bench) -> Duration {
    let start = tokio::time::Instant::now();
    loop {
        if let RequestState::Open { problem: Some(problem) } = bench.request().await.state {
            assert!(!problem.is_empty());
            return start.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(start.elapsed() < Duration::from_secs(300), "{:?}", bench.request().await);
    }
}

/// Waits until nothing is asked any more.
async fn closed(bench: &Bench) {
    let waiting = async {
        while !bench.window().await.requests.is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("an answered request");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_arrives_can_be_given_again_also_after_a_restart() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    bench.tell(&turn, TurnEvent::Asked(ask())).await;
    bench.pass(1).await;
    bench.agent.hang(&[What::Answer]);
    bench.answer().await;
    assert!(matches!(bench.request().await.state, RequestState::Answering { .. }));

    // Baton dies while the answer is on its way. Found so again, it is given once the session was
    // read, for only then the agent's requests are known.
    let asked = || vec![TurnEvent::Asked(ask())];
    let hung = bench.again(asked(), &[What::Answer]).await;
    let fine = bench.again(asked(), &[]).await;
    closed(&fine).await;
    for again in [&fine, &hung] {
        let calls = again.agent.calls();
        assert_eq!(calls, [Call::Open, Call::LookUp(turn.clone()), Call::Answer]);
    }
    for late in [&hung, &bench] {
        assert!(reopened(late).await < Duration::from_secs(20));
        late.agent.mend();
        late.answer().await;
        closed(late).await;
    }
    bench.tell(&turn, TurnEvent::Ended(TurnOutcome::Completed)).await;
    assert_eq!(bench.ended(&turn).await.0.state, TurnState::Completed);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_carrier_is_gone_can_be_given_again() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    bench.tell(&turn, TurnEvent::Asked(ask())).await;
    bench.pass(1).await;
    bench.agent.break_off(What::Answer);
    bench.answer().await;
    assert!(reopened(&bench).await < Duration::from_secs(60));
    bench.agent.mend();
    bench.answer().await;
    closed(&bench).await;
    assert_eq!(bench.agent.count(&Call::Answer), 2);
}

#[tokio::test(start_paused = true)]
async fn what_outlived_baton_is_answered_once_the_agent_is_known_to_wait() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    bench.tell(&turn, TurnEvent::Asked(ask())).await;
    bench.pass(1).await;

    // An answer that is given while the session is not read yet waits for it.
    let asked = || vec![TurnEvent::Asked(ask())];
    let again = bench.again(asked(), &[What::LookUp]).await;
    checking(&again).await;
    again.answer().await;
    let RequestState::Checking { answer: Some(_) } = again.request().await.state else {
        panic!("{:?}", again.request().await);
    };
    again.pass(20).await;
    assert_eq!(again.agent.count(&Call::Answer), 0);
    again.agent.release(What::LookUp);
    closed(&again).await;
    assert_eq!(again.agent.count(&Call::Answer), 1);

    // An agent that never says whether it waits is taken to.
    let silent = bench.again(Vec::new(), &[]).await;
    checking(&silent).await;
    silent.pass(60).await;
    assert_eq!(silent.request().await.state, RequestState::Open { problem: None });

    // What the agent does not wait for any more is closed with its turn.
    let ended = vec![TurnEvent::Ended(TurnOutcome::Interrupted)];
    let ended = bench.again(ended, &[What::LookUp]).await;
    checking(&ended).await;
    ended.answer().await;
    ended.agent.release(What::LookUp);
    closed(&ended).await;
    assert_eq!(ended.agent.count(&Call::Answer), 0);
    let items = ended.window().await.items;
    assert!(items.iter().any(|item| item.body.head.contains("not delivered")), "{items:?}");
}

/// Waits until the request is known to be in doubt.
async fn checking(bench: &Bench) {
    let doubted = |r: &Request| matches!(r.state, RequestState::Checking { answer: None });
    let doubt = async {
        while !bench.window().await.requests.iter().any(doubted) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), doubt).await.expect("a request in doubt");
}
