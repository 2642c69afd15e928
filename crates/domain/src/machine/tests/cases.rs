//! Single cases: stops, ends, the queue, titles, bounds.

use super::samples::{failure, item_key, message, request_key, thread, turn_id};
use super::world::World;
use crate::{
    Access, AgentEvent, Change, Effect, FullText, Input, ItemContent, ItemStatus, ItemUpdate,
    MAX_TURN_ITEMS, MAX_TURN_REQUESTS, NewRequest, NewTurn, Phase, RequestId, ThreadPatch,
    ThreadState, ThreadStatus, TurnEvent, TurnId, TurnOutcome, TurnPatch, TurnState,
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

fn patch(patch: ThreadPatch) -> Input {
    Input::Patch(patch)
}

fn sent(count: u8) -> World {
    let mut world = World::new();
    for n in 0..count {
        world.apply(Input::Submit(message(n))).unwrap();
    }
    world.apply(prepared(0)).unwrap();
    world
}

fn state(world: &World, n: u8) -> TurnState {
    world.client.turns[&turn_id(n)].state
}

fn item(key: String, status: ItemStatus, content: ItemContent) -> TurnEvent {
    let body = Some(FullText::new("text".to_owned()));
    TurnEvent::Item(ItemUpdate { key, parent: None, status, content, body, error: None })
}

#[test]
fn a_turn_that_is_stopped_before_it_was_sent_never_is() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    assert_eq!(world.apply(Input::Stop).unwrap().effects, []);
    assert_eq!(state(&world, 0), TurnState::Interrupted);
    for late in [prepared(0), Input::NotSent(turn_id(0)), event(0, TurnEvent::Started)] {
        assert_eq!(world.apply(late).unwrap(), crate::Outcome::default());
    }
}

#[test]
fn a_stop_is_confirmed_by_the_agent_or_by_the_clock() {
    let ends = [
        (ended(0, TurnOutcome::Interrupted), TurnState::Interrupted),
        // However the agent words the end of what a person stopped.
        (ended(0, TurnOutcome::Failed(failure())), TurnState::Interrupted),
        (Input::Fail { turn: turn_id(0), error: failure() }, TurnState::Interrupted),
        (Input::Agent(AgentEvent::Lost(failure())), TurnState::Interrupted),
        (Input::StopExpired(turn_id(0)), TurnState::Interrupted),
        (Input::NotSent(turn_id(0)), TurnState::Interrupted),
        // It was faster than the stop.
        (ended(0, TurnOutcome::Completed), TurnState::Completed),
    ];
    for (end, expected) in ends {
        let mut world = sent(1);
        let stop = world.apply(Input::Stop).unwrap();
        assert_eq!(stop.effects, [Effect::Interrupt(turn_id(0))]);
        assert_eq!(world.apply(Input::Stop).unwrap(), crate::Outcome::default(), "once is enough");
        world.apply(end.clone()).unwrap();
        assert_eq!(state(&world, 0), expected, "{end:?}");
        assert_eq!(world.client.thread.status, ThreadStatus::Idle, "{end:?}");
    }
}

#[test]
fn a_clock_that_runs_out_without_a_stop_ends_nothing() {
    let mut world = sent(1);
    world.apply(Input::StopExpired(turn_id(0))).unwrap();
    assert_eq!(state(&world, 0), TurnState::Preparing);
}

#[test]
fn a_message_that_was_not_sent_is_sent_unless_it_ran() {
    let mut world = sent(1);
    let outcome = world.apply(Input::NotSent(turn_id(0))).unwrap();
    assert_eq!(outcome.effects, [Effect::Send(turn_id(0))]);
    world.apply(event(0, TurnEvent::Started)).unwrap();
    world.apply(Input::NotSent(turn_id(0))).unwrap();
    let turn = &world.client.turns[&turn_id(0)];
    assert_eq!(turn.error.as_ref().unwrap().code, crate::ErrorCode::SessionLost);
}

#[test]
fn the_queue_goes_on_after_success_and_is_held_after_anything_else() {
    let mut world = sent(3);
    let next = world.apply(ended(0, TurnOutcome::Completed)).unwrap();
    assert_eq!(next.effects, [Effect::Prepare(turn_id(1))]);
    world.apply(prepared(1)).unwrap();
    world.apply(ended(1, TurnOutcome::Failed(failure()))).unwrap();
    assert!(world.client.thread.queue_held);
    assert_eq!(world.client.thread.status, ThreadStatus::Failed);
    world.apply(Input::Withdraw(turn_id(2))).unwrap();
    assert!(!world.client.thread.queue_held, "nothing is left to hold");
}

