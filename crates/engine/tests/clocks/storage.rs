//! A disk that takes nothing: everyone is told, and told again when it does. And what is never taken,
//! on any disk: it is dropped with its reason.

use domain::{ErrorCode, ItemStatus, ShellChange, TurnEvent, TurnState};
use engine::{EngineError, FeedItem};
use testkit::wait::PATIENT;
use tokio::time::Duration;

use crate::agent::Call;
use crate::kit::{Bench, command, make_thread, say};

const MINUTE: Duration = Duration::from_secs(60);

/// On time that passes by itself, for the store has its own.
#[tokio::test]
async fn a_disk_that_cannot_be_written_is_told_until_it_can_and_refuses_only_meanwhile() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    let mut shell = bench.engine.follow_shell(None).await.unwrap();
    let before = shell.take().await.unwrap();
    assert!(matches!(before, Some(FeedItem::Gap { .. })), "a snapshot comes first");
    let mut told = async |wanted: bool| {
        let waiting = async {
            loop {
                shell.ready().await;
                let Some(item) = shell.take().await.unwrap() else { continue };
                let FeedItem::Changes { changes, .. } = item else { continue };
                let told = changes.iter().any(|change| match change {
                    ShellChange::Storage { problem } => problem.is_some() == wanted,
                    _ => false,
                });
                if told {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENT, waiting).await.expect("a change of the storage");
    };

    let disk = bench.hold_disk();
    let refused = bench.try_send("hello").await;
    assert!(matches!(refused, Err(EngineError::Storage(_))), "{refused:?}");
    told(true).await;
    assert!(problem(&bench).await.is_some_and(|problem| !problem.is_empty()));
    // The thread can be read all the same, and what runs be stopped.
    let mut feed = bench.engine.follow_thread(&bench.thread, None).await.unwrap();
    let Some(FeedItem::Gap { snapshot, .. }) = feed.take().await.unwrap() else {
        panic!("a snapshot comes first");
    };
    assert!(snapshot.turns.iter().any(|t| t.id == turn));
    drop(disk);
    told(false).await;
    assert_eq!(problem(&bench).await, None);
    bench.stop().await;
    bench.until(&turn, PATIENT, |t| t.state == TurnState::Interrupted).await;
    bench.runs().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_another_thread_took_meanwhile_fails_its_turn_and_the_next_begins_its_own() {
    let bench = Bench::start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let first = make_thread(&bench.engine, elsewhere.path()).await;
    // By the time that this one is open, somebody went on with it in another thread.
    let theirs = say(&bench.engine, &first, "mine").await.unwrap();
    bench.handed(&theirs).await;
    let turn = bench.send("hello").await;
    let (ended, _) = bench.until(&turn, MINUTE, |t| t.state.is_terminal()).await;
    assert_eq!(ended.state, TurnState::Failed);
    let error = ended.error.unwrap();
    assert_eq!(error.code, ErrorCode::SessionTaken, "{error:?}");
    assert!(error.message.contains("another thread") && error.hint.is_some(), "{error:?}");
    assert_eq!(bench.window().await.thread.session, None, "it is the other thread's");

    bench.agent.call_sessions("another");
    bench.runs().await;
    assert_eq!(bench.window().await.thread.session.as_deref(), Some("another"));
}

#[tokio::test(start_paused = true)]
async fn what_can_never_be_stored_is_dropped_and_its_turn_fails_with_the_reason() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    let mut feed = bench.engine.follow_thread(&bench.thread, None).await.unwrap();
    bench.refuse_items("make");
    bench.tell(&turn, TurnEvent::Item(command(ItemStatus::Running))).await;
    let (ended, _) = bench.until(&turn, MINUTE, |t| t.state.is_terminal()).await;
    assert_eq!(ended.state, TurnState::Failed);
    let error = ended.error.unwrap();
    assert_eq!(error.code, ErrorCode::Internal, "{error:?}");
    assert!(error.message.contains("make") && error.hint.is_some(), "{error:?}");
    assert_eq!(bench.agent.count(&Call::Abandon(turn.clone())), 1, "nobody reads it any more");
    // Who follows is shown what is stored, and nothing of what was dropped.
    loop {
        feed.ready().await;
        let Some(item) = feed.take().await.unwrap() else { continue };
        let shown = format!("{item:?}");
        assert!(!shown.contains("Command {"), "{shown}");
        let FeedItem::Gap { snapshot, .. } = item else { continue };
        if snapshot.turns.iter().any(|t| t.id == turn && t.state == TurnState::Failed) {
            break;
        }
    }
    bench.runs().await;
}

/// What a client that comes now is told of the storage.
async fn problem(bench: &Bench) -> Option<String> {
    let mut shell = bench.engine.follow_shell(None).await.unwrap();
    match shell.take().await.unwrap() {
        Some(FeedItem::Gap { snapshot, .. }) => snapshot.storage,
        other => panic!("a snapshot comes first, not {other:?}"),
    }
}
