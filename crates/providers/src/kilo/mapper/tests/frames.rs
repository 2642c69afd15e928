//! Kilo's frames, made by hand, and a turn to put them into.

use kilo_sdk::{Envelope, MessageId, SessionId};
use serde_json::{Value, json};

use super::play::Play;

pub(super) const ROOT: &str = "ses_root";
pub(super) const CHILD: &str = "ses_child";
pub(super) const PROMPT: &str = "msg_1";
pub(super) const ANSWER: &str = "msg_2";

pub(super) fn frame(kind: &str, properties: &Value) -> Envelope {
    let json =
        json!({ "directory": "/repo", "payload": { "type": kind, "properties": properties } });
    Envelope::parse(json.to_string().as_bytes()).unwrap().unwrap()
}

pub(super) fn user(session: &str, id: &str) -> Envelope {
    let info = json!({ "id": id, "sessionID": session, "role": "user", "time": { "created": 1 } });
    frame("message.updated", &json!({ "sessionID": session, "info": info }))
}

pub(super) fn assistant(session: &str, id: &str, parent: &str, more: &Value) -> Envelope {
    let mut info = json!({
        "id": id, "sessionID": session, "role": "assistant", "parentID": parent,
        "time": { "created": 1 },
    });
    info.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    frame("message.updated", &json!({ "sessionID": session, "info": info }))
}

pub(super) fn part(session: &str, message: &str, id: &str, body: &Value) -> Envelope {
    let mut part = json!({ "id": id, "sessionID": session, "messageID": message });
    part.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    frame("message.part.updated", &json!({ "sessionID": session, "part": part }))
}

pub(super) fn delta(session: &str, message: &str, id: &str, delta: &str) -> Envelope {
    let properties = json!({
        "sessionID": session, "messageID": message, "partID": id, "field": "text", "delta": delta,
    });
    frame("message.part.delta", &properties)
}

pub(super) fn tool(id: &str, name: &str, call: &str, state: &Value) -> Envelope {
    let body = json!({ "type": "tool", "tool": name, "callID": call, "state": state });
    part(ROOT, ANSWER, id, &body)
}

pub(super) fn open() -> Envelope {
    frame("session.turn.open", &json!({ "sessionID": ROOT }))
}

pub(super) fn close(reason: &str) -> Envelope {
    frame("session.turn.close", &json!({ "sessionID": ROOT, "reason": reason }))
}

pub(super) fn status(status: &Value) -> Envelope {
    frame("session.status", &json!({ "sessionID": ROOT, "status": status }))
}

pub(super) fn asked(id: &str, session: &str, permission: &str, more: &Value) -> Envelope {
    let mut ask = json!({ "id": id, "sessionID": session, "permission": permission });
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    frame("permission.asked", &ask)
}

pub(super) fn replied(id: &str, reply: &str) -> Envelope {
    let properties = json!({ "sessionID": ROOT, "requestID": id, "reply": reply });
    frame("permission.replied", &properties)
}

/// A turn whose message Kilo has taken and begun to answer.
pub(super) fn answering() -> Play {
    let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
    for event in [user(ROOT, PROMPT), open(), assistant(ROOT, ANSWER, PROMPT, &json!({}))] {
        play.event(&event);
    }
    play
}

pub(super) fn text(text: &str, end: Option<u32>) -> Value {
    json!({ "type": "text", "text": text, "time": { "start": 1, "end": end } })
}