#[test]
fn a_new_message_lets_a_held_queue_go_on_in_order() {
    let mut world = sent(2);
    world.apply(ended(0, TurnOutcome::Interrupted)).unwrap();
    let outcome = world.apply(Input::Submit(message(2))).unwrap();
    assert_eq!(outcome.effects, [Effect::Prepare(turn_id(1))]);
    assert_eq!(state(&world, 2), TurnState::Queued);
}

#[test]
fn an_agent_that_speaks_before_it_was_asked_changes_nothing() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    for early in [TurnEvent::Started, TurnEvent::Ended(TurnOutcome::Completed)] {
        world.apply(event(0, early)).unwrap();
    }
    assert_eq!(state(&world, 0), TurnState::Preparing);
    assert_eq!(world.apply(prepared(0)).unwrap().effects, [Effect::Send(turn_id(0))]);
}

#[test]
fn a_lost_agent_fails_only_what_it_was_given() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(Input::Agent(AgentEvent::Lost(failure()))).unwrap();
    assert_eq!(state(&world, 0), TurnState::Preparing, "its session is opened anew");
    world.apply(prepared(0)).unwrap();
    world.apply(Input::Agent(AgentEvent::Lost(failure()))).unwrap();
    assert_eq!(state(&world, 0), TurnState::Failed);
}

#[test]
fn what_is_open_is_closed_with_its_turn() {
    let command = ItemContent::Command {
        command: "make".to_owned(),
        description: None,
        cwd: None,
        exit_code: None,
    };
    let cases = [
        (TurnOutcome::Completed, ItemStatus::Done),
        (TurnOutcome::Interrupted, ItemStatus::Failed),
        (TurnOutcome::Failed(failure()), ItemStatus::Failed),
    ];
    for (outcome, of_work) in cases {
        let mut world = sent(1);
        let prose = item(item_key(0, 0), ItemStatus::Running, ItemContent::AgentMessage);
        world.apply(event(0, prose)).unwrap();
        world.apply(event(0, item(item_key(0, 1), ItemStatus::Running, command.clone()))).unwrap();
        world.apply(ended(0, outcome)).unwrap();
        let mut items: Vec<_> = world.client.items.values().collect();
        items.sort_by_key(|i| i.position);
        assert_eq!([items[0].status, items[1].status], [ItemStatus::Done, of_work]);
        assert_eq!(items[0].error, None, "text that was cut is no failure");
        assert_eq!(items[1].error.is_some(), of_work == ItemStatus::Failed);
        assert_eq!(items[0].body.head, "text");
    }
}

#[test]
fn archiving_stops_and_empties() {
    let mut world = sent(3);
    let archive = patch(ThreadPatch { archived: Some(true), ..ThreadPatch::default() });
    let outcome = world.apply(archive).unwrap();
    assert_eq!(outcome.effects, [Effect::Interrupt(turn_id(0))]);
    assert_eq!(state(&world, 1), TurnState::Interrupted);
    world.apply(Input::StopExpired(turn_id(0))).unwrap();
    assert!(!world.client.thread.unread, "what is put away does not call for attention");
}

#[test]
fn the_end_of_a_turn_is_unread_until_somebody_looks() {
    let mut world = sent(1);
    world.apply(ended(0, TurnOutcome::Completed)).unwrap();
    assert!(world.client.thread.unread);
    world.apply(patch(ThreadPatch { unread: Some(false), ..ThreadPatch::default() })).unwrap();
    assert!(!world.client.thread.unread);
}

#[test]
fn access_is_told_to_an_agent_that_works() {
    let access = |access| patch(ThreadPatch { access: Some(access), ..ThreadPatch::default() });
    let mut world = World::new();
    assert_eq!(world.apply(access(Access::Full)).unwrap().effects, []);
    world.apply(Input::Submit(message(0))).unwrap();
    assert_eq!(world.client.turns[&turn_id(0)].access, Access::Full);
    assert_eq!(world.apply(access(Access::Full)).unwrap(), crate::Outcome::default());
    let outcome = world.apply(access(Access::Supervised)).unwrap();
    assert_eq!(outcome.effects, [Effect::ApplyAccess(Access::Supervised)]);
}

#[test]
fn a_broken_link_is_shown_and_hides_nothing_else() {
    let mut world = sent(1);
    world.apply(event(0, TurnEvent::Started)).unwrap();
    let phase = |world: &World| world.client.turns[&turn_id(0)].phase.clone();
    world.apply(Input::Agent(AgentEvent::Reconnecting(true))).unwrap();
    assert_eq!(phase(&world), Some(Phase::Reconnecting));
    world.apply(Input::Agent(AgentEvent::Reconnecting(false))).unwrap();
    assert_eq!(phase(&world), None);
    let waiting = Phase::WaitingForNetwork { message: "offline".to_owned() };
    world.apply(event(0, TurnEvent::Phase(Some(waiting.clone())))).unwrap();
    world.apply(Input::Agent(AgentEvent::Reconnecting(false))).unwrap();
    assert_eq!(phase(&world), Some(waiting), "a link that was up is still up");
}

