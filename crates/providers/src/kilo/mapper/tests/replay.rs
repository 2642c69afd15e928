//! Every recorded conversation, as a person sees it in the end.

use domain::TurnState;
use proptest::prelude::*;

use super::play::Play;
use super::recorded::{Recording, Server, recordings, renamed};
use super::show::show;

#[test]
fn recorded_conversations_are_shown_as_they_were() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for recording in recordings() {
        let mut play = Play::new(&recording.root, &recording.prompts);
        play.plan = Some("# Greet\n\n1. Say hello.".to_owned());
        for envelope in &recording.events {
            play.event(envelope);
            assert!(!play.resync, "{}: nothing is missing, yet it is missed", recording.name);
        }
        play.refuse();
        insta::assert_snapshot!(recording.name.clone(), show(&play));
        assert!(play.turns.values().all(|turn| turn.state.is_terminal()), "{}", recording.name);
        assert_eq!(play.open_requests(), 0, "{}", recording.name);
        let running = |i: &domain::Item| i.status == domain::ItemStatus::Running;
        assert!(!play.items.values().any(running), "{}", recording.name);
    }
}

#[test]
fn reading_the_session_after_every_event_shows_nothing_else() {
    for recording in recordings() {
        let plain = without_phases(heard(&recording));
        let read = without_phases(read(&recording, 1));
        assert_eq!(show(&plain), show(&read), "{}", recording.name);
    }
}

fn heard(recording: &Recording) -> Play {
    let mut play = Play::new(&recording.root, &recording.prompts);
    recording.events.iter().for_each(|envelope| play.event(envelope));
    play
}

/// Plays a recording whose session is read after every so many events.
fn read(recording: &Recording, every: usize) -> Play {
    let mut play = Play::new(&recording.root, &recording.prompts);
    for (n, envelope) in recording.events.iter().enumerate() {
        play.event(envelope);
        let Some((_, message)) = play.mapper.active() else { continue };
        if n % every != 0 {
            continue;
        }
        let server = Server::after(&recording.events[..=n]);
        let mut snapshot = server.read(&recording.root, &message.clone());
        // Kilo is idle between its last word and the end of the turn; the end has its own test.
        snapshot.status.get_or_insert(kilo_sdk::types::Status::Busy);
        play.merge(&snapshot);
    }
    play
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Ids that wrap, and those of a clock that is set back, are among these.
    #[test]
    fn ids_say_nothing_of_what_came_first(odd in any::<u64>(), add in any::<u64>(), back in any::<bool>()) {
        let mask = (1 << 48) - 1;
        let wrapped = |n: u64| n.wrapping_add(add) & mask;
        let mixed = |n: u64| n.wrapping_mul(odd | 1).wrapping_add(add) & mask;
        let other = if back { renamed(|n| mask - wrapped(n)) } else { renamed(mixed) };
        for (recording, other) in recordings().iter().zip(&other) {
            let plain = show(&without_phases(heard(recording)));
            prop_assert_eq!(&plain, &show(&without_phases(heard(other))), "{}", recording.name);
            prop_assert_eq!(&plain, &show(&without_phases(read(other, 7))), "{}", recording.name);
        }
    }
}

fn without_phases(mut play: Play) -> Play {
    play.phases.clear();
    play.refuse();
    play
}

#[test]
fn ends_read_from_the_session_are_the_ends_that_are_told() {
    for mut recording in recordings() {
        recording.events.truncate(recording.first_end());
        let prompts = &recording.prompts;
        let mut told = Play::new(&recording.root, prompts);
        let mut read = Play::new(&recording.root, prompts);
        for envelope in &recording.events {
            told.event(envelope);
        }
        if let Some(next) = prompts.get(1) {
            read.mapper.expect(super::play::turn_id(1), next.clone());
        }
        let server = Server::after(&recording.events);
        read.merge(&server.read(&recording.root, &prompts[0]));
        let (told, read) = (told.turn(0), read.turn(0));
        if recording.name == "unknown-agent" {
            // It is not in the session at all; the engine finds that out.
            assert_eq!(read.state, TurnState::Preparing);
            continue;
        }
        assert_eq!(read.state, told.state, "{}", recording.name);
        if recording.name != "unknown-model" {
            // Of that one the session itself says nothing.
            assert_eq!(read.error, told.error, "{}", recording.name);
        }
        assert_eq!(read.usage, told.usage, "{}", recording.name);
    }
}
