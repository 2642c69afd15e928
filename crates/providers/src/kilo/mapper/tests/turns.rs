//! How turns begin, go on and end.

use domain::{AgentEvent, ErrorCode, ItemContent, Phase, TurnState, Usage};
use kilo_sdk::types::Status;
use kilo_sdk::{Envelope, MessageId, SessionId};
use serde_json::json;

use super::super::Snapshot;
use super::frames::{
    ANSWER, PROMPT, ROOT, answering, assistant, close, frame, open, part, status, text, user,
};
use super::play::{Play, turn_id};
use super::recorded::{Server, recording};

#[test]
fn ends_are_what_kilo_says() {
    let api = |status: Option<u16>| json!({ "name": "APIError", "data": { "message": "it said no", "statusCode": status } });
    let other = |name: &str| json!({ "name": name, "data": { "message": "it said no" } });
    let cases = [
        (api(Some(400)), ErrorCode::ProviderError),
        (api(Some(401)), ErrorCode::Unauthorized),
        (api(Some(402)), ErrorCode::Payment),
        (api(Some(403)), ErrorCode::Unauthorized),
        (api(Some(404)), ErrorCode::ModelUnavailable),
        (api(Some(429)), ErrorCode::RateLimited),
        (api(Some(500)), ErrorCode::ProviderError),
        (api(None), ErrorCode::Network),
        (other("ProviderAuthError"), ErrorCode::Unauthorized),
        (other("ContextOverflowError"), ErrorCode::ContextOverflow),
        (other("ContentFilterError"), ErrorCode::ContentFiltered),
        (other("UnknownError"), ErrorCode::ProviderError),
        (other("NewError"), ErrorCode::ProviderError),
    ];
    for (error, code) in cases {
        let mut play = answering();
        let told = json!({ "sessionID": ROOT, "error": error });
        play.event(&frame("session.error", &told));
        // Kilo repeats some with the stack of its own program.
        let stack = json!({ "name": "UnknownError", "data": { "message": "E\n    at x (y:1:2)" } });
        play.event(&frame("session.error", &json!({ "sessionID": ROOT, "error": stack })));
        play.event(&close("error"));
        let turn = play.turn(0);
        let said = turn.error.as_ref().unwrap();
        assert_eq!((turn.state, said.code), (TurnState::Failed, code), "{error}");
        assert_eq!(said.message, "it said no");
    }
    for (reason, state) in [
        ("completed", TurnState::Completed),
        ("superseded", TurnState::Completed),
        ("interrupted", TurnState::Interrupted),
        ("error", TurnState::Failed),
    ] {
        let mut play = answering();
        play.event(&close(reason));
        assert_eq!(play.turn(0).state, state, "{reason}");
    }
}

#[test]
fn an_error_that_does_not_end_the_turn_does_not_fail_it() {
    let mut play = answering();
    let error = json!({ "name": "UnknownError", "data": { "message": "File not found" } });
    play.event(&frame("session.error", &json!({ "sessionID": ROOT, "error": error })));
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
}

#[test]
fn idle_ends_nothing() {
    let mut play = answering();
    play.event(&status(&json!({ "type": "idle" })));
    play.event(&frame("session.idle", &json!({ "sessionID": ROOT })));
    assert_eq!(play.turn(0).state, TurnState::Running);
}

#[test]
fn the_end_of_an_earlier_turn_does_not_end_the_next() {
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    play.event(&close("interrupted"));
    play.event(&user(ROOT, PROMPT));
    play.event(&close("interrupted"));
    assert_eq!(play.turn(0).state, TurnState::Running);
    play.event(&open());
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
}

#[test]
fn a_turn_whose_echo_and_opening_were_missed_runs_and_ends() {
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    play.event(&assistant(ROOT, ANSWER, PROMPT, &json!({})));
    assert_eq!(play.turn(0).state, TurnState::Running);
    let retry = json!({ "type": "retry", "attempt": 2, "message": "slow", "next": 9 });
    play.event(&status(&retry));
    assert!(matches!(play.turn(0).phase, Some(Phase::Retrying { attempt: 2, .. })));
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
}

