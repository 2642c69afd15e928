//! How often an agent process may fail before it is left alone.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::OpenError;
use crate::contract::unavailable;

/// Failures that are forgiven within [`FORGIVEN_FOR`] before the process is left alone.
pub(crate) const FORGIVEN: usize = 3;
const FORGIVEN_FOR: Duration = Duration::from_secs(300);
/// The pauses before a start after the first failure, after the second, and so on.
pub(crate) const BACK_OFF: [Duration; FORGIVEN - 1] =
    [Duration::from_secs(1), Duration::from_secs(5)];

/// When an agent process failed: ended by itself, did not start, answered no more.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// The newest last.
    at: VecDeque<Instant>,
    /// What the last one was, in words.
    last: String,
}

impl Failures {
    /// Notes one, with what was said.
    pub(crate) fn note(&mut self, said: &str) {
        self.at.push_back(Instant::now());
        said.clone_into(&mut self.last);
        while self.at.len() > FORGIVEN {
            self.at.pop_front();
        }
    }

    /// Forgets them: a person wants it tried again.
    pub(crate) fn forgive(&mut self) {
        self.at.clear();
    }

    /// Refuses a start after too many in a short time; `who` is what people call the agent.
    pub(crate) fn may_start(&mut self, who: &str) -> Result<(), OpenError> {
        self.at.retain(|at| at.elapsed() < FORGIVEN_FOR);
        if self.at.len() < FORGIVEN {
            return Ok(());
        }
        let mut said =
            format!("{who} failed {FORGIVEN} times within five minutes and is left alone");
        if !self.last.is_empty() {
            said = format!("{said}; the last time: {}", self.last);
        }
        let hint = format!("mend what it says, then restart {who} in the settings");
        Err(unavailable(&said, Some(&hint)))
    }

    /// When the next start may be, after a failure: later after each.
    pub(crate) fn not_before(&self) -> Option<Instant> {
        let pause = self.at.len().checked_sub(1).and_then(|n| BACK_OFF.get(n))?;
        Some(*self.at.back()? + *pause)
    }

    /// Waits, longer after each failure, before the next start.
    pub(crate) async fn back_off(&self) {
        if let Some(at) = self.not_before() {
            tokio::time::sleep_until(at).await;
        }
    }
}
