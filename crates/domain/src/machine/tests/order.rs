//! Whatever happens in whatever order, the rules of turns, requests, items and numbers hold.

use proptest::prelude::*;

use super::ops::{Op, op};
use super::samples::message;
use super::world::World;
use crate::{Input, Outcome};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_inputs_keeps_every_rule_and_ends_every_turn(
        ops in prop::collection::vec(op(), 0..100),
    ) {
        let mut world = World::new();
        for op in &ops {
            world.run(op);
        }
        world.same_texts();
        world.drain();
        // Whatever comes after the end is late.
        for op in ops.iter().filter(|op| matches!(op, Op::Event { .. } | Op::Prepared(_))) {
            let before = world.state.clone();
            world.run(op);
            prop_assert_eq!(&before, &world.state);
        }
    }

    #[test]
    fn a_repeated_message_is_accepted_once(
        ops in prop::collection::vec(op(), 0..40),
        n in 0u8..5,
    ) {
        let mut world = World::new();
        for op in &ops {
            world.run(op);
        }
        let known = world.client.turns.contains_key(&message(n).id);
        if !known && world.apply(Input::Submit(message(n))).is_ok() {
            prop_assert_eq!(world.apply(Input::Submit(message(n))), Ok(Outcome::default()));
        }
    }
}
