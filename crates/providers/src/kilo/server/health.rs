//! Whether a server still answers, and its end when it does not.
//!
//! A wedged server keeps its port open, so neither its exit nor a refused connection tells of it.
//! One slow answer says nothing: a server is given up only after a whole row of failed checks, and
//! the row is measured by the checks themselves, so that a machine that slept is no silence.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{ProviderProblem, ProviderProblemKind};
use kilo_sdk::Error;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::problems::Source;
use super::{End, Running};
use crate::kilo::Shared;
use crate::kilo::bounds::Bounds;
use crate::kilo::router::Fault;

/// The pause between a failed check and the next.
const AGAIN: Duration = Duration::from_secs(1);
/// Failed checks at least before a server is given up, however long they took.
const MIN_FAILED: u32 = 3;
/// How long the event stream may be without a byte; heartbeats come every 10 s.
const STREAM_SILENT: Duration = Duration::from_secs(25);

/// What a row of failed checks means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It may be slow.
    Patience,
    /// It is said that it does not answer.
    Tell,
    /// It is given up.
    GiveUp,
}

/// A row of failed checks.
#[derive(Debug, Default)]
struct Doubt {
    failed: u32,
    lasted: Duration,
}

impl Doubt {
    /// Notes a check that failed after `took`. What is beyond the time a check has does not count:
    /// the machine slept, or Baton itself was held up.
    fn failed(&mut self, took: Duration, silent: bool, bounds: &Bounds) -> Verdict {
        self.failed += 1;
        self.lasted += took.min(bounds.answer_within) + AGAIN;
        let limit = if silent { bounds.silent_for } else { bounds.hung_for };
        match self.failed {
            MIN_FAILED.. if self.lasted >= limit => Verdict::GiveUp,
            2.. => Verdict::Tell,
            _ => Verdict::Patience,
        }
    }
}

/// Asks a server that is used again and again; ends it when it stays without an answer.
pub(super) async fn watch(shared: Arc<Shared>, running: Running, heard: watch::Receiver<Instant>) {
    let bounds = &shared.config.bounds;
    let (mut doubt, mut told) = (Doubt::default(), false);
    loop {
        let pause = if doubt.failed == 0 { bounds.check_every } else { AGAIN };
        tokio::time::sleep(pause).await;
        if shared.router.is_unused(running.generation) {
            doubt = Doubt::default();
            continue;
        }
        let asked = Instant::now();
        let answer = timeout(bounds.answer_within, running.server.client().health()).await;
        if answer.is_ok_and(|answer| answer.err().is_none_or(|error| is_answer(&error))) {
            doubt = Doubt::default();
            if std::mem::take(&mut told) {
                shared.set_answering(&running, true);
            }
            continue;
        }
        let silent = heard.borrow().elapsed() > STREAM_SILENT.min(bounds.silent_for);
        match doubt.failed(asked.elapsed(), silent, bounds) {
            Verdict::Patience => {}
            Verdict::Tell if told => {}
            Verdict::Tell => {
                tracing::warn!(url = running.server.client().url(), "Kilo does not answer");
                told = true;
                shared.set_answering(&running, false);
            }
            Verdict::GiveUp => {
                // In a task of its own: the end of the server ends this one.
                tokio::spawn(async move {
                    shared.end_one(running.kind, running.generation, End::NotAnswering).await;
                });
                return;
            }
        }
    }
}

/// Whether a failure is an answer all the same.
fn is_answer(error: &Error) -> bool {
    match error {
        Error::Connect(_) | Error::Broken(_) | Error::Timeout(_) | Error::Unusable(_) => false,
        Error::Unauthorized
        | Error::NotFound(_)
        | Error::NoRoute(_)
        | Error::Busy(_)
        | Error::Refused(_)
        | Error::Server(_)
        | Error::NotJson { .. }
        | Error::Decode { .. }
        | Error::TooLarge(_) => true,
    }
}

impl Shared {
    /// Says on the screen whether a server answers.
    fn set_answering(&self, running: &Running, answering: bool) {
        running.vitals.answering.store(answering, Ordering::Relaxed);
        self.router.link(running.generation, Fault::Silent, !answering);
        let message = "Kilo does not answer; it is started anew unless it does soon";
        let problem = ProviderProblem {
            kind: ProviderProblemKind::NotAnswering,
            message: message.to_owned(),
        };
        let source = Source::Server(running.generation, ProviderProblemKind::NotAnswering);
        self.set_problems(&source, if answering { Vec::new() } else { vec![problem] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Duration = Duration::from_secs(10);

    #[test]
    fn one_slow_check_is_borne_and_a_row_of_them_is_not() {
        let (bounds, mut doubt) = (Bounds::default(), Doubt::default());
        assert_eq!(doubt.failed(SLOW, true, &bounds), Verdict::Patience);
        assert_eq!(doubt.failed(SLOW, true, &bounds), Verdict::Tell);
        assert_eq!(doubt.failed(SLOW, true, &bounds), Verdict::GiveUp);
    }

    #[test]
    fn with_heartbeats_it_is_borne_longer() {
        let (bounds, mut doubt) = (Bounds::default(), Doubt::default());
        let verdicts: Vec<_> = (0..9).map(|_| doubt.failed(SLOW, false, &bounds)).collect();
        assert_eq!(verdicts.iter().filter(|v| **v == Verdict::Tell).count(), 7, "{verdicts:?}");
        assert_eq!(verdicts.last(), Some(&Verdict::GiveUp));
    }

    #[test]
    fn refused_connections_are_not_counted_up_in_a_moment() {
        let (bounds, mut doubt) = (Bounds::default(), Doubt::default());
        let fast = (0..29).map(|_| doubt.failed(Duration::ZERO, true, &bounds));
        assert!(fast.into_iter().all(|verdict| verdict != Verdict::GiveUp));
        assert_eq!(doubt.failed(Duration::ZERO, true, &bounds), Verdict::GiveUp);
    }

    #[test]
    fn a_night_of_sleep_counts_as_one_check() {
        let (bounds, mut doubt) = (Bounds::default(), Doubt::default());
        let night = Duration::from_secs(8 * 3600);
        assert_eq!(doubt.failed(night, true, &bounds), Verdict::Patience);
        assert_eq!(doubt.failed(Duration::ZERO, true, &bounds), Verdict::Tell);
        assert_eq!(doubt.failed(Duration::ZERO, true, &bounds), Verdict::Tell);
    }
}
