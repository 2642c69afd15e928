//! What is taken up again after the end of Baton, for each state it can end in.

use super::samples::{body, item_key, message, request_key, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Answer, Change, Decision, Effect, Input, ItemContent, ItemStatus, ItemUpdate,
    NewRequest, Refusal, Request, RequestId, RequestState, Thread, ThreadState, ThreadStatus,
    TurnEvent, TurnOutcome, TurnState,
};

fn event(event: TurnEvent) -> Input {
    Input::Agent(AgentEvent::Turn { turn: turn_id(0), event })
}

fn asked() -> Input {
    let key = request_key(0, 0);
    event(TurnEvent::Asked(NewRequest { key, item: None, from: None, body: body(0) }))
}

fn answered(thread: &Thread) -> (RequestId, Input) {
    let request = RequestId::derive(&thread.id, &request_key(0, 0));
    let answer = Answer::Approval { decision: Decision::Once, message: None };
    (request.clone(), Input::Answer { request, answer })
}

/// Lives through the inputs, restarts from what was told, and compares what is to be done. The
/// world itself compares it as well; these cases say it in full.
fn check(inputs: Vec<Input>, expected: &[Effect]) {
    let mut world = World::new();
    for input in inputs {
        world.apply(input).unwrap();
    }
    let live = world.client.turns.values().filter(|t| !t.state.is_terminal()).cloned().collect();
    let requests: Vec<Request> = world.client.open().cloned().collect();
    let mut state =
        ThreadState::new(world.client.thread.clone(), 9, 9).with_live(live, Vec::new(), requests);
    let outcome = state.recover(99);
    assert_eq!(outcome.effects, expected);
    assert_eq!(outcome.changes, []);
    world.restart();
    world.drain();
}

#[test]
fn each_state_is_taken_up_where_it_was() {
    let prepared = || Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    let submit = || Input::Submit(message(0));
    let (request, answer) = answered(&super::samples::thread());
    check(vec![], &[]);
    check(vec![submit()], &[Effect::Prepare(turn_id(0))]);
    check(vec![submit(), Input::Submit(message(1))], &[Effect::Prepare(turn_id(0))]);
    check(vec![submit(), prepared()], &[Effect::Reconcile(turn_id(0))]);
    check(vec![submit(), prepared(), event(TurnEvent::Started)], &[Effect::Reconcile(turn_id(0))]);
    check(
        vec![submit(), prepared(), Input::Stop],
        &[Effect::Reconcile(turn_id(0)), Effect::Interrupt(turn_id(0))],
    );
    check(vec![submit(), prepared(), asked()], &[Effect::Reconcile(turn_id(0))]);
    check(
        vec![submit(), prepared(), asked(), answer],
        &[Effect::Reconcile(turn_id(0)), Effect::Deliver(request)],
    );
    check(vec![submit(), prepared(), Input::Stop, Input::StopExpired(turn_id(0))], &[]);
}

#[test]
fn a_queue_that_nobody_holds_goes_on_and_the_row_says_so() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let mut turn = world.client.turns[&turn_id(0)].clone();
    turn.state = TurnState::Queued;
    let mut thread = super::samples::thread();
    thread.queued = 1;
    let mut state = ThreadState::new(thread, 1, 0).with_live(vec![turn], vec![], vec![]);
    let outcome = state.recover(5);
    assert_eq!(outcome.effects, [Effect::Prepare(turn_id(0))]);
    let row = outcome.changes.iter().find_map(|c| match c {
        Change::Thread { thread } => Some(thread),
        _ => None,
    });
    let row = row.expect("the row changed");
    assert_eq!((row.status, row.queued, row.seq), (ThreadStatus::Working, 0, 1));
}

#[test]
fn a_held_queue_stays_held() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(Input::Submit(message(1))).unwrap();
    world.apply(Input::Stop).unwrap();
    assert!(world.client.thread.queue_held);
    world.restart();
    assert!(world.state.running().is_none() && world.client.thread.queue_held);
    assert_eq!(
        world.apply(Input::Release).unwrap().effects,
        [Effect::Prepare(turn_id(1))],
        "a person lets it go on"
    );
}

#[test]
fn a_message_sent_after_a_stop_goes_on_across_a_restart() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let prepared = Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    world.apply(prepared).unwrap();
    world.apply(Input::Submit(message(1))).unwrap();
    world.apply(Input::Stop).unwrap();
    world.apply(Input::Submit(message(2))).unwrap();
    world.restart();
    let ended = world.apply(Input::StopExpired(turn_id(0))).unwrap();
    assert!(ended.effects.contains(&Effect::Prepare(turn_id(1))), "{:?}", ended.effects);
    assert!(!world.client.thread.queue_held && !world.client.thread.sent_since_stop);
}

