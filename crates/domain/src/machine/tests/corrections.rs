//! Texts of ended turns that the session has otherwise.

use proptest::prelude::*;

use super::samples::{message, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Change, Correction, FullText, Input, ItemContent, ItemId, ItemStatus, ItemUpdate,
    NoticeLevel, TurnEvent, TurnOutcome, TurnState,
};

/// What a turn may hold, and whether the agent wrote it.
fn contents() -> [(ItemContent, bool); 6] {
    let command = ItemContent::Command {
        command: "make".to_owned(),
        description: None,
        cwd: None,
        exit_code: None,
    };
    [
        (ItemContent::AgentMessage, true),
        (ItemContent::Reasoning, true),
        (ItemContent::Compaction { automatic: true }, true),
        (ItemContent::UserMessage, false),
        (ItemContent::Notice { level: NoticeLevel::Warning }, false),
        (command, false),
    ]
}

fn told(world: &mut World, n: u8, event: TurnEvent) {
    world.apply(Input::Agent(AgentEvent::Turn { turn: turn_id(n), event })).unwrap();
}

fn item(turn: u8, n: usize, content: ItemContent) -> TurnEvent {
    TurnEvent::Item(ItemUpdate {
        key: format!("part-{turn}-{n}"),
        parent: None,
        status: ItemStatus::Done,
        content,
        body: Some(FullText::new(format!("text {n}"))),
        error: None,
    })
}

fn begin(world: &mut World, n: u8) {
    world.apply(Input::Submit(message(n))).unwrap();
    world.apply(Input::Prepared { turn: turn_id(n), prompt_key: format!("msg_{n}") }).unwrap();
    for (at, (content, _)) in contents().into_iter().enumerate() {
        told(world, n, item(n, at, content));
    }
}

proptest! {
    #[test]
    fn nothing_is_corrected_but_the_text_of_what_the_agent_wrote_in_a_turn_that_ended(
        ended in prop_oneof![Just(TurnOutcome::Completed), Just(TurnOutcome::Interrupted)],
        said in prop::collection::vec((0usize..6, any::<bool>(), ".{0,30}", 1usize..6000), 1..12),
    ) {
        let mut world = World::new();
        begin(&mut world, 0);
        told(&mut world, 0, TurnEvent::Ended(ended));
        begin(&mut world, 1);
        let (items, bodies) = (world.client.items.clone(), world.client.bodies.clone());
        let turns = world.client.turns.clone();
        let thread = world.client.thread.id.clone();
        let mut wanted = bodies.clone();
        let mut corrections = Vec::new();
        for (n, over, text, times) in said {
            let id = ItemId::derive(&thread, &format!("part-{}-{n}", u8::from(!over)));
            // Some so long that they travel shortened.
            let text = text.repeat(times);
            if over && contents()[n].1 {
                wanted.insert(id.clone(), text.clone());
            }
            corrections.push(Correction { item: items[&id].clone(), text: FullText::new(text) });
        }
        let outcome = world.apply(Input::Correct(corrections)).unwrap();
        prop_assert!(outcome.effects.is_empty());
        let only_items = |c: &Change| matches!(c, Change::Item { .. } | Change::ItemBody { .. });
        prop_assert!(outcome.changes.iter().all(only_items), "{:?}", outcome.changes);
        prop_assert_eq!(&world.client.bodies, &wanted);
        prop_assert_eq!(&world.client.turns, &turns, "turns stay as they are");
        prop_assert_eq!(world.client.items.len(), items.len(), "no item is added");
        for (id, item) in &world.client.items {
            let body = item.body.clone();
            prop_assert_eq!(item, &crate::Item { body, ..items[id].clone() });
        }
        // What runs goes on as if nothing had been.
        told(&mut world, 1, TurnEvent::Ended(TurnOutcome::Completed));
        prop_assert_eq!(world.client.turns[&turn_id(1)].state, TurnState::Completed);
    }
}
