//! The recorded streams with faults put in: what a person sees in the end is what Kilo has.

use std::collections::BTreeMap;

use domain::{Correction, FullText, Item, ItemStatus, TurnState};
use kilo_sdk::types::{Message, MessageWithParts, PartBody, Status, ToolStatus};
use kilo_sdk::{Envelope, Event, MessageId, PartId};
use proptest::prelude::*;

use super::play::Play;
use super::recorded::{Recording, Server, recordings};

/// The recordings that have a turn, up to its end.
fn turns() -> Vec<Recording> {
    let mut found = recordings();
    // Of that one Kilo has nothing at all.
    found.retain(|recording| recording.name != "unknown-agent");
    for recording in &mut found {
        recording.events.truncate(recording.first_end());
    }
    found
}

fn undisturbed(recording: &Recording) -> Play {
    let mut play = Play::new(&recording.root, &recording.prompts);
    for envelope in &recording.events {
        play.event(envelope);
    }
    play
}

/// Plays one event, and reads the session when something was missed.
fn step(play: &mut Play, recording: &Recording, envelope: &Envelope, known: usize) {
    play.event(envelope);
    if play.resync {
        read(play, recording, known);
    }
}

/// Reads the session as it was after so many events.
fn read(play: &mut Play, recording: &Recording, known: usize) {
    let server = Server::after(&recording.events[..known]);
    let mut snapshot = server.read(&recording.root, &recording.prompts[0]);
    snapshot.settled = known == recording.events.len();
    snapshot.quiet = snapshot.settled;
    play.merge(&snapshot);
}

/// What has to be seen of a turn once everything has been read.
fn assert_whole(play: &Play, recording: &Recording) {
    let name = &recording.name;
    let plain = undisturbed(recording);
    let turn = play.turn(0);
    assert_eq!(turn.state, plain.turn(0).state, "{name}");
    if name != "unknown-model" {
        assert_eq!(turn.error, plain.turn(0).error, "{name}");
    }
    assert_eq!(turn.usage, plain.turn(0).usage, "{name}");
    assert_eq!(play.open_requests(), 0, "{name}");
    let server = Server::after(&recording.events);
    for (part, text) in server.texts(&recording.root, &recording.prompts) {
        assert_eq!(play.text(part.as_str()), Some(text.as_str()), "{name}: {part}");
    }
    assert_eq!(
        play.items.keys().collect::<Vec<_>>(),
        plain.items.keys().collect::<Vec<_>>(),
        "{name}: the same items"
    );
    for (id, item) in &play.items {
        let other = &plain.items[id];
        assert_eq!(item.content, other.content, "{name}");
        assert_eq!(item.parent, other.parent, "{name}");
        assert_eq!(play.bodies[id], plain.bodies[id], "{name}: {:?}", item.content);
        // Only the reply says that a person refused a tool; the session says no more than that it
        // was never allowed.
        let status = |item: &Item| match item.status {
            ItemStatus::Declined | ItemStatus::NotRun => ItemStatus::Failed,
            other => other,
        };
        assert_eq!(status(item), status(other), "{name}: {:?}", item.content);
    }
}

/// An event several times, in pieces, or not at all, as far as that is harmless by itself.
fn disturbed(envelope: &Envelope, noise: u8) -> Vec<Envelope> {
    let again = |times: usize| vec![envelope.clone(); times];
    match (&envelope.event, noise % 6) {
        (Event::PartDelta { .. }, 0)
        | (Event::SessionStatus { .. } | Event::SessionIdle { .. }, 0 | 1) => vec![],
        (Event::PartDelta { delta, .. }, 1 | 2) => {
            let half = delta.chars().count() / 2;
            let cut = delta.char_indices().nth(half).map_or(delta.len(), |(at, _)| at);
            [&delta[..cut], &delta[cut..]].map(|piece| with_delta(envelope, piece)).into()
        }
        (Event::TurnClose { .. }, _) => again(1),
        (_, 3) => again(2),
        _ => again(1),
    }
}