#[test]
fn titles_are_made_of_what_was_said() {
    let cases = [
        ("Fix the build", "Fix the build"),
        ("\n\n  ## Fix the build\nand more", "Fix the build"),
        ("***", "***"),
        ("#", "#"),
        (
            "One two three four five six seven eight nine ten eleven twelve thirteen fourteen",
            "One two three four five six seven eight nine ten eleven twelve thirteen…",
        ),
    ];
    for (text, expected) in cases {
        let mut world = World::new();
        let new = NewTurn { text: text.to_owned(), ..message(0) };
        world.apply(Input::Submit(new)).unwrap();
        assert_eq!(world.client.thread.title, expected);
    }
}

/// A thread whose turn `n` runs, without the world around it, which looks at everything each time.
fn bare(turns: u8) -> ThreadState {
    let mut state = ThreadState::new(thread(), 0, 0);
    for n in 0..turns {
        state.apply(1, Input::Submit(message(n))).unwrap();
    }
    state.apply(1, prepared(0)).unwrap();
    state
}

#[test]
fn more_items_than_are_kept_are_said_once_in_each_turn() {
    let mut state = bare(2);
    let mut notices = Vec::new();
    for n in 0..2 {
        if n == 1 {
            state.apply(1, ended(0, TurnOutcome::Completed)).unwrap();
            state.apply(1, prepared(1)).unwrap();
        }
        for key in 0..MAX_TURN_ITEMS + 3 {
            let new = item(format!("{n}-{key}"), ItemStatus::Done, ItemContent::AgentMessage);
            let outcome = state.apply(1, event(n, new)).unwrap();
            notices.extend(outcome.changes.into_iter().filter_map(|change| match change {
                Change::Item { item } if matches!(item.content, ItemContent::Notice { .. }) => {
                    Some((item.id, item.turn_id))
                }
                _ => None,
            }));
        }
        let key = format!("{n}-{}", MAX_TURN_ITEMS + 1);
        let piece = TurnEvent::Text { key, at: 0, text: "x".to_owned() };
        let outcome = state.apply(1, event(n, piece)).unwrap();
        assert_eq!(outcome, crate::Outcome::default(), "what is not kept is not read again");
    }
    let turns: Vec<TurnId> = notices.iter().map(|(_, turn)| turn.clone()).collect();
    assert_eq!(turns, [turn_id(0), turn_id(1)]);
    assert_ne!(notices[0].0, notices[1].0, "each turn has its own");
}

#[test]
fn requests_that_are_closed_make_room_for_new_ones() {
    let mut state = bare(1);
    let ask = |key: &str| {
        let body = super::samples::body(0);
        let request = NewRequest { key: key.to_owned(), item: None, from: None, body };
        event(0, TurnEvent::Asked(request))
    };
    let closed = |key: &str| {
        let outcome = crate::RequestOutcome::Answered;
        event(0, TurnEvent::AskClosed { key: key.to_owned(), outcome })
    };
    state.apply(1, ask(&request_key(0, 0))).unwrap();
    for n in 1..MAX_TURN_REQUESTS + 10 {
        let key = format!("ask-{n}");
        let outcome = state.apply(1, ask(&key)).unwrap();
        let shown = |change: &Change| matches!(change, Change::Request { .. });
        assert!(outcome.changes.iter().any(shown), "the agent waits and nobody sees it");
        state.apply(1, closed(&key)).unwrap();
    }
    let first = RequestId::derive(&state.thread().id, &request_key(0, 0));
    assert!(state.running().unwrap().request(&first).unwrap().state.is_open());
    assert_eq!(state.thread().open_requests, 1);
}

#[test]
fn a_turn_that_ends_without_the_agent_is_abandoned_there() {
    for (end, abandoned) in [
        (Input::Fail { turn: turn_id(0), error: failure() }, true),
        (ended(0, TurnOutcome::Failed(failure())), false),
        (ended(0, TurnOutcome::Completed), false),
        // With the agent gone there is nothing to stop.
        (Input::Agent(AgentEvent::Lost(failure())), false),
    ] {
        let outcome = sent(1).apply(end.clone()).unwrap();
        let found = outcome.effects.contains(&Effect::Abandon(turn_id(0)));
        assert_eq!(found, abandoned, "{end:?}");
    }
    let mut world = sent(1);
    world.apply(Input::Stop).unwrap();
    let outcome = world.apply(Input::StopExpired(turn_id(0))).unwrap();
    assert_eq!(outcome.effects, [Effect::Abandon(turn_id(0))]);
}

