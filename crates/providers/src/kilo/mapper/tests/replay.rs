//! Every recorded conversation, as a person sees it in the end.

use domain::TurnState;

use super::play::Play;
use super::recorded::recordings;
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
        let mut plain = Play::new(&recording.root, &recording.prompts);
        let mut read = Play::new(&recording.root, &recording.prompts);
        for (n, envelope) in recording.events.iter().enumerate() {
            plain.event(envelope);
            read.event(envelope);
            let Some((_, message)) = read.mapper.active() else { continue };
            let server = super::recorded::Server::after(&recording.events[..=n]);
            let mut snapshot = server.read(&recording.root, &message.clone());
            // Kilo is idle between its last word and the end of the turn; the end has its own test.
            snapshot.status.get_or_insert(kilo_sdk::types::Status::Busy);
            read.merge(&snapshot);
        }
        let (plain, read) = (without_phases(plain), without_phases(read));
        assert_eq!(show(&plain), show(&read), "{}", recording.name);
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
        let server = super::recorded::Server::after(&recording.events);
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
