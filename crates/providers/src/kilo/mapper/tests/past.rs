//! A history that is read once shows what was seen while it was made.

use domain::{Earlier, Input, InputKind, Item, ItemContent, ItemStatus, Turn, TurnOrigin};

use super::play::{Play, thread};
use super::recorded::{Server, recordings};

/// A thread that goes on with the session of a recording, as it was in the end.
fn continued(recording: &super::recorded::Recording) -> Play {
    let server = Server::after(&recording.events);
    let (messages, children) = server.history(&recording.root);
    let mut play = Play::empty(&recording.root);
    let limit = |_: &domain::ModelSelection| Some(100_000);
    let (turns, _) = play.mapper.past(&thread().id, &messages, &children, limit);
    play.input(Input::Past { origin: TurnOrigin::Elsewhere, turns, earlier: Earlier::default() });
    play
}

/// What of an item a person sees, its times aside.
fn seen(play: &Play, item: &Item) -> (String, ItemStatus, ItemContent, Option<String>, String) {
    let text = play.bodies.get(&item.id).cloned().unwrap_or_default();
    // A refusal looks like any other failure in the session.
    let status = if item.status == ItemStatus::Declined { ItemStatus::Failed } else { item.status };
    (item.id.to_string(), status, item.content.clone(), item.error.clone(), text)
}

fn in_order(play: &Play) -> Vec<&Turn> {
    let mut turns: Vec<&Turn> = play.turns.values().collect();
    turns.sort_by_key(|turn| turn.ordinal);
    turns
}

#[test]
fn a_history_read_in_the_end_has_the_items_that_were_streamed() {
    for recording in recordings() {
        let name = &recording.name;
        if name == "unknown-agent" {
            // Of that message nothing is in the session.
            assert!(continued(&recording).turns.is_empty());
            continue;
        }
        let mut live = Play::new(&recording.root, &recording.prompts);
        for envelope in &recording.events {
            live.event(envelope);
        }
        let read = continued(&recording);
        let (told, mut again) = (in_order(&live), in_order(&read));
        if name == "compaction" {
            // Nobody here asked for it, so it was not shown as it happened.
            let compaction = again.pop().expect("a compaction");
            assert_eq!(compaction.input.kind, InputKind::Compact);
            let items = read.items_of(&compaction.id);
            let summed = ItemContent::Compaction { automatic: false };
            assert!(items.iter().any(|item| item.content == summed), "{items:?}");
        }
        assert_eq!(told.len(), again.len(), "{name}");
        for (live_turn, past) in told.iter().zip(&again) {
            assert_eq!(past.origin, TurnOrigin::Elsewhere);
            assert_eq!(past.prompt_key, live_turn.prompt_key, "{name}");
            assert_eq!(past.input.kind, InputKind::Message, "{name}");
            if name != "unknown-model" && name != "queued-prompt" {
                assert_eq!(past.state, live_turn.state, "{name}");
            }
            assert_eq!(past.usage, live_turn.usage, "{name}");
            if name == "queued-prompt" {
                // That one was sent into the work of the other, which it became part of.
                continue;
            }
            let mut shown: Vec<_> =
                live.items_of(&live_turn.id).into_iter().map(|i| seen(&live, i)).collect();
            let mut found: Vec<_> =
                read.items_of(&past.id).into_iter().map(|i| seen(&read, i)).collect();
            shown.sort_by(|a, b| a.0.cmp(&b.0));
            found.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(shown, found, "{name}");
        }
        assert!(read.items.values().all(|item| item.ended_at.is_some()), "{name}");
    }
}

#[test]
fn a_compaction_on_request_is_a_turn_of_its_own() {
    let recording = super::recorded::recording("compaction");
    let at = recording.first_end();
    let mut play = Play::new(&recording.root, &recording.prompts);
    recording.events.iter().take(at).for_each(|event| play.event(event));
    let older = recording.prompts[0].clone();
    let turn = play.compact(older);
    recording.events.iter().skip(at).for_each(|event| play.event(event));
    let known = &play.turns[&turn];
    assert_eq!(known.state, domain::TurnState::Completed, "{known:?}");
    assert_eq!(known.prompt_key.as_deref(), Some("msg_2044f90cc001WeN2wFdEknDrvr"));
    assert_eq!(play.phases[&turn].last(), Some(&domain::Phase::Compacting));
    let items = play.items_of(&turn);
    let [item] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(item.content, ItemContent::Compaction { automatic: false });
    // The summary alone is what the context begins with now.
    let context = play.state.thread().context.expect("a context");
    assert_eq!((context.used, context.limit), (23, Some(100_000)));
}
