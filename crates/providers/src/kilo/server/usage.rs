//! What a server takes of the machine, and its restart when that is too much and nothing runs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{ProviderProblem, ProviderProblemKind};
use process::Usage;
use tokio::time::{Instant, timeout};

use super::super::problems::Source;
use super::unknown::Unknown;
use super::{End, Running};
use crate::kilo::Shared;
use crate::kilo::bounds::Bounds;
use crate::shared::usage::{Sample, Sampler};

/// How long the sessions of a server have to close before it is started anew.
const CLOSING: Duration = Duration::from_secs(5);
const CLOSING_STEP: Duration = Duration::from_millis(100);
/// How long the server may take to say what runs in a directory.
const ASKED: Duration = Duration::from_secs(10);
/// Directories whose instances are remembered; with more, the later ones are freed with the server.
const MAX_DIRECTORIES: usize = 4096;

/// What is known of a running server from moment to moment.
#[derive(Debug)]
pub(super) struct Vitals {
    /// Whether it answered when it was last asked.
    pub(super) answering: AtomicBool,
    sample: Mutex<Option<Sample>>,
    /// The directories it has instances for, each with when it was last used.
    directories: Mutex<HashMap<String, Instant>>,
    /// The kinds of events it told of that are not known.
    pub(super) unknown: Mutex<Unknown>,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            answering: AtomicBool::new(true),
            sample: Mutex::default(),
            directories: Mutex::default(),
            unknown: Mutex::default(),
        }
    }
}

impl Vitals {
    pub(super) fn sample(&self) -> Option<Sample> {
        *self.sample.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed)
    }

    pub(super) fn directories(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something happens in a directory.
    pub(super) fn touch(&self, directory: &str) {
        let mut known = self.directories();
        let now = Instant::now();
        if let Some(at) = known.get_mut(directory) {
            *at = now;
        } else if known.len() < MAX_DIRECTORIES {
            known.insert(directory.to_owned(), now);
        }
    }
}

/// Looks at what a server takes, for as long as it runs.
pub(super) async fn watch(shared: Arc<Shared>, running: Running) {
    let bounds = &shared.config.bounds;
    let started = Instant::now();
    let mut sampler = Sampler::default();
    let mut load = Load::default();
    loop {
        tokio::time::sleep(bounds.sample_every).await;
        let server = running.server.clone();
        let Ok(Some(usage)) = tokio::task::spawn_blocking(move || server.usage()).await else {
            continue;
        };
        let now = Instant::now();
        let sample = sampler.sample(&usage, now);
        *running.vitals.sample.lock().unwrap_or_else(PoisonError::into_inner) = Some(sample);

        let idle = shared.router.turns(running.generation) == 0;
        let runaway = load.runs_away(now, idle, sample.cpu_percent, bounds);
        let large = usage.own_rss_bytes > bounds.memory_bytes;
        shared.tell_usage(&running, &usage, large, runaway);
        let why = match (large, runaway) {
            (true, _) => End::TooLarge,
            (false, true) => End::Spinning,
            (false, false) => continue,
        };
        if idle && started.elapsed() >= bounds.recycle_after {
            let (shared, running) = (shared.clone(), running.clone());
            // In a task of its own: the end of the server ends this one.
            tokio::spawn(async move { shared.recycle_idle(&running, why).await });
        }
    }
}

/// Since when a server on which nothing runs keeps a processor busy.
#[derive(Debug, Default)]
struct Load {
    busy_since: Option<Instant>,
}

impl Load {
    /// Takes a sample, and says whether it went on for too long.
    fn runs_away(&mut self, now: Instant, idle: bool, cpu_percent: u32, bounds: &Bounds) -> bool {
        let busy = idle && cpu_percent > bounds.idle_cpu_percent;
        self.busy_since = busy.then(|| self.busy_since.unwrap_or(now));
        self.busy_since.is_some_and(|since| now - since >= bounds.idle_cpu_for)
    }
}

impl Shared {
    fn tell_usage(&self, running: &Running, usage: &Usage, large: bool, spinning: bool) {
        let set = |kind, message: Option<String>| {
            let problem = message.map(|message| ProviderProblem { kind, message });
            self.set_problems(
                &Source::Server(running.generation, kind),
                problem.into_iter().collect(),
            );
        };
        // In tenths of a gigabyte, so that it does not change with every sample.
        let tenths = usage.own_rss_bytes / 100_000_000;
        let memory = format!(
            "Kilo takes {}.{} GB of memory; it is started anew once nothing runs",
            tenths / 10,
            tenths % 10
        );
        set(ProviderProblemKind::Memory, large.then_some(memory));
        let processor = "Kilo keeps a processor busy although nothing runs; it is started anew";
        set(ProviderProblemKind::Processor, spinning.then(|| processor.to_owned()));
    }

    /// Ends a server on which nothing runs; the next message starts another. Does nothing when
    /// something runs after all.
    async fn recycle_idle(&self, running: &Running, why: End) {
        let generation = running.generation;
        if self.router.turns(generation) > 0 || self.works_alone(running).await {
            return;
        }
        self.router.rest(generation);
        let deadline = Instant::now() + CLOSING;
        while !self.router.is_unused(generation) && Instant::now() < deadline {
            tokio::time::sleep(CLOSING_STEP).await;
        }
        let mut slot = self.slots.lock(running.kind).await;
        // Under the lock no open comes in between.
        if slot.serves(generation) && self.router.is_unused(generation) {
            self.stop(&mut slot, why).await;
        }
    }

    /// Whether something runs on a server that is none of Baton's turns, or that cannot be known.
    async fn works_alone(&self, running: &Running) -> bool {
        let directories: Vec<String> = running.vitals.directories().keys().cloned().collect();
        for directory in directories {
            if !is_quiet(running, &directory).await {
                return true;
            }
        }
        false
    }
}

/// Whether the server says that nothing runs in a directory.
pub(super) async fn is_quiet(running: &Running, directory: &str) -> bool {
    let instance = running.server.client().at(directory);
    let statuses = timeout(ASKED, instance.statuses()).await;
    let idle = |status: &kilo_sdk::types::Status| *status == kilo_sdk::types::Status::Idle;
    matches!(statuses, Ok(Ok(statuses)) if statuses.values().all(idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_runs_away_when_it_is_busy_for_minutes_though_nothing_runs() {
        let (bounds, start) = (Bounds::default(), Instant::now());
        let mut load = Load::default();
        let mut sample = |minute: f64, idle, percent| {
            load.runs_away(start + Duration::from_secs_f64(minute * 60.0), idle, percent, &bounds)
        };
        assert!(!sample(0.0, true, 99) && !sample(2.9, true, 99), "it may be at something");
        assert!(sample(3.0, true, 99));
        assert!(!sample(3.5, false, 99), "a turn may take what it likes");
        assert!(!sample(4.0, true, 99) && !sample(6.9, true, 99), "it counts from then on");
        assert!(!sample(6.95, true, 9) && !sample(7.0, true, 99), "a pause ends it");
        assert!(sample(10.0, true, 99));
    }
}
