//! A disk that takes nothing: everyone is told, and told again when it does.

use domain::{ShellChange, TurnState};
use engine::{EngineError, FeedItem};
use testkit::wait::PATIENT;

use crate::kit::Bench;

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

/// What a client that comes now is told of the storage.
async fn problem(bench: &Bench) -> Option<String> {
    let mut shell = bench.engine.follow_shell(None).await.unwrap();
    match shell.take().await.unwrap() {
        Some(FeedItem::Gap { snapshot, .. }) => snapshot.storage,
        other => panic!("a snapshot comes first, not {other:?}"),
    }
}