#[test]
fn what_the_turn_does_is_told_again_after_a_broken_link() {
    let mut play = answering();
    let retry = json!({ "type": "retry", "attempt": 2, "message": "slow", "next": 9 });
    let events = [user(ROOT, PROMPT), status(&retry)];
    play.event(&events[1]);
    let phase = play.turn(0).phase.clone();
    play.agent(AgentEvent::Reconnecting(true));
    play.agent(AgentEvent::Reconnecting(false));
    assert_eq!(play.turn(0).phase, None);
    play.merge(&Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    assert_eq!(play.turn(0).phase, phase);
}

#[test]
fn a_refused_message_ends_its_turn_unless_it_is_taken_after_all() {
    let error = json!({ "name": "UnknownError", "data": { "message": "Agent not found" } });
    let refused = || {
        let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
        play.event(&frame("session.error", &json!({ "sessionID": ROOT, "error": error })));
        play
    };
    let mut play = refused();
    assert_eq!(play.turn(0).state, TurnState::Preparing, "it may still be taken");
    play.refuse();
    assert_eq!(play.turn(0).error.as_ref().unwrap().message, "Agent not found");
    let mut play = refused();
    play.event(&user(ROOT, PROMPT));
    play.refuse();
    assert_eq!(play.turn(0).state, TurnState::Running);
}

#[test]
fn a_turn_that_nobody_sent_is_noticed() {
    let mut play = answering();
    play.event(&close("completed"));
    assert!(!play.stray);
    play.event(&open());
    assert!(play.stray);
}

#[test]
fn steps_are_summed_once_and_an_empty_one_says_nothing_of_the_context() {
    let step = |id: &str, input: u32| {
        let tokens = json!({ "input": input, "output": 1, "cache": { "read": 2 } });
        let tokens = if input == 0 { json!({}) } else { tokens };
        part(ROOT, ANSWER, id, &json!({ "type": "step-finish", "cost": 0.5, "tokens": tokens }))
    };
    let mut play = answering();
    for event in [step("prt_1", 10), step("prt_1", 10), step("prt_2", 20), step("prt_3", 0)] {
        play.event(&event);
    }
    let usage = Usage { input: 30, output: 2, cache_read: 4, cost: 1.5, ..Usage::default() };
    assert_eq!(play.turn(0).usage, usage);
    assert_eq!(play.state.thread().context.unwrap().used, 23);
}

#[test]
fn an_answer_that_stopped_between_tools_and_the_model_was_cut() {
    // The agent ended after the tool's result, before it asked the model again.
    for (name, expected) in [
        ("bash-approved", TurnState::Interrupted),
        ("bash-rejected", TurnState::Completed),
        ("question-rejected", TurnState::Completed),
        ("plan-rejected", TurnState::Completed),
    ] {
        let recording = recording(name);
        let calls = |e: &Envelope| {
            matches!(&e.event, kilo_sdk::Event::MessageUpdated {
                message: kilo_sdk::types::Message::Assistant(a), ..
            } if a.finish.as_deref() == Some("tool-calls") && a.time.end.is_some())
        };
        let at = recording.events.iter().rposition(calls).unwrap() + 1;
        let mut play = Play::new(&recording.root, &recording.prompts);
        let mut snapshot =
            Server::after(&recording.events[..at]).read(&recording.root, &recording.prompts[0]);
        snapshot.status = None::<Status>;
        play.merge(&snapshot);
        assert_eq!(play.turn(0).state, expected, "{name}");
    }
}

#[test]
fn a_message_without_an_answer_fails_once_none_can_come() {
    let events = [user(ROOT, PROMPT)];
    for (settled, state) in [(false, TurnState::Running), (true, TurnState::Failed)] {
        let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
        let mut snapshot =
            Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT));
        snapshot.settled = settled;
        play.merge(&snapshot);
        assert_eq!(play.turn(0).state, state);
    }
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    play.merge(&Snapshot { settled: true, ..Snapshot::default() });
    assert_eq!(play.turn(0).state, TurnState::Preparing, "it was never there");
}

