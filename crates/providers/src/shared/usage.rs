//! What an agent process takes of the machine, from sample to sample.

use std::time::Duration;

use process::Usage;
use tokio::time::Instant;

/// One look at memory and processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_percent: u32,
}

/// Makes samples of what a process says it used.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    last: Option<(Instant, Duration)>,
}

impl Sampler {
    /// Takes what was used up to now.
    pub(crate) fn sample(&mut self, usage: &Usage, now: Instant) -> Sample {
        let before = self.last.replace((now, usage.cpu_time));
        let cpu_percent = before.map_or(0, |(at, cpu)| percent(usage.cpu_time, cpu, now - at));
        Sample { memory_bytes: usage.rss_bytes, cpu_percent }
    }
}

/// Processor time between two samples in percent of one processor. That of processes that ended
/// in between is gone from the sum, which then counts as nothing.
fn percent(now: Duration, before: Duration, passed: Duration) -> u32 {
    let used = now.saturating_sub(before).as_millis() * 100;
    let share = used.checked_div(passed.as_millis()).unwrap_or_default();
    u32::try_from(share).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_of_one_processor() {
        let s = Duration::from_secs;
        assert_eq!(percent(s(25), s(10), s(10)), 150);
        assert_eq!(percent(s(5), s(10), s(10)), 0, "a process that ended took its time with it");
        assert_eq!(percent(s(5), s(0), s(0)), 0);
    }
}
