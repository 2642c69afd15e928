//! Text: streamed, stored, titled, counted.

use std::time::Duration;

use domain::{ItemContent, ItemStatus, ThreadStatus, TurnState};
use testkit::model::Script;

use crate::harness::{Bench, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_streams_text_and_reasoning_and_is_stored_whole() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let text = "Hällo **wörld** 👍 aaaa\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".repeat(20);
    let script = Script::new()
        .reasoning("Let me think.")
        .stream(text.clone(), 3, Duration::ZERO)
        .usage(1200, 34);
    let turn = bench.run(&thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(turn.usage.output, 34);
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), [text]);
    let thought = item(&window, |c| *c == ItemContent::Reasoning);
    assert_eq!((thought.body.head.as_str(), thought.status), ("Let me think.", ItemStatus::Done));
    let row = bench.row(&thread).await;
    assert_eq!(row.status, ThreadStatus::Idle);
    assert!(row.unread && !row.title.is_empty() && row.session.is_some(), "{row:?}");
    bench.engine.shutdown().await;
}
