//! The same session after a restart of Baton, after Codex was killed, and when it is gone.

use std::time::Duration;

use domain::{
    AgentEndReason, ErrorCode, ItemContent, ProviderProblemKind, ProviderStatus, TurnState,
};
use providers::Provider as _;
use providers::codex::CodexConfig;
use testkit::model::Script;
use testkit::wait::PATIENT;

use crate::harness::{Bench, Tools as _, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_goes_on_in_its_session_after_restarts() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("The word is heron.")).await;
    let session = bench.row(&thread).await.session.expect("a session");
    for round in 0..3 {
        bench.restart().await;
        let marker = format!("round-{round}");
        let turn = bench.say(&thread, &Script::new().text("Going on.").prompt(&marker)).await;
        let turn = bench.ended(&thread, &turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
        assert_eq!(bench.row(&thread).await.session.as_ref(), Some(&session));
        let calls = bench.sandbox.model.calls_with(&marker);
        assert!(calls[0].mentions("heron"), "the model is told what was said");
    }
    let window = bench.window(&thread).await;
    assert_eq!(window.turns.len(), 4, "nothing is taken for made elsewhere");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_codex_fails_the_turn_and_the_next_runs_in_the_same_session() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Hello.")).await;
    let session = bench.row(&thread).await.session;
    let turn = bench.send(&thread, &Script::new().text("Half").wait("never").text("no")).await;
    bench.reached("never").await;
    bench.see(&thread, |w| said(w).contains(&"Half").then_some(())).await;
    let pid = bench.codex.server_pid().await.expect("it runs");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!(turn.state, TurnState::Failed);
    let error = turn.error.expect("an error");
    assert_eq!(error.code, ErrorCode::AgentDied);
    assert!(error.hint.is_some());
    assert!(said(&bench.window(&thread).await).contains(&"Half"), "what was said stays");

    let turn = bench.run(&thread, &Script::new().text("Back again.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.row(&thread).await.session, session);
    let report = bench.codex.report().await;
    assert_eq!(report.starts, 2);
    assert_eq!(report.ends[0].why, AgentEndReason::Died);
    assert_eq!(report.ends[0].turns, 1);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_when_codex_dies_is_closed() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let turn = bench.send(&thread, &Script::new().run_command("touch x").step().text("no")).await;
    let ask = bench.asked(&thread).await;
    let pid = bench.codex.server_pid().await.expect("it runs");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Failed);
    let window = bench.window(&thread).await;
    assert!(!window.requests.iter().any(|r| r.id == ask.id && r.state.is_open()));
    assert_eq!(bench.row(&thread).await.open_requests, 0);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_gone_is_told_and_a_new_one_goes_on() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Hello.")).await;
    bench.engine.shutdown().await;
    std::fs::remove_dir_all(bench.codex_home().join("sessions")).unwrap();
    for entry in std::fs::read_dir(bench.codex_home()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".sqlite") {
            std::fs::remove_file(path).unwrap();
        }
    }
    bench.restart().await;
    let turn = bench.run(&thread, &Script::new().text("no")).await;
    assert_eq!(turn.state, TurnState::Failed);
    let error = turn.error.expect("an error");
    assert_eq!(error.code, ErrorCode::SessionLost);
    assert!(error.hint.is_some() && bench.row(&thread).await.session_gone);
    bench.engine.renew_session(&thread).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("Anew.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    assert!(window.items.iter().any(|i| matches!(i.content, ItemContent::Notice { .. })));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_in_which_nothing_was_said_goes_on_after_codex_ended() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    // Its session is opened, and nothing of it is stored.
    let turn = bench.send(&thread, &Script::new().status(400, "no")).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Failed);
    bench.codex.restart(true).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("Fine.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_codex_that_answers_nothing_is_replaced_and_its_threads_go_on() {
    let narrow = |config| CodexConfig {
        check_every: Duration::from_millis(100),
        answer_within: Duration::from_secs(2),
        ..config
    };
    let bench = Bench::start_tuned("", narrow).await;
    let thread = bench.thread().await;
    let turn = bench.send(&thread, &Script::new().text("Half").wait("never").text("no")).await;
    bench.reached("never").await;
    bench.see(&thread, |w| said(w).contains(&"Half").then_some(())).await;
    let session = bench.row(&thread).await.session;
    let number = bench.codex.server_pid().await.expect("it runs");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(number).unwrap());
    let mut status = bench.codex.status();
    // Its pipes stay open, and nothing is answered any more.
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let hangs =
        |s: &ProviderStatus| s.problems.iter().any(|p| p.kind == ProviderProblemKind::NotAnswering);
    tokio::time::timeout(PATIENT, status.wait_for(hangs)).await.expect("told").unwrap();
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!(turn.state, TurnState::Failed);
    assert_eq!(turn.error.map(|error| error.code), Some(ErrorCode::AgentDied));

    let turn = bench.run(&thread, &Script::new().text("Back again.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.row(&thread).await.session, session);
    assert!(!std::path::Path::new(&format!("/proc/{number}")).exists(), "it still runs");
    let report = bench.codex.report().await;
    let end = report.ends.first().expect("a remembered end");
    assert_eq!((end.why, end.pid), (AgentEndReason::NotAnswering, Some(number)));
    assert!(report.processes.iter().all(|process| process.answering), "{report:?}");
    assert!(!hangs(&bench.codex.status().borrow()));
    bench.engine.shutdown().await;
}
