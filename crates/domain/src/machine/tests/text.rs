//! Text arrives in pieces, twice, late, or not at all.

use proptest::prelude::*;

use super::samples::{item_key, message, source, turn_id};
use super::world::World;
use crate::{
    AgentEvent, Change, Effect, FullText, Input, ItemContent, ItemId, ItemStatus, ItemUpdate,
    Outcome, TurnEvent, units,
};

fn running() -> World {
    let mut world = World::new();
    world.apply(Input::Submit(message(0))).unwrap();
    let prepared = Input::Prepared { turn: turn_id(0), prompt_key: "msg_0".to_owned() };
    world.apply(prepared).unwrap();
    world
}

fn told(world: &mut World, event: TurnEvent) -> Outcome {
    world.apply(Input::Agent(AgentEvent::Turn { turn: turn_id(0), event })).unwrap()
}

fn item(status: ItemStatus, body: Option<&str>) -> TurnEvent {
    TurnEvent::Item(ItemUpdate {
        key: item_key(0, 0),
        parent: None,
        status,
        content: ItemContent::Tool { name: "tool".to_owned(), title: None, input: String::new() },
        body: body.map(|text| FullText::new(text.to_owned())),
        error: None,
    })
}

fn piece(at: u64, text: &str) -> TurnEvent {
    TurnEvent::Text { key: item_key(0, 0), at, text: text.to_owned() }
}

fn text_of(world: &World) -> &str {
    &world.client.bodies[&ItemId::derive(&world.client.thread.id, &item_key(0, 0))]
}

#[derive(Debug, Clone)]
enum Step {
    /// The piece between two places, in characters.
    Piece(usize, usize),
    /// The item again, with as much of the text as the agent has.
    Upsert(usize),
    /// The item again, without its text.
    Head,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0usize..12_000;
    let step = prop_oneof![
        6 => (at.clone(), 0usize..4_000).prop_map(|(from, len)| Step::Piece(from, from + len)),
        1 => at.prop_map(Step::Upsert),
        1 => Just(Step::Head),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn pieces_in_any_split_order_and_number_give_the_text(key in 0u8..4, steps in steps()) {
        // Long enough to be shortened where it travels.
        let source = source(key, 0).repeat(if key == 1 { 1 } else { 200 });
        let chars: Vec<char> = source.chars().collect();
        let cut = |from: usize, to: usize| -> String {
            chars[from.min(chars.len())..to.min(chars.len())].iter().collect()
        };
        let mut world = running();
        told(&mut world, item(ItemStatus::Running, None));
        let mut known = 0;
        for step in steps {
            match step {
                Step::Piece(from, to) => {
                    let at = units(&cut(0, from));
                    let outcome = told(&mut world, piece(at, &cut(from, to)));
                    if from.min(chars.len()) > known {
                        prop_assert_eq!(outcome.changes, [], "a hole changes nothing");
                        prop_assert_eq!(outcome.effects, [Effect::Resync]);
                    } else {
                        prop_assert_eq!(outcome.effects, []);
                        known = known.max(to.min(chars.len()));
                    }
                }
                Step::Upsert(to) => {
                    told(&mut world, item(ItemStatus::Running, Some(&cut(0, to))));
                    known = to.min(chars.len());
                }
                Step::Head => drop(told(&mut world, item(ItemStatus::Running, None))),
                Step::Restart => world.restart(),
            }
            let so_far = cut(0, known);
            prop_assert_eq!(text_of(&world), so_far.as_str());
        }
        told(&mut world, item(ItemStatus::Done, Some(&source)));
        prop_assert_eq!(text_of(&world), source.as_str());
        let again = told(&mut world, item(ItemStatus::Done, Some(&source)));
        prop_assert_eq!(again, Outcome::default(), "what is known is not told again");
    }
}

#[test]
fn growth_told_as_a_whole_travels_as_a_piece() {
    let mut world = running();
    told(&mut world, item(ItemStatus::Running, Some("aa")));
    let outcome = told(&mut world, item(ItemStatus::Running, Some("aaaa")));
    assert!(matches!(&outcome.changes[..], [Change::Text { at: 2, text, .. }] if text == "aa"));
    let outcome = told(&mut world, item(ItemStatus::Running, Some("b")));
    assert!(matches!(&outcome.changes[..], [Change::Item { .. }]), "it was corrected");
    assert_eq!(text_of(&world), "b");
    told(&mut world, item(ItemStatus::Running, Some("cc")));
    assert_eq!(text_of(&world), "cc", "a longer text that does not go on is a correction as well");
}

#[test]
fn text_of_what_is_done_changes_nothing() {
    let mut world = running();
    told(&mut world, item(ItemStatus::Done, Some("whole")));
    assert_eq!(told(&mut world, piece(0, "who")), Outcome::default());
    assert_eq!(told(&mut world, piece(2, "ole")), Outcome::default());
    let beyond = told(&mut world, piece(5, "!"));
    assert_eq!((beyond.changes, beyond.effects), (vec![], vec![Effect::Resync]));
    assert_eq!(text_of(&world), "whole");
}

#[test]
fn text_of_what_is_unknown_asks_for_the_session() {
    let mut world = running();
    let outcome = told(&mut world, piece(0, "x"));
    assert_eq!((outcome.changes, outcome.effects), (vec![], vec![Effect::Resync]));
}
