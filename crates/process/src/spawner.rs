//! The one thread that starts all children. The kernel's parent-death signal fires when the
//! *thread* that started a child ends, so it must be one that lives as long as the process.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use nix::libc;
use tokio::process::{Child, Command};

use crate::proc;
use crate::spec::{DeathSignal, Spec, Stdin};

type Job = Box<dyn FnOnce() + Send>;

/// Runs `job` on the spawning thread; `false` if there is none.
pub(crate) fn submit(job: Job) -> bool {
    static THREAD: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    THREAD.get_or_init(start).as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
}

fn start() -> Option<Sender<Job>> {
    // Unbounded, but each job's sender waits for its answer: as long as there are callers.
    let (sender, jobs) = channel::<Job>();
    let run = move || {
        for job in jobs {
            // A job that panics must not take the thread, and with it every child, along.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    };
    std::thread::Builder::new().name("child-spawner".into()).spawn(run).ok()?;
    Some(sender)
}

/// Starts the program with all three streams set up. To be called on the spawning thread, inside
/// a runtime.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
pub(crate) fn spawn(
    spec: &Spec,
    withhold: &[String],
    mark: Option<(&str, &str)>,
) -> io::Result<Child> {
    let mut command = std::process::Command::new(&spec.program);
    command.args(&spec.args);
    if let Some(dir) = &spec.cwd {
        command.current_dir(dir);
    }
    for (name, _) in std::env::vars_os().filter(|(name, _)| proc::withheld(name, withhold)) {
        command.env_remove(name);
    }
    for (name, value) in &spec.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some((name, value)) = mark {
        command.env(name, value);
    }
    let stdin = if spec.stdin == Stdin::Null { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0);
    let parent = std::process::id();
    let death_signal = match spec.death_signal {
        DeathSignal::Kill => libc::SIGKILL,
        DeathSignal::Term => libc::SIGTERM,
    };
    // SAFETY: the closure runs between fork and exec and only makes system calls; it allocates
    // nothing and takes no lock.
    unsafe { command.pre_exec(move || child_side(parent, death_signal)) };
    let mut command = Command::from(command);
    // For the case that the runtime goes away before the child does.
    command.kill_on_drop(true);
    command.spawn()
}

#[cfg(target_os = "linux")]
fn child_side(parent: u32, death_signal: libc::c_int) -> io::Result<()> {
    // SAFETY: plain system calls with integer arguments.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, death_signal) != 0 {
            return Err(io::Error::last_os_error());
        }
        // The parent may have died before the line above; then no signal will ever come.
        if libc::getppid().cast_unsigned() != parent {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        // Descriptors that some library opened without close-on-exec stay here. Marking instead
        // of closing keeps the pipe by which a failed exec is reported. An old kernel without
        // this call is no reason to fail.
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn child_side(_parent: u32, _death_signal: libc::c_int) -> io::Result<()> {
    Ok(())
}
