//! Slash commands: what happens before Kilo has made their message.

use domain::{AgentEvent, ErrorCode, ItemContent, NoticeLevel, TurnEvent, TurnOutcome, TurnState};
use kilo_sdk::{MessageId, SessionId};
use serde_json::json;

use super::frames::{ANSWER, PROMPT, ROOT, answering, asked, assistant, close, frame, open, user};
use super::play::{Play, turn_id};

/// A command that Kilo is about to be asked to run.
fn calling() -> Play {
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    play.mapper.call(turn_id(0), Some("It runs on another model.".to_owned()));
    for event in play.mapper.called(&turn_id(0)) {
        play.agent(event);
    }
    play
}

fn error(message: &str) -> kilo_sdk::Envelope {
    let error = json!({ "name": "UnknownError", "data": { "message": message } });
    frame("session.error", &json!({ "sessionID": ROOT, "error": error }))
}

#[test]
fn what_is_asked_before_the_message_is_shown_and_the_message_then_gets_its_name() {
    let mut play = calling();
    assert_eq!(play.turn(0).prompt_key.as_deref(), Some("command:msg_1"));
    let outside = json!({ "patterns": ["/etc/*"], "always": ["/etc/*"], "metadata": {} });
    play.event(&asked("per_1", ROOT, "external_directory", &outside));
    assert_eq!((play.turn(0).state, play.open_requests()), (TurnState::Running, 1));
    // That it was rejected is an error of the session, but the command goes on.
    play.event(&error("The user rejected permission to use this specific tool call."));
    assert_eq!(play.refused, None);
    for event in [user(ROOT, PROMPT), open(), assistant(ROOT, ANSWER, PROMPT, &json!({}))] {
        play.event(&event);
    }
    assert_eq!(play.turn(0).prompt_key.as_deref(), Some(PROMPT));
    let said = play.item(&format!("command:{PROMPT}")).map(|item| &item.content);
    assert_eq!(said, Some(&ItemContent::Notice { level: NoticeLevel::Info }));
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
}

#[test]
fn a_refusal_ends_the_turn_once_with_the_reason_kilo_tells_on_the_stream() {
    let mut play = calling();
    assert!(play.mapper.is_untaken(&turn_id(0)) && !play.mapper.has_reason(&turn_id(0)));
    play.event(&error("Model not found: mock/nosuch."));
    assert!(play.refused.is_none() && play.mapper.has_reason(&turn_id(0)));
    for _ in 0..2 {
        for event in play.mapper.refuse_for(&turn_id(0), &kilo_sdk::Error::TooLarge(9)) {
            play.agent(event);
        }
    }
    let turn = play.turn(0);
    let said = turn.error.as_ref().unwrap();
    assert_eq!((turn.state, said.code), (TurnState::Failed, ErrorCode::Rejected));
    assert!(said.message.contains("mock/nosuch"), "{said:?}");
    // One that was taken goes by what is told of it.
    let mut play = calling();
    play.event(&user(ROOT, PROMPT));
    assert!(!play.mapper.is_untaken(&turn_id(0)));
    assert_eq!(play.mapper.refuse_for(&turn_id(0), &kilo_sdk::Error::TooLarge(9)), []);
}

#[test]
fn a_command_that_steers_and_is_refused_leaves_the_running_turn_alone() {
    let mut play = answering();
    let next = turn_id(7);
    assert!(play.mapper.steer(next.clone(), MessageId::from("msg_9"), None));
    play.mapper.call(next.clone(), None);
    assert_eq!(play.mapper.called(&next), [], "that would end the running turn");
    let told = play.mapper.refuse_for(&next, &kilo_sdk::Error::TooLarge(9));
    let [AgentEvent::Turn { turn, event: TurnEvent::Ended(TurnOutcome::Failed(_)) }] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*turn, next);
    assert_eq!(play.mapper.refuse_for(&next, &kilo_sdk::Error::TooLarge(9)), []);
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
}

#[test]
fn what_a_cut_link_leaves_unknown_is_an_end_unless_a_person_is_asked() {
    let lost = crate::kilo::session::server_gone("");
    let mut play = calling();
    let outside = json!({ "patterns": ["/etc/*"], "always": ["/etc/*"], "metadata": {} });
    play.event(&asked("per_1", ROOT, "external_directory", &outside));
    assert!(!play.mapper.lose_call(&turn_id(0), lost.clone()), "it is known to go on");
    let mut play = calling();
    assert!(play.mapper.lose_call(&turn_id(0), lost.clone()));
    for event in play.mapper.refuse(&turn_id(0)) {
        play.agent(event);
    }
    let said = play.turn(0).error.clone().unwrap();
    assert_eq!((play.turn(0).state, said.message), (TurnState::Failed, lost.message));
}
