//! Stop: at several moments, and then another message.

use std::time::Duration;

use domain::{Access, ItemContent, ItemStatus, TurnState};
use serde_json::json;
use testkit::model::Script;
use testkit::wait::{PATIENT, until};

use crate::harness::{Bench, item, said};

fn sleep(mark: u32) -> serde_json::Value {
    json!({ "command": format!("sleep {mark}"), "description": "Wait" })
}

/// Whether a process with this command line runs.
fn runs(line: &str) -> bool {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let read = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&read).replace('\0', " ").trim() == line
    })
}

async fn until_runs(line: &str, wanted: bool) {
    until(PATIENT, || async move { (runs(line) == wanted).then_some(()).ok_or(line) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_text_that_is_being_written_and_keeps_what_was_said() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let slow = Script::new().stream("word ".repeat(2_000), 5, Duration::from_millis(20));
    let turn = bench.send(&thread, &slow).await;
    bench.see(&thread, |w| said(w).iter().any(|text| text.len() > 20).then_some(())).await;
    bench.engine.stop(&thread).await.unwrap();
    let ended = bench.ended(&thread, &turn).await;
    assert_eq!((ended.state, &ended.error), (TurnState::Interrupted, &None));
    let window = bench.window(&thread).await;
    assert!(said(&window)[0].starts_with("word word "), "{:?}", said(&window));
    // The same process goes on.
    let pids = bench.claude.pids();
    let next = bench.run(&thread, &Script::new().text("Next.")).await;
    assert_eq!((next.state, bench.claude.pids()), (TurnState::Completed, pids));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_command_that_runs_with_all_it_started() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let turn = bench.send(&thread, &Script::new().tool("Bash", sleep(86_391))).await;
    until_runs("sleep 86391", true).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    until_runs("sleep 86391", false).await;
    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::Failed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_something_is_asked_closes_the_request_and_runs_nothing() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let touch = json!({ "command": "touch no.txt", "description": "x" });
    let turn = bench.send(&thread, &Script::new().tool("Bash", touch)).await;
    let request = bench.asked(&thread).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let window = bench.window(&thread).await;
    let open = |r: &domain::Request| r.id == request.id && r.state.is_open();
    assert!(!window.requests.iter().any(open), "{:?}", window.requests);
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::NotRun);
    assert_eq!(bench.file("no.txt"), None);
    // Stop, then send at once.
    for n in 0..5 {
        let turn = bench.send(&thread, &Script::new().text("Never whole.").hang()).await;
        bench.engine.stop(&thread).await.unwrap();
        let next = bench.send(&thread, &Script::new().text(format!("Next {n}."))).await;
        assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
        let next = bench.ended(&thread, &next).await;
        assert_eq!((next.state, &next.error), (TurnState::Completed, &None), "round {n}");
    }
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_baton_ends_so_do_the_agent_and_the_command_it_runs() {
    let mut bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let turn = bench.send(&thread, &Script::new().tool("Bash", sleep(86_392))).await;
    until_runs("sleep 86392", true).await;
    bench.restart().await;
    until_runs("sleep 86392", false).await;
    assert!(bench.ended(&thread, &turn).await.state.is_terminal());
    let next = bench.run(&thread, &Script::new().text("Here again.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}
