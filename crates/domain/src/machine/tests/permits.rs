//! A tool that a person is asked about: it waits, its time begins when it is allowed, and it never
//! ran when it never was.

use super::samples::{body, content, item_key, message, request_key, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Answer, Decision, FullText, Input, Item, ItemContent, ItemId, ItemStatus,
    ItemUpdate, NewRequest, RequestId, RequestOutcome, RequestState, TurnEvent, TurnOutcome,
};

use ItemStatus::{Declined, Done, Failed, NotRun, Running, Waiting};
use RequestOutcome::{Answered, Gone, Rejected};

/// A turn that runs, with a command in it.
fn running() -> World {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let prepared = Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    world.apply(prepared).unwrap();
    told(&mut world, Running);
    world
}

/// The same, and a person is asked about the command.
fn asking() -> World {
    let mut world = running();
    asked(&mut world, 0);
    world
}

fn event(world: &mut World, event: TurnEvent) {
    world.apply(Input::Agent(AgentEvent::Turn { turn: turn_id(0), event })).unwrap();
}

/// The agent tells of the command, and of nothing it wrote.
fn told(world: &mut World, status: ItemStatus) {
    wrote(world, status, None);
}

fn wrote(world: &mut World, status: ItemStatus, output: Option<&str>) {
    let update = ItemUpdate {
        key: item_key(0, 1),
        parent: None,
        status,
        content: content(1),
        body: output.map(|output| FullText::new(output.to_owned())),
        error: None,
    };
    event(world, TurnEvent::Item(update));
}

fn asked(world: &mut World, n: u8) {
    let item = Some(item_key(0, 1));
    let request = NewRequest { key: request_key(0, n), item, from: None, body: body(0) };
    event(world, TurnEvent::Asked(request));
}

fn closed(world: &mut World, n: u8, outcome: RequestOutcome) {
    event(world, TurnEvent::AskClosed { key: request_key(0, n), outcome });
}

fn request(world: &World, n: u8) -> RequestId {
    RequestId::derive(&world.client.thread.id, &request_key(0, n))
}

fn answer(world: &mut World, n: u8, decision: Decision) {
    let answer = Answer::Approval { decision, message: None };
    world.apply(Input::Answer { request: request(world, n), answer }).unwrap();
}

fn answers(world: &mut World, n: u8, decision: Decision) {
    answer(world, n, decision);
    world.apply(Input::Delivered(request(world, n))).unwrap();
}

fn command(world: &World) -> &Item {
    &world.client.items[&ItemId::derive(&world.client.thread.id, &item_key(0, 1))]
}

fn status(world: &World) -> ItemStatus {
    command(world).status
}

#[test]
fn a_tool_waits_while_a_person_is_asked_and_its_time_begins_when_it_is_allowed() {
    let mut world = asking();
    assert_eq!(status(&world), Waiting);
    // Agents tell a tool as running before it is allowed.
    told(&mut world, Running);
    assert_eq!(status(&world), Waiting);
    let first_seen = command(&world).started_at;
    for _ in 0..50 {
        let silent = Input::Silent { turn: turn_id(0), since: 1 };
        world.apply(silent).unwrap();
    }
    answer(&mut world, 0, Decision::Once);
    assert_eq!(status(&world), Waiting, "the agent does not have the answer yet");
    let answering = world.client.requests[&request(&world, 0)].clone();
    assert!(matches!(answering.state, RequestState::Answering { .. }));
    world.apply(Input::Delivered(request(&world, 0))).unwrap();
    assert_eq!(status(&world), Running);
    assert!(command(&world).started_at > first_seen + 50);
    let began = command(&world).started_at;
    told(&mut world, Done);
    let done = command(&world);
    assert_eq!((done.status, done.started_at), (Done, began));
    assert_eq!(done.ended_at, Some(began + 1), "nobody's thinking is its time");
}

#[test]
fn one_that_was_never_allowed_never_ran_however_that_ended() {
    // The agent calls it failed, then the turn ends; or the turn ends before it says so.
    for outcome in [
        TurnOutcome::Interrupted,
        TurnOutcome::Completed,
        TurnOutcome::Failed(super::samples::failure()),
    ] {
        for says in [true, false] {
            for gone in [true, false] {
                let mut world = asking();
                world.apply(Input::Stop).unwrap();
                if gone {
                    closed(&mut world, 0, Gone);
                }
                if says {
                    told(&mut world, Failed);
                    assert_eq!(status(&world), NotRun);
                }
                event(&mut world, TurnEvent::Ended(outcome.clone()));
                assert_eq!(status(&world), NotRun, "{outcome:?} {says} {gone}");
            }
        }
    }
    let mut world = asking();
    world.apply(Input::Stop).unwrap();
    world.apply(Input::StopExpired(turn_id(0))).unwrap();
    assert_eq!(status(&world), NotRun);
    let mut world = asking();
    world.apply(Input::Agent(AgentEvent::Lost(super::samples::failure()))).unwrap();
    assert_eq!(status(&world), NotRun);
}

#[test]
fn after_an_end_of_baton_it_is_known_that_it_was_not_allowed() {
    let mut world = asking();
    world.restart();
    // The agent's own record has it as running for ever.
    told(&mut world, Running);
    assert_eq!(status(&world), Waiting);
    event(&mut world, TurnEvent::Ended(TurnOutcome::Interrupted));
    assert_eq!(status(&world), NotRun);
    // The answer was on its way, and the agent that asked is gone.
    let mut world = asking();
    answer(&mut world, 0, Decision::Once);
    world.restart();
    let request = request(&world, 0);
    let problem = "it is gone".to_owned();
    world.apply(Input::DeliveryFailed { request, problem, gone: true }).unwrap();
    event(&mut world, TurnEvent::Ended(TurnOutcome::Interrupted));
    assert_eq!(status(&world), NotRun);
}