fn with_delta(envelope: &Envelope, piece: &str) -> Envelope {
    let mut envelope = envelope.clone();
    if let Event::PartDelta { delta, .. } = &mut envelope.event {
        piece.clone_into(delta);
    }
    envelope
}

/// Whether an event is the last of a part, so that its loss leaves the part open.
fn ends_part(envelope: &Envelope) -> bool {
    let Event::PartUpdated { part, .. } = &envelope.event else { return false };
    match &part.body {
        PartBody::Text(text) | PartBody::Reasoning(text) => text.time.end.is_some(),
        PartBody::Tool(tool) => {
            matches!(tool.state.status, ToolStatus::Completed | ToolStatus::Error)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn deltas_lost_doubled_and_cut_anew_and_updates_doubled_change_nothing(
        noise in prop::collection::vec(any::<u8>(), 97),
    ) {
        for recording in turns() {
            let mut play = Play::new(&recording.root, &recording.prompts);
            for (n, envelope) in recording.events.iter().enumerate() {
                for envelope in disturbed(envelope, noise[n % noise.len()]) {
                    step(&mut play, &recording, &envelope, n + 1);
                }
            }
            assert_whole(&play, &recording);
        }
    }

    #[test]
    fn ends_of_parts_that_were_lost_are_read(lost in prop::collection::vec(any::<bool>(), 31)) {
        for recording in turns() {
            let mut play = Play::new(&recording.root, &recording.prompts);
            for (n, envelope) in recording.events.iter().enumerate() {
                if !(lost[n % lost.len()] && ends_part(envelope)) {
                    step(&mut play, &recording, envelope, n + 1);
                }
            }
            assert_whole(&play, &recording);
        }
    }

    /// The stream breaks; some events are lost; the session is read, perhaps ahead of events that
    /// are still to come; the stream goes on.
    #[test]
    fn a_stream_that_breaks_anywhere_is_mended_by_reading_the_session(
        at in 0usize..10_000,
        lost in 0usize..40,
        ahead in 0usize..20,
        early in 0usize..20,
        noise in prop::collection::vec(any::<u8>(), 97),
    ) {
        for recording in turns() {
            let events = &recording.events;
            let broken = at % (events.len() + 1);
            let mended = (broken + lost).min(events.len());
            // What was begun before Baton listened is taken as it is read: then all is over.
            let heard = events[..broken].iter().any(|e| echoes(e, &recording));
            let known = if heard { (mended + ahead).min(events.len()) } else { events.len() };
            let mut play = Play::new(&recording.root, &recording.prompts);
            for (n, envelope) in events[..broken].iter().enumerate() {
                for envelope in disturbed(envelope, noise[n % noise.len()]) {
                    step(&mut play, &recording, &envelope, n + 1);
                }
            }
            if let Some(next) = recording.prompts.get(1).filter(|_| !heard) {
                play.mapper.expect(super::play::turn_id(1), next.clone());
            }
            play.mapper.link(true);
            play.mapper.link(false);
            // The session is read a while after the link is up again: what comes until then comes
            // without what was lost.
            let unread = if heard { (mended + early).min(events.len()) } else { mended };
            for (n, envelope) in events[..unread].iter().enumerate().skip(mended) {
                step(&mut play, &recording, envelope, known.max(n + 1));
            }
            if play.mapper.active().is_some() {
                read(&mut play, &recording, known.max(unread));
            }
            for (n, envelope) in events.iter().enumerate().skip(unread) {
                step(&mut play, &recording, envelope, known.max(n + 1));
            }
            // Should the end itself have been lost, a look at a silent turn finds it.
            for _ in 0..2 {
                if play.mapper.active().is_some() {
                    read(&mut play, &recording, events.len());
                }
            }
            assert_whole(&play, &recording);
        }
    }

    /// The turn ends with texts that are wrong, since what is lost cannot be read before it does.
    #[test]
    fn what_was_wrong_when_its_turn_ended_is_put_right_by_the_next_reading(
        lost in prop::collection::vec(any::<bool>(), 31),
    ) {
        for recording in turns() {
            let mut play = Play::new(&recording.root, &recording.prompts);
            for (n, envelope) in recording.events.iter().enumerate() {
                let text = matches!(envelope.event, Event::PartDelta { .. }) || ends_part(envelope);
                if !(text && lost[n % lost.len()]) {
                    play.event(envelope);
                }
            }
            for event in play.mapper.end_unread() {
                play.agent(event);
            }
            let (items, turns) = (play.items.clone(), play.turns.clone());
            let (messages, _) = Server::after(&recording.events).history(&recording.root);
            let corrections = corrections(&play, &recording, &messages);
            play.input(domain::Input::Correct(corrections));
            for (part, text) in whole_texts(&messages, &recording.prompts) {
                let shown = play.text(part.as_str());
                prop_assert!(shown.is_none_or(|shown| shown == text), "{}", &recording.name);
            }
            prop_assert_eq!(&play.turns, &turns, "{}", &recording.name);
            let ids = |items: &BTreeMap<_, Item>| items.keys().cloned().collect::<Vec<_>>();
            prop_assert_eq!(ids(&play.items), ids(&items), "{}", &recording.name);
        }
    }

    #[test]
    fn late_events_of_an_ended_turn_do_not_touch_the_next(
        late in prop::collection::vec(0usize..10_000, 0..60),
    ) {
        // Where a message steered, its own turn is the next.
        for recording in turns().into_iter().filter(|recording| recording.prompts.len() == 1) {
            let mut play = undisturbed(&recording);
            let before = (play.items.clone(), play.bodies.clone(), play.requests.clone());
            // After all of the recording, as ids go.
            let message = MessageId::from("msg_fffffffffffffresh000000000");
            let turn = play.send(message.clone());
            let pick = |n: &usize| &recording.events[n % recording.events.len()];
            for envelope in late.iter().map(pick).filter(|e| !names_no_message(e)) {
                play.event(envelope);
                let state = play.turns[&turn].state;
                prop_assert_eq!(state, TurnState::Preparing, "{}: {:?}", &recording.name, envelope);
            }
            play.event(&echo(&recording, &message));
            let told_apart = |e: &&Envelope| !names_no_message(e) && !frames_turn(e);
            for envelope in late.iter().map(pick).filter(told_apart) {
                play.event(envelope);
            }
            let now = &play.turns[&turn];
            prop_assert_eq!(now.state, TurnState::Running, "{}", &recording.name);
            prop_assert_eq!(&now.usage, &domain::Usage::default());
            prop_assert!(play.items_of(&turn).is_empty(), "{}", &recording.name);
            let after = (play.items, play.bodies, play.requests);
            prop_assert_eq!(before, after, "{}", &recording.name);
        }
    }
}

/// What differs between what is shown of ended turns and what a reading of the session says.
fn corrections(
    play: &Play,
    recording: &Recording,
    messages: &[MessageWithParts],
) -> Vec<Correction> {
    let mut mapper = Play::empty(&recording.root).mapper;
    let texts = mapper.texts(&play.state.thread().id, messages);
    let differs = |(key, text): (String, FullText)| {
        let item = play.item(&key)?.clone();
        (play.text(&key) != Some(text.as_str())).then_some(Correction { item, text })
    };
    texts.into_iter().filter_map(differs).collect()
}

/// What the agent has written, whole.
fn whole_texts(messages: &[MessageWithParts], prompts: &[MessageId]) -> Vec<(PartId, String)> {
    let parts = messages.iter().filter(|m| !prompts.contains(&m.info.id())).flat_map(|m| &m.parts);
    parts
        .filter_map(|part| match &part.body {
            PartBody::Text(text) | PartBody::Reasoning(text) if text.time.end.is_some() => {
                Some((part.id.clone(), text.text.clone()))
            }
            _ => None,
        })
        .collect()
}

/// What says of the session as a whole where it stands: Kilo sends it in order with the echo of
/// the next message, and it names no message.
fn frames_turn(envelope: &Envelope) -> bool {
    matches!(
        envelope.event,
        Event::TurnOpen { .. }
            | Event::TurnClose { .. }
            | Event::SessionStatus { .. }
            | Event::SessionError { .. }
    )
}

/// What Kilo asks of its own accord cannot be told from what it asks later; before the next message
/// is sent everything that still waits is rejected.
fn names_no_message(envelope: &Envelope) -> bool {
    match &envelope.event {
        Event::QuestionAsked(ask) => ask.tool.is_none(),
        Event::NetworkAsked(_) => true,
        _ => false,
    }
}

fn echoes(envelope: &Envelope, recording: &Recording) -> bool {
    matches!(&envelope.event, Event::MessageUpdated { message, .. }
        if message.id() == recording.prompts[0])
}

/// Kilo's echo of a message, made of the recorded one.
fn echo(recording: &Recording, message: &MessageId) -> Envelope {
    let recorded = recording.events.iter().find_map(|envelope| match &envelope.event {
        Event::MessageUpdated { session_id, message: Message::User(user) }
            if user.id == recording.prompts[0] =>
        {
            Some((envelope, session_id, user))
        }
        _ => None,
    });
    let (envelope, session, user) = recorded.expect("the message was echoed");
    let mut user = user.clone();
    user.id = message.clone();
    Envelope {
        event: Event::MessageUpdated { session_id: session.clone(), message: Message::User(user) },
        ..envelope.clone()
    }
}

/// Breaks and reads each recording at every single place, without loss.
#[test]
fn reading_at_any_place_ends_the_turn_as_it_ended() {
    for recording in turns() {
        for at in 0..=recording.events.len() {
            let mut play = Play::new(&recording.root, &recording.prompts);
            for (n, envelope) in recording.events.iter().enumerate() {
                if n == at {
                    read(&mut play, &recording, n);
                }
                step(&mut play, &recording, envelope, n + 1);
            }
            assert_eq!(play.turns.len(), recording.prompts.len());
            assert_whole(&play, &recording);
        }
    }
}

/// The server dies at any place and is started anew: nothing of it goes on.
#[test]
fn a_server_that_died_anywhere_leaves_no_turn_and_takes_no_text() {
    for recording in turns() {
        for at in 1..recording.events.len() {
            let mut play = Play::new(&recording.root, &recording.prompts);
            for envelope in &recording.events[..at] {
                play.event(envelope);
            }
            if play.turn(0).state.is_terminal() {
                continue;
            }
            let texts: Vec<_> = play.bodies.clone().into_iter().collect();
            let server = Server::after(&recording.events[..at]);
            let mut snapshot = server.read(&recording.root, &recording.prompts[0]);
            snapshot.status = None::<Status>;
            snapshot.permissions = Some(Vec::new());
            (snapshot.questions, snapshot.waits) = Default::default();
            play.merge(&snapshot);
            play.merge(&snapshot);
            if snapshot.messages.is_empty() {
                assert_eq!(play.turn(0).state, TurnState::Preparing, "the engine looks it up");
                continue;
            }
            assert!(play.turn(0).state.is_terminal(), "{} at {at}", recording.name);
            assert_eq!(play.open_requests(), 0);
            for (id, text) in texts {
                let now = &play.bodies[&id];
                assert!(now.starts_with(&text), "{}: {text:?} became {now:?}", recording.name);
            }
            assert!(!play.items.values().any(|i| i.status == ItemStatus::Running));
        }
    }
}
