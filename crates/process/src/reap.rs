use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::ledger::{self, Entry};
use crate::proc::{self, ProcId};
use crate::signal;

/// What became of one ledger entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaped {
    /// The entry's label; its file's name if it could not be read.
    pub label: String,
    /// What was found and done.
    pub outcome: Outcome,
}

/// What [`reap`] found behind an entry and did about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing of it runs any more; the entry was removed.
    Gone,
    /// These processes were proven ours and are gone now; the entry was removed.
    Ended {
        /// Their pids.
        pids: Vec<u32>,
    },
    /// These were proven ours and killed, yet still run (stuck in the kernel); the entry stays.
    Stuck {
        /// Their pids.
        pids: Vec<u32>,
    },
    /// The process that wrote the entry still runs; nothing was touched.
    OwnerAlive {
        /// Its pid.
        pid: u32,
    },
    /// A process has the recorded pid, but not the recorded start time or not the nonce: a
    /// stranger. It was spared and the entry removed.
    Stranger {
        /// Its pid.
        pid: u32,
    },
    /// The entry cannot be understood; it was removed and nothing was touched.
    Unreadable {
        /// Why.
        error: String,
    },
}

/// Ends what an earlier run left behind, as far as the ledger in `dir` proves it to be ours: a
/// process of the recorded pid *and* start time *and* with the entry's nonce in its environment,
/// any other process with that nonce in its environment, and what these have started. Everything
/// else is spared, and so are this process and its parents.
///
/// Proven processes get a polite signal, `grace` to obey, then are killed. Takes up to `grace`
/// plus a second, whatever the number of entries. On systems without `/proc` nothing can be
/// proven and nothing is ended.
///
/// # Errors
/// If the directory cannot be read.
pub async fn reap(dir: &Path, grace: Duration) -> io::Result<Vec<Reaped>> {
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || reap_blocking(&dir, grace))
        .await
        .map_err(io::Error::other)?
}

fn reap_blocking(dir: &Path, grace: Duration) -> io::Result<Vec<Reaped>> {
    let entries = ledger::read(dir)?;
    let spared = proc::ancestry(std::process::id());
    let mut reaped = Vec::new();
    let mut proven = Vec::new();
    for (path, entry) in entries {
        let (label, outcome) = match entry {
            Err(error) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (name, Outcome::Unreadable { error })
            }
            Ok(entry) if proc::alive(entry.owner.into()) => {
                (entry.label, Outcome::OwnerAlive { pid: entry.owner.pid })
            }
            Ok(entry) => {
                let ours = ours(&entry, &spared);
                if !ours.is_empty() {
                    proven.push((path, entry, ours));
                    continue;
                }
                let stranger = entry.child.filter(|c| proc::identify(c.pid).is_some());
                let outcome = stranger.map_or(Outcome::Gone, |c| Outcome::Stranger { pid: c.pid });
                (entry.label, outcome)
            }
        };
        if !matches!(outcome, Outcome::OwnerAlive { .. }) {
            remove(&path);
        }
        reaped.push(Reaped { label, outcome });
    }
    let targets: HashSet<ProcId> = proven.iter().flat_map(|(_, _, ids)| ids).copied().collect();
    end(&targets, grace);
    for (path, entry, ids) in proven {
        // Looked at again: it may have started more while it was asked to end.
        let late: HashSet<ProcId> = ours(&entry, &spared);
        end(&late, Duration::ZERO);
        let alive = |ids: &HashSet<ProcId>| ids.iter().any(|id| proc::alive(*id));
        let all: HashSet<ProcId> = ids.union(&late).copied().collect();
        let outcome = if alive(&all) {
            Outcome::Stuck { pids: pids(all.into_iter().filter(|id| proc::alive(*id))) }
        } else {
            remove(&path);
            Outcome::Ended { pids: pids(all) }
        };
        reaped.push(Reaped { label: entry.label, outcome });
    }
    Ok(reaped)
}

/// Takes an entry off the ledger. One that cannot be removed is no reason to spare the rest: the
/// next reaper finds nothing behind it and tries again.
fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "could not remove a ledger entry");
    }
}

/// Every process that the entry proves to be ours.
fn ours(entry: &Entry, spared: &HashSet<u32>) -> HashSet<ProcId> {
    let all = proc::all();
    let by_pid: HashMap<u32, ProcId> = all.iter().map(|s| (s.id.pid, s.id)).collect();
    let mut found: HashSet<ProcId> = all
        .iter()
        .map(|s| s.id)
        .filter(|id| !spared.contains(&id.pid))
        .filter(|id| proc::environment_has(id.pid, &entry.variable, &entry.nonce))
        // The recorded pid with another start time is a contradiction: leave it alone.
        .filter(|id| entry.child.is_none_or(|c| c.pid != id.pid || c.start == id.start))
        .collect();
    for id in found.clone() {
        let below = proc::descendants(id.pid);
        found.extend(below.iter().map(|s| s.id).filter(|id| !spared.contains(&id.pid)));
    }
    found.retain(|id| by_pid.contains_key(&id.pid) || proc::alive(*id));
    found
}

/// Asks, waits, kills, and waits a moment for the killed to be gone.
fn end(targets: &HashSet<ProcId>, grace: Duration) {
    const KILL_WAIT: Duration = Duration::from_secs(1);
    if targets.is_empty() {
        return;
    }
    let signal_all = |s| {
        for id in targets {
            signal::exactly(*id, s);
        }
    };
    if !grace.is_zero() {
        signal_all(Signal::SIGTERM);
        wait_gone(targets, grace);
    }
    signal_all(Signal::SIGKILL);
    wait_gone(targets, KILL_WAIT);
}

fn wait_gone(targets: &HashSet<ProcId>, at_most: Duration) {
    const POLL: Duration = Duration::from_millis(10);
    let deadline = Instant::now() + at_most;
    while targets.iter().any(|id| proc::alive(*id)) && Instant::now() < deadline {
        std::thread::sleep(POLL);
    }
}

fn pids(ids: impl IntoIterator<Item = ProcId>) -> Vec<u32> {
    let mut pids: Vec<u32> = ids.into_iter().map(|id| id.pid).collect();
    pids.sort_unstable();
    pids
}
