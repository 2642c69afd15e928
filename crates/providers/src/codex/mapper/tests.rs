//! The mapper on recorded streams of the real Codex, and on what no stream should hold.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use codex_sdk::types::{Ask as NativeAsk, Event};
use domain::{
    Access, AgentEvent, FullText, InputKind, ItemContent, Mode, RequestBody, Splice, TurnEvent,
    TurnId, TurnOutcome,
};
use serde_json::{Value, json};

use super::{Automatic, Mapped, Mapper};

mod rules;

/// Plays what was recorded, as one thread under one access.
struct Player {
    mapper: Mapper,
    turns: u128,
    told: Vec<AgentEvent>,
    shown: String,
}

fn turn(number: u128) -> TurnId {
    TurnId::parse(&format!("trn_{number:032x}")).unwrap()
}

impl Player {
    fn open(root: &str, workspace: &str, access: Access) -> Self {
        let workspace = PathBuf::from(workspace);
        let mapper = Mapper::new(root.to_owned(), workspace, "p".to_owned(), access);
        Self { mapper, turns: 0, told: Vec::new(), shown: String::new() }
    }

    fn begin(&mut self, key: &str, mode: Mode) -> TurnId {
        self.turns += 1;
        let turn = turn(self.turns);
        self.mapper.begin(turn.clone(), key.to_owned(), InputKind::Message, mode);
        writeln!(self.shown, "> turn {} is sent as {key}", self.turns).unwrap();
        turn
    }

    /// One line of a recording.
    fn line(&mut self, line: &Value) {
        if let Some(key) = line.get("begin").and_then(Value::as_str) {
            let mode = if line["mode"] == "plan" { Mode::Plan } else { Mode::Build };
            self.begin(key, mode);
        } else if let Some(key) = line.get("steer").and_then(Value::as_str) {
            self.turns += 1;
            let steers = self.mapper.steer(turn(self.turns), key.to_owned());
            assert!(steers.is_some(), "nothing runs that could be steered");
            writeln!(self.shown, "> turn {} steers as {key}", self.turns).unwrap();
        } else if let Some(frame) = line.get("frame") {
            self.frame(frame);
        }
    }

    fn frame(&mut self, frame: &Value) -> Mapped {
        let method = frame["method"].as_str().unwrap();
        let mapped = match frame.get("id") {
            Some(id) => {
                let ask = NativeAsk::read(method, &frame["params"]);
                self.mapper.asked(id.clone().into(), method, &ask)
            }
            None => self.mapper.apply(Event::read(method, frame["params"].clone())),
        };
        self.show(&mapped);
        self.told.extend(mapped.events.iter().cloned());
        mapped
    }

    fn show(&mut self, mapped: &Mapped) {
        for event in &mapped.events {
            if let Some(line) = show(event) {
                writeln!(self.shown, "{line}").unwrap();
            }
        }
        for reply in &mapped.replies {
            let said = match &reply.answer {
                Automatic::Answer(answer) => answer.to_string(),
                Automatic::IfInside { answer, paths, .. } => {
                    format!("{answer} if inside: {}", paths.join(", "))
                }
                Automatic::Refuse => "refused".to_owned(),
            };
            writeln!(self.shown, "< request {}: {said}", reply.id).unwrap();
        }
        if mapped.stray.is_some() {
            writeln!(self.shown, "! a stray turn").unwrap();
        }
        if mapped.unsteered {
            writeln!(self.shown, "! what was to steer is sent").unwrap();
        }
    }
}

/// An event in a line; none for pieces of text, which the items show.
fn show(event: &AgentEvent) -> Option<String> {
    let AgentEvent::Turn { turn, event } = event else { return Some(format!("{event:?}")) };
    let number = turn.as_str().trim_start_matches("trn_").trim_start_matches('0');
    let line = match event {
        TurnEvent::Text { .. } => return None,
        TurnEvent::Item(item) => {
            let key = shortened(&item.key);
            let parent = item.parent.as_ref().map(|_| " in a sub-agent").unwrap_or_default();
            let body = item.body.as_ref().map(|body| format!(" {:?}", body.as_str()));
            let error = item.error.as_ref().map(|error| format!(" ({error})"));
            let (body, error) = (body.unwrap_or_default(), error.unwrap_or_default());
            let content = match &item.content {
                ItemContent::SubAgent { agent, task, steps, waiting, .. } => {
                    format!("SubAgent {agent}: {task} steps {steps} waiting {waiting}")
                }
                other => format!("{other:?}"),
            };
            format!("item {key}{parent} {:?} {content}{body}{error}", item.status)
        }
        TurnEvent::ItemRemoved { key } => format!("item {} is gone", shortened(key)),
        TurnEvent::Asked(asked) => {
            let body = match &asked.body {
                RequestBody::Approval(approval) => format!("{approval:#?}"),
                other => format!("{other:?}"),
            };
            let about = asked.item.as_deref().map(shortened);
            format!("asked {} by {:?} about {about:?}: {body}", shortened(&asked.key), asked.from)
        }
        TurnEvent::AskClosed { key, outcome } => format!("ask {} {outcome:?}", shortened(key)),
        other => format!("{other:?}"),
    };
    Some(format!("{number} {line}"))
}

