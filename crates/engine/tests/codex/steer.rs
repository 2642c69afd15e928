//! A message given to Codex while it works: taken at its next step, and never lost or doubled.

use domain::{Delivery, Phase, ThreadId, Turn, TurnId, TurnState};
use testkit::model::Script;

use crate::driver::message;
use crate::harness::{Bench, Tools as _, said};

async fn steer(bench: &Bench, thread: &ThreadId, script: &Script) -> TurnId {
    let mut new = message(&script.prompt("Do this first."));
    new.delivery = Delivery::Steer;
    bench.engine.send(thread, new).await.expect("an accepted message").id
}

/// Waits until Codex has been given a message that steers.
async fn given(bench: &Bench, thread: &ThreadId, turn: &TurnId) -> Turn {
    let waits =
        |t: &&Turn| t.id == *turn && t.prompt_key.is_some() && t.phase == Some(Phase::Steering);
    bench.see(thread, |w| w.turns.iter().find(waits).cloned()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_amid_a_command_and_amid_text() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let command = "touch begun; while ! test -e go; do sleep 0.1; done; echo over";
    let script = Script::new().run_command(command).step().text("never said");
    let first = bench.send(&thread, &script).await;
    bench.see(&thread, |_| bench.file("begun")).await;
    let script = Script::new().text("Two").wait("amid").text(" and never the rest");
    let second = steer(&bench, &thread, &script).await;
    given(&bench, &thread, &second).await;
    std::fs::write(bench.sandbox.project.join("go"), "").unwrap();
    assert_eq!(bench.ended(&thread, &first).await.state, TurnState::Completed);
    // Amid text Codex cuts the answer, of which what was said stays.
    bench.see(&thread, |w| said(w).contains(&"Two").then_some(())).await;
    let third = steer(&bench, &thread, &Script::new().text("Three.")).await;
    for turn in [&second, &third] {
        let turn = bench.ended(&thread, turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["Two", "Three."]);
    let order: Vec<&TurnId> = window.turns.iter().map(|t| &t.id).collect();
    assert_eq!(order, [&first, &second, &third]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_not_taken_when_its_turn_ended_is_the_next() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let first =
        bench.send(&thread, &Script::new().run_command("sleep 600").step().text("no")).await;
    bench
        .see(&thread, |w| {
            let ran = |c: &domain::ItemContent| matches!(c, domain::ItemContent::Command { .. });
            w.items.iter().any(|i| ran(&i.content)).then_some(())
        })
        .await;
    let second = steer(&bench, &thread, &Script::new().text("Two.")).await;
    given(&bench, &thread, &second).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &first).await.state, TurnState::Interrupted);
    let second = bench.ended(&thread, &second).await;
    // Whichever way the stop is taken, it is over, and never said twice.
    let times = said(&bench.window(&thread).await).iter().filter(|said| **said == "Two.").count();
    assert!(times <= 1 && second.state.is_terminal(), "{second:?}");
    let turn = bench.run(&thread, &Script::new().text("Three.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}
