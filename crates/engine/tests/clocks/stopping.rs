//! Stop, in every state, with an agent that obeys and with one of which nothing returns.

use std::time::Duration;

use domain::{ItemStatus, NewTurn, TurnEvent, TurnId, TurnState};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::agent::{Call, EVERYTHING, What};
use crate::kit::{Bench, ask, command, sub_agent};

/// How long a stop may take on screen.
const SOON: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
enum Stage {
    Opening,
    Sending,
    Unseen,
    Streaming,
    InATool,
    Asked,
    InASubAgent,
}

/// Brings a new turn to a stage.
async fn at(bench: &Bench, stage: Stage) -> TurnId {
    match stage {
        Stage::Opening => {
            bench.agent.hang(&[What::Open]);
            return bench.send("hello").await;
        }
        Stage::Sending => {
            bench.agent.hang(&[What::Send]);
            let turn = bench.send("hello").await;
            bench.handed(&turn).await;
            return turn;
        }
        Stage::Unseen => {
            let turn = bench.send("hello").await;
            bench.handed(&turn).await;
            return turn;
        }
        Stage::Streaming | Stage::InATool | Stage::Asked | Stage::InASubAgent => {}
    }
    let turn = bench.running().await;
    match stage {
        Stage::InATool => {
            bench.tell(&turn, TurnEvent::Item(command(ItemStatus::Running))).await;
        }
        Stage::InASubAgent => bench.tell(&turn, TurnEvent::Item(sub_agent())).await,
        Stage::Asked => bench.tell(&turn, TurnEvent::Asked(ask())).await,
        Stage::Opening | Stage::Sending | Stage::Unseen | Stage::Streaming => {}
    }
    bench.pass(1).await;
    turn
}

async fn stops(stage: Stage, hung: bool) {
    let bench = Bench::start().await;
    let turn = at(&bench, stage).await;
    let queued = bench.send("after that").await;
    if hung {
        bench.agent.hang(&EVERYTHING);
    }
    bench.stop().await;
    bench.stop().await;
    let (ended, _) = bench.until(&turn, SOON, |turn| turn.state.is_terminal()).await;
    assert_eq!((ended.state, ended.error), (TurnState::Interrupted, None), "{stage:?} {hung}");
    let window = bench.window().await;
    assert!(window.items.iter().all(|item| item.status != ItemStatus::Running), "{stage:?}");
    assert!(window.requests.is_empty(), "{stage:?}");

    // What waited is held until a person lets it go on, and goes on when a new message comes.
    assert!(window.thread.queue_held, "{stage:?} {hung}");
    bench.agent.mend();
    let next = bench.send("and then").await;
    bench.finishes(&queued).await;
    bench.finishes(&next).await;
    let sent = bench.agent.count(&Call::Send(turn.clone()));
    assert_eq!(sent, usize::from(!matches!(stage, Stage::Opening)), "{stage:?} {hung}");
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_turn_in_every_state_and_the_next_one_runs() {
    for hung in [false, true] {
        for stage in [
            Stage::Opening,
            Stage::Sending,
            Stage::Unseen,
            Stage::Streaming,
            Stage::InATool,
            Stage::Asked,
            Stage::InASubAgent,
        ] {
            stops(stage, hung).await;
        }
    }
}

/// A turn that an agent works on which outlived Baton, while its session is opened again.
async fn outlived() -> (Bench, TurnId) {
    let before = Bench::start().await;
    let turn = before.running().await;
    let bench = before.again(Vec::new(), &[What::Open]).await;
    bench.window().await;
    while bench.agent.count(&Call::Open) == 0 {
        bench.pass(1).await;
    }
    (bench, turn)
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_or_deleted_while_its_session_is_opened_again_stops_at_the_agent() {
    let (bench, turn) = outlived().await;
    bench.stop().await;
    bench.until(&turn, SOON, |turn| turn.state == TurnState::Interrupted).await;
    assert_eq!(bench.agent.count(&Call::Abandon(turn.clone())), 0, "there is no session yet");
    bench.agent.release(What::Open);
    while bench.agent.count(&Call::Abandon(turn.clone())) == 0 {
        bench.pass(1).await;
    }
    bench.agent.mend();
    bench.runs().await;

    let (bench, turn) = outlived().await;
    bench.engine.delete_thread(&bench.thread).await.unwrap();
    bench.agent.release(What::Open);
    while bench.agent.count(&Call::Abandon(turn.clone())) == 0 {
        bench.pass(1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_arrives_again_after_it_was_stopped_is_not_done() {
    let bench = Bench::start().await;
    bench.agent.hang(&[What::Look]);
    let new = NewTurn::message(TurnId::from_uuid(Uuid::now_v7()), "only once");
    let (done, mut results) = mpsc::channel(2);
    for _ in 0..2 {
        let (engine, thread) = (bench.engine.clone(), bench.thread.clone());
        let (new, done) = (new.clone(), done.clone());
        tokio::spawn(async move { done.send(engine.send(&thread, new).await).await });
    }
    // Both have found that the message is new.
    bench.pass(1).await;
    bench.agent.release(What::Look);
    results.recv().await.unwrap().unwrap();
    bench.stop().await;
    bench.until(&new.id, SOON, |turn| turn.state == TurnState::Interrupted).await;
    bench.agent.release(What::Look);
    let again = results.recv().await.unwrap().unwrap();
    assert_eq!((again.id, again.state), (new.id.clone(), TurnState::Interrupted));
    // The session is opened for the first of them.
    bench.agent.release(What::Look);
    bench.agent.mend();
    bench.runs().await;
    assert_eq!(bench.agent.count(&Call::Send(new.id)), 0);
}

#[tokio::test(start_paused = true)]
async fn a_thread_whose_agent_hangs_is_archived_and_deleted() {
    let bench = Bench::start().await;
    let turn = bench.running().await;
    let queued = bench.send("after that").await;
    bench.agent.hang(&EVERYTHING);
    let archive = domain::ThreadPatch { archived: Some(true), ..Default::default() };
    bench.engine.patch_thread(&bench.thread, archive).await.unwrap();
    bench.until(&turn, SOON, |turn| turn.state == TurnState::Interrupted).await;
    assert_eq!(bench.turn(&queued).await.state, TurnState::Interrupted);

    let bench = Bench::start().await;
    let turn = bench.running().await;
    bench.agent.hang(&EVERYTHING);
    let deleting = bench.engine.delete_thread(&bench.thread);
    tokio::time::timeout(Duration::from_secs(10), deleting).await.expect("in time").unwrap();
    assert_eq!(bench.agent.count(&Call::Abandon(turn)), 1);
    assert!(bench.engine.window(&bench.thread, None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn baton_ends_in_bounded_time_though_its_agent_hangs() {
    let bench = Bench::start().await;
    bench.running().await;
    bench.agent.hang(&EVERYTHING);
    let ending = bench.engine.shutdown();
    tokio::time::timeout(Duration::from_secs(15), ending).await.expect("in time");
}
