//! What is said, hidden, removed and summed up.

use domain::{ItemContent, Phase, TurnState};
use kilo_sdk::{MessageId, PartId, SessionId};
use serde_json::json;

use super::super::{MAX_PARTS, PartKind, PartState};
use super::frames::{
    ANSWER, PROMPT, ROOT, answering, assistant, close, delta, frame, part, status, text, user,
};
use super::recorded::Server;

#[test]
fn text_nobody_should_see_is_not_shown() {
    let mut play = answering();
    let hidden = [
        json!({ "type": "text", "text": "reminder", "synthetic": true }),
        json!({ "type": "text", "text": "⠋ …", "metadata": { "kilocode.lifecycle": "transient" } }),
        text("", None),
        text("", Some(2)),
    ];
    for (n, body) in hidden.iter().enumerate() {
        let id = format!("prt_{n}");
        play.event(&part(ROOT, ANSWER, &id, body));
        if n < 2 {
            play.event(&delta(ROOT, ANSWER, &id, "more"));
        }
    }
    play.event(&part(ROOT, PROMPT, "prt_own", &json!({ "type": "text", "text": "the message" })));
    assert_eq!(play.items.len(), 0);
    assert!(!play.resync);
}

#[test]
fn a_part_before_its_message_waits_for_it() {
    let mut play = answering();
    play.event(&part(ROOT, "msg_3", "prt_1", &text("early", Some(2))));
    assert_eq!(play.items.len(), 0);
    play.event(&assistant(ROOT, "msg_3", PROMPT, &json!({})));
    assert_eq!(play.text("prt_1"), Some("early"));
}

#[test]
fn a_delta_of_an_unknown_part_asks_for_the_session() {
    let mut play = answering();
    play.event(&delta(ROOT, ANSWER, "prt_1", "x"));
    assert!(play.resync);
    play.event(&delta(ROOT, "msg_0", "prt_0", "late"));
    assert_eq!(play.items.len(), 0);
}

#[test]
fn what_is_removed_is_gone() {
    let mut play = answering();
    let removed = |part: &str| {
        let properties = json!({ "sessionID": ROOT, "messageID": ANSWER, "partID": part });
        frame("message.part.removed", &properties)
    };
    for id in ["prt_1", "prt_2", "prt_3"] {
        play.event(&part(ROOT, ANSWER, id, &text("x", Some(2))));
    }
    play.event(&removed("prt_1"));
    play.event(&removed("prt_1"));
    assert!(play.item("prt_1").is_none() && play.item("prt_2").is_some());
    let properties = json!({ "sessionID": ROOT, "messageID": ANSWER });
    play.event(&frame("message.removed", &properties));
    assert_eq!(play.items.len(), 0);
}

#[test]
fn a_snapshot_never_takes_text_away_that_is_still_written() {
    let mut play = answering();
    let mut events = vec![
        user(ROOT, PROMPT),
        assistant(ROOT, ANSWER, PROMPT, &json!({})),
        status(&json!({ "type": "busy" })),
    ];
    let begun = part(ROOT, ANSWER, "prt_1", &text("", None));
    events.push(begun.clone());
    play.event(&begun);
    play.event(&delta(ROOT, ANSWER, "prt_1", "so "));
    play.merge(&Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    play.event(&delta(ROOT, ANSWER, "prt_1", "far"));
    assert_eq!(play.text("prt_1"), Some("so far"));
    assert_eq!(play.turn(0).state, TurnState::Running);
}

#[test]
fn a_summary_is_a_compaction_each_time_it_is_told() {
    let mut play = answering();
    play.event(&user(ROOT, "msg_3"));
    play.event(&part(ROOT, "msg_3", "prt_0", &json!({ "type": "compaction", "auto": true })));
    assert_eq!(play.turn(0).phase, Some(Phase::Compacting));
    let summary = |end: Option<u32>| {
        let more = json!({ "summary": true, "time": { "created": 1, "completed": end } });
        assistant(ROOT, "msg_4", "msg_3", &more)
    };
    play.event(&summary(None));
    play.event(&part(ROOT, "msg_4", "prt_1", &text("", None)));
    play.event(&delta(ROOT, "msg_4", "prt_1", "In short"));
    for event in [
        part(ROOT, "msg_4", "prt_1", &text("In short.", Some(2))),
        summary(Some(2)),
        summary(Some(2)),
        part(ROOT, "msg_4", "prt_1", &text("In short.", Some(2))),
    ] {
        play.event(&event);
        let item = play.item("prt_1").unwrap();
        assert_eq!(item.content, ItemContent::Compaction { automatic: true });
    }
    play.event(&status(&json!({ "type": "busy" })));
    assert_eq!(play.turn(0).phase, None);
}

#[test]
fn a_turn_of_too_many_parts_goes_on_without_the_later_ones_and_says_so() {
    let mut play = answering();
    play.event(&part(ROOT, ANSWER, "prt_first", &text("", None)));
    let hidden = |n: usize| {
        let (message, kind) = (MessageId::from(ANSWER), PartKind::Hidden);
        let state = PartState { message, kind, len: 0, told: false, ended: true };
        (PartId::from(format!("prt_x{n}").as_str()), state)
    };
    play.mapper.parts.extend((1..MAX_PARTS).map(hidden));
    for id in ["prt_y1", "prt_y2"] {
        play.event(&part(ROOT, ANSWER, id, &text("more", Some(2))));
        play.event(&delta(ROOT, ANSWER, id, "more"));
        assert_eq!((play.item(id), play.resync), (None, false));
    }
    play.event(&part(ROOT, ANSWER, "prt_first", &text("known", Some(2))));
    assert_eq!(play.text("prt_first"), Some("known"));
    assert_eq!(play.items.len(), 2, "what is known goes on, and one notice");
    play.event(&close("completed"));
    assert_eq!(play.turn(0).state, TurnState::Completed);
}
