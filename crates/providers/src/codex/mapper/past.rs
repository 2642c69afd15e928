//! A session's history, cut into the turns it was made of and mapped like what is streamed.
//!
//! A turn of Codex begins one of ours, but for those that went on with a plan; a message that
//! steered begins another one within it.

use std::path::PathBuf;

use codex_sdk::types::{Item, ItemBody, Turn, TurnStatus};
use domain::{
    Access, AgentEvent, FullText, InputKind, ItemStatus, Mode, PastTurn, ThreadId, Timestamp,
    TurnEvent, TurnId, TurnOutcome,
};

use super::content::{GO_ON, REMARK};
use super::{Mapper, errors};
use crate::codex::session::reading;

/// What the name of a turn begins with whose message has no name of ours.
pub(in crate::codex) const TURN: &str = "turn:";

/// A part of a history that is one turn of ours: its name, what was said, and what followed.
struct Part {
    key: String,
    kind: InputKind,
    text: String,
    at: Timestamp,
    ended: Timestamp,
    /// Codex's turns it consists of, each with the items that belong to it.
    natives: Vec<(Turn, Vec<Item>)>,
    outcome: TurnOutcome,
}

/// The name of a person's message that begins a turn of ours.
fn name(item: &Item) -> Option<Option<&str>> {
    let ItemBody::UserMessage { client_id, .. } = &item.body else { return None };
    match client_id.as_deref() {
        Some(id) if id.starts_with(GO_ON) || id.starts_with(REMARK) => None,
        id => Some(id),
    }
}

/// The names by which the messages of a turn of Codex are known.
pub(in crate::codex) fn names(turn: &Turn) -> Vec<String> {
    let named = turn.items.iter().filter_map(name).flatten().map(str::to_owned);
    named.chain([format!("{TURN}{}", turn.id)]).collect()
}

/// Whether a turn of Codex goes on with one of ours.
pub(in crate::codex) fn goes_on(turn: &Turn) -> bool {
    let mut messages =
        turn.items.iter().filter(|item| matches!(item.body, ItemBody::UserMessage { .. }));
    messages.next().is_some_and(|first| name(first).is_none())
}

/// The turns of a history, oldest first; `busy` when the last one runs.
pub(in crate::codex) fn turns(
    thread: &ThreadId,
    root: &str,
    workspace: &str,
    natives: &[Turn],
) -> Vec<PastTurn> {
    parts(natives).into_iter().map(|part| past(thread, root, workspace, part)).collect()
}

/// What the agent wrote in the turns of a history: our name of each item, and its text.
pub(in crate::codex) fn texts(past: &[PastTurn]) -> Vec<(String, FullText)> {
    let events = past.iter().flat_map(|turn| &turn.events);
    let written = events.filter_map(|(_, event)| {
        let TurnEvent::Item(item) = event else { return None };
        let done = item.status == ItemStatus::Done && item.content.is_written();
        item.body.clone().filter(|_| done).map(|text| (item.key.clone(), text))
    });
    written.collect()
}

fn parts(natives: &[Turn]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for native in natives {
        let began = whole(native.started_at);
        let ended = native.completed_at.map_or(began, |at| whole(Some(at)));
        let compacts = native.items.iter().any(|item| item.body == ItemBody::Compaction);
        let said = native.items.iter().any(|item| name(item).is_some());
        let bare = Turn { items: Vec::new(), ..native.clone() };
        if !goes_on(native) || parts.is_empty() {
            let kind = if compacts && !said { InputKind::Compact } else { InputKind::Message };
            parts.push(Part {
                key: format!("{TURN}{}", native.id),
                kind,
                text: String::new(),
                at: began,
                ended,
                natives: Vec::new(),
                outcome: TurnOutcome::Completed,
            });
        }
        let mut first = true;
        if let Some(part) = parts.last_mut() {
            part.natives.push((bare.clone(), Vec::new()));
        }
        for item in &native.items {
            if let Some(id) = name(item) {
                let ItemBody::UserMessage { text, .. } = &item.body else { continue };
                let at = item.completed_at_ms.unwrap_or(began);
                if !first {
                    let key = id.map_or_else(|| format!("{TURN}{}", item.id), str::to_owned);
                    parts.push(Part {
                        key,
                        kind: InputKind::Message,
                        text: text.clone(),
                        at,
                        ended,
                        natives: vec![(bare.clone(), Vec::new())],
                        outcome: TurnOutcome::Completed,
                    });
                } else if let Some(part) = parts.last_mut() {
                    if let Some(id) = id {
                        id.clone_into(&mut part.key);
                    }
                    part.text.clone_from(text);
                    part.at = at;
                }
                first = false;
                continue;
            }
            if let Some(part) = parts.last_mut()
                && let Some((_, items)) = part.natives.last_mut()
            {
                items.push(item.clone());
            }
        }
        if let Some(part) = parts.last_mut() {
            part.ended = ended;
            part.outcome = outcome(native);
        }
    }
    parts
}

