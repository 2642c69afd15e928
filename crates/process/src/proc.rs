//! What `/proc` says about processes. Elsewhere than on Linux it says nothing, and whatever
//! needs proof from it then does nothing.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::time::Duration;

use nix::libc;

/// A process, told apart from a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ProcId {
    pub(crate) pid: u32,
    /// Clock ticks between boot and its start; field 22 of `/proc/<pid>/stat`.
    pub(crate) start: u64,
}

/// The fields of `/proc/<pid>/stat` used here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    pub(crate) id: ProcId,
    pub(crate) ppid: u32,
    pub(crate) pgid: u32,
    pub(crate) zombie: bool,
    cpu_ticks: u64,
    rss_pages: u64,
}

/// What a process and all it started use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory in bytes, summed; memory shared between them is counted for each.
    pub rss_bytes: u64,
    /// Resident memory in bytes of the process itself.
    pub own_rss_bytes: u64,
    /// Processor time of the living ones so far, user and system.
    pub cpu_time: Duration,
    /// How many processes these are.
    pub processes: usize,
}

/// Reads what `pid` and its descendants use; `None` if there is no such process (or no `/proc`).
/// Takes a few milliseconds of blocking reads.
#[must_use]
pub fn usage(pid: u32) -> Option<Usage> {
    let all = all();
    let root = *all.iter().find(|s| s.id.pid == pid)?;
    let (page, tick) = (sysconf(libc::_SC_PAGESIZE)?, sysconf(libc::_SC_CLK_TCK)?);
    let mut usage = Usage { own_rss_bytes: root.rss_pages * page, ..Usage::default() };
    for stat in std::iter::once(root).chain(below(&all, pid)) {
        usage.rss_bytes += stat.rss_pages * page;
        usage.cpu_time += Duration::from_millis(stat.cpu_ticks * 1000 / tick);
        usage.processes += 1;
    }
    Some(usage)
}

pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let mut text = String::new();
    let file = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    parse_stat(&text)
}

/// The process as it is now, unless it is a zombie (which cannot be signalled to any effect).
pub(crate) fn identify(pid: u32) -> Option<ProcId> {
    stat(pid).filter(|s| !s.zombie).map(|s| s.id)
}

/// Says whether this very process still runs.
pub(crate) fn alive(id: ProcId) -> bool {
    identify(id.pid) == Some(id)
}

pub(crate) fn all() -> Vec<Stat> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .filter_map(stat)
        .filter(|s| !s.zombie)
        .collect()
}

/// All processes below `pid` by parent links, not `pid` itself.
pub(crate) fn descendants(pid: u32) -> Vec<Stat> {
    below(&all(), pid)
}

/// `pid` and its parents up to the first process.
pub(crate) fn ancestry(pid: u32) -> HashSet<u32> {
    let mut seen = HashSet::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|p| *p != 0 && seen.insert(*p)) {
        next = stat(pid).map(|s| s.ppid);
    }
    seen
}

/// Says whether the process was started with exactly this variable in its environment. A process
/// that overwrote its environment block, or belongs to another user, gives no proof.
pub(crate) fn environment_has(pid: u32, name: &str, value: &str) -> bool {
    // Bound: Linux's own for arguments and environment is about 2 MiB for usual stack limits.
    const MAX: u64 = 8 * 1024 * 1024;
    let Ok(file) = std::fs::File::open(format!("/proc/{pid}/environ")) else { return false };
    let mut bytes = Vec::new();
    if file.take(MAX).read_to_end(&mut bytes).is_err() {
        return false;
    }
    let wanted = format!("{name}={value}");
    bytes.split(|b| *b == 0).any(|entry| entry == wanted.as_bytes())
}

/// Says whether a variable is on the list: exact names, or prefixes written `NAME_*`.
pub(crate) fn withheld(name: &OsStr, withhold: &[String]) -> bool {
    withhold.iter().any(|w| match w.strip_suffix('*') {
        Some(prefix) => name.as_encoded_bytes().starts_with(prefix.as_bytes()),
        None => name == OsStr::new(w),
    })
}

fn below(all: &[Stat], root: u32) -> Vec<Stat> {
    let mut children: HashMap<u32, Vec<Stat>> = HashMap::new();
    for stat in all {
        children.entry(stat.ppid).or_default().push(*stat);
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        // Removing makes a cycle (possible when pids change hands during the scan) harmless.
        for stat in children.remove(&pid).unwrap_or_default() {
            open.push(stat.id.pid);
            found.push(stat);
        }
    }
    found
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The command name is in parentheses and may hold spaces and parentheses itself.
    let (head, tail) = text.rsplit_once(')')?;
    let pid = head.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    // `fields[0]` is field 3 of proc(5).
    let number = |n: usize| fields.get(n - 3)?.parse::<u64>().ok();
    Some(Stat {
        id: ProcId { pid, start: number(22)? },
        ppid: u32::try_from(number(4)?).ok()?,
        pgid: u32::try_from(number(5)?).ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        cpu_ticks: number(14)? + number(15)?,
        rss_pages: number(24)?,
    })
}

fn sysconf(name: libc::c_int) -> Option<u64> {
    // SAFETY: sysconf only reads its argument and returns a number.
    let value = unsafe { libc::sysconf(name) };
    u64::try_from(value).ok().filter(|v| *v > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_spaces_and_parentheses_is_parsed() {
        let line = "42 (a) b (c)) S 7 41 41 0 -1 4194304 9 0 0 0 3 4 0 0 20 0 1 0 987 1000 55 1";
        let stat = parse_stat(line).unwrap();
        assert_eq!(stat.id, ProcId { pid: 42, start: 987 });
        assert_eq!((stat.ppid, stat.pgid, stat.zombie), (7, 41, false));
        assert_eq!((stat.cpu_ticks, stat.rss_pages), (7, 55));
    }

    #[test]
    fn withheld_names_are_exact_or_prefixes() {
        let list = ["TOKEN".to_owned(), "APP_*".to_owned()];
        assert!(withheld(OsStr::new("TOKEN"), &list));
        assert!(withheld(OsStr::new("APP_X"), &list));
        assert!(!withheld(OsStr::new("TOKENS"), &list));
        assert!(!withheld(OsStr::new("PATH"), &list));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_usage_is_plausible() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.rss_bytes >= usage.own_rss_bytes && usage.own_rss_bytes > 100_000);
        assert!(usage.processes >= 1);
    }
}
