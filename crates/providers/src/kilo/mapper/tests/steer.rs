//! A message that waits at Kilo while a turn runs: each of the two turns has what is its own.

use std::ops::Range;

use domain::TurnState;
use kilo_sdk::SessionId;
use kilo_sdk::types::{Message, MessageWithParts, Status};

use super::play::Play;
use super::recorded::{Recording, Server, recording, recordings};
use crate::kilo::mapper::Snapshot;

fn steered() -> Vec<Recording> {
    recordings().into_iter().filter(|recording| recording.prompts.len() > 1).collect()
}

/// Plays a recording of which a stretch is lost; the session is read after it, as after every
/// break of the link, and at the end, as that of a silent turn is.
fn play(recording: &Recording, lost: Range<usize>) -> Play {
    let mut play = Play::new(&recording.root, &recording.prompts);
    let read = |play: &mut Play, known: usize| {
        let Some((_, message)) = play.mapper.active() else { return };
        let message = message.clone();
        let server = Server::after(&recording.events[..known]);
        let mut snapshot = server.read(&recording.root, &message);
        snapshot.settled = known == recording.events.len();
        snapshot.quiet = snapshot.settled;
        play.merge(&snapshot);
    };
    for (n, envelope) in recording.events.iter().enumerate() {
        if lost.contains(&n) {
            continue;
        }
        if n == lost.end {
            read(&mut play, n);
        }
        play.event(envelope);
        if play.resync {
            read(&mut play, n + 1);
        }
    }
    for _ in 0..4 {
        read(&mut play, recording.events.len());
    }
    play
}

#[test]
fn whatever_stretch_of_the_stream_is_lost_both_turns_are_whole() {
    for recording in steered() {
        let whole = play(&recording, 0..0);
        let count = recording.events.len();
        // From the echo of the first message on: before it nothing is steered.
        for from in 3..count {
            for to in [from + 1, from + 6, count] {
                let play = play(&recording, from..to.min(count));
                let name = format!("{} without {from}..{to}", recording.name);
                for n in 0..2 {
                    // When nothing was heard of the stop, a message without an answer has failed.
                    let unheard = play.turn(n).error.is_some() && n == 1;
                    let dropped = recording.name == "steered-then-aborted" && unheard;
                    let same = play.turn(n).state == whole.turn(n).state;
                    assert!(same || dropped, "{name}: {:?}", play.turn(n));
                    assert_eq!(play.turn(n).usage, whole.turn(n).usage, "{name}: turn {n}");
                }
                let items = |play: &Play| -> Vec<_> {
                    let items = play.items.values();
                    items.map(|i| (i.turn_id.clone(), i.id.clone(), i.status)).collect()
                };
                assert_eq!(items(&play), items(&whole), "{name}");
                assert_eq!(play.bodies, whole.bodies, "{name}");
                assert_eq!(play.open_requests(), 0, "{name}");
            }
        }
    }
}

#[test]
fn once_the_next_message_is_answered_reading_ends_the_turn_before_it() {
    for recording in steered() {
        let [first, next] = &recording.prompts[..] else { panic!("two messages") };
        let count = recording.events.len();
        let read =
            |known: usize| Server::after(&recording.events[..known]).read(&recording.root, first);
        let answers = |message: &MessageWithParts| match &message.info {
            Message::Assistant(answer) => answer.parent_id == *next,
            Message::User(_) | Message::Unknown(_) => false,
        };
        let answered = (3..=count).find(|known| read(*known).messages.iter().any(answers));
        let Some(answered) = answered else { continue };
        // Nothing of what follows was heard, and Kilo is busy with the next one.
        let mut play = Play::new(&recording.root, &recording.prompts);
        for envelope in &recording.events[..3] {
            play.event(envelope);
        }
        assert_eq!(play.turn(0).state, TurnState::Running, "{}", recording.name);
        play.merge(&Snapshot { status: Some(Status::Busy), ..read(answered) });
        assert!(play.turn(0).state.is_terminal(), "{}: {:?}", recording.name, play.turn(0));
        assert_eq!(play.turn(1).state, TurnState::Running, "{}", recording.name);
    }
}

#[test]
fn a_stop_and_what_is_said_of_the_queue_end_the_message_that_waited() {
    let recording = recording("steered-then-aborted");
    let play = play(&recording, 0..0);
    for n in 0..2 {
        assert_eq!(play.turn(n).state, TurnState::Interrupted);
    }
    assert!(play.mapper.active().is_none());
}

#[test]
fn a_session_of_another_turn_is_no_part_of_it() {
    let recording = recording("steered-in-tool");
    let mut play = Play::new(&recording.root, &recording.prompts);
    for envelope in &recording.events {
        play.event(envelope);
    }
    // What is late of the first turn does not come back in the second.
    let before = (play.items.clone(), play.bodies.clone());
    for envelope in &recording.events {
        play.event(envelope);
    }
    assert_eq!(before, (play.items.clone(), play.bodies.clone()));
    let snapshot = Server::after(&recording.events)
        .read(&SessionId::from(recording.root.as_str()), &recording.prompts[0]);
    play.merge(&snapshot);
    assert_eq!(before, (play.items, play.bodies));
}
