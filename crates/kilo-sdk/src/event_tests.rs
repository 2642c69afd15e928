use serde_json::json;

use super::*;
use crate::types::{Action, ErrorKind, PartBody, ToolStatus};

fn event(kind: &str, properties: &Value) -> Event {
    let frame = json!({
        "directory": "/repo", "project": "p",
        "payload": { "id": "evt_1", "type": kind, "properties": properties }
    });
    Envelope::parse(frame.to_string().as_bytes()).unwrap().unwrap().event
}

#[test]
fn sync_frames_are_skipped() {
    let frame = json!({ "payload": { "type": "sync", "syncEvent": { "data": [1, 2] } } });
    assert_eq!(Envelope::parse(frame.to_string().as_bytes()).unwrap(), None);
}

#[test]
fn an_unknown_kind_is_kept_whole() {
    let properties = json!({ "sessionID": "ses_1", "anything": [1] });
    let event = event("session.brand.new", &properties);
    assert_eq!(event.session_id(), Some("ses_1".into()));
    assert_eq!(event, Event::Unknown { kind: "session.brand.new".into(), properties });
}

#[test]
fn a_known_kind_of_unexpected_shape_is_kept_whole() {
    for (kind, properties) in [
        ("session.turn.close", json!({ "sessionID": "ses_1" })),
        ("message.part.delta", json!({ "sessionID": "ses_1", "delta": 7 })),
        ("todo.updated", json!({ "sessionID": "ses_1", "todos": "none" })),
        ("session.created", json!({})),
        ("permission.asked", json!([])),
    ] {
        let unknown = Event::Unknown { kind: kind.into(), properties: properties.clone() };
        assert_eq!(event(kind, &properties), unknown);
    }
}

#[test]
fn turns_and_errors_are_read() {
    let close = json!({ "sessionID": "ses_c", "parentID": "ses_p", "reason": "superseded" });
    let Event::TurnClose { parent_id, reason, .. } = event("session.turn.close", &close) else {
        panic!()
    };
    assert_eq!((parent_id, reason), (Some("ses_p".into()), CloseReason::Superseded));

    let failed = json!({ "error": { "name": "APIError",
        "data": { "message": "no", "statusCode": 402, "isRetryable": false, "x": 1 } } });
    let Event::SessionError { session_id: None, error } = event("session.error", &failed) else {
        panic!()
    };
    assert_eq!((error.kind, error.status_code), (ErrorKind::Api, Some(402)));
    assert_eq!(error.data["x"], 1);
}

#[test]
fn parts_are_read_with_nulls_and_unknown_types() {
    let part = |part: Value| {
        let properties = json!({ "sessionID": "ses_1", "part": part, "time": 1 });
        match event("message.part.updated", &properties) {
            Event::PartUpdated { part, .. } => part.body,
            other => panic!("{other:?}"),
        }
    };
    let tool = json!({ "id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "tool",
        "callID": "c", "tool": "bash", "state": { "status": "running", "input": { "command": "ls" },
        "metadata": null, "time": { "start": 5 }, "new": true } });
    let PartBody::Tool(tool) = part(tool) else { panic!() };
    assert_eq!((tool.state.status, tool.state.time.start), (ToolStatus::Running, Some(5.0)));

    let odd = json!({ "id": "prt_1", "type": "tool", "state": { "status": "paused" } });
    let PartBody::Tool(tool) = part(odd) else { panic!() };
    assert_eq!(tool.state.status, ToolStatus::Other("paused".into()));

    let hologram = json!({ "id": "prt_1", "type": "hologram", "depth": 3 });
    let PartBody::Unknown { kind, raw } = part(hologram.clone()) else { panic!() };
    assert_eq!((kind.as_str(), raw), ("hologram", hologram));
}

#[test]
fn sessions_and_rules_are_read() {
    let properties = json!({ "sessionID": "ses_1", "info": { "id": "ses_1", "permission": null,
        "parentID": "ses_0", "model": { "id": "a/b:free", "providerID": "kilo" } } });
    let Event::SessionCreated(session) = event("session.created", &properties) else { panic!() };
    assert_eq!(session.parent_id, Some("ses_0".into()));
    assert_eq!(session.model.unwrap().id, "a/b:free");
    let action: Action = serde_json::from_str("\"perhaps\"").unwrap();
    assert_eq!(action, Action::Other("perhaps".into()));
    assert_eq!(serde_json::to_string(&Action::Allow).unwrap(), "\"allow\"");
}

#[test]
fn a_text_that_was_cut_within_a_character_is_read() {
    let frame = r#"{"payload":{"type":"message.part.delta","properties":{"sessionID":"ses_1",
        "messageID":"msg_1","partID":"prt_1","field":"text","delta":"so \ud83d"}}}"#;
    let envelope = Envelope::parse(frame.as_bytes()).unwrap().unwrap();
    assert!(matches!(envelope.event, Event::PartDelta { delta, .. } if delta == "so \u{fffd}"));
}