#[test]
fn a_closed_turn_whose_rest_cannot_be_read_ends_as_kilo_said() {
    let mut play = answering();
    play.event(&part(ROOT, ANSWER, "prt_1", &text("so f", None)));
    assert!(play.mapper.end_unread().is_empty(), "it goes on");
    play.event(&close("interrupted"));
    assert_eq!((play.turn(0).state, play.resync), (TurnState::Running, true));
    assert!(play.mapper.closing().is_some());
    for event in play.mapper.end_unread() {
        play.agent(event);
    }
    assert_eq!(play.turn(0).state, TurnState::Interrupted);
    assert_eq!((play.text("prt_1"), play.mapper.closing()), (Some("so f"), None));
}

#[test]
fn a_turn_with_more_messages_than_are_read_ends_by_its_last() {
    let ended = json!({ "time": { "created": 1, "completed": 2 }, "finish": "stop" });
    let events = [user(ROOT, PROMPT), assistant(ROOT, "msg_9", PROMPT, &ended)];
    let mut snapshot =
        Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT));
    snapshot.messages.remove(0);
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    play.merge(&snapshot);
    assert_eq!(play.turn(0).state, TurnState::Completed);
}

#[test]
fn titles_kilo_makes_up_are_told_and_placeholders_are_not() {
    let mut play = answering();
    let named = |title: &str| {
        let info = json!({ "id": ROOT, "title": title });
        frame("session.updated", &json!({ "sessionID": ROOT, "info": info }))
    };
    play.event(&named("New session - 2026-11-22T15:05:06.054Z"));
    assert_eq!(play.state.thread().title, "message 0");
    play.event(&named("Fix the build"));
    assert_eq!(play.state.thread().title, "Fix the build");
}

#[test]
fn a_message_from_elsewhere_is_told_as_such_and_ends_the_turn_by_its_own_close() {
    const OTHER: &str = "msg_3";
    let mut play = answering();
    play.event(&part(ROOT, ANSWER, "prt_1", &text("Mine.", Some(2))));
    play.event(&user(ROOT, OTHER));
    let words = json!({ "type": "text", "text": "from the terminal" });
    for _ in 0..2 {
        play.event(&part(ROOT, OTHER, "prt_2", &words));
    }
    play.event(&close("superseded"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
    // What Kilo answers it is no part of the turn that ended.
    play.event(&open());
    play.event(&assistant(ROOT, "msg_4", OTHER, &json!({})));
    play.event(&part(ROOT, "msg_4", "prt_3", &text("Theirs.", Some(2))));
    play.event(&close("completed"));
    let kinds: Vec<&str> = play
        .items_of(&turn_id(0))
        .iter()
        .map(|item| match item.content {
            ItemContent::AgentMessage => "agent",
            ItemContent::UserMessage => "person",
            ItemContent::Notice { .. } => "notice",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["agent", "notice"]);
    assert_eq!(play.elsewhere, 1, "it is read as a turn of its own");
    // Nothing is stuck: the next message is a turn like any other.
    play.send(MessageId::from("msg_5"));
    for event in [user(ROOT, "msg_5"), open(), assistant(ROOT, "msg_6", "msg_5", &json!({}))] {
        play.event(&event);
    }
    play.event(&part(ROOT, "msg_6", "prt_4", &text("Mine again.", Some(2))));
    play.event(&close("completed"));
    assert_eq!(play.turn(1).state, TurnState::Completed);
    assert_eq!(play.text("prt_4"), Some("Mine again."));
}

#[test]
fn the_end_of_anothers_turn_is_not_this_ones_though_a_reading_was_ahead_of_it() {
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    // Kilo has closed what somebody else began and answers this message; the stream lags behind.
    let ahead = [
        user(ROOT, PROMPT),
        status(&json!({ "type": "busy" })),
        assistant(ROOT, ANSWER, PROMPT, &json!({})),
    ];
    play.merge(&Server::after(&ahead).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Running);
    assert!(play.resync, "it may have been this one's, whose opening was missed");
    for event in [
        user(ROOT, PROMPT),
        open(),
        assistant(ROOT, ANSWER, PROMPT, &json!({})),
        part(ROOT, ANSWER, "prt_1", &text("Mine.", Some(2))),
        close("completed"),
    ] {
        play.event(&event);
    }
    assert_eq!(play.turn(0).state, TurnState::Completed);
    assert_eq!(play.text("prt_1"), Some("Mine."));
}
