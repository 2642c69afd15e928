//! The processes of a run, found by the home they live in.

use std::path::{Path, PathBuf};

/// A process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// `R`, `S`, `Z`, …
    pub(crate) state: char,
    pub(crate) name: String,
    /// Its arguments, one space between.
    pub(crate) line: String,
}

impl Process {
    /// Whether it is a server of Kilo.
    pub(crate) fn is_kilo(&self) -> bool {
        self.name.contains("kilo") && self.line.contains(" serve ")
    }
}

/// The processes whose environment names this home, but Baton itself.
pub(crate) fn of_home(home: &Path) -> Vec<Process> {
    let home = format!("HOME={}", home.display());
    let has = |dir: &Path| {
        let env = std::fs::read(dir.join("environ")).unwrap_or_default();
        env.split(|b| *b == 0).any(|variable| variable == home.as_bytes())
    };
    let ours = std::process::id();
    let all = all().filter(|(dir, found)| found.pid != ours && has(dir));
    all.map(|(_, found)| found).filter(|found| found.name != "baton").collect()
}

/// What has ended below a process and was not waited for.
pub(crate) fn zombies(parent: u32) -> Vec<Process> {
    all().map(|(_, found)| found).filter(|p| p.parent == parent && p.state == 'Z').collect()
}

fn all() -> impl Iterator<Item = (PathBuf, Process)> {
    let dirs =
        std::fs::read_dir("/proc").into_iter().flatten().filter_map(|e| Some(e.ok()?.path()));
    dirs.filter_map(|dir| {
        let found = read(&dir)?;
        Some((dir, found))
    })
}

fn read(dir: &Path) -> Option<Process> {
    let pid = dir.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(dir.join("stat")).ok()?;
    let (head, rest) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let line = std::fs::read(dir.join("cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    Some(Process { pid, parent, state, name: name.to_owned(), line })
}
