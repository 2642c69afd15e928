//! Plans that are built in a thread of their own.

use super::samples::{thread, turn_id};
use crate::{
    AgentEvent, Answer, Change, Effect, Input, Mode, NewRequest, NewTurn, Outcome, PlanDecision,
    Refusal, Request, RequestBody, RequestId, RequestState, ThreadId, ThreadState, TurnEvent,
    TurnId, TurnOutcome, TurnState,
};

const PLAN: &str = "# Greet people\n\n1. Say hello";

fn event(event: TurnEvent) -> Input {
    Input::Agent(AgentEvent::Turn { turn: turn_id(0), event })
}

/// A planning turn that waits for its plan to be accepted.
fn planned(markdown: &str) -> (ThreadState, RequestId) {
    let mut state = ThreadState::new(thread(), 0, 0);
    let message = NewTurn { mode: Some(Mode::Plan), ..super::samples::message(0) };
    state.apply(1, Input::Submit(message)).unwrap();
    state.apply(1, Input::Prepared { turn: turn_id(0), prompt_key: "msg".to_owned() }).unwrap();
    let body = RequestBody::Plan {
        markdown: markdown.to_owned(),
        path: Some("plans/greet.md".to_owned()),
        built_in: None,
    };
    let asked = NewRequest { key: "que".to_owned(), item: None, from: None, body };
    state.apply(2, event(TurnEvent::Asked(asked))).unwrap();
    let id = RequestId::derive(&state.thread().id, "que");
    (state, id)
}

fn accept(id: &RequestId) -> Input {
    let answer = Answer::Plan { decision: PlanDecision::AcceptInNewThread, message: None };
    Input::Answer { request: id.clone(), answer }
}

fn request(state: &ThreadState, id: &RequestId) -> Request {
    state.running().and_then(|running| running.request(id)).cloned().expect("it is known")
}

fn told(outcome: &Outcome, id: &RequestId) -> Option<RequestState> {
    outcome.changes.iter().find_map(|change| match change {
        Change::Request { request } if request.id == *id => Some(request.state.clone()),
        _ => None,
    })
}

#[test]
fn a_plan_accepted_elsewhere_brings_its_thread_with_it() {
    let (mut state, id) = planned(PLAN);
    let outcome = state.apply(3, accept(&id)).unwrap();
    assert_eq!(outcome.effects, [Effect::Deliver(id.clone())]);
    let founded = outcome.founds.expect("a thread");
    let (planner, built) = (state.thread(), &founded.thread);
    assert_eq!(built.id, ThreadId::derive(&id));
    assert_eq!(
        (&built.project_id, &built.workspace, &built.provider, &built.model, built.access),
        (
            &planner.project_id,
            &planner.workspace,
            &planner.provider,
            &planner.model,
            planner.access
        )
    );
    assert_eq!((built.mode, built.title.as_str()), (Mode::Build, "Greet people"));
    assert!(!built.titled_by_person);
    let mut turns = founded.changes.iter().filter_map(|change| match change {
        Change::Turn { turn } => Some(turn),
        _ => None,
    });
    let turn = turns.next_back().expect("its first turn");
    assert_eq!((&turn.id, turn.mode), (&TurnId::derive(&id), Mode::Build));
    assert_eq!(turn.state, TurnState::Preparing);
    assert!(turn.input.text.head.ends_with(PLAN), "{:?}", turn.input);
    let body = request(&state, &id).body;
    assert!(matches!(body, RequestBody::Plan { built_in: Some(thread), .. } if thread == built.id));

    // The agent here does not take it: that is said, and giving it again makes no second thread.
    let failed =
        Input::DeliveryFailed { request: id.clone(), problem: "no".to_owned(), gone: false };
    state.apply(4, failed).unwrap();
    let state_now = request(&state, &id).state;
    assert!(
        matches!(&state_now, RequestState::Open { problem: Some(p) } if p.contains("new thread")),
        "{state_now:?}"
    );
    let again = state.apply(5, accept(&id)).unwrap().founds.expect("the same thread");
    assert_eq!(again.thread.id, founded.thread.id);
    // It was done, whether or not the agent here ever heard of it.
    let ended = state.apply(6, event(TurnEvent::Ended(TurnOutcome::Interrupted))).unwrap();
    let Some(RequestState::Resolved { answer: Some(_) }) = told(&ended, &id) else {
        panic!("{ended:?}");
    };
}

#[test]
fn a_plan_accepted_elsewhere_is_so_though_the_agent_has_forgotten_it() {
    let (mut state, id) = planned(PLAN);
    state.apply(3, accept(&id)).unwrap();
    let gone =
        Input::DeliveryFailed { request: id.clone(), problem: "gone".to_owned(), gone: true };
    let outcome = state.apply(4, gone).unwrap();
    let told = told(&outcome, &id);
    assert!(matches!(told, Some(RequestState::Resolved { answer: Some(_) })), "{told:?}");
}

#[test]
fn without_a_plan_there_is_nothing_to_build_elsewhere() {
    let (mut state, id) = planned(" \n");
    let before = state.clone();
    let refused = state.apply(3, accept(&id));
    assert!(matches!(refused, Err(Refusal::WrongAnswer { .. })), "{refused:?}");
    assert_eq!(state, before);
}