#[test]
fn access_is_one_truth_for_what_runs_and_what_waits() {
    let lower = || patch(ThreadPatch { access: Some(Access::Supervised), ..Default::default() });
    let mut world = sent(1);
    // A message that asks for more access gives it to what runs now, and says so.
    let more = NewTurn { access: Some(Access::Full), ..message(1) };
    let outcome = world.apply(Input::Submit(more)).unwrap();
    assert_eq!(outcome.effects, [Effect::ApplyAccess(Access::Full)]);
    assert_eq!(world.client.turns[&turn_id(0)].access, Access::Full);
    // Taken back before it starts, it does not come again with the message.
    assert_eq!(world.apply(lower()).unwrap().effects, [Effect::ApplyAccess(Access::Supervised)]);
    world.apply(ended(0, TurnOutcome::Completed)).unwrap();
    assert_eq!(world.client.turns[&turn_id(1)].state, TurnState::Preparing);
    assert_eq!(world.client.turns[&turn_id(1)].access, Access::Supervised);
}

#[test]
fn a_queue_is_changed_in_place_and_keeps_its_order_over_a_restart() {
    let mut world = sent(4);
    let waiting = |world: &World| -> Vec<String> {
        world.state.queue().map(|turn| turn.input.text.head.clone()).collect()
    };
    let patch = TurnPatch { text: Some("else".to_owned()), ..TurnPatch::default() };
    let edit = Input::EditQueued { turn: turn_id(2), patch };
    world.apply(edit.clone()).unwrap();
    assert_eq!(world.apply(edit).unwrap(), crate::Outcome::default(), "it is so already");
    let to =
        |n: u8, before: Option<u8>| Input::Move { turn: turn_id(n), before: before.map(turn_id) };
    world.apply(to(3, Some(1))).unwrap();
    assert_eq!(waiting(&world), ["message 3", "message 1", "else"]);
    assert_eq!(world.apply(to(3, Some(1))).unwrap(), crate::Outcome::default());
    world.apply(to(1, None)).unwrap();
    assert_eq!(waiting(&world), ["message 3", "else", "message 1"]);
    world.restart();
    assert_eq!(waiting(&world), ["message 3", "else", "message 1"]);
    world.apply(ended(0, TurnOutcome::Completed)).unwrap();
    assert_eq!(state(&world, 3), TurnState::Preparing);
}

#[test]
fn a_silent_model_is_said_until_the_turn_goes_on() {
    let mut world = sent(1);
    let phase = |world: &World| world.client.turns[&turn_id(0)].phase.clone();
    let silent = || Input::Silent { turn: turn_id(0), since: 7 };
    world.apply(silent()).unwrap();
    assert_eq!(phase(&world), Some(Phase::Sending), "what was not taken has no model yet");

    let words = item(item_key(0, 0), ItemStatus::Running, ItemContent::AgentMessage);
    world.apply(event(0, words.clone())).unwrap();
    world.apply(silent()).unwrap();
    let is_silent = Some(Phase::Silent { since: 7 });
    assert_eq!(phase(&world), is_silent);
    // What a reading of the session says again is nothing new.
    for known in [TurnEvent::Started, TurnEvent::Phase(None), words] {
        world.apply(event(0, known)).unwrap();
        assert_eq!(phase(&world), is_silent);
    }
    let more = TurnEvent::Text { key: item_key(0, 0), at: 4, text: " more".to_owned() };
    world.apply(event(0, more)).unwrap();
    assert_eq!(phase(&world), None);

    world.apply(silent()).unwrap();
    let retry = Phase::Retrying { attempt: 1, next_at: Some(900), message: "busy".to_owned() };
    world.apply(event(0, TurnEvent::Phase(Some(retry)))).unwrap();
    let waits = |world: &World, now| world.state.running().unwrap().waits_for_model(now);
    assert!(!waits(&world, 899) && waits(&world, 900), "it waits for its own clock first");
    world.apply(silent()).unwrap();
    assert!(matches!(phase(&world), Some(Phase::Retrying { .. })), "that is said instead");
    world.apply(event(0, TurnEvent::Phase(None))).unwrap();

    let command = |status| {
        let command = ItemContent::Command {
            command: "make".to_owned(),
            description: None,
            cwd: None,
            exit_code: None,
        };
        event(0, item(item_key(0, 1), status, command))
    };
    world.apply(command(ItemStatus::Running)).unwrap();
    assert!(!waits(&world, 900), "a tool may take as long as it likes");
    world.apply(command(ItemStatus::Done)).unwrap();
    assert!(waits(&world, 900));
    let ask = |key| NewRequest { key, item: None, from: None, body: super::samples::body(0) };
    world.apply(event(0, TurnEvent::Asked(ask(request_key(0, 0))))).unwrap();
    assert!(!waits(&world, 900), "a person may take as long as they like");
}
