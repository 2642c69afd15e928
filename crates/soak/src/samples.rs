//! What Baton uses over time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{World, processes};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);

/// One look at Baton.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    pub(crate) pid: u32,
    pub(crate) memory_mb: f64,
    pub(crate) descriptors: usize,
    pub(crate) database_mb: f64,
}

/// All looks.
pub(crate) struct Samples {
    begun: Instant,
    all: Mutex<Vec<Sample>>,
}

impl Samples {
    pub(crate) fn new(begun: Instant) -> Self {
        Self { begun, all: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks until everything has settled. A child that has ended and is not waited for in three
    /// looks is a zombie.
    pub(crate) async fn take(self: Arc<Self>, world: World) {
        let mut dead: BTreeMap<u32, u32> = BTreeMap::new();
        while !world.is_closed() {
            tokio::time::sleep(EVERY).await;
            let Some(pid) = world.baton.pid() else { continue };
            let zombies = processes::zombies(pid);
            dead.retain(|pid, _| zombies.iter().any(|zombie| zombie.pid == *pid));
            for zombie in zombies {
                let looks = dead.entry(zombie.pid).or_default();
                *looks += 1;
                if *looks == 3 {
                    world.accounts.count("zombies");
                    world.accounts.blame(format!("a zombie: {zombie:?}"));
                }
            }
            let Ok((memory_mb, _)) = bench::machine::memory_mb(pid) else { continue };
            let descriptors =
                std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
            let database_mb = database_mb(&world);
            let at = self.begun.elapsed();
            self.all().push(Sample { at, pid, memory_mb, descriptors, database_mb });
        }
    }

    /// The looks of the longest life of Baton. Its beginning is left out: threads are let go of five
    /// minutes after their last sign, so for so long there are more of them with each minute.
    pub(crate) fn longest(&self) -> Vec<Sample> {
        const WARM: Duration = Duration::from_secs(390);
        let mut lives: BTreeMap<u32, Vec<Sample>> = BTreeMap::new();
        for sample in self.all().iter() {
            lives.entry(sample.pid).or_default().push(sample.clone());
        }
        let longest = lives.into_values().max_by_key(Vec::len).unwrap_or_default();
        let begun = longest.first().map_or(Duration::ZERO, |first| first.at);
        let ended = longest.last().map_or(Duration::ZERO, |last| last.at);
        // Of a short run the first third.
        let from = begun + WARM.min((ended - begun) / 3);
        longest.into_iter().filter(|sample| sample.at >= from).collect()
    }
}

fn database_mb(world: &World) -> f64 {
    let files = std::fs::read_dir(world.baton.data()).into_iter().flatten().flatten();
    let named = files.filter(|file| file.file_name().to_string_lossy().contains(".db"));
    let bytes: u64 = named.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    bytes as f64 / 1e6
}

/// The middle of some numbers.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}
