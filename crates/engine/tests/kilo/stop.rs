//! Stop stops, whatever the agent does, and what is sent next is not hit by it.

use std::time::Duration;

use domain::{ItemContent, ItemStatus, TurnState};
use testkit::model::Script;

use crate::harness::{Bench, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn stop_amid_text_keeps_what_was_said() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().text("The first half").wait("never").text(" and the second");
    let turn = bench.send(&thread, &script).await;
    bench.reached("never").await;
    bench.see(&thread, |w| said(w).contains(&"The first half").then_some(())).await;
    bench.engine.stop(&thread).await.unwrap();
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Interrupted, &None));
    assert_eq!(said(&bench.window(&thread).await), ["The first half"]);

    // Sent at once, the next turn is untouched by the stop.
    let turn = bench.run(&thread, &Script::new().text("Going on.")).await;
    assert_eq!(turn.state, TurnState::Completed);
    assert_eq!(said(&bench.window(&thread).await), ["The first half", "Going on."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_amid_a_tool_ends_its_processes() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(domain::Access::Full).await;
    let script = Script::new().bash("echo $$ > pid.txt; echo begun; sleep 600").step().text("no");
    let turn = bench.send(&thread, &script).await;
    bench
        .see(&thread, |w| w.items.iter().any(|i| i.body.head.contains("begun")).then_some(()))
        .await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let pid = bench.file("pid.txt").expect("the shell's pid");
    let shell = std::path::PathBuf::from(format!("/proc/{}", pid.trim()));
    testkit::wait::until_true(Duration::from_secs(20), || !shell.exists()).await;
    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::Failed, "it ran, and did not finish");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_while_asked_while_silent_and_twice() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let turn = bench.send(&thread, &Script::new().bash("echo x").step().text("no")).await;
    bench.asked(&thread).await;
    bench.engine.stop(&thread).await.unwrap();
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::NotRun, "nobody allowed it");

    let turn = bench.send(&thread, &Script::new().open().hang()).await;
    bench
        .see(&thread, |w| {
            let running = |t: &domain::Turn| t.id == turn && t.state == TurnState::Running;
            w.turns.iter().any(running).then_some(())
        })
        .await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    bench.engine.stop(&thread).await.expect("stopping nothing is a success");

    // The stale question of the first turn does not take the new one's with it.
    let turn = bench.send(&thread, &Script::new().bash("echo y").step().text("fine")).await;
    let ask = bench.asked(&thread).await;
    bench.decide(&ask, domain::Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_the_turn_though_the_server_is_halted() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let turn = bench.send(&thread, &Script::new().text("Some words").wait("never")).await;
    bench.see(&thread, |w| said(w).contains(&"Some words").then_some(())).await;
    let pid = bench.kilo.server_pid().await.expect("a running server");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    bench.engine.stop(&thread).await.unwrap();
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Interrupted, &None));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    let turn = bench.run(&thread, &Script::new().text("Going on.")).await;
    assert_eq!(turn.state, TurnState::Completed);
    assert_eq!(said(&bench.window(&thread).await), ["Some words", "Going on."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_and_deleting_stop_what_runs() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().text("Some words").wait("never");
    let turn = bench.send(&thread, &script).await;
    let queued = bench.send(&thread, &script).await;
    bench.reached("never").await;
    let archive = domain::ThreadPatch { archived: Some(true), ..Default::default() };
    let row = bench.engine.patch_thread(&thread, archive).await.unwrap();
    assert!(row.archived && row.queued == 0);
    for turn in [&turn, &queued] {
        assert_eq!(bench.ended(&thread, turn).await.state, TurnState::Interrupted);
    }
    let refused = bench.engine.send(&thread, crate::harness::message("more")).await;
    assert!(refused.is_err(), "an archived thread took a message");

    let thread = bench.thread().await;
    bench.send(&thread, &script).await;
    bench.see(&thread, |w| said(w).contains(&"Some words").then_some(())).await;
    bench.engine.delete_thread(&thread).await.unwrap();
    let gone = bench.engine.window(&thread, None).await;
    assert!(matches!(gone, Err(engine::EngineError::UnknownThread)), "{gone:?}");
    // The model's answer is no longer waited for.
    testkit::wait::until_true(Duration::from_secs(20), || {
        bench.sandbox.model.connections().running == 0
    })
    .await;
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_at_any_moment_then_send_never_hits_the_new_turn() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    // From before the session is open to well into the answer.
    let moments: [fn(&domain::Turn, usize) -> bool; 6] = [
        |_, _| true,
        |turn, _| turn.phase.is_some() || turn.prompt_key.is_some(),
        |turn, _| turn.prompt_key.is_some(),
        |turn, _| turn.state == TurnState::Running,
        |_, said| said >= 4,
        |_, said| said >= 100,
    ];
    for round in 0..12 {
        let script = Script::new().stream("x".repeat(400), 4, Duration::from_millis(5));
        let stopped = bench.send(&thread, &script).await;
        let moment = moments[round % moments.len()];
        bench
            .see(&thread, |w| {
                let turn = w.turns.iter().find(|t| t.id == stopped)?;
                let said = w.items.iter().filter(|i| i.turn_id == stopped);
                let said = said.map(|i| i.body.head.len()).sum();
                (turn.state.is_terminal() || moment(turn, said)).then_some(())
            })
            .await;
        bench.engine.stop(&thread).await.unwrap();
        let next = bench.send(&thread, &Script::new().text(format!("answer {round}"))).await;
        let stopped = bench.ended(&thread, &stopped).await;
        assert!(
            matches!(stopped.state, TurnState::Interrupted | TurnState::Completed),
            "round {round}: {stopped:?}"
        );
        let next = bench.ended(&thread, &next).await;
        assert_eq!((next.state, &next.error), (TurnState::Completed, &None), "round {round}");
        let window = bench.window(&thread).await;
        let answer = format!("answer {round}");
        assert!(said(&window).contains(&answer.as_str()), "round {round}: {:?}", said(&window));
    }
    bench.engine.shutdown().await;
}
