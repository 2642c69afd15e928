//! A message that is given to the agent while another turn runs: taken, outrun, stopped, lost.

use super::samples::{body, failure, message, request_key, steer, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Delivery, Effect, Input, Mode, NewRequest, NewTurn, Outcome, Phase, Refusal,
    RequestOutcome, TurnEvent, TurnOutcome, TurnPatch, TurnState,
};

fn prepared(n: u8) -> Input {
    Input::Prepared { turn: turn_id(n), prompt_key: format!("msg_{n}") }
}

fn event(n: u8, event: TurnEvent) -> Input {
    Input::Agent(AgentEvent::Turn { turn: turn_id(n), event })
}

fn ended(n: u8, outcome: TurnOutcome) -> Input {
    event(n, TurnEvent::Ended(outcome))
}

fn states(world: &World, count: u8) -> Vec<TurnState> {
    (0..count).map(|n| world.client.turns[&turn_id(n)].state).collect()
}

fn untaken(world: &World) -> [bool; 2] {
    [0, 1].map(|n| world.client.turns[&turn_id(n)].untaken)
}

/// A turn runs, and a message is at the agent that steers it.
fn steered() -> World {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(prepared(0)).unwrap();
    world.apply(event(0, TurnEvent::Started)).unwrap();
    let given = world.apply(Input::Submit(steer(1))).unwrap();
    assert_eq!(given.effects, [Effect::Prepare(turn_id(1))]);
    assert_eq!(world.apply(prepared(1)).unwrap().effects, [Effect::Send(turn_id(1))]);
    assert_eq!(world.state.steering().unwrap().phase, Some(Phase::Steering));
    world
}

#[test]
fn a_message_steers_once_the_one_before_it_is_there() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(prepared(0)).unwrap();
    // As with a command, which asks and works before there is a message of it.
    world.apply(event(0, TurnEvent::Named { key: "command:0".to_owned() })).unwrap();
    assert_eq!(states(&world, 1), [Running]);
    assert_eq!(world.apply(Input::Submit(steer(1))).unwrap().effects, [], "it would come first");
    assert_eq!(states(&world, 2), [Running, Queued]);
    let there = world.apply(event(0, TurnEvent::Started)).unwrap();
    assert_eq!(there.effects, [Effect::Prepare(turn_id(1))]);
}

use TurnState::{Completed, Failed, Interrupted, Preparing, Queued, Running};

#[test]
fn what_ran_is_completed_when_the_agent_takes_the_message() {
    let mut world = steered();
    world.apply(event(1, TurnEvent::Started)).unwrap();
    assert_eq!(states(&world, 2), [Completed, Running]);
    assert_eq!(world.state.steering(), None);
    // The agent's own word for it, in the usual order, is the same.
    let mut world = steered();
    assert_eq!(world.apply(ended(0, TurnOutcome::Completed)).unwrap().effects, []);
    assert_eq!(states(&world, 2), [Completed, Preparing]);
    world.apply(event(1, TurnEvent::Started)).unwrap();
    assert_eq!(states(&world, 2), [Completed, Running]);
}

#[test]
fn a_turn_that_ends_by_itself_is_followed_by_the_message_and_the_queue_goes_on() {
    for outcome in
        [TurnOutcome::Completed, TurnOutcome::Failed(failure()), TurnOutcome::Interrupted]
    {
        let mut world = steered();
        world.apply(Input::Submit(message(2))).unwrap();
        // The agent has the message already: it is not sent again.
        assert_eq!(world.apply(ended(0, outcome)).unwrap().effects, []);
        assert_eq!(states(&world, 3)[1..], [Preparing, Queued]);
        world.apply(ended(1, TurnOutcome::Completed)).unwrap();
        assert_eq!(states(&world, 3)[1..], [Completed, Preparing]);
    }
}

#[test]
fn a_stop_ends_both() {
    for end in [ended(0, TurnOutcome::Interrupted), Input::StopExpired(turn_id(0))] {
        let mut world = steered();
        assert_eq!(world.apply(Input::Stop).unwrap().effects, [Effect::Interrupt(turn_id(0))]);
        let outcome = world.apply(end).unwrap();
        assert!(outcome.effects.contains(&Effect::Abandon(turn_id(1))), "{outcome:?}");
        assert_eq!(states(&world, 2), [Interrupted, Interrupted]);
        assert_eq!(untaken(&world), [false, true], "it is known which of them the agent had read");
        let late = world.apply(event(1, TurnEvent::Started)).unwrap();
        assert_eq!(late, Outcome::default());
    }
    // The agent cannot have it yet, so it never gets it.
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(prepared(0)).unwrap();
    world.apply(event(0, TurnEvent::Started)).unwrap();
    world.apply(Input::Submit(steer(1))).unwrap();
    world.apply(Input::Stop).unwrap();
    assert_eq!(states(&world, 2), [Running, Interrupted]);
    assert_eq!(untaken(&world), [false, true]);
    assert_eq!(world.apply(prepared(1)).unwrap(), Outcome::default());
    // It was taken, and stopped then.
    let mut world = steered();
    world.apply(event(1, TurnEvent::Started)).unwrap();
    world.apply(Input::Stop).unwrap();
    world.apply(ended(1, TurnOutcome::Interrupted)).unwrap();
    assert_eq!(states(&world, 2), [Completed, Interrupted]);
    assert_eq!(untaken(&world), [false, false]);
}

