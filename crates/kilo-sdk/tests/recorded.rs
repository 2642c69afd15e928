//! Streams recorded from the real Kilo are read without loss.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use kilo_sdk::types::PartBody;
use kilo_sdk::{Envelope, Event, PartId};

fn recordings() -> Vec<(String, Vec<Envelope>)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/kilo-7.7.7");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            let text = std::fs::read_to_string(&path).unwrap();
            let events = text.lines().map(|l| Envelope::parse(l.as_bytes()).unwrap().unwrap());
            found
                .push((path.file_stem().unwrap().to_string_lossy().into_owned(), events.collect()));
        }
    }
    assert!(found.len() >= 20, "the recordings are there");
    found
}

#[test]
fn every_event_is_typed_but_for_those_that_do_not_matter() {
    let mut unknown = BTreeSet::new();
    for (name, events) in recordings() {
        assert!(events.iter().any(|e| e.event.session_id().is_some()), "{name}");
        for envelope in events {
            assert!(envelope.id.is_some_and(|id| id.starts_with("evt_")), "{name}");
            match envelope.event {
                Event::Unknown { kind, .. } => drop(unknown.insert(kind)),
                Event::PartUpdated { part, .. } => {
                    assert!(!matches!(part.body, PartBody::Unknown { .. }), "{name}: {part:?}");
                    assert!(part.id.as_str().starts_with("prt_"), "{name}");
                    assert!(part.message_id.as_str().starts_with("msg_"), "{name}");
                }
                _ => {}
            }
        }
    }
    let expected = ["file.watcher.updated", "sandbox.status.changed"];
    assert_eq!(unknown, expected.map(str::to_owned).into());
}

#[test]
fn deltas_add_up_to_the_text_that_closes_their_part() {
    let mut compared = 0;
    for (name, events) in recordings() {
        let mut streamed: HashMap<PartId, String> = HashMap::new();
        for envelope in events {
            match envelope.event {
                Event::PartDelta { part_id, delta, .. } => {
                    streamed.entry(part_id).or_default().push_str(&delta);
                }
                Event::PartUpdated { part, .. } => {
                    if let PartBody::Text(text) | PartBody::Reasoning(text) = part.body
                        && text.time.end.is_some()
                        && let Some(streamed) = streamed.get(&part.id)
                    {
                        assert_eq!(*streamed, text.text, "{name}");
                        compared += 1;
                    }
                }
                _ => {}
            }
        }
    }
    assert!(compared > 20, "{compared} parts were streamed");
}

#[test]
fn nothing_of_the_recording_machine_is_left() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/kilo-7.7.7");
    for entry in std::fs::read_dir(dir).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("/tmp/") && !text.contains("sandbox-"), "a path was not replaced");
    }
}
