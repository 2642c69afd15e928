//! Text: streamed, stored, titled, counted.

use std::time::Duration;

use domain::{ItemContent, ItemStatus, ModelSelection, ThreadPatch, ThreadStatus, TurnState};
use providers::Provider as _;
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
    assert_eq!(turn.usage.output + turn.usage.reasoning, 34);
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), [text]);
    let thought = item(&window, |c| *c == ItemContent::Reasoning);
    assert_eq!((thought.body.head.as_str(), thought.status), ("Let me think.", ItemStatus::Done));
    let row = bench.row(&thread).await;
    assert_eq!(row.status, ThreadStatus::Idle);
    assert!(row.unread && !row.title.is_empty() && row.session.is_some(), "{row:?}");
    assert!(row.context.is_some_and(|context| context.used > 0 && context.limit.is_some()));

    // The next turn is counted by itself.
    let turn = bench.run(&thread, &Script::new().text("Again.").usage(2000, 5)).await;
    assert_eq!(turn.usage.output + turn.usage.reasoning, 5);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_threads_share_one_process() {
    let bench = Bench::start().await;
    let mut threads = Vec::new();
    for number in 0..20 {
        let thread = bench.thread().await;
        let turn = bench.send(&thread, &Script::new().text(format!("I am {number}."))).await;
        threads.push((thread, turn));
    }
    for (number, (thread, turn)) in threads.iter().enumerate() {
        assert_eq!(bench.ended(thread, turn).await.state, TurnState::Completed);
        assert_eq!(said(&bench.window(thread).await), [format!("I am {number}.")]);
    }
    let report = bench.codex.report().await;
    assert_eq!((report.processes.len(), report.starts), (1, 1));
    assert_eq!(report.processes[0].sessions, 20);
    bench.engine.shutdown().await;
    assert_eq!(bench.codex.server_pid().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_and_the_effort_that_were_chosen_are_used() {
    let bench = Bench::start().await;
    let models = bench.codex.inventory().borrow().models.clone();
    let model = models.iter().find(|model| model.default).expect("a default");
    assert!(model.options.contains(&"high".to_owned()), "{model:?}");
    let thread = bench.thread().await;
    // Without a choice it is the model's own, whatever was chosen before.
    for (effort, used) in [(Some("high"), "high"), (None, "medium")] {
        let option = effort.map(str::to_owned);
        let chosen = ModelSelection { model: model.id.clone(), option };
        let patch = ThreadPatch { model: Some(chosen), ..ThreadPatch::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
        let marker = format!("effort-{effort:?}");
        let turn = bench.say(&thread, &Script::new().text("ok").prompt(&marker)).await;
        assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
        let calls = bench.sandbox.model.calls_with(&marker);
        let call = calls.last().expect("a call of the model");
        assert_eq!(
            (call.model.as_str(), call.reasoning_effort.as_deref()),
            (model.id.as_str(), Some(used))
        );
    }
    bench.engine.shutdown().await;
}