#[test]
fn one_that_is_asked_about_twice_runs_when_both_are_allowed() {
    let mut world = asking();
    answers(&mut world, 0, Decision::Once);
    assert_eq!(status(&world), Running);
    asked(&mut world, 1);
    assert_eq!(status(&world), Waiting);
    // That the first was answered is told late.
    closed(&mut world, 0, Answered);
    told(&mut world, Running);
    assert_eq!(status(&world), Waiting);
    let mut stopped = world.clone();
    event(&mut stopped, TurnEvent::Ended(TurnOutcome::Interrupted));
    assert_eq!(status(&stopped), NotRun);
    answers(&mut world, 1, Decision::Once);
    assert_eq!(status(&world), Running);
    event(&mut world, TurnEvent::Ended(TurnOutcome::Interrupted));
    assert_eq!(status(&world), Failed, "it was allowed and had begun");
    // Two at once: one answer is not enough.
    let mut world = asking();
    asked(&mut world, 1);
    closed(&mut world, 1, Answered);
    assert_eq!(status(&world), Waiting);
}

#[test]
fn one_that_is_refused_is_declined_at_once_and_stays_so() {
    for elsewhere in [false, true] {
        let mut world = asking();
        if elsewhere {
            closed(&mut world, 0, Rejected);
        } else {
            answers(&mut world, 0, Decision::Reject);
        }
        assert_eq!(status(&world), Declined);
        // Whoever did not hear of the refusal calls it failed.
        told(&mut world, Failed);
        assert_eq!(status(&world), Declined);
    }
    // The refusal was on its way when the turn ended.
    let mut world = asking();
    answer(&mut world, 0, Decision::Reject);
    event(&mut world, TurnEvent::Ended(TurnOutcome::Interrupted));
    assert_eq!(status(&world), Declined);
}

#[test]
fn one_that_was_allowed_elsewhere_runs() {
    let mut world = asking();
    closed(&mut world, 0, Answered);
    assert_eq!(status(&world), Running);
    // Nobody heard how it was answered, but the agent goes on with it.
    let mut world = asking();
    closed(&mut world, 0, Gone);
    assert_eq!(status(&world), Running);
    // Our answer came too late, and nothing was heard but what it wrote.
    let mut world = asking();
    answer(&mut world, 0, Decision::Once);
    let (request, problem) = (request(&world, 0), "it is gone".to_owned());
    world.apply(Input::DeliveryFailed { request, problem, gone: true }).unwrap();
    assert_eq!(status(&world), Waiting);
    wrote(&mut world, Running, Some("line"));
    assert_eq!(status(&world), Running);
    // The same, and it was stopped meanwhile.
    let mut world = asking();
    wrote(&mut world, Failed, Some("line"));
    assert_eq!(status(&world), Failed);
    // It is done, so it was allowed; for how long it ran nobody knows.
    let mut world = asking();
    told(&mut world, Done);
    let done = command(&world);
    assert_eq!((done.status, done.ended_at), (Done, Some(done.started_at)));
}

#[test]
fn an_answer_that_came_after_another_is_not_what_was_decided() {
    for (mine, theirs) in [(Decision::Once, Rejected), (Decision::Reject, Answered)] {
        let mut world = asking();
        answer(&mut world, 0, mine);
        closed(&mut world, 0, theirs);
        let request = &world.client.requests[&request(&world, 0)];
        assert_eq!(request.state, RequestState::Resolved { answer: None });
        let expected = if theirs == Rejected { Declined } else { Running };
        assert_eq!(status(&world), expected);
    }
}

#[test]
fn only_what_runs_waits_to_be_allowed() {
    // A question is no approval, and a tool that nobody asks about is not held up by others.
    let mut world = running();
    let key = request_key(0, 0);
    let question = NewRequest { key, item: Some(item_key(0, 1)), from: None, body: body(1) };
    event(&mut world, TurnEvent::Asked(question));
    assert_eq!(status(&world), Running);
    let key = request_key(0, 1);
    let other = NewRequest { key, item: Some(item_key(0, 2)), from: None, body: body(0) };
    event(&mut world, TurnEvent::Asked(other));
    assert_eq!(status(&world), Running);
    // What was asked before its tool was told of waits as well.
    let mut update = ItemUpdate {
        key: item_key(0, 2),
        parent: None,
        status: Running,
        content: ItemContent::Read { path: "a".to_owned() },
        body: None,
        error: None,
    };
    event(&mut world, TurnEvent::Item(update.clone()));
    let id = ItemId::derive(&world.client.thread.id, &item_key(0, 2));
    assert_eq!(world.client.items[&id].status, Waiting);
    // A change comes with the question about it, so it shows no work.
    update.content = ItemContent::FileChange {
        path: "a".to_owned(),
        change: crate::FileChangeKind::Edited,
        additions: 1,
        deletions: 0,
    };
    update.body = Some(FullText::new("+a".to_owned()));
    world.apply(Input::Stop).unwrap();
    closed(&mut world, 1, Gone);
    event(&mut world, TurnEvent::Item(update));
    assert_eq!(world.client.items[&id].status, Waiting);
}
