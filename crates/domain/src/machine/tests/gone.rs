//! A session that the agent no longer has.

use super::samples::{failure, message, turn_id};
use super::world::World;
use crate::{AgentEvent, ErrorCode, Input, ThreadStatus, TurnError, TurnEvent, TurnOutcome};

fn lost() -> TurnError {
    TurnError { code: ErrorCode::SessionLost, ..failure() }
}

fn opened(world: &mut World, id: &str) {
    world.apply(Input::Agent(AgentEvent::Session { id: id.to_owned() })).unwrap();
}

/// A thread whose one turn has ended well.
fn idle() -> World {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    opened(&mut world, "ses");
    world.apply(Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() }).unwrap();
    let event = TurnEvent::Ended(TurnOutcome::Completed);
    world.apply(Input::Agent(AgentEvent::Turn { turn: turn_id(0), event })).unwrap();
    world
}

fn is_gone(world: &World) -> bool {
    world.state.thread().session_gone
}

#[test]
fn a_deletion_while_nothing_runs_shows_until_the_thread_goes_on_in_a_new_session() {
    let mut world = idle();
    // That its process ended says nothing of the session.
    world.apply(Input::Agent(AgentEvent::Lost(failure()))).unwrap();
    assert!(!is_gone(&world));
    let told = world.apply(Input::Agent(AgentEvent::Lost(lost()))).unwrap();
    assert_eq!((told.changes.len(), told.effects.len()), (1, 0), "the row alone: {told:?}");
    assert!(is_gone(&world));
    assert_eq!(world.state.thread().status, ThreadStatus::Idle, "no turn failed");
    world.apply(Input::Renew).unwrap();
    assert!(!is_gone(&world));
    // What is said late of the old one is of no matter to a thread that has none.
    world.apply(Input::Agent(AgentEvent::Lost(lost()))).unwrap();
    assert!(!is_gone(&world));
}

#[test]
fn a_session_that_is_found_missing_or_found_again_is_said_to_be_so() {
    let mut world = idle();
    world.apply(Input::Submit(message(1))).unwrap();
    world.apply(Input::Fail { turn: turn_id(1), error: lost() }).unwrap();
    assert!(is_gone(&world));
    world.apply(Input::Submit(message(2))).unwrap();
    opened(&mut world, "ses");
    assert!(!is_gone(&world));
    // Late words for a turn that is over are not about what is open now.
    world.apply(Input::Fail { turn: turn_id(1), error: lost() }).unwrap();
    assert!(!is_gone(&world));
}
