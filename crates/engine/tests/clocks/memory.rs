//! What is held in memory: threads at work, and none of those that rest or are gone.

use std::time::Duration;

use domain::TurnState;

use crate::agent::EVERYTHING;
use crate::kit::{Bench, make_thread, say};

/// Threads beside the one of the bench; more than any bound would hide.
const MANY: usize = 200;

#[tokio::test(start_paused = true)]
async fn a_start_takes_up_what_was_under_way_and_no_other_thread() {
    let bench = Bench::start().await;
    for _ in 0..MANY {
        let thread = make_thread(&bench.engine, bench.directory()).await;
        bench.engine.window(&thread, None).await.unwrap();
    }
    let turn = bench.running().await;
    let again = bench.again(Vec::new(), &[]).await;
    assert_eq!(again.engine.live_threads(), 1);
    assert_eq!(again.ended(&turn).await.0.state, TurnState::Failed);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_of_threads_that_are_deleted() {
    let bench = Bench::start().await;
    let mut threads = vec![bench.thread.clone()];
    bench.running().await;
    bench.agent.hang(&EVERYTHING);
    for _ in 0..MANY {
        let thread = make_thread(&bench.engine, bench.directory()).await;
        say(&bench.engine, &thread, "work").await.unwrap();
        threads.push(thread);
    }
    assert_eq!(bench.engine.live_threads(), threads.len());
    for thread in &threads {
        let deleting = bench.engine.delete_thread(thread);
        tokio::time::timeout(Duration::from_secs(30), deleting).await.expect("in time").unwrap();
        // Whoever still asks for it does not bring it back.
        assert!(say(&bench.engine, thread, "more").await.is_err());
        assert!(bench.engine.follow_thread(thread, None).await.is_err());
    }
    assert_eq!(bench.engine.live_threads(), 0);
}
