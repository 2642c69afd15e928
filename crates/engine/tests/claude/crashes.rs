//! The agent's process killed, and what a person sees of it.

use domain::{Access, ErrorCode, Mode, TurnState};
use nix::sys::signal::Signal;
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, message, said};

fn signal(pid: u32, signal: Signal) -> nix::Result<()> {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), signal)
}

fn kill(pid: u32) {
    signal(pid, Signal::SIGKILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_fails_its_turn_and_the_next_one_goes_on_in_the_same_session() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    assert_eq!(bench.run(&thread, &Script::new().text("First.")).await.state, TurnState::Completed);
    let session = bench.row(&thread).await.session;
    let command = json!({ "command": "sleep 5", "description": "Wait" });
    let turn = bench.send(&thread, &Script::new().text("Begun.").tool("Bash", command)).await;
    bench.see(&thread, |w| said(w).contains(&"Begun.").then_some(())).await;
    let [pid] = bench.claude.pids()[..] else { panic!("one process") };
    kill(pid);
    let failed = bench.ended(&thread, &turn).await;
    assert_eq!(failed.state, TurnState::Failed);
    let error = failed.error.expect("an error");
    assert_eq!(error.code, ErrorCode::AgentDied);
    assert!(error.retryable && error.hint.is_some());
    let next = bench.run(&thread, &Script::new().text("On.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    assert_eq!(bench.row(&thread).await.session, session);
    assert_eq!(said(&bench.window(&thread).await), ["First.", "Begun.", "On."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_gone_is_told_and_a_new_one_can_be_begun() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("First.")).await;
    let session = bench.row(&thread).await.session.unwrap();
    bench.restart().await;
    let file = bench.transcript(&session);
    std::fs::remove_file(file).unwrap();
    let lost = bench.run(&thread, &Script::new().text("Not here.")).await;
    assert_eq!(lost.state, TurnState::Failed);
    assert_eq!(lost.error.unwrap().code, ErrorCode::SessionLost);
    assert!(bench.row(&thread).await.session_gone);
    bench.engine.renew_session(&thread).await.unwrap();
    let next = bench.run(&thread, &Script::new().text("Anew.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    assert_ne!(bench.row(&thread).await.session, Some(session));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_told_half_of_what_to_go_by_is_not_used_for_the_next_message() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    bench.run(&thread, &Script::new().text("First.")).await;
    let [pid] = bench.claude.pids()[..] else { panic!("one process") };
    // It takes the permission mode of a plan, but answers too late.
    signal(pid, Signal::SIGSTOP).unwrap();
    let mut plan = message(&Script::new().text("Never said.").prompt("Plan this."));
    plan.mode = Some(Mode::Plan);
    let plan = bench.engine.send(&thread, plan).await.unwrap().id;
    let failed = bench.ended(&thread, &plan).await;
    assert_eq!(failed.error.map(|error| error.code), Some(ErrorCode::AgentUnavailable));
    // It may be gone by now.
    let _ = signal(pid, Signal::SIGCONT);
    let touch = json!({ "command": "touch built.txt", "description": "x" });
    let mut build = message(&Script::new().tool("Bash", touch).prompt("Build this."));
    build.mode = Some(Mode::Build);
    let build = bench.engine.send(&thread, build).await.unwrap().id;
    let next = bench.ended(&thread, &build).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    assert!(bench.file("built.txt").is_some(), "by the thread's access, not a plan's");
    assert!(!bench.claude.pids().contains(&pid));
    bench.engine.shutdown().await;
}
