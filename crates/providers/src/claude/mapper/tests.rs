//! The mapper on recorded lines of the real Claude Code (2.1.197).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use claude_sdk::Frame;
use domain::{
    Access, AgentEvent, Answer, Decision, InputKind, RequestBody, TurnEvent, TurnId, units,
};
use serde_json::Value;

use super::{Mapped, Mapper, reply};

fn recording(name: &str) -> Vec<Value> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/claude");
    let text = std::fs::read_to_string(dir.join(format!("{name}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Plays what was recorded; what it told, one line for each event but pieces of text.
#[derive(Default)]
struct Player {
    shown: String,
    /// What was told of each text so far.
    texts: HashMap<String, String>,
    ends: usize,
}

impl Player {
    fn play(lines: &[Value]) -> (Self, Mapper) {
        let access = Access::Supervised;
        let mut mapper = Mapper::new("/home/sam/tally".to_owned(), "s".to_owned(), access);
        mapper.new_process("default");
        let mut player = Self::default();
        let mut turns = 0_u32;
        for line in lines {
            let mapped = if let Some(key) = line["begin"].as_str() {
                turns += 1;
                let turn = TurnId::parse(&format!("trn_{turns:032x}")).unwrap();
                let compact = line["kind"] == "compact";
                let kind = if compact { InputKind::Compact } else { InputKind::Message };
                writeln!(player.shown, "> message {turns}").unwrap();
                mapper.begin(turn, key.to_owned(), kind);
                mapper.set_mode(line["mode"].as_str().unwrap_or_default());
                Mapped::default()
            } else if line["stop"] == true {
                mapper.stopping();
                Mapped::default()
            } else if let Some(key) = line["allow"].as_str() {
                answer(&mut mapper, key, Decision::Once)
            } else if let Some(key) = line["deny"].as_str() {
                answer(&mut mapper, key, Decision::Reject)
            } else {
                mapper.apply(Frame::from_value(line["frame"].clone()), 0)
            };
            player.take(mapped);
        }
        (player, mapper)
    }

    fn take(&mut self, mapped: Mapped) {
        assert!(mapped.implied.is_empty() && mapped.refused.is_empty());
        for event in mapped.events {
            match event {
                AgentEvent::Turn { event, .. } => self.turn(event),
                AgentEvent::Context(context) => {
                    writeln!(self.shown, "context of {:?}", context.limit).unwrap();
                }
                AgentEvent::Session { .. } => {}
                other => writeln!(self.shown, "{other:?}").unwrap(),
            }
        }
    }

    fn turn(&mut self, event: TurnEvent) {
        let shown = match event {
            TurnEvent::Text { key, at, text } => {
                let known = self.texts.get_mut(&key).expect("an item before its text");
                assert_eq!(at, units(known), "a hole or a repetition");
                known.push_str(&text);
                return;
            }
            TurnEvent::Item(item) => {
                let known = self.texts.entry(item.key).or_default();
                let body = item.body.map(|body| body.as_str().to_owned());
                if let Some(body) = &body {
                    assert!(body.starts_with(known.as_str()), "{body:?} after {known:?}");
                    known.clone_from(body);
                }
                let content = serde_json::to_value(&item.content).unwrap();
                let parent = if item.parent.is_some() { "  " } else { "" };
                let head: String = body.unwrap_or_default().chars().take(60).collect();
                let error: String = item.error.unwrap_or_default().chars().take(40).collect();
                format!("{parent}{:?} {content} {head:?} {error:?}", item.status)
            }
            TurnEvent::ItemRemoved { key } => {
                format!("removed {:?}", self.texts.remove(&key).unwrap_or_default())
            }
            TurnEvent::Asked(request) => {
                let what = match request.body {
                    RequestBody::Approval(approval) => {
                        format!("{:?} {:?}", approval.what, approval.command)
                    }
                    RequestBody::Plan { markdown, .. } => format!("plan {markdown:?}"),
                    RequestBody::Question { .. } => "question".to_owned(),
                };
                format!("asked {what} from {:?}", request.from)
            }
            TurnEvent::AskClosed { outcome, .. } => format!("no longer asked: {outcome:?}"),
            TurnEvent::Named { .. } => "named".to_owned(),
            TurnEvent::Usage(usage) => {
                assert!(usage.cost >= 0.0);
                return;
            }
            TurnEvent::Phase(phase) => {
                let json = serde_json::to_value(&phase).unwrap();
                format!("phase {}", json["kind"])
            }
            TurnEvent::Ended(outcome) => {
                self.ends += 1;
                format!("{outcome:?}")
            }
            TurnEvent::Started => "started".to_owned(),
        };
        writeln!(self.shown, "{shown}").unwrap();
    }
}

fn answer(mapper: &mut Mapper, key: &str, decision: Decision) -> Mapped {
    let ask = mapper.ask(key).cloned().expect("what is answered was asked");
    let answer = match ask.kind {
        super::asks::AskKind::Plan => Answer::Plan {
            decision: match decision {
                Decision::Reject => domain::PlanDecision::Refine,
                _ => domain::PlanDecision::Accept,
            },
            message: None,
        },
        _ => Answer::Approval { decision, message: None },
    };
    mapper.answered(key, &reply(&ask, &answer))
}

#[test]
fn recorded_turns_are_told_as_they_were_and_each_ends_once() {
    for name in [
        "tools",
        "overloaded",
        "broken-off",
        "tasks",
        "sub-agent",
        "stopped",
        "plan",
        "compaction",
        "errors",
        "background",
    ] {
        let lines = recording(name);
        let begun = lines.iter().filter(|line| line["begin"].is_string()).count();
        let (player, mapper) = Player::play(&lines);
        assert_eq!(player.ends, begun, "{name}");
        assert_eq!(mapper.unknown, 0, "{name}");
        assert!(mapper.turn().is_none(), "{name}");
        insta::assert_snapshot!(name, player.shown);
    }
}

#[test]
fn a_line_of_any_kind_that_is_not_known_breaks_nothing() {
    let mut lines = recording("tools");
    let odd = [
        serde_json::json!({ "frame": { "type": "brand_new", "x": [1] } }),
        serde_json::json!({ "frame": { "type": "system", "subtype": "brand_new" } }),
        serde_json::json!({ "frame": { "type": "assistant", "message": { "content": 7 } } }),
        serde_json::json!({ "frame": { "type": "user", "message": null } }),
        serde_json::json!({ "frame": { "type": "stream_event", "event": { "type": "odd" } } }),
        serde_json::json!({ "frame": [] }),
    ];
    let (plain, _) = Player::play(&lines);
    let places: Vec<usize> = (1..lines.len()).rev().collect();
    for (n, at) in places.into_iter().enumerate() {
        lines.insert(at, odd[n % odd.len()].clone());
    }
    let (player, mapper) = Player::play(&lines);
    assert_eq!(player.ends, plain.ends);
    assert!(mapper.unknown > 0);
    assert_eq!(player.shown, plain.shown);
}

/// So the reference of the agent's protocol has it: after a stream that broke, the answer comes whole
/// and under another id.
#[test]
fn an_answer_that_is_given_again_takes_the_place_of_the_one_that_broke() {
    use serde_json::json;
    let piece = |event: Value| json!({ "frame": { "type": "stream_event", "event": event } });
    let whole = |id: &str, text: &str| {
        json!({ "frame": { "type": "assistant", "uuid": format!("u-{id}-{text}"), "message": {
            "id": id, "model": "m", "content": [{ "type": "text", "text": text }] } } })
    };
    let block = json!({ "type": "text" });
    let lines = [
        json!({ "begin": "k" }),
        json!({ "frame": { "type": "system", "subtype": "init", "session_id": "s" } }),
        piece(json!({ "type": "message_start", "message": { "id": "a" } })),
        piece(json!({ "type": "content_block_start", "index": 0, "content_block": block })),
        whole("a", "First."),
        piece(json!({ "type": "content_block_start", "index": 1, "content_block": block })),
        piece(json!({ "type": "content_block_delta", "index": 1,
            "delta": { "type": "text_delta", "text": "Sec" } })),
        whole("b", "First, again."),
        whole("b", "Second."),
        // The next one does not take these away, for they came whole.
        piece(json!({ "type": "message_start", "message": { "id": "c" } })),
        piece(json!({ "type": "message_stop" })),
        json!({ "frame": { "type": "result", "subtype": "success", "session_id": "s",
            "stop_reason": "end_turn", "is_error": false } }),
    ];
    let (player, _) = Player::play(&lines);
    let mut left: Vec<_> = player.texts.values().map(String::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["First, again.", "Second."]);
    assert!(player.shown.ends_with("Completed\n"), "{}", player.shown);
}

/// A turn that runs, in which a change of this file is asked about.
fn asks_to_write(access: Access, path: &str) -> (Mapper, Mapped) {
    use serde_json::json;
    let mut mapper = Mapper::new("/w".to_owned(), "s".to_owned(), access);
    mapper.new_process("default");
    let turn = TurnId::parse(&format!("trn_{:032x}", 1)).unwrap();
    mapper.begin(turn, "k".to_owned(), InputKind::Message);
    let lines = [
        json!({ "type": "system", "subtype": "init", "session_id": "s" }),
        json!({ "type": "control_request", "request_id": "r", "request": {
            "subtype": "can_use_tool", "tool_name": "Write", "tool_use_id": "t",
            "input": { "file_path": path, "content": "x" },
            "permission_suggestions": [{ "type": "setMode", "mode": "acceptEdits" }] } }),
    ];
    let mut last = Mapped::default();
    for line in lines {
        last = mapper.apply(Frame::from_value(line), 0);
    }
    (mapper, last)
}

fn is_asked(mapped: &Mapped) -> bool {
    let asked =
        |event: &AgentEvent| matches!(event, AgentEvent::Turn { event: TurnEvent::Asked(_), .. });
    mapped.events.iter().any(asked)
}

#[test]
fn an_edit_that_the_access_allows_waits_until_it_is_known_where_its_path_leads() {
    for inside in [true, false] {
        let (mut mapper, mapped) = asks_to_write(Access::AutoEdit, "/w/a");
        assert_eq!(mapped.looks, [("r".to_owned(), "/w/a".to_owned())]);
        assert!(mapped.implied.is_empty() && !is_asked(&mapped));
        let (ask, mapped) = mapper.looked("r", inside);
        assert_eq!((ask.is_some(), is_asked(&mapped)), (inside, !inside));
        assert_eq!(mapper.ask("r").is_some(), !inside);
    }
    let (_, mapped) = asks_to_write(Access::AutoEdit, "/w/.codex/config.toml");
    assert!(mapped.looks.is_empty() && is_asked(&mapped), "it steers an agent");
    let (_, mapped) = asks_to_write(Access::Full, "/w/.codex/config.toml");
    assert_eq!(mapped.implied.len(), 1);
}

#[test]
fn what_was_found_about_a_path_counts_only_while_the_access_allows_it_and_the_turn_goes_on() {
    let (mut mapper, _) = asks_to_write(Access::AutoEdit, "/w/a");
    mapper.set_access(Access::Supervised);
    let (ask, mapped) = mapper.looked("r", true);
    assert!(ask.is_none() && is_asked(&mapped));
    let (mut mapper, _) = asks_to_write(Access::AutoEdit, "/w/a");
    mapper.set_access(Access::Full);
    assert!(mapper.looked("r", false).0.is_some());
    let (mut mapper, _) = asks_to_write(Access::AutoEdit, "/w/a");
    mapper.stopping();
    assert!(mapper.looked("r", true).0.is_none());
}

#[test]
fn a_wider_access_frees_nothing_of_a_turn_that_is_being_stopped() {
    let (mut mapper, mapped) = asks_to_write(Access::Supervised, "/w/a");
    assert!(is_asked(&mapped) && mapper.now_implied().is_empty());
    mapper.set_access(Access::Full);
    assert_eq!(mapper.now_implied().len(), 1);
    mapper.stopping();
    assert!(mapper.now_implied().is_empty());
}

#[test]
fn what_runs_for_nobody_here_neither_begins_nor_ends_a_message_that_waits() {
    use serde_json::json;
    let frame = |line: Value| json!({ "frame": line });
    let system = |subtype: &str| json!({ "type": "system", "subtype": subtype, "session_id": "s" });
    let mut running = system("session_state_changed");
    running["state"] = json!("running");
    let whole = |id: &str, text: &str| {
        frame(json!({ "type": "assistant", "uuid": format!("u-{id}"), "message": {
            "id": id, "model": "m", "content": [{ "type": "text", "text": text }],
            "usage": { "input_tokens": 5, "output_tokens": 5 } } }))
    };
    let result = |origin: Value| {
        frame(json!({ "type": "result", "subtype": "success", "session_id": "s",
            "num_turns": 1, "stop_reason": "end_turn", "is_error": false, "origin": origin }))
    };
    // Something of the agent's own runs when the message is given, and ends after that.
    for origin in [json!({ "kind": "task-notification" }), Value::Null] {
        let lines = [
            frame(running.clone()),
            json!({ "begin": "k" }),
            frame(system("init")),
            whole("a", "Of its own."),
            result(origin),
            frame(running.clone()),
            frame(system("init")),
            whole("b", "To the message."),
            result(Value::Null),
        ];
        let (player, mapper) = Player::play(&lines);
        assert_eq!((player.ends, mapper.turn()), (1, None));
        let said: Vec<_> = player.texts.values().collect();
        assert_eq!(said, ["To the message."], "{}", player.shown);
        let own = player.shown.find("Elsewhere").expect("it is read from the transcript");
        assert!(own < player.shown.find("started").unwrap(), "{}", player.shown);
    }
    // A process that ends meanwhile ends the message's turn all the same.
    let (_, mut mapper) = Player::play(&[frame(running), json!({ "begin": "k" })]);
    assert!(mapper.lost(super::died(&[])).ended);
}
