//! Everything a person can be refused, and that nothing changes then.

use super::samples::{body, message, question, request_key, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Answer, Decision, Input, MAX_MESSAGE_UNITS, MAX_QUEUED, MAX_TITLE_CHARS,
    ModelSelection, NewRequest, NewTurn, PlanDecision, Question, Refusal, RequestBody, RequestId,
    RequestState, ThreadPatch, TurnEvent, TurnId, TurnOutcome, TurnPatch,
};

fn refused(world: &mut World, input: Input, expected: &Refusal) {
    // The world checks that a refusal changes nothing.
    assert_eq!(world.apply(input).as_ref(), Err(expected));
}

fn event(event: TurnEvent) -> Input {
    Input::Agent(AgentEvent::Turn { turn: turn_id(0), event })
}

fn patch(patch: ThreadPatch) -> Input {
    Input::Patch(patch)
}

/// A world whose running turn asks this.
fn asking(body: RequestBody) -> (World, RequestId) {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let prepared = Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    world.apply(prepared).unwrap();
    let key = request_key(0, 0);
    let id = RequestId::derive(&world.client.thread.id, &key);
    let asked = NewRequest { key, item: None, from: None, body };
    world.apply(event(TurnEvent::Asked(asked))).unwrap();
    (world, id)
}

#[test]
fn messages() {
    let with = |text: String| Input::Submit(NewTurn { text, ..message(0) });
    let world = &mut World::new();
    refused(world, with(String::new()), &Refusal::EmptyMessage);
    refused(world, with(" \n\t".to_owned()), &Refusal::EmptyMessage);
    let longest = usize::try_from(MAX_MESSAGE_UNITS).unwrap();
    let units = MAX_MESSAGE_UNITS + 1;
    refused(world, with("x".repeat(longest + 1)), &Refusal::MessageTooLong { units });
    // Counted as browsers count.
    refused(
        world,
        with("👍".repeat(longest / 2 + 1)),
        &Refusal::MessageTooLong { units: MAX_MESSAGE_UNITS + 2 },
    );
    world.apply(with("x".repeat(longest))).unwrap();
}

#[test]
fn a_message_needs_a_model() {
    let mut thread = super::samples::thread();
    thread.model = None;
    let mut state = crate::ThreadState::new(thread, 0, 0);
    assert_eq!(state.apply(1, Input::Submit(message(0))), Err(Refusal::NoModel));
    let model = Some(ModelSelection { model: "p/m/x".to_owned(), option: None });
    state.apply(2, Input::Submit(NewTurn { model: model.clone(), ..message(0) })).unwrap();
    assert_eq!(state.thread().model, model, "what was chosen once stays chosen");
    state.apply(3, Input::Submit(message(1))).unwrap();
}

#[test]
fn an_archived_thread_accepts_nothing() {
    let world = &mut World::new();
    world.apply(patch(ThreadPatch { archived: Some(true), ..ThreadPatch::default() })).unwrap();
    refused(world, Input::Submit(message(0)), &Refusal::Archived);
    world.apply(patch(ThreadPatch { archived: Some(false), ..ThreadPatch::default() })).unwrap();
    world.apply(Input::Submit(message(0))).unwrap();
}

#[test]
fn the_queue_has_an_end() {
    let many = |n: usize| NewTurn {
        id: TurnId::from_uuid(uuid::Uuid::from_u128(1_000 + n as u128)),
        ..message(0)
    };
    let world = &mut World::new();
    for n in 0..=MAX_QUEUED {
        world.apply(Input::Submit(many(n))).unwrap();
    }
    refused(world, Input::Submit(many(MAX_QUEUED + 1)), &Refusal::QueueFull);
    world.apply(Input::Submit(many(MAX_QUEUED))).expect("a repeated message is no new one");
    world.apply(Input::Withdraw(many(7).id)).unwrap();
    world.apply(Input::Submit(many(MAX_QUEUED + 1))).unwrap();
}

#[test]
fn only_what_waits_is_taken_back() {
    let world = &mut World::new();
    refused(world, Input::Withdraw(turn_id(0)), &Refusal::NotQueued);
    world.apply(Input::Submit(message(0))).unwrap();
    refused(world, Input::Withdraw(turn_id(0)), &Refusal::NotQueued);
    world.apply(Input::Submit(message(1))).unwrap();
    world.apply(Input::Withdraw(turn_id(1))).unwrap();
    refused(world, Input::Withdraw(turn_id(1)), &Refusal::NotQueued);
}

#[test]
fn only_what_waits_is_changed_and_moved() {
    let world = &mut World::new();
    let edit = |n: u8, text: &str| Input::EditQueued {
        turn: turn_id(n),
        patch: TurnPatch { text: Some(text.to_owned()), ..TurnPatch::default() },
    };
    let to =
        |n: u8, before: Option<u8>| Input::Move { turn: turn_id(n), before: before.map(turn_id) };
    for n in 0..3 {
        world.apply(Input::Submit(message(n))).unwrap();
    }
    for n in [0, 4] {
        refused(world, edit(n, "else"), &Refusal::NotQueued);
        refused(world, to(n, None), &Refusal::NotQueued);
        refused(world, to(1, Some(n)), &Refusal::NotQueued);
    }
    refused(world, edit(1, " "), &Refusal::EmptyMessage);
    let units = MAX_MESSAGE_UNITS + 1;
    let longest = usize::try_from(units).unwrap();
    refused(world, edit(1, &"x".repeat(longest)), &Refusal::MessageTooLong { units });
}

