//! Things die: the turn ends, nothing is lost, and the thread goes on in the same session.

use std::time::Duration;

use domain::{ErrorCode, TurnState};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use providers::Provider;
use testkit::model::Script;

use crate::harness::{Bench, said};

#[tokio::test(flavor = "multi_thread")]
async fn kilo_killed_amid_a_turn_fails_it_and_the_next_one_runs() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().text("Half an answer").wait("never").text("!");
    let turn = bench.send(&thread, &script).await;
    bench.reached("never").await;
    bench.see(&thread, |w| said(w).contains(&"Half an answer").then_some(())).await;
    let session = bench.row(&thread).await.session;
    let pid = bench.kilo.server_pid().await.expect("a running server");
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!(turn.state, TurnState::Failed);
    assert_eq!(turn.error.map(|e| e.code), Some(ErrorCode::AgentDied));
    assert_eq!(said(&bench.window(&thread).await), ["Half an answer"]);

    let turn = bench.run(&thread, &Script::new().text("Here I am again.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.row(&thread).await.session, session, "another session");
    bench.engine.shutdown().await;
    assert!(!bench.kilo.status().borrow().running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_baton_goes_on_in_the_same_session_with_nothing_injected() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Remember the word marmalade.")).await;
    let session = bench.row(&thread).await.session;
    bench.restart().await;
    let turn = bench.run(&thread, &Script::new().text("I do.")).await;
    assert_eq!(turn.state, TurnState::Completed);
    assert_eq!(bench.row(&thread).await.session, session);
    assert_eq!(said(&bench.window(&thread).await).len(), 2);
    // Kilo asks for a title meanwhile; that call offers no tools.
    let calls = bench.sandbox.model.calls();
    let last = calls.iter().rev().find(|call| !call.tools.is_empty()).expect("a call");
    let marmalade = last.messages().iter().filter(|m| m.to_string().contains("marmalade"));
    // Once in the script that was sent, once in the answer: as Kilo itself remembers it.
    assert_eq!(marmalade.count(), 2, "{:#?}", last.messages());
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_baton_ends_the_turn_and_every_process() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(domain::Access::Full).await;
    let script = Script::new().bash("echo $$ > pid.txt; echo begun; sleep 600");
    bench.send(&thread, &script).await;
    bench
        .see(&thread, |w| w.items.iter().any(|i| i.body.head.contains("begun")).then_some(()))
        .await;
    let pid = bench.kilo.server_pid().await.expect("a running server");
    bench.engine.shutdown().await;
    let shell = bench.file("pid.txt").unwrap();
    for pid in [pid.to_string(), shell.trim().to_owned()] {
        let process = std::path::PathBuf::from(format!("/proc/{pid}"));
        testkit::wait::until_true(Duration::from_secs(20), || !process.exists()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_threads_at_once_share_one_server_and_keep_apart() {
    let bench = Bench::start().await;
    let pid = bench.kilo.server_pid().await;
    let mut turns = Vec::new();
    for n in 0..20 {
        let thread = bench.thread().await;
        let script = Script::new().stream(format!("{n}-").repeat(50), 5, Duration::from_millis(2));
        turns.push((n, bench.send(&thread, &script).await, thread));
    }
    for (n, turn, thread) in turns {
        let turn = bench.ended(&thread, &turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None), "thread {n}");
        assert_eq!(said(&bench.window(&thread).await), [format!("{n}-").repeat(50)]);
    }
    assert_eq!(bench.kilo.server_pid().await, pid, "another server was started");
    bench.engine.shutdown().await;
}
