//! Signals, sent only to what is proven to be ours at that moment.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::proc::{self, ProcId};

/// Signals a process group whose leader has not been waited for yet: until then its number
/// cannot belong to another.
pub(crate) fn group(leader: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(leader) {
        // The group being gone already is what we want.
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

/// Signals exactly this process, or nothing if its pid belongs to another by now. Returns whether
/// it was there to be signalled.
#[cfg(target_os = "linux")]
pub(crate) fn exactly(id: ProcId, signal: Signal) -> bool {
    use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

    use nix::libc;

    let Ok(pid) = libc::pid_t::try_from(id.pid) else { return false };
    // SAFETY: plain system call with integer arguments; it returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let Some(fd) = i32::try_from(fd).ok().filter(|fd| *fd >= 0) else {
        return false;
    };
    // SAFETY: the descriptor was just returned to us and is owned by nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // The descriptor pins the process: checked now, it stays the checked one.
    if !proc::alive(id) {
        return false;
    }
    // SAFETY: plain system call; a null siginfo asks for the default one.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            fd.as_raw_fd(),
            signal as libc::c_int,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    sent == 0
}

/// Without `/proc` nothing can be proven, so nothing is signalled.
#[cfg(not(target_os = "linux"))]
pub(crate) fn exactly(_id: ProcId, _signal: Signal) -> bool {
    false
}

/// What a child left running after its leader was waited for.
pub(crate) struct Leftovers<'a> {
    /// The group the child led; its number equals the leader's pid.
    pub(crate) group: u32,
    /// Descendants seen while the leader still ran.
    pub(crate) known: &'a [ProcId],
    /// The variable that only this child's processes carry.
    pub(crate) mark: Option<(&'a str, &'a str)>,
}

impl Leftovers<'_> {
    /// Kills them all and returns how many there were. Blocking. Without `/proc` there is no proof
    /// of any, so none is killed.
    pub(crate) fn kill(&self) -> usize {
        // Rounds, because one of them may be starting another while we look.
        const ROUNDS: usize = 5;
        let mut killed = std::collections::HashSet::new();
        for _ in 0..ROUNDS {
            let fresh: Vec<ProcId> =
                self.find().into_iter().filter(|id| killed.insert(*id)).collect();
            if fresh.is_empty() {
                break;
            }
            for id in fresh {
                exactly(id, Signal::SIGKILL);
            }
        }
        killed.len()
    }

    fn find(&self) -> Vec<ProcId> {
        let all = proc::all();
        // A living process with the leader's pid is a newcomer, and then the group is its own: a
        // number is not given out again while a group of that number has members.
        let group_is_ours = !all.iter().any(|s| s.id.pid == self.group);
        let spared = proc::ancestry(std::process::id());
        let known = |id: &ProcId| self.known.iter().any(|k| k == id);
        let mut found: Vec<ProcId> = all
            .iter()
            .filter(|s| !spared.contains(&s.id.pid))
            .filter(|s| {
                known(&s.id)
                    || (group_is_ours && s.pgid == self.group)
                    || self.mark.is_some_and(|(n, v)| proc::environment_has(s.id.pid, n, v))
            })
            .map(|s| s.id)
            .collect();
        // What they started in turn is theirs.
        let below: Vec<ProcId> =
            found.iter().flat_map(|id| proc::descendants(id.pid)).map(|s| s.id).collect();
        for id in below {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }
}