#[test]
fn titles() {
    let world = &mut World::new();
    let title = |title: &str| {
        patch(ThreadPatch {
            title: Some(title.to_owned()),
            // What comes with a bad title is not applied either.
            pinned: Some(true),
            ..ThreadPatch::default()
        })
    };
    refused(world, title(""), &Refusal::BadTitle);
    refused(world, title(" \n "), &Refusal::BadTitle);
    refused(world, title(&"é".repeat(MAX_TITLE_CHARS + 1)), &Refusal::BadTitle);
    world.apply(title(&"é".repeat(MAX_TITLE_CHARS))).unwrap();
    world.apply(Input::Agent(AgentEvent::Title("Other".to_owned()))).unwrap();
    assert!(world.client.thread.title.starts_with('é'), "a person's own title stays");
}

#[test]
fn a_request_is_answered_once() {
    let answer = Answer::Approval { decision: Decision::Once, message: None };
    let (mut world, id) = asking(body(0));
    let world = &mut world;
    let give =
        |request: &RequestId| Input::Answer { request: request.clone(), answer: answer.clone() };
    let unknown = RequestId::derive(&world.client.thread.id, "nobody asked");
    refused(world, give(&unknown), &Refusal::RequestClosed);
    world.apply(give(&id)).unwrap();
    refused(world, give(&id), &Refusal::AlreadyAnswering);
    world.apply(Input::Delivered(id.clone())).unwrap();
    refused(world, give(&id), &Refusal::RequestClosed);
    world.apply(event(TurnEvent::Ended(TurnOutcome::Completed))).unwrap();
    refused(world, give(&id), &Refusal::RequestClosed);
}

#[test]
fn a_secret_answer_is_forgotten_once_the_agent_has_it() {
    let secret = Question { secret: true, ..question(false, true) };
    let (mut world, id) =
        asking(RequestBody::Question { questions: vec![question(false, true), secret] });
    let given = |words: [&str; 2]| Answer::Question {
        answers: words.iter().map(|word| vec![(*word).to_owned()]).collect(),
    };
    let answer = given(["plain", "sk-1"]);
    world.apply(Input::Answer { request: id.clone(), answer: answer.clone() }).unwrap();
    let state = |world: &World| world.client.requests[&id].state.clone();
    assert_eq!(state(&world), RequestState::Answering { answer });
    world.apply(Input::Delivered(id.clone())).unwrap();
    let answer = Some(given(["plain", "(hidden)"]));
    assert_eq!(state(&world), RequestState::Resolved { answer });
}

#[test]
fn answers_that_do_not_fit() {
    let approval =
        |decision| Answer::Approval { decision, message: Some("do it otherwise".to_owned()) };
    let said = |answers: &[&[&str]]| Answer::Question {
        answers: answers.iter().map(|a| a.iter().map(|s| (*s).to_owned()).collect()).collect(),
    };
    let plan = || Answer::Plan { decision: PlanDecision::Refine, message: None };
    let ask = |questions: &[(bool, bool)]| RequestBody::Question {
        questions: questions
            .iter()
            .map(|(multiple, custom)| question(*multiple, *custom))
            .collect(),
    };
    let not_offered = Err("this decision is not offered");
    let cases: Vec<(RequestBody, Answer, Result<(), &str>)> = vec![
        (body(0), approval(Decision::Once), Ok(())),
        (body(0), approval(Decision::Reject), Ok(())),
        (body(0), approval(Decision::Session), not_offered),
        (body(0), approval(Decision::Always), not_offered),
        (body(0), said(&[&["Red"]]), Err("an approval needs a decision")),
        (body(0), Answer::Dismiss, Err("an approval needs a decision")),
        (body(0), plan(), Err("an approval needs a decision")),
        (ask(&[(false, false)]), said(&[&["Red"]]), Ok(())),
        (ask(&[(false, false)]), said(&[]), Ok(())),
        (ask(&[(false, false)]), said(&[&[]]), Ok(())),
        (ask(&[(false, false)]), Answer::Dismiss, Ok(())),
        (ask(&[(false, false)]), said(&[&["Green"]]), Err("only the listed answers can be given")),
        (ask(&[(false, false)]), said(&[&["Red", "Blue"]]), Err("only one answer can be chosen")),
        (
            ask(&[(false, false)]),
            said(&[&["Red"], &["Blue"]]),
            Err("there are more answers than questions"),
        ),
        (ask(&[(false, true)]), said(&[&["Green"]]), Ok(())),
        (ask(&[(true, false), (false, true)]), said(&[&["Red", "Blue"], &["mauve"]]), Ok(())),
        (ask(&[(false, false)]), approval(Decision::Once), Err("a question needs answers")),
        (ask(&[(false, false)]), plan(), Err("a question needs answers")),
        (body(2), plan(), Ok(())),
        (body(2), Answer::Dismiss, Err("a plan needs a decision")),
        (body(2), approval(Decision::Once), Err("a plan needs a decision")),
        (body(2), said(&[]), Err("a plan needs a decision")),
    ];
    for (body, answer, expected) in cases {
        let (mut world, request) = asking(body.clone());
        let result = world.apply(Input::Answer { request, answer: answer.clone() }).map(|_| ());
        let expected = expected.map_err(|why| Refusal::WrongAnswer { why: why.to_owned() });
        assert_eq!(result, expected, "{answer:?} to {body:?}");
    }
}
