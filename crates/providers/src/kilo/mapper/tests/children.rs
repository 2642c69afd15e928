//! Sub-agents: their place, and what is not known of them yet.

use domain::{ItemContent, Phase, TurnState};
use kilo_sdk::types::{MessageWithParts, Session};
use kilo_sdk::{Envelope, MessageId, SessionId};
use serde_json::{Value, json};

use super::super::{MAX_UNPLACED, Placed};
use super::frames::{
    ANSWER, CHILD, PROMPT, ROOT, answering, asked, assistant, delta, frame, open, part, replied,
    status, text, user,
};
use super::play::Play;
use super::recorded::Server;

fn child(parent: &str, id: &str) -> Envelope {
    let info = json!({ "id": id, "parentID": parent, "title": "look (@explore subagent)" });
    frame("session.created", &json!({ "sessionID": id, "info": info }))
}

fn task(id: &str, child: &str) -> Value {
    json!({ "type": "tool", "tool": "task", "callID": id, "state": {
        "status": "running", "input": { "subagent_type": "explore", "description": "look" },
        "metadata": { "sessionId": child } } })
}

#[test]
fn what_happens_in_a_sub_agent_is_shown_in_it_at_any_depth() {
    let mut play = answering();
    play.event(&child(ROOT, CHILD));
    play.event(&assistant(CHILD, "msg_c", "msg_b", &json!({})));
    play.event(&part(CHILD, "msg_c", "prt_c", &text("Looking", Some(2))));
    assert_eq!(play.items.len(), 0, "its place is not known yet");
    play.event(&part(ROOT, ANSWER, "prt_task", &task("call_1", CHILD)));
    let parent = |play: &Play, key: &str| play.item(key).unwrap().parent.clone();
    assert_eq!(parent(&play, "prt_c"), Some(play.item("prt_task").unwrap().id.clone()));
    play.event(&child(CHILD, "ses_grand"));
    play.event(&part(CHILD, "msg_c", "prt_task2", &task("call_2", "ses_grand")));
    play.event(&assistant("ses_grand", "msg_e", "msg_d", &json!({})));
    play.event(&part("ses_grand", "msg_e", "prt_g", &text("Deeper", Some(2))));
    assert_eq!(parent(&play, "prt_g"), Some(play.item("prt_task2").unwrap().id.clone()));
    assert_eq!(parent(&play, "prt_task2"), parent(&play, "prt_c"));
    play.event(&asked("per_1", "ses_grand", "bash", &json!({})));
    assert_eq!(play.requests.values().next().unwrap().from.as_deref(), Some("explore"));
}

#[test]
fn a_sub_agent_that_says_too_much_before_its_place_is_known_is_read() {
    let mut play = answering();
    play.event(&child(ROOT, CHILD));
    play.event(&assistant(CHILD, "msg_c", "msg_b", &json!({})));
    play.event(&part(CHILD, "msg_c", "prt_c", &text("", None)));
    for n in 0..MAX_UNPLACED + 9 {
        play.event(&delta(CHILD, "msg_c", "prt_c", "x"));
        assert_eq!(play.items.len(), 0, "nothing without its place");
        assert_eq!(play.resync, n + 1 >= MAX_UNPLACED, "{n}");
    }
    play.event(&part(ROOT, ANSWER, "prt_task", &task("call_1", CHILD)));
    play.event(&part(CHILD, "msg_c", "prt_c", &text("all of it", Some(2))));
    assert_eq!(play.text("prt_c"), Some("all of it"));
}

#[test]
fn a_sub_agent_that_only_a_snapshot_tells_of_is_shown() {
    let mut play = answering();
    let session: Session =
        serde_json::from_value(json!({ "id": CHILD, "parentID": ROOT, "title": "t" })).unwrap();
    let messages: Vec<MessageWithParts> = serde_json::from_value(json!([{
        "info": { "id": "msg_c", "sessionID": CHILD, "role": "assistant", "parentID": "msg_b" },
        "parts": [{ "id": "prt_c", "sessionID": CHILD, "messageID": "msg_c", "type": "text",
            "text": "Found it", "time": { "start": 1, "end": 2 } }],
    }]))
    .unwrap();
    let events = [
        user(ROOT, PROMPT),
        assistant(ROOT, ANSWER, PROMPT, &json!({})),
        status(&json!({ "type": "busy" })),
        part(ROOT, ANSWER, "prt_task", &task("call_1", CHILD)),
    ];
    let mut snapshot =
        Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT));
    snapshot.children.push((session, messages));
    play.merge(&snapshot);
    assert_eq!(play.text("prt_c"), Some("Found it"));
    let parent = play.item("prt_task").unwrap().id.clone();
    assert_eq!(play.item("prt_c").unwrap().parent, Some(parent));
}

#[test]
fn a_sub_agent_of_the_next_turn_asks_though_one_reading_tells_of_both_turns() {
    let (next, answer) = ("msg_3", "msg_4");
    let mut play =
        Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT), MessageId::from(next)]);
    let first = [user(ROOT, PROMPT), open(), assistant(ROOT, ANSWER, PROMPT, &json!({}))];
    for event in &first {
        play.event(event);
    }
    // The link is cut; meanwhile the first turn ends, and the next one starts a sub-agent that asks.
    let done = json!({ "finish": "stop", "time": { "created": 1, "completed": 2 } });
    let rest = [
        assistant(ROOT, ANSWER, PROMPT, &done),
        user(ROOT, next),
        assistant(ROOT, answer, next, &json!({})),
        status(&json!({ "type": "busy" })),
        part(ROOT, answer, "prt_task", &task("call_1", CHILD)),
    ];
    let events: Vec<Envelope> = first.into_iter().chain(rest).collect();
    let mut snapshot =
        Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT));
    let session = json!({ "id": CHILD, "parentID": ROOT, "title": "t" });
    snapshot.children.push((serde_json::from_value(session).unwrap(), Vec::new()));
    let ask = json!({ "id": "per_1", "sessionID": CHILD, "permission": "bash" });
    let ask = serde_json::from_value(ask).unwrap();
    snapshot.permissions = Some(vec![Placed { directory: None, ask }]);
    play.merge(&snapshot);
    assert_eq!(play.turn(0).state, TurnState::Completed);
    let request = play.requests.values().next().expect("it is shown");
    assert_eq!((&request.turn_id, request.from.as_deref()), (&play.turn(1).id, Some("explore")));
    // What it asks later is shown as well.
    play.event(&asked("per_2", CHILD, "edit", &json!({})));
    assert_eq!(play.requests.len(), 2);
}

