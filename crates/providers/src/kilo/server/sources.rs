//! The user's sign-ins and configuration, which Kilo does not watch itself.
//!
//! An instance of Kilo keeps what it read when it was made (7.7.7, measured): a sign-in in another
//! terminal or a changed configuration shows in new directories only. The files are looked at by
//! their size and time; when one changes, instances in which nothing runs are made anew, and the
//! models are read again. Nothing is stopped by it; where something runs, it waits.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Kind, Running};
use crate::kilo::Shared;

/// How often the files are looked at; that takes microseconds.
const STEP: Duration = Duration::from_secs(3);
/// The configuration files of the user, below Kilo's folder.
const CONFIG: [&str; 5] =
    ["config.json", "kilo.json", "kilo.jsonc", "opencode.json", "opencode.jsonc"];

/// What a file is known by; `None` when there is none.
type Mark = Option<(u64, Option<SystemTime>)>;

/// Looks after the files for as long as the server runs.
pub(super) async fn watch(shared: Arc<Shared>, running: Running) {
    let files: Arc<[PathBuf]> = shared.sources().into();
    let Some(mut seen) = marks(&files).await else { return };
    let mut stale: HashSet<String> = HashSet::new();
    loop {
        tokio::time::sleep(STEP).await;
        let Some(now) = marks(&files).await else { return };
        let changed = now != seen;
        if changed {
            seen = now;
            stale = running.vitals.directories().keys().cloned().collect();
        }
        for directory in stale.clone() {
            if shared.renew(&running, &directory).await {
                stale.remove(&directory);
            }
        }
        // Afterwards, so that what is offered is known where it will be used.
        if changed && running.kind == Kind::Trusted {
            shared.read_anew(&running.server).await;
        }
    }
}

/// What the files are known by now. A home on a file system that does not answer holds up this
/// watch alone.
async fn marks(files: &Arc<[PathBuf]>) -> Option<Vec<Mark>> {
    let files = files.clone();
    tokio::task::spawn_blocking(move || files.iter().map(mark).collect()).await.ok()
}

fn mark(file: &PathBuf) -> Mark {
    let found = std::fs::metadata(file).ok()?;
    Some((found.len(), found.modified().ok()))
}

impl Shared {
    /// The files of the user that say who is signed in and which models there are.
    fn sources(&self) -> Vec<PathBuf> {
        let home = self.home().unwrap_or_default();
        let place = |name: &str, below: &str| {
            self.variable(name).map_or_else(|| home.join(below), PathBuf::from).join("kilo")
        };
        let config = place("XDG_CONFIG_HOME", ".config");
        let mut files = vec![place("XDG_DATA_HOME", ".local/share").join("auth.json")];
        files.extend(CONFIG.iter().map(|name| config.join(name)));
        files
    }

    /// A variable as Kilo will see it; an empty one is none.
    pub(in crate::kilo) fn variable(&self, name: &str) -> Option<OsString> {
        let own = self.config.env.iter().find(|(known, _)| known == name);
        let value = own.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name));
        value.filter(|value| !value.is_empty())
    }
}
