//! Text: streamed, stored, titled, counted.

use std::time::Duration;

use domain::{ItemContent, ItemStatus, ThreadStatus, TurnState};
use testkit::model::Script;

use crate::harness::{Bench, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_streams_text_and_reasoning_and_is_stored_whole() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    let text = "Hällo **wörld** 👍 aaaa\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".repeat(20);
    let script = Script::new().reasoning("Let me think.").stream(text.clone(), 3, Duration::ZERO);
    let turn = bench.run(&thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(turn.usage.output > 0 && turn.usage.cost > 0.0, "{:?}", turn.usage);
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), [text.as_str()]);
    let thought = item(&window, |c| *c == ItemContent::Reasoning);
    assert_eq!((thought.body.head.as_str(), thought.status), ("Let me think.", ItemStatus::Done));
    let row = bench.row(&thread).await;
    assert_eq!(row.status, ThreadStatus::Idle);
    assert!(row.unread && !row.title.is_empty(), "{row:?}");
    let session = row.session.clone().unwrap();
    assert!(!session.starts_with("new:"), "{session}");
    assert!(row.context.is_some_and(|context| context.used > 0), "{row:?}");

    // The next turn goes on in the same process, and after a restart in the same session.
    let pids = bench.claude.pids();
    let next = bench.run(&thread, &Script::new().text("And on.")).await;
    assert_eq!((next.state, bench.claude.pids()), (TurnState::Completed, pids));
    bench.restart().await;
    assert_eq!(bench.claude.pids(), Vec::<u32>::new());
    let last = bench.run(&thread, &Script::new().text("Still here.")).await;
    assert_eq!((last.state, &last.error), (TurnState::Completed, &None));
    assert!(last.usage.cost <= turn.usage.cost * 2.0, "{:?} after {:?}", last.usage, turn.usage);
    assert_eq!(bench.row(&thread).await.session, Some(session));
    assert_eq!(said(&bench.window(&thread).await), [text.as_str(), "And on.", "Still here."]);
    bench.engine.shutdown().await;
}
