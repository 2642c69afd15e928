use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::proc::{self, ProcId};

/// The directory where every long-lived child is written down, one JSON file each.
///
/// A file is written before its child starts, completed after, and removed when the child and
/// all it started are gone. What is left by a run that was killed is evidence for
/// [`reap`](crate::reap).
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) dir: PathBuf,
    pub(crate) variable: String,
}

/// One ledger file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the child is.
    pub label: String,
    /// The environment variable that carries the nonce.
    pub variable: String,
    /// Random text that only this child's environment, and that of what it starts, holds.
    pub nonce: String,
    /// The process that started it.
    pub owner: Process,
    /// The child; `None` while it is being started.
    pub child: Option<Process>,
    /// Its process group.
    pub pgid: Option<u32>,
}

/// A process as written in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// Its start in clock ticks after boot (`/proc/<pid>/stat`, field 22); 0 where unknown.
    pub start: u64,
}

impl From<Process> for ProcId {
    fn from(p: Process) -> Self {
        Self { pid: p.pid, start: p.start }
    }
}

impl Process {
    pub(crate) fn of(pid: u32) -> Self {
        Self { pid, start: proc::stat(pid).map_or(0, |s| s.id.start) }
    }
}

impl Ledger {
    /// A ledger in `dir` (made when first needed) whose nonces travel in the environment variable
    /// `variable`.
    pub fn new(dir: impl Into<PathBuf>, variable: impl Into<String>) -> Self {
        Self { dir: dir.into(), variable: variable.into() }
    }

    /// Writes down that a child is about to be started.
    pub(crate) fn open(&self, label: &str) -> io::Result<Record> {
        std::fs::create_dir_all(&self.dir)?;
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let nonce = random.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let record = Record {
            path: self.dir.join(format!("{nonce}.json")),
            entry: Entry {
                label: label.to_owned(),
                variable: self.variable.clone(),
                nonce,
                owner: Process::of(std::process::id()),
                child: None,
                pgid: None,
            },
        };
        record.write()?;
        Ok(record)
    }
}

/// One open ledger file.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    pub(crate) entry: Entry,
}

impl Record {
    pub(crate) fn started(&mut self, pid: u32) -> io::Result<()> {
        self.entry.child = Some(Process::of(pid));
        self.entry.pgid = Some(pid);
        self.write()
    }

    pub(crate) fn close(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(label = self.entry.label, %error, "could not remove a ledger entry");
        }
    }

    /// Writes beside and renames, so that a reader sees the old or the new text, whole. Not
    /// flushed to disk: a crash of the machine ends the processes too.
    fn write(&self) -> io::Result<()> {
        let beside = self.path.with_extension("tmp");
        std::fs::write(&beside, serde_json::to_vec(&self.entry)?)?;
        std::fs::rename(&beside, &self.path)
    }
}

/// Reads every ledger file of `dir`; a directory that is not there has none.
pub(crate) fn read(dir: &Path) -> io::Result<Vec<(PathBuf, Result<Entry, String>)>> {
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            let parsed = std::fs::read(&path)
                .map_err(|e| e.to_string())
                .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string()));
            found.push((path, parsed));
        }
    }
    Ok(found)
}