fn outcome(native: &Turn) -> TurnOutcome {
    match native.status {
        TurnStatus::Failed => {
            let error = native.error.clone().unwrap_or_else(super::nameless);
            TurnOutcome::Failed(errors::turn_error(&error))
        }
        TurnStatus::Interrupted | TurnStatus::InProgress => TurnOutcome::Interrupted,
        TurnStatus::Completed | TurnStatus::Unknown => TurnOutcome::Completed,
    }
}

fn past(thread: &ThreadId, root: &str, workspace: &str, part: Part) -> PastTurn {
    let Part { key, kind, text, at, ended, natives, outcome } = part;
    let (root, workspace) = (root.to_owned(), PathBuf::from(workspace));
    let mut mapper = Mapper::new(root.clone(), workspace, String::new(), Access::default());
    let turn = TurnId::derive_past(thread, &key);
    let mut events = Vec::new();
    let mut mode = Mode::Build;
    for (native, items) in natives {
        mapper.begin(turn.clone(), key.clone(), kind, Mode::Build);
        mapper.native(&turn, &native.id);
        let plans = items.iter().any(|item| matches!(item.body, ItemBody::Plan { .. }));
        mode = if plans { Mode::Plan } else { mode };
        let times: Vec<_> = items.iter().map(|item| item.completed_at_ms).collect();
        let told = reading::items(&root, &native.id, items);
        let mut now = at;
        for (event, when) in told.into_iter().zip(times) {
            now = when.unwrap_or(now).max(now);
            events.extend(mapper.apply(event).events.into_iter().filter_map(|event| match event {
                AgentEvent::Turn { event: TurnEvent::Ended(_) | TurnEvent::Started, .. } => None,
                AgentEvent::Turn { event, .. } => Some((now, event)),
                _ => None,
            }));
        }
    }
    events.push((ended.max(at), TurnEvent::Ended(outcome)));
    PastTurn { key, kind, text, model: None, mode, at, events }
}

/// Milliseconds of seconds.
fn whole(seconds: Option<f64>) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "times are far from the bounds")]
    let millis = (seconds.unwrap_or_default() * 1000.0) as i64;
    millis
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(turns: serde_json::Value) -> Vec<PastTurn> {
        let natives: Vec<Turn> = serde_json::from_value(turns).unwrap();
        let thread = ThreadId::parse("thr_00000000000000000000000000000007").unwrap();
        super::turns(&thread, "t", "/w", &natives)
    }

    fn user(id: &str, client: Option<&str>, text: &str) -> serde_json::Value {
        json!({"type": "userMessage", "id": id, "clientId": client, "completedAtMs": 1500,
            "content": [{"type": "text", "text": text}]})
    }

    fn said(id: &str, text: &str) -> serde_json::Value {
        json!({"type": "agentMessage", "id": id, "text": text, "completedAtMs": 2500})
    }

    #[test]
    fn a_message_that_steered_begins_a_turn_of_its_own_and_a_plan_s_building_none() {
        let past = read(json!([
            {"id": "u1", "status": "completed", "startedAt": 1, "completedAt": 3, "items": [
                user("a", Some("k1"), "first"), said("b", "one"),
                user("c", Some("k2"), "second"), said("d", "two")]},
            {"id": "u2", "status": "completed", "startedAt": 4, "completedAt": 5, "items": [
                user("e", Some("plan:x"), "Implement the plan."), said("f", "built")]},
            {"id": "u3", "status": "interrupted", "startedAt": 6, "items": [
                user("g", None, "in the terminal")]},
            {"id": "u4", "status": "completed", "startedAt": 7, "items": [
                {"type": "contextCompaction", "id": "h"}]},
        ]));
        let told: Vec<_> =
            past.iter().map(|turn| (turn.key.as_str(), turn.text.as_str(), turn.kind)).collect();
        assert_eq!(
            told,
            [
                ("k1", "first", InputKind::Message),
                ("k2", "second", InputKind::Message),
                ("turn:u3", "in the terminal", InputKind::Message),
                ("turn:u4", "", InputKind::Compact),
            ]
        );
        let items = |turn: &PastTurn| {
            let items = turn.events.iter().filter(|(_, e)| matches!(e, TurnEvent::Item(_)));
            items.count()
        };
        assert_eq!(past.iter().map(items).collect::<Vec<_>>(), [1, 2, 0, 1]);
        let ends = past.iter().map(|turn| turn.events.last().map(|(at, e)| (*at, e.clone())));
        let ends: Vec<_> = ends.flatten().collect();
        assert_eq!(ends[1], (5000, TurnEvent::Ended(TurnOutcome::Completed)));
        assert_eq!(ends[2], (6000, TurnEvent::Ended(TurnOutcome::Interrupted)));
        let texts = super::texts(&past);
        assert_eq!(
            texts.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
            ["u1/b", "u1/d", "u2/f"]
        );
    }
}
