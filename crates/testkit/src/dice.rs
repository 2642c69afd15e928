//! Chance that can be repeated: the same seed throws the same dice.

use std::ops::Range;
use std::time::Duration;

/// A sequence of numbers drawn from a seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Other dice, of the same seed, for the part of a run that has this name.
    #[must_use]
    pub fn of(seed: u64, part: &str) -> Self {
        let mixed = part.bytes().fold(seed, |mixed, byte| {
            Self(mixed ^ u64::from(byte).wrapping_mul(0x100_0000_01b3)).roll()
        });
        Self(mixed)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of a range; the start of one that is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        let width = range.end.saturating_sub(range.start).max(1);
        range.start + self.roll() % width
    }

    /// Whether it happens, `per_mille` times of a thousand.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.within(0..1000) < per_mille
    }

    /// A time of a range of milliseconds.
    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// One of several; `None` of none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let last = u64::try_from(among.len()).ok()?;
        among.get(usize::try_from(self.within(0..last)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_repeated_and_its_parts_differ() {
        let throw = |mut dice: Dice| (0..20).map(|_| dice.within(5..15)).collect::<Vec<_>>();
        assert_eq!(throw(Dice::of(7, "a")), throw(Dice::of(7, "a")));
        assert_ne!(throw(Dice::of(7, "a")), throw(Dice::of(7, "b")));
        assert!(throw(Dice::new(1)).iter().all(|n| (5..15).contains(n)));
        assert_eq!(Dice::new(1).within(3..3), 3);
    }
}
