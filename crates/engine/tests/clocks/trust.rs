//! Projects whose configuration changes while a turn runs, or whose directory does not answer.

use domain::{ErrorCode, TurnEvent, TurnOutcome, TurnState};
use engine::EngineError;
use tokio::time::{Duration, Instant};

use crate::agent::{Call, What};
use crate::kit::{Bench, make_thread, say};

#[tokio::test(start_paused = true)]
async fn a_message_that_waited_goes_by_what_the_project_is_when_its_turn_comes() {
    let bench = Bench::start().await;
    let first = bench.running().await;
    let next = bench.send("and then").await;
    assert_eq!(bench.agent.trusted(), [true], "there is nothing to be trusted");
    // The agent itself may have written it.
    bench.agent.configure_projects();
    bench.tell(&first, TurnEvent::Ended(TurnOutcome::Completed)).await;
    bench.handed(&next).await;
    assert_eq!(bench.agent.trusted(), [true, false], "it is opened again first");
    bench.finishes(&next).await;
}

#[tokio::test(start_paused = true)]
async fn trust_that_is_taken_back_while_a_session_opens_holds_for_the_message_it_opens_for() {
    let bench = Bench::start().await;
    bench.agent.configure_projects();
    let project = bench.window().await.thread.project_id;
    let (_, shown) = bench.engine.trust(&project).await.unwrap();
    bench.engine.decide_trust(&project, true, shown.fingerprint.clone()).await.unwrap();
    bench.agent.hang(&[What::Open]);
    let turn = bench.send("hello").await;
    while bench.agent.count(&Call::Open) == 0 {
        bench.pass(1).await;
    }
    bench.engine.decide_trust(&project, false, shown.fingerprint).await.unwrap();
    bench.agent.release(What::Open);
    bench.agent.mend();
    bench.handed(&turn).await;
    assert_eq!(bench.agent.trusted(), [true, false], "it is opened again first");
    bench.finishes(&turn).await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_does_not_answer_holds_up_its_own_threads_only() {
    let bench = Bench::start().await;
    let other = tempfile::tempdir().unwrap();
    let silent = make_thread(&bench.engine, other.path()).await;
    bench.agent.silence(other.path().join("project"));
    let engine = bench.engine.clone();
    let start = Instant::now();
    let refused = tokio::spawn(async move {
        let refused = say(&engine, &silent, "hello").await;
        assert!(matches!(refused, Err(EngineError::DirectorySilent)), "{refused:?}");
        // The look that goes on is waited for, not begun again, and no longer than the first.
        let refused = say(&engine, &silent, "hello again").await;
        assert!(matches!(refused, Err(EngineError::DirectorySilent)), "{refused:?}");
        start.elapsed()
    });
    bench.runs().await;
    assert!(!refused.is_finished(), "the other thread did not wait for it");
    let took = refused.await.unwrap();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_outlived_baton_ends_when_its_directory_does_not_answer() {
    let before = Bench::start().await;
    let turn = before.running().await;
    let bench = before.again(Vec::new(), &[What::Look]).await;
    let (ended, took) = bench.ended(&turn).await;
    assert_eq!(ended.state, TurnState::Failed);
    let error = ended.error.unwrap();
    assert_eq!(error.code, ErrorCode::AgentUnavailable);
    assert!(error.message.contains("does not answer") && error.hint.is_some(), "{error:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(bench.agent.count(&Call::Open), 0, "nothing is started unseen");
}
