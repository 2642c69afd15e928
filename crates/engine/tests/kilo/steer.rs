//! A message given to the agent while it works: taken at its next step, and never lost or doubled.

use domain::{Decision, Delivery, Phase, Turn, TurnId, TurnState};
use engine::EngineError;
use testkit::model::Script;

use crate::harness::{Bench, message, said};

async fn steer(bench: &Bench, thread: &domain::ThreadId, script: &Script) -> TurnId {
    let mut new = message(&script.prompt("Do this first."));
    new.delivery = Delivery::Steer;
    bench.engine.send(thread, new).await.expect("an accepted message").id
}

/// Waits until Kilo has been given a message that steers.
async fn given(bench: &Bench, thread: &domain::ThreadId, turn: &TurnId) -> Turn {
    let waits =
        |t: &&Turn| t.id == *turn && t.prompt_key.is_some() && t.phase == Some(Phase::Steering);
    bench.see(thread, |w| w.turns.iter().find(waits).cloned()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_amid_text_and_amid_a_tool_and_from_the_queue() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(domain::Access::Full).await;
    // Amid text: the step is finished, what it would have done next is not.
    let script = Script::new().text("One").wait("amid").text(" whole.").bash("echo x").step();
    let first = bench.send(&thread, &script.text("never said")).await;
    bench.see(&thread, |w| said(w).contains(&"One").then_some(())).await;
    // Amid a tool: it runs to its end, and the model is not asked again.
    let command = Script::new().bash("touch begun; while ! test -e go; do sleep 0.1; done");
    let second = steer(&bench, &thread, &command.step().text("never said either")).await;
    given(&bench, &thread, &second).await;
    assert_eq!(bench.row(&thread).await.status, domain::ThreadStatus::Working);
    bench.sandbox.model.release("amid");
    assert_eq!(bench.ended(&thread, &first).await.state, TurnState::Completed);
    bench.see(&thread, |_| bench.file("begun")).await;

    // From the queue, past one that only waits.
    let waiting = bench.send(&thread, &Script::new().text("Waited.")).await;
    let now = bench.send(&thread, &Script::new().text("Sent now.")).await;
    bench.engine.promote(&thread, &now).await.unwrap();
    given(&bench, &thread, &now).await;
    bench.engine.promote(&thread, &now).await.expect("the same again is no failure");
    let late = bench.engine.withdraw(&thread, &now).await;
    assert!(matches!(late, Err(EngineError::Refused(domain::Refusal::NotQueued))), "{late:?}");
    std::fs::write(bench.sandbox.project.join("go"), "").unwrap();
    for turn in [&second, &now, &waiting] {
        let turn = bench.ended(&thread, turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["One whole.", "Sent now.", "Waited."]);
    let order: Vec<&TurnId> = window.turns.iter().map(|t| &t.id).collect();
    assert_eq!(order, [&first, &second, &now, &waiting], "in the order they ran");
    let of = |turn: &TurnId| window.items.iter().filter(|i| i.turn_id == *turn).count();
    assert_eq!([of(&first), of(&second), of(&now), of(&waiting)], [2, 1, 1, 1]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_stays_while_a_message_waits_and_a_stop_ends_both() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().bash("echo asked").step().text("never said");
    let first = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    let second = steer(&bench, &thread, &Script::new().text("Taken.")).await;
    given(&bench, &thread, &second).await;
    bench.decide(&ask, Decision::Once).await;
    for turn in [&first, &second] {
        assert_eq!(bench.ended(&thread, turn).await.state, TurnState::Completed);
    }

    let third = bench.send(&thread, &Script::new().text("Half").wait("never")).await;
    bench.see(&thread, |w| said(w).contains(&"Half").then_some(())).await;
    let fourth = steer(&bench, &thread, &Script::new().text("not to be said")).await;
    given(&bench, &thread, &fourth).await;
    bench.engine.stop(&thread).await.unwrap();
    for turn in [&third, &fourth] {
        let turn = bench.ended(&thread, turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Interrupted, &None));
        assert_eq!(turn.untaken, turn.id == fourth, "{turn:?}");
    }
    // What is sent next is untouched by either.
    let turn = bench.run(&thread, &Script::new().text("Going on.")).await;
    assert_eq!(turn.state, TurnState::Completed);
    assert_eq!(said(&bench.window(&thread).await), ["Taken.", "Half", "Going on."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_kilo_or_of_baton_while_a_message_waits_neither_loses_nor_doubles_it() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    for restarts in [false, true] {
        let before = bench.window(&thread).await.turns.len();
        let first = bench.send(&thread, &Script::new().text("Half").wait("never")).await;
        bench
            .see(&thread, |w| {
                let half = |i: &domain::Item| i.turn_id == first && i.body.head == "Half";
                w.items.iter().any(half).then_some(())
            })
            .await;
        let second = steer(&bench, &thread, &Script::new().text("just once")).await;
        given(&bench, &thread, &second).await;
        if restarts {
            bench.restart().await;
        } else {
            let pid = bench.kilo.server_pid().await.expect("a running server");
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        }
        assert_ne!(bench.ended(&thread, &first).await.state, TurnState::Completed);
        // Kilo had the message and forgot about it, or never got it, and is given it once more.
        let second = bench.ended(&thread, &second).await;
        let window = bench.window(&thread).await;
        let answered = |i: &&domain::Item| i.turn_id == second.id && i.body.head == "just once";
        let answers = window.items.iter().filter(answered).count();
        assert_eq!(answers, usize::from(second.state == TurnState::Completed), "{second:?}");
        assert_eq!(window.turns.len(), before + 2);
        let turn = bench.run(&thread, &Script::new().text("Going on.")).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    let window = bench.window(&thread).await;
    assert!(window.turns.iter().all(|turn| turn.state.is_terminal()));
    bench.engine.shutdown().await;
}
