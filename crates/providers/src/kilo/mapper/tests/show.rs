//! A thread as text, as a person would read it: no ids, no times.

use std::fmt::Write;

use domain::{Item, ItemId, Request, RequestBody, RequestState, Turn};
use serde_json::Value;

use super::play::Play;

pub(super) fn show(play: &Play) -> String {
    let mut out = String::new();
    let thread = play.state.thread();
    let context = thread.context.map(|c| format!("{} of {:?} tokens", c.used, c.limit));
    let _ = writeln!(out, "thread {:?}, {:?}, context {context:?}", thread.title, thread.status);
    let mut turns: Vec<&Turn> = play.turns.values().collect();
    turns.sort_by_key(|turn| turn.ordinal);
    for turn in turns {
        show_turn(play, turn, &mut out);
    }
    out
}

fn show_turn(play: &Play, turn: &Turn, out: &mut String) {
    let usage = turn.usage;
    let _ = writeln!(
        out,
        "\nturn {}: {:?}, {} in, {} out",
        turn.ordinal, turn.state, usage.input, usage.output
    );
    if let Some(error) = &turn.error {
        let _ = writeln!(
            out,
            "  error {:?}: {} (hint {:?}, retryable {})",
            error.code, error.message, error.hint, error.retryable
        );
    }
    for phase in play.phases.get(&turn.id).into_iter().flatten() {
        let _ = writeln!(out, "  phase {}", without_times(&serde_json::json!(phase)));
    }
    let items = play.items_of(&turn.id);
    for item in items.iter().filter(|i| i.parent.is_none()) {
        show_item(play, &items, item, 1, out);
    }
    let orphan = |i: &&&Item| i.parent.as_ref().is_some_and(|p| !items.iter().any(|o| o.id == *p));
    assert_eq!(items.iter().filter(orphan).count(), 0, "an item without the one it happened in");
    let mut requests: Vec<&Request> =
        play.requests.values().filter(|r| r.turn_id == turn.id).collect();
    requests.sort_by(|a, b| a.key.cmp(&b.key));
    for request in requests {
        show_request(play, request, out);
    }
}

fn show_item(play: &Play, all: &[&Item], item: &Item, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let mut content = serde_json::to_value(&item.content).unwrap();
    let kind = content.as_object_mut().unwrap().remove("kind").unwrap();
    let kind = kind.as_str().unwrap_or_default().to_owned();
    let mut facts = without_times(&content);
    if facts == "{}" {
        facts.clear();
    }
    let _ = writeln!(out, "{indent}- {kind} {:?} {facts}", item.status);
    if let Some(error) = &item.error {
        let _ = writeln!(out, "{indent}    error: {error}");
    }
    for line in play.bodies[&item.id].lines() {
        let _ = writeln!(out, "{indent}    | {line}");
    }
    for child in all.iter().filter(|i| i.parent.as_ref() == Some(&item.id)) {
        show_item(play, all, child, depth + 1, out);
    }
}

fn show_request(play: &Play, request: &Request, out: &mut String) {
    let state = match &request.state {
        RequestState::Open { .. } => "open".to_owned(),
        RequestState::Checking { .. } => "checking".to_owned(),
        RequestState::Answering { .. } => "answering".to_owned(),
        RequestState::Resolved { .. } => "resolved".to_owned(),
        RequestState::Withdrawn { reason } => format!("withdrawn, {reason}"),
    };
    let about = |id: &ItemId| {
        let item = play.items.get(id);
        let content = item.map(|i| serde_json::to_value(&i.content).unwrap());
        content.and_then(|c| c["kind"].as_str().map(str::to_owned)).unwrap_or("nothing".to_owned())
    };
    let item = request.item_id.as_ref().map(about);
    let _ = writeln!(out, "  ? {state}, from {:?}, about {item:?}", request.from);
    match &request.body {
        RequestBody::Approval(approval) => {
            let mut facts = serde_json::to_value(approval).unwrap();
            facts.as_object_mut().unwrap().remove("choices");
            facts.as_object_mut().unwrap().retain(|_, v| !v.is_null());
            let _ = writeln!(out, "      {}", without_times(&facts));
            for choice in &approval.choices {
                let _ = writeln!(
                    out,
                    "      * {:?} {:?}: {}",
                    choice.decision, choice.covers, choice.scope
                );
            }
        }
        RequestBody::Question { questions } => {
            for question in questions {
                let _ = writeln!(out, "      {}", serde_json::to_string(question).unwrap());
            }
        }
        RequestBody::Plan { markdown, path, built_in: _ } => {
            let _ = writeln!(out, "      plan at {path:?}");
            for line in markdown.lines() {
                let _ = writeln!(out, "      | {line}");
            }
        }
    }
}

fn without_times(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        for name in ["next_at", "session"] {
            if map.get(name).is_some_and(|v| !v.is_null()) {
                map.insert(name.to_owned(), Value::from("…"));
            }
        }
    }
    value.to_string()
}
