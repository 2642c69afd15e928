//! The machine that is measured on, and what it is asked of.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

/// What kind of machine it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its operating system and processor.
    pub system: String,
    /// Its processor cores.
    pub cores: usize,
    /// Its memory.
    pub memory_gib: u64,
}

impl Machine {
    /// The one this runs on.
    #[must_use]
    pub fn this() -> Self {
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = memory.lines().find_map(|line| kib(line, "MemTotal:"));
        Self {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kib.unwrap_or(0).div_ceil(1024 * 1024),
        }
    }
}

/// How many programs wanted to run in the last minute, on average.
#[must_use]
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// The memory of a process in MB: what is resident, and its own share of that.
///
/// # Errors
/// When the system does not tell it.
pub fn memory_mb(pid: u32) -> Result<(f64, f64)> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let mb = |name: &str| {
        let kib = text.lines().find_map(|line| kib(line, name));
        kib.map(|kib| kib as f64 * 1024.0 / 1e6).with_context(|| format!("{path} has no {name}"))
    };
    Ok((mb("Rss:")?, mb("Pss:")?))
}

fn kib(line: &str, name: &str) -> Option<u64> {
    line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok()
}

/// Bytes this process has had written to disks so far.
///
/// # Errors
/// When the system does not tell it.
pub fn written() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/io").context("/proc/self/io cannot be read")?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok());
    bytes.context("/proc/self/io has no write_bytes")
}

/// The processor time this process has used so far.
///
/// # Errors
/// When the system does not tell it.
pub fn cpu_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).context("the processor time is not told")?;
    let time = |value: TimeVal| {
        let seconds = Duration::from_secs(u64::try_from(value.tv_sec()).unwrap_or(0));
        seconds + Duration::from_micros(u64::try_from(value.tv_usec()).unwrap_or(0))
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// The processor time a process has used so far, counted by the kernel in hundredths of a second.
///
/// # Errors
/// When the system does not tell it.
pub fn cpu_time_of(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th after it.
    let fields = text.rsplit_once(") ").map(|(_, rest)| rest.split(' ').skip(11).take(2));
    let ticks =
        fields.with_context(|| format!("{path} is odd"))?.filter_map(|f| f.parse::<u64>().ok());
    Ok(Duration::from_millis(ticks.sum::<u64>() * 10))
}

/// Keeps this thread, and all it starts from now on, on one core.
///
/// # Errors
/// When the system does not allow it.
#[cfg(target_os = "linux")]
pub fn stay_on_one_core() -> Result<()> {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};

    let this = nix::unistd::Pid::from_raw(0);
    let allowed = sched_getaffinity(this).context("the allowed cores are not told")?;
    let last = (0..CpuSet::count()).rev().find(|core| allowed.is_set(*core).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(last.context("no core is allowed")?)?;
    sched_setaffinity(this, &one).context("this thread cannot be kept on one core")
}

/// Says that this cannot be measured here.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn stay_on_one_core() -> Result<()> {
    anyhow::bail!("a thread is kept on one core on Linux only")
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
