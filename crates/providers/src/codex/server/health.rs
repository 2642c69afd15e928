//! Looking after the process: what it takes, whether it is used, whether it still answers; its end
//! when it is not, or does not.
//!
//! A hung process keeps its pipes open, so that nothing but its silence tells of it. One slow answer
//! says nothing, and neither does a machine that slept: a process is given up after a row of
//! requests, each of which had its time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use codex_sdk::Error;
use domain::{ProviderProblem, ProviderProblemKind};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{Running, Shared};
use crate::codex::router::Generation;
use crate::shared::ends::End;
use crate::shared::usage::Sampler;

/// Requests in a row without an answer after which a process is given up that says nothing else.
const SILENT: u32 = 3;
/// The same while it still tells of what it does: it may be busy.
const BUSY: u32 = 9;

/// What a row of requests without an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It may be slow.
    Patience,
    /// It is said that it does not answer.
    Tell,
    /// It is given up.
    GiveUp,
}

/// What it means that so many requests in a row had no answer; `heard` says whether the process said
/// something else during the last.
fn verdict(failed: u32, heard: bool) -> Verdict {
    match failed {
        _ if failed >= if heard { BUSY } else { SILENT } => Verdict::GiveUp,
        2.. => Verdict::Tell,
        _ => Verdict::Patience,
    }
}

/// Looks after a process until it serves no more.
pub(super) async fn care(shared: Arc<Shared>, running: Running) {
    let mut sampler = Sampler::default();
    loop {
        tokio::select! {
            () = running.gone.cancelled() => return,
            () = tokio::time::sleep(shared.config.sample_every) => {}
        }
        let server = running.server.clone();
        if let Ok(Some(usage)) = tokio::task::spawn_blocking(move || server.usage()).await {
            let sample = sampler.sample(&usage, Instant::now());
            let mut known =
                running.sample.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *known = Some(sample);
        }
        if shared.end_unused(running.generation).await {
            return;
        }
    }
}

/// Asks a process that is used again and again whether it answers; ends it when it does not.
pub(super) async fn watch(shared: Arc<Shared>, running: Running) {
    let (every, within) = (shared.config.check_every, shared.config.answer_within);
    let mut failed = 0;
    loop {
        tokio::select! {
            () = running.gone.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if shared.router.is_unused() {
            failed = 0;
            continue;
        }
        let before = running.heard.load(Ordering::Relaxed);
        // It asks Codex for nothing but what it has in memory (0.169.0).
        let asked = running.server.client().ask("thread/loaded/list", json!({}));
        let answers = match timeout(within, asked).await {
            Ok(Ok(_) | Err(Error::Refused(_) | Error::Decode { .. })) => true,
            Ok(Err(Error::Timeout(_))) | Err(_) => false,
            // Its end is known in a moment.
            Ok(Err(Error::Gone)) => return,
        };
        if answers {
            failed = 0;
            shared.set_answering(&running, true);
            continue;
        }
        failed += 1;
        let heard = running.heard.load(Ordering::Relaxed) != before;
        match verdict(failed, heard) {
            Verdict::Patience => {}
            Verdict::Tell => shared.set_answering(&running, false),
            Verdict::GiveUp => return shared.give_up(running.generation).await,
        }
    }
}

impl Shared {
    /// Says on the screen whether the process answers.
    fn set_answering(&self, running: &Running, answering: bool) {
        if running.answering.swap(answering, Ordering::Relaxed) == answering {
            return;
        }
        if !answering {
            tracing::warn!(pid = running.server.pid(), "Codex does not answer");
        }
        self.face.status.send_modify(|status| {
            status.problems.retain(|problem| problem.kind != ProviderProblemKind::NotAnswering);
            if !answering {
                status.problems.push(ProviderProblem {
                    kind: ProviderProblemKind::NotAnswering,
                    message: "Codex does not answer; it is ended unless it does soon".to_owned(),
                });
            }
        });
    }

    /// Ends a process that does not answer; the turns on it fail.
    async fn give_up(&self, generation: Generation) {
        let mut slot = self.slot.lock().await;
        if slot.serves(generation) {
            self.stop(&mut slot, End::NotAnswering).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_borne_and_a_row_of_missing_ones_is_not() {
        let row = |heard| (1..=BUSY).map(|failed| verdict(failed, heard)).collect::<Vec<_>>();
        let silent = [Verdict::Patience, Verdict::Tell, Verdict::GiveUp];
        assert_eq!(row(false)[..3], silent);
        // What still talks is borne longer, and not for ever.
        let busy = row(true);
        assert!(busy[1..8].iter().all(|verdict| *verdict == Verdict::Tell), "{busy:?}");
        assert_eq!(busy[8], Verdict::GiveUp);
    }
}