/// A name without the parts that are drawn by lot.
fn shortened(key: &str) -> String {
    let kind = |part: &str| part.split(['_', '-']).next().unwrap_or_default().to_owned();
    key.split('/')
        .map(|part| if part.len() > 20 { kind(part) } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("/")
}

fn recordings() -> Vec<(String, Vec<Value>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/codex");
    let mut found: Vec<(String, Vec<Value>)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), lines)
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found.len() > 10, "the recordings are there");
    found
}

fn opened(lines: &[Value], access: Access) -> Player {
    let text = |name: &str| lines[0][name].as_str().unwrap().to_owned();
    Player::open(&text("open"), &text("workspace"), access)
}

#[test]
fn recordings_mean_what_they_meant() {
    for (name, lines) in recordings() {
        let mut player = opened(&lines, Access::Supervised);
        lines[1..].iter().for_each(|line| player.line(line));
        insta::with_settings!({ snapshot_path => "tests/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, player.shown);
        });
    }
}

/// The end of each turn, in order.
fn ends(told: &[AgentEvent]) -> Vec<(&TurnId, &TurnOutcome)> {
    let mut ends = Vec::new();
    for event in told {
        if let AgentEvent::Turn { turn, event: TurnEvent::Ended(outcome) } = event {
            ends.push((turn, outcome));
        }
    }
    ends
}

#[test]
fn every_turn_begins_once_and_ends_at_most_once_and_nothing_comes_after() {
    for (name, lines) in recordings() {
        let mut player = opened(&lines, Access::Supervised);
        lines[1..].iter().for_each(|line| player.line(line));
        let mut over = HashSet::new();
        let mut begun = HashSet::new();
        for event in &player.told {
            let AgentEvent::Turn { turn, event } = event else { continue };
            assert!(!over.contains(turn), "{name}: {event:?} after the end");
            match event {
                TurnEvent::Started => assert!(begun.insert(turn.clone()), "{name}"),
                TurnEvent::Ended(_) => {
                    assert!(begun.contains(turn), "{name}: it ended before it began");
                    over.insert(turn.clone());
                }
                _ => {}
            }
        }
        let waits = name == "plan";
        assert_eq!(ends(&player.told).is_empty(), waits, "{name}");
    }
}

#[test]
fn texts_fit_together_piece_by_piece_and_are_whole_in_the_end() {
    for (name, lines) in recordings() {
        let mut player = opened(&lines, Access::Full);
        lines[1..].iter().for_each(|line| player.line(line));
        let mut texts = std::collections::HashMap::<&str, FullText>::new();
        for event in &player.told {
            let AgentEvent::Turn { event, .. } = event else { continue };
            match event {
                TurnEvent::Text { key, at, text } => {
                    let known = texts.get_mut(key.as_str()).expect("an item that was told");
                    assert_eq!(*at, known.len(), "{name}: {key}");
                    assert!(matches!(known.splice(*at, text), Splice::Appended(_)), "{name}");
                }
                TurnEvent::Item(item) => {
                    let known = texts.entry(&item.key).or_default();
                    if let Some(body) = &item.body {
                        let prose = item.content.is_written();
                        let grew = body.as_str().starts_with(known.as_str());
                        assert!(!prose || grew, "{name}: {known:?} became {body:?}");
                        *known = body.clone();
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_stream_that_is_cut_anywhere_leaves_nothing_that_the_next_turn_would_suffer_from() {
    for (name, lines) in recordings() {
        for cut in 1..lines.len() {
            let mut player = opened(&lines, Access::Supervised);
            lines[1..cut].iter().for_each(|line| player.line(line));
            let next = player.begin("next", Mode::Build);
            let told = player.told.len();
            // What is left of the old turn comes late.
            let frames = lines[cut..]
                .iter()
                .filter(|line| line.get("frame").is_some_and(|f| f["method"] != "turn/started"));
            frames.for_each(|line| player.line(line));
            let late = player.told[told..]
                .iter()
                .filter(|event| matches!(event, AgentEvent::Turn { turn, .. } if *turn != next));
            assert_eq!(late.count(), 0, "{name} cut at {cut}");
            let ended = ends(&player.told[told..]);
            assert!(ended.is_empty(), "{name} cut at {cut}: {ended:?}");
        }
    }
}

#[test]
fn what_is_unknown_is_shown_or_counted_and_never_fatal() {
    let mut player = Player::open("t", "/w", Access::Supervised);
    player.begin("k", Mode::Build);
    let told = |method: &str, params: Value| json!({ "method": method, "params": params });
    player.frame(&told("turn/started", json!({"threadId": "t", "turn": {"id": "u"}})));
    let of = |item: Value| json!({"threadId": "t", "turnId": "u", "item": item});
    for method in ["item/started", "item/completed"] {
        for item in [json!({"type": "dance", "id": "d", "x": [1]}), json!(null), json!("x")] {
            player.frame(&told(method, of(item)));
        }
    }
    player.frame(&told("dance/began", json!({"threadId": "t", "turnId": "u"})));
    assert_eq!(player.mapper.unknown(), 1);
    let dances = player.told.iter().filter(|event| {
        matches!(event, AgentEvent::Turn { event: TurnEvent::Item(item), .. }
            if matches!(&item.content, ItemContent::Tool { name, .. } if name == "dance"))
    });
    assert_eq!(dances.count(), 2);
}
