//! Numbers of several runs.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The results of several runs of one thing.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        let at = self.0.partition_point(|known| *known < value);
        self.0.insert(at, value);
    }

    pub(crate) fn push_ms(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1e3);
    }

    /// The middle one; of an even number the lower of the two.
    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The lowest, the highest, and how many there were.
    pub(crate) fn spread(&self) -> String {
        let (min, max) = (self.0.first(), self.0.last());
        match (min, max) {
            (Some(min), Some(max)) => {
                format!("min {min:.1}, max {max:.1}, {} runs", self.0.len())
            }
            _ => "no runs".to_owned(),
        }
    }
}

/// Many short times.
#[derive(Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    /// Keeps three digits of every time; one of a minute or more counts as a minute.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, 60_000_000_000, 3)?))
    }

    pub(crate) fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1));
    }

    pub(crate) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// The time, in milliseconds, that `share` (0 to 1) of all are not above.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        let nanos = self.0.value_at_quantile(share);
        Duration::from_nanos(nanos).as_secs_f64() * 1e3
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends_are_found_in_any_order() {
        let mut samples = Samples::default();
        for value in [3.0, 9.0, 1.0, 4.0, 2.0] {
            samples.push(value);
        }
        assert_eq!(samples.median(), 3.0);
        assert_eq!(samples.spread(), "min 1.0, max 9.0, 5 runs");
    }

    #[test]
    fn times_keep_their_size() {
        let mut times = Times::new().unwrap();
        for ms in 1..=100 {
            times.record(Duration::from_millis(ms));
        }
        assert!((times.ms(0.5) - 50.0).abs() < 0.1);
        assert!((times.ms(0.99) - 99.0).abs() < 0.2);
        times.record(Duration::from_secs(3600));
        assert!((times.ms(1.0) - 60_000.0).abs() < 60.0);
    }
}
