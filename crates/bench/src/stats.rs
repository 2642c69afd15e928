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

    /// The one that `share` (0 to 1) of all are not above.
    pub(crate) fn share(&self, share: f64) -> f64 {
        let at = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(at.max(1) - 1).copied().unwrap_or(f64::NAN)
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

/// How much the last number of each point grows with its first one, taken together with how it
/// goes with the middle one (least squares): the growth of a heap over time, beside what it takes
/// to hold more or fewer rows.
pub(crate) fn slope_beside(points: &[(f64, f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x0, z0, y0) = (mean(|p| p.0), mean(|p| p.1), mean(|p| p.2));
    let (mut xx, mut zz, mut xz, mut xy, mut zy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, z, y) in points {
        let (x, z, y) = (x - x0, z - z0, y - y0);
        xx += x * x;
        zz += z * z;
        xz += x * z;
        xy += x * y;
        zy += z * y;
    }
    // Rows that never change tell nothing.
    if zz == 0.0 { xy / xx } else { (xy - xz * zy / zz) / (xx - xz * xz / zz) }
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
        assert_eq!(
            [0.0, 0.2, 0.5, 0.95, 1.0].map(|share| samples.share(share)),
            [1.0, 1.0, 3.0, 9.0, 9.0]
        );
    }

    #[test]
    fn growth_is_told_from_what_rows_weigh() {
        let heap = |minute: f64, rows: f64| (minute, rows, 5.0 + 0.25 * minute + 0.01 * rows);
        let sawtooth: Vec<_> =
            (0..40).map(|i| heap(f64::from(i) / 12.0, f64::from(600 + i % 9 * 100))).collect();
        assert!((slope_beside(&sawtooth) - 0.25).abs() < 1e-9);
        let even: Vec<_> = (0..5).map(|i| heap(f64::from(i), 100.0)).collect();
        assert!((slope_beside(&even) - 0.25).abs() < 1e-9);
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