#[test]
fn text_goes_on_where_it_was_stored() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let prepared = Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    world.apply(prepared).unwrap();
    let item = ItemUpdate {
        key: item_key(0, 0),
        parent: None,
        status: ItemStatus::Running,
        content: ItemContent::AgentMessage,
        body: None,
        error: None,
    };
    let text =
        |at, text: &str| event(TurnEvent::Text { key: item_key(0, 0), at, text: text.to_owned() });
    world.apply(event(TurnEvent::Item(item))).unwrap();
    world.apply(text(0, "aa")).unwrap();
    world.restart();
    assert_eq!(world.apply(text(0, "aa")).unwrap().changes, [], "it is known");
    assert_eq!(world.apply(text(5, "x")).unwrap().effects, [Effect::Resync], "a hole");
    world.apply(text(1, "aa")).unwrap();
    let body = world.client.bodies.values().next().unwrap();
    assert_eq!(body, "aaa");
}

#[test]
fn an_answer_on_its_way_stays_one_that_can_be_given_again() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let prepared = Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    world.apply(prepared).unwrap();
    world.apply(asked()).unwrap();
    let (request, answer) = answered(&world.client.thread);
    world.apply(answer.clone()).unwrap();
    world.restart();
    let problem = "the agent is not connected".to_owned();
    let failed = Input::DeliveryFailed { request: request.clone(), problem, gone: false };
    world.apply(failed).unwrap();
    assert!(matches!(
        world.client.requests[&request].state,
        RequestState::Open { problem: Some(_) }
    ));
    assert_eq!(world.apply(answer).unwrap().effects, [Effect::Deliver(request)]);
}

#[test]
fn a_turn_that_outlived_baton_says_so() {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() }).unwrap();
    let unsent = world.apply(Input::Restarted(turn_id(0))).unwrap();
    assert_eq!(unsent.changes, [], "nothing of it had run");
    world.apply(event(TurnEvent::Started)).unwrap();
    let told = world.apply(Input::Restarted(turn_id(0))).unwrap();
    let notice = |c: &Change| match c {
        Change::Item { item } => matches!(item.content, ItemContent::Notice { .. }),
        _ => false,
    };
    assert!(told.changes.iter().any(notice), "{told:?}");
}

/// A turn that asks, found so after a restart.
fn outlived() -> (World, RequestId, Input) {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    world.apply(Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() }).unwrap();
    world.apply(asked()).unwrap();
    world.restart();
    let (request, answer) = answered(&world.client.thread);
    (world, request, answer)
}

#[test]
fn a_request_that_outlived_baton_needs_nobody_until_the_agent_asks_again() {
    let (mut world, request, _) = outlived();
    let state = |world: &World| world.client.requests[&request].state.clone();
    assert_eq!(state(&world), RequestState::Checking { answer: None });
    assert_eq!(world.client.thread.status, ThreadStatus::Working);
    world.restart();
    assert_eq!(state(&world), RequestState::Checking { answer: None }, "still not known");
    world.apply(asked()).unwrap();
    assert_eq!(state(&world), RequestState::Open { problem: None });
    assert_eq!(world.client.thread.status, ThreadStatus::NeedsYou);

    let (mut world, ..) = outlived();
    world.apply(Input::StillAsked(request.clone())).unwrap();
    assert_eq!(state(&world), RequestState::Open { problem: None }, "the agent never said");
}

#[test]
fn an_answer_to_it_is_held_and_given_once_the_agent_asks_again() {
    let (mut world, request, answer) = outlived();
    let held = world.apply(answer.clone()).unwrap();
    assert_eq!(held.effects, [], "nobody is known to wait for it");
    assert_eq!(world.apply(answer), Err(Refusal::AlreadyAnswering));
    world.restart();
    let given = world.apply(asked()).unwrap();
    assert_eq!(given.effects, [Effect::Deliver(request.clone())]);
    assert!(matches!(world.client.requests[&request].state, RequestState::Answering { .. }));
}

#[test]
fn an_answer_that_came_to_nothing_is_said_in_the_turn() {
    let (mut world, request, answer) = outlived();
    world.apply(answer).unwrap();
    let ended = world.apply(event(TurnEvent::Ended(TurnOutcome::Interrupted))).unwrap();
    let said = |c: &Change| match c {
        Change::Item { item } => item.body.head.contains("not delivered"),
        _ => false,
    };
    assert!(ended.changes.iter().any(said), "{ended:?}");
    let state = &world.client.requests[&request].state;
    assert!(matches!(state, RequestState::Withdrawn { .. }), "{state:?}");
}