#[test]
fn a_message_the_agent_did_not_get_fails_alone() {
    let mut world = steered();
    let fail = Input::Fail { turn: turn_id(1), error: failure() };
    assert_eq!(world.apply(fail).unwrap().effects, []);
    assert_eq!(states(&world, 2), [Running, Failed]);
    // A turn that is given up takes along what was given to it.
    let mut world = steered();
    let fail = Input::Fail { turn: turn_id(0), error: failure() };
    let effects = world.apply(fail).unwrap().effects;
    assert_eq!(effects, [Effect::Abandon(turn_id(0)), Effect::Abandon(turn_id(1))]);
    assert_eq!(states(&world, 2), [Failed, Failed]);
}

#[test]
fn after_a_loss_or_a_restart_it_is_looked_for_and_sent_only_when_it_is_not_there() {
    let lost = Input::Agent(AgentEvent::Lost(failure()));
    for restarts in [false, true] {
        let mut world = steered();
        if restarts {
            world.restart();
            assert_eq!(world.state.steering().unwrap().id, turn_id(1));
        }
        let end = if restarts { ended(0, TurnOutcome::Interrupted) } else { lost.clone() };
        assert_eq!(world.apply(end).unwrap().effects, [Effect::Reconcile(turn_id(1))]);
        // The world checks that nothing is sent twice without a look.
        let missing = world.apply(Input::NotSent(turn_id(1))).unwrap();
        assert_eq!(missing.effects, [Effect::Send(turn_id(1))]);
        assert_eq!(states(&world, 2)[1], Preparing);
    }
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(prepared(0)).unwrap();
    world.apply(event(0, TurnEvent::Started)).unwrap();
    world.apply(Input::Submit(steer(1))).unwrap();
    assert_eq!(world.apply(lost).unwrap().effects, [Effect::Prepare(turn_id(1))]);
}

#[test]
fn messages_that_steer_go_first_one_at_a_time_and_can_be_changed_until_then() {
    let mut world = steered();
    world.apply(Input::Submit(message(2))).unwrap();
    world.apply(Input::Submit(steer(3))).unwrap();
    world.apply(Input::Submit(message(4))).unwrap();
    let order = |world: &World| world.state.queue().map(|t| t.id.clone()).collect::<Vec<_>>();
    assert_eq!(order(&world), [turn_id(3), turn_id(2), turn_id(4)]);
    world.apply(Input::Promote(turn_id(4))).unwrap();
    assert_eq!(order(&world), [turn_id(3), turn_id(4), turn_id(2)]);
    assert_eq!(world.apply(Input::Promote(turn_id(4))).unwrap(), Outcome::default());
    assert_eq!(world.apply(Input::Promote(turn_id(1))), Err(Refusal::NotQueued));
    assert_eq!(world.apply(Input::Withdraw(turn_id(1))), Err(Refusal::NotQueued));
    world.apply(Input::Withdraw(turn_id(3))).unwrap();
    // The next one is given as soon as the one before it was taken.
    let taken = world.apply(event(1, TurnEvent::Started)).unwrap();
    assert_eq!(taken.effects, [Effect::Prepare(turn_id(4))]);
    assert_eq!(world.state.steering().unwrap().delivery, Delivery::Steer);
}

#[test]
fn a_held_queue_is_released_by_what_is_sent_now() {
    let mut world = World::new();
    for n in 0..3 {
        world.apply(Input::Submit(message(n))).unwrap();
    }
    world.apply(prepared(0)).unwrap();
    world.apply(ended(0, TurnOutcome::Failed(failure()))).unwrap();
    assert!(world.client.thread.queue_held);
    let sent = world.apply(Input::Promote(turn_id(2))).unwrap();
    assert_eq!(sent.effects, [Effect::Prepare(turn_id(2))]);
    assert_eq!(states(&world, 3), [Failed, Queued, Preparing]);
}

#[test]
fn what_a_person_is_asked_is_not_taken_from_them_by_a_message() {
    for kind in 0..3 {
        let mut world = World::new();
        world.apply(Input::Submit(message(0))).unwrap();
        world.apply(prepared(0)).unwrap();
        world.apply(event(0, TurnEvent::Started)).unwrap();
        let key = request_key(0, 0);
        let asked = NewRequest { key: key.clone(), item: None, from: None, body: body(kind) };
        world.apply(event(0, TurnEvent::Asked(asked))).unwrap();
        world.apply(Input::Submit(steer(1))).unwrap();
        // An approval does not go away by it.
        assert_eq!(world.state.steering().is_some(), kind == 0);
        let outcome = RequestOutcome::Answered;
        world.apply(event(0, TurnEvent::AskClosed { key, outcome })).unwrap();
        assert!(world.state.steering().is_some());
    }
}

#[test]
fn a_message_for_another_mode_waits() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(prepared(0)).unwrap();
    world.apply(event(0, TurnEvent::Started)).unwrap();
    world.apply(Input::Submit(NewTurn { mode: Some(Mode::Plan), ..steer(1) })).unwrap();
    assert_eq!(states(&world, 2), [Running, Queued]);
    let patch = TurnPatch { mode: Some(Mode::Build), ..TurnPatch::default() };
    world.apply(Input::EditQueued { turn: turn_id(1), patch }).unwrap();
    assert_eq!(states(&world, 2), [Running, Preparing]);
}
