//! Stop stops, whatever Codex does, and what is sent next is not hit by it.

use std::time::Duration;

use domain::{ItemContent, ItemStatus, Turn, TurnState};
use testkit::model::Script;

use crate::harness::{Bench, Tools as _, item, said};

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
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&thread).await), ["The first half", "Going on."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_amid_a_command_ends_its_processes() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let script = Script::new().run_command("echo $$ > pid.txt; sleep 600").step().text("no");
    let turn = bench.send(&thread, &script).await;
    let pid =
        bench.see(&thread, |_| bench.file("pid.txt").filter(|pid| !pid.trim().is_empty())).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    // Without a sandbox its number is the machine's.
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
    let turn = bench.send(&thread, &Script::new().run_command("touch x").step().text("no")).await;
    let ask = bench.asked(&thread).await;
    bench.engine.stop(&thread).await.unwrap();
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::NotRun, "nobody allowed it");
    assert!(window.requests.iter().all(|request| request.id != ask.id), "it is closed");

    let turn = bench.send(&thread, &Script::new().open().hang()).await;
    bench
        .see(&thread, |w| {
            let running = |t: &Turn| t.id == turn && t.state == TurnState::Running;
            w.turns.iter().any(running).then_some(())
        })
        .await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    bench.engine.stop(&thread).await.expect("stopping nothing is a success");

    let turn = bench.send(&thread, &Script::new().run_command("echo y").step().text("fine")).await;
    let (turn, asked) = bench.allowing(&thread, &turn).await;
    assert_eq!((turn.state, asked.len()), (TurnState::Completed, 1));
    assert_eq!(bench.file("x"), None);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_at_any_moment_never_hit_the_next_turn() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    for round in 0..20_u64 {
        let script = Script::new().run_command("echo a").step().text("b").wait("never").text("c");
        let stopped = bench.send(&thread, &script).await;
        // Another moment each time: while it is handed over, begun, amid the command, amid text.
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
            bench.window(&thread).await;
        }
        bench.engine.stop(&thread).await.unwrap();
        let next = bench.send(&thread, &Script::new().text(format!("Round {round}."))).await;
        let stopped = bench.ended(&thread, &stopped).await;
        assert_eq!(stopped.state, TurnState::Interrupted, "round {round}: {stopped:?}");
        let next = bench.ended(&thread, &next).await;
        assert_eq!((next.state, &next.error), (TurnState::Completed, &None), "round {round}");
        let window = bench.window(&thread).await;
        assert!(said(&window).contains(&format!("Round {round}.").as_str()), "round {round}");
    }
    bench.engine.shutdown().await;
}
