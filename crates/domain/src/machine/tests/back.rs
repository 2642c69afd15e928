//! Going back to before a message, and undoing it.

use super::samples::{message, thread, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Back, Effect, Input, MAX_TAKEN_BACK, Refusal, Span, Thread, ThreadState, TurnEvent,
    TurnId, TurnOutcome, TurnState, Usage,
};

fn prepared(n: u8) -> Input {
    Input::Prepared { turn: turn_id(n), prompt_key: key(n) }
}

fn key(n: u8) -> String {
    format!("msg_{n}")
}

fn event(n: u8, event: TurnEvent) -> Input {
    Input::Agent(AgentEvent::Turn { turn: turn_id(n), event })
}

/// Goes back to before message `n`, which is the turn of the ordinal after it.
fn back(n: u8) -> Input {
    Input::GoBack { turn: turn_id(n), ordinal: u64::from(n) + 1, key: key(n) }
}

fn begin(world: &mut World, n: u8) {
    world.apply(Input::Submit(message(n))).unwrap();
}

fn say(world: &mut World, n: u8) {
    begin(world, n);
    world.apply(Input::Agent(AgentEvent::Session { id: "ses".to_owned() })).unwrap();
    world.apply(prepared(n)).unwrap();
    let usage = Usage { output: 5, ..Usage::default() };
    world.apply(event(n, TurnEvent::Usage(usage))).unwrap();
    world.apply(event(n, TurnEvent::Ended(TurnOutcome::Completed))).unwrap();
}

fn three() -> World {
    let mut world = World::new();
    (0..3).for_each(|n| say(&mut world, n));
    world
}

fn row(world: &World) -> &Thread {
    world.state.thread()
}

#[test]
fn what_is_put_away_comes_back_until_the_next_message_is_handed_over() {
    let mut world = three();
    world.apply(back(1)).unwrap();
    let away = Back { turn: turn_id(1), key: key(1), turns: Span { first: 2, last: 3 } };
    assert_eq!(row(&world).back.as_ref(), Some(&away));
    world.apply(Input::BringBack).unwrap();
    assert_eq!((&row(&world).back, &row(&world).taken_back), (&None, &Vec::new()));
    assert_eq!(world.apply(Input::BringBack).unwrap(), crate::Outcome::default());

    world.apply(back(2)).unwrap();
    world.apply(back(1)).unwrap();
    begin(&mut world, 3);
    // It is under way, but the agent does not have it yet: what is put away is not gone.
    assert_eq!(row(&world).back.as_ref(), Some(&away));
    assert_eq!(world.apply(Input::BringBack), Err(Refusal::Working));
    assert_eq!(world.apply(back(0)), Err(Refusal::Working));
    let sent = world.apply(prepared(3)).unwrap();
    assert_eq!(sent.effects, [Effect::Send(turn_id(3))]);
    assert_eq!(row(&world).back, None);
    assert_eq!(row(&world).taken_back, [away.turns]);
    world.apply(event(3, TurnEvent::Ended(TurnOutcome::Completed))).unwrap();
    let turns = &world.client.turns;
    assert!(turns.values().all(|turn| turn.state == TurnState::Completed), "{turns:?}");
    assert_eq!(turns[&turn_id(3)].ordinal, 4);
    assert_eq!(row(&world).usage.output, 15, "what was used stays used");
    assert_eq!(world.apply(back(1)), Err(Refusal::TakenBack));
    world.apply(back(0)).unwrap();
}

#[test]
fn a_message_that_never_got_to_the_agent_leaves_what_is_put_away() {
    let mut world = three();
    world.apply(back(1)).unwrap();
    begin(&mut world, 3);
    world.apply(Input::Stop).unwrap();
    let away = Span { first: 2, last: 3 };
    assert_eq!(row(&world).back.as_ref().map(|back| back.turns), Some(away));
    let compaction = TurnId::from_uuid(uuid::Uuid::from_u128(900));
    assert_eq!(world.apply(Input::Compact(compaction)), Err(Refusal::WentBack));

    // Baton ends before the next one is handed over: the row still says where it goes back to.
    begin(&mut world, 4);
    let running = world.state.running().unwrap().turn().clone();
    let mut again = ThreadState::new(row(&world).clone(), 5, 0).with_live(
        vec![running],
        Vec::new(),
        Vec::new(),
    );
    assert_eq!(again.recover(0).effects, [Effect::Prepare(turn_id(4))]);
    assert_eq!(again.thread().back.as_ref().map(|back| back.turns), Some(away));
    again.apply(0, prepared(4)).unwrap();
    assert_eq!(again.thread().taken_back, [away]);
}

#[test]
fn going_back_is_refused_while_anything_runs_or_waits() {
    let mut world = World::new();
    assert_eq!(world.apply(back(0)), Err(Refusal::NoSession));
    (0..2).for_each(|n| say(&mut world, n));
    begin(&mut world, 2);
    assert_eq!(world.apply(back(1)), Err(Refusal::Working));
    begin(&mut world, 3);
    world.apply(Input::Stop).unwrap();
    assert!(row(&world).queue_held);
    assert_eq!(world.apply(back(1)), Err(Refusal::MessagesWait));
    world.apply(Input::Withdraw(turn_id(3))).unwrap();
    world.apply(back(1)).unwrap();
    world.apply(Input::Renew).unwrap();
    assert_eq!(row(&world).back, None, "a new session has nothing to go back in");
}

#[test]
fn what_was_taken_back_is_listed_in_few_stretches_and_never_too_many() {
    let session = Some("ses".to_owned());
    let mut state = ThreadState::new(Thread { session, ..thread() }, 0, 0);
    let say = |state: &mut ThreadState, n: u8| {
        state.apply(0, Input::Submit(message(n))).unwrap();
        state.apply(0, prepared(n)).unwrap();
        state.apply(0, event(n, TurnEvent::Ended(TurnOutcome::Completed))).unwrap();
    };
    // Each time one turn is kept and the one after it taken back.
    for n in 0..100 {
        say(&mut state, 2 * n);
        say(&mut state, 2 * n + 1);
        state.apply(0, back(2 * n + 1)).unwrap();
    }
    say(&mut state, 200);
    say(&mut state, 201);
    assert_eq!(state.thread().taken_back.len(), MAX_TAKEN_BACK);
    assert_eq!(state.apply(0, back(201)), Err(Refusal::TooOftenBack));
    // What touches a stretch is one with it, and what reaches farther swallows it.
    state.apply(0, back(200)).unwrap();
    say(&mut state, 202);
    assert_eq!(state.thread().taken_back.last(), Some(&Span { first: 200, last: 202 }));
    state.apply(0, back(2)).unwrap();
    say(&mut state, 203);
    let all = [Span { first: 2, last: 203 }];
    assert_eq!(state.thread().taken_back, all);
    assert!(state.thread().is_taken_back(2) && !state.thread().is_taken_back(204));
}