#[test]
fn a_sub_agent_whose_call_does_not_name_it_yet_waits_for_that_in_a_snapshot_too() {
    let mut play = answering();
    let mut unnamed = task("call_1", CHILD);
    unnamed["state"]["metadata"] = json!({});
    let events = [
        user(ROOT, PROMPT),
        assistant(ROOT, ANSWER, PROMPT, &json!({})),
        status(&json!({ "type": "busy" })),
        part(ROOT, ANSWER, "prt_task", &unnamed),
        child(ROOT, CHILD),
        assistant(CHILD, "msg_c", "msg_b", &json!({})),
        part(CHILD, "msg_c", "prt_c", &text("Found it", Some(2))),
    ];
    play.merge(&Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    assert!(play.item("prt_c").is_none(), "its place is not known yet");
    play.event(&part(ROOT, ANSWER, "prt_task", &task("call_1", CHILD)));
    assert_eq!(play.text("prt_c"), Some("Found it"));
}

#[test]
fn a_sub_agent_tells_what_it_does_and_what_it_used() {
    const GRAND: &str = "ses_grand";
    let mut play = answering();
    let seen = |play: &Play, key: &str| match &play.item(key).unwrap().content {
        ItemContent::SubAgent { steps, usage, waiting, phase, .. } => {
            (*steps, usage.input, *waiting, phase.clone())
        }
        other => panic!("{other:?}"),
    };
    let step = |session: &str, message: &str, id: &str, input: u32| {
        let tokens = json!({ "input": input, "output": 1 });
        part(session, message, id, &json!({ "type": "step-finish", "cost": 0.5, "tokens": tokens }))
    };
    let status = |session: &str, status: Value| {
        frame("session.status", &json!({ "sessionID": session, "status": status }))
    };
    play.event(&child(ROOT, CHILD));
    play.event(&assistant(CHILD, "msg_c", "msg_b", &json!({})));
    play.event(&step(CHILD, "msg_c", "prt_s1", 10));
    play.event(&part(ROOT, ANSWER, "prt_task", &task("call_1", CHILD)));
    assert_eq!(
        seen(&play, "prt_task"),
        (1, 10, false, None),
        "what came before its place was known"
    );
    play.event(&step(CHILD, "msg_c", "prt_s2", 20));
    play.event(&step(CHILD, "msg_c", "prt_s2", 20));
    assert_eq!(
        seen(&play, "prt_task"),
        (2, 30, false, None),
        "a step that is told twice counts once"
    );

    // One further down waits: so do those above it.
    play.event(&child(CHILD, GRAND));
    play.event(&part(CHILD, "msg_c", "prt_task2", &task("call_2", GRAND)));
    play.event(&assistant(GRAND, "msg_e", "msg_d", &json!({})));
    play.event(&step(GRAND, "msg_e", "prt_s3", 5));
    play.event(&asked("per_1", GRAND, "bash", &json!({})));
    assert_eq!(seen(&play, "prt_task2"), (1, 5, true, None));
    assert_eq!(seen(&play, "prt_task"), (2, 30, true, None));
    play.event(&replied("per_1", "once"));
    assert_eq!(seen(&play, "prt_task2"), (1, 5, false, None));
    assert_eq!(seen(&play, "prt_task"), (2, 30, false, None));

    let retry = json!({ "type": "retry", "attempt": 2, "message": "slow down", "next": 5 });
    play.event(&status(GRAND, retry));
    let retrying =
        Phase::Retrying { attempt: 2, next_at: Some(5), message: "slow down".to_owned() };
    assert_eq!(seen(&play, "prt_task2").3, Some(retrying));
    assert_eq!(play.turn(0).phase, None, "the thread's own agent works");
    play.event(&status(GRAND, json!({ "type": "busy" })));
    assert_eq!(seen(&play, "prt_task2").3, None);

    // Its model fails; that is in it, once, and its parent may get over it.
    let error =
        json!({ "error": { "name": "APIError", "data": { "message": "no", "statusCode": 400 } } });
    for _ in 0..2 {
        play.event(&assistant(GRAND, "msg_e", "msg_d", &error));
    }
    let inside = Some(play.item("prt_task2").unwrap().id.clone());
    let errors = || play.items.values().filter(|i| matches!(i.content, ItemContent::Error { .. }));
    assert_eq!(errors().map(|i| i.parent.clone()).collect::<Vec<_>>(), [inside]);

    // Each step is counted once in the turn's total.
    play.event(&part(
        ROOT,
        ANSWER,
        "prt_s4",
        &json!({ "type": "step-finish", "cost": 0.5,
        "tokens": { "input": 100, "output": 1 } }),
    ));
    let usage = play.turn(0).usage;
    assert_eq!((usage.input, usage.output), (135, 4));
    assert!((usage.cost - 2.0).abs() < 1e-9, "{usage:?}");
}
