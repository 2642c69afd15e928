use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::drain::{Lines, Sink, Stream, Tail};
use crate::exit::{Cause, Exit, ExitWatch, Status};
use crate::ledger::Record;
use crate::proc::{self, ProcId, Usage};
use crate::signal::{self, Leftovers};
use crate::spec::{Spec, Stdin, Stdout};

/// A started child. Dropping it stops the child with
/// [`Spec::drop_grace`](crate::Spec::drop_grace).
#[derive(Debug)]
pub struct Child {
    pid: u32,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    lines: Option<Lines>,
    out_tail: Arc<Tail>,
    err_tail: Arc<Tail>,
    exit: ExitWatch,
    stop: watch::Sender<Option<Stop>>,
    drop_grace: Duration,
}

/// All requests to stop so far, as one.
#[derive(Debug, Clone)]
struct Stop {
    /// The first one's; `None` for a dropped handle.
    reason: Option<Cow<'static, str>>,
    /// Whether the first one gave any grace.
    polite: bool,
    /// The earliest end of grace.
    deadline: Instant,
}

impl Child {
    /// Its process id, which is also its process group; meaningful until [`Child::exit`] tells
    /// its end.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Takes its standard input, if it was [`Stdin::Piped`].
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Takes its standard output, if it was [`Stdout::Raw`].
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// Takes the receiver of its lines. Whether it is taken, read or dropped, the pipes are
    /// drained.
    pub fn take_lines(&mut self) -> Option<Lines> {
        self.lines.take()
    }

    /// The last lines it wrote to one stream, oldest first.
    #[must_use]
    pub fn tail(&self, stream: Stream) -> Vec<String> {
        match stream {
            Stream::Stdout => self.out_tail.lines(),
            Stream::Stderr => self.err_tail.lines(),
        }
    }

    /// A watch of its end.
    #[must_use]
    pub fn exit(&self) -> ExitWatch {
        self.exit.clone()
    }

    /// Waits for its end; `None` only if the runtime is being shut down.
    pub async fn wait(&self) -> Option<Exit> {
        self.exit().wait().await
    }

    /// Stops it: a polite signal to its group, `grace` to obey, then it and everything it started
    /// is killed. Returns when it has been waited for. May be called again while it is under way:
    /// the shorter grace counts, the first reason is kept. Dropping the future does not undo it.
    pub async fn stop(
        &self,
        reason: impl Into<Cow<'static, str>>,
        grace: Duration,
    ) -> Option<Exit> {
        self.request_stop(reason, grace);
        self.wait().await
    }

    /// As [`Child::stop`], without waiting.
    pub fn request_stop(&self, reason: impl Into<Cow<'static, str>>, grace: Duration) {
        self.order_stop(Some(reason.into()), grace);
    }

    fn order_stop(&self, reason: Option<Cow<'static, str>>, grace: Duration) {
        let deadline = Instant::now() + grace;
        self.stop.send_modify(|stop| match stop {
            Some(stop) => stop.deadline = stop.deadline.min(deadline),
            None => *stop = Some(Stop { reason, polite: !grace.is_zero(), deadline }),
        });
    }

    /// What it and all it started use; `None` when it has ended. See [`usage`](crate::usage).
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        if self.exit.get().is_some() { None } else { proc::usage(self.pid) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.order_stop(None, self.drop_grace);
    }
}

/// What is done when the child has ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtExit {
    /// Whatever it left running is killed.
    Sweep,
    /// It may leave something behind on purpose.
    Leave,
}

/// Takes charge of a freshly started process. Must be called inside a runtime.
pub(crate) fn adopt(
    mut raw: tokio::process::Child,
    pid: u32,
    spec: &Spec,
    record: Option<Record>,
    at_exit: AtExit,
) -> Child {
    let (queue, receiver) = mpsc::channel(spec.line_queue);
    let dropped = Arc::new(AtomicU64::new(0));
    let (out_tail, err_tail) = (Tail::new(spec.tail_lines), Tail::new(spec.tail_lines));
    let sink = |stream, tail: &Arc<Tail>| Sink {
        stream,
        max_line: spec.max_line,
        tail: Arc::clone(tail),
        queue: queue.clone(),
        dropped: Arc::clone(&dropped),
    };
    let mut drains = Vec::new();
    let mut stdout = raw.stdout.take();
    if spec.stdout == Stdout::Lines
        && let Some(pipe) = stdout.take()
    {
        drains.push(tokio::spawn(sink(Stream::Stdout, &out_tail).drain(pipe)));
    }
    let mut stderr = raw.stderr.take();
    if at_exit == AtExit::Sweep
        && let Some(pipe) = stderr.take()
    {
        drains.push(tokio::spawn(sink(Stream::Stderr, &err_tail).drain(pipe)));
    }
    let mut stdin = raw.stdin.take();
    if let Stdin::Bytes(bytes) = &spec.stdin
        && let Some(mut pipe) = stdin.take()
    {
        let bytes = bytes.clone();
        // The child closing its end early is its own business.
        tokio::spawn(async move {
            let _ = pipe.write_all(&bytes).await;
        });
    }
    let (told, exit) = watch::channel(None);
    let (stop, stops) = watch::channel(None);
    let supervisor = Supervisor {
        guard: GroupGuard { pid, mark: mark(record.as_ref()), armed: true },
        raw,
        pid,
        label: spec.label.clone(),
        record,
        at_exit,
        stops,
        drains,
        err_tail: Arc::clone(&err_tail),
    };
    tokio::spawn(supervisor.run(told));
    Child {
        pid,
        stdin,
        stdout,
        stderr,
        lines: Some(Lines { receiver, dropped }),
        out_tail,
        err_tail,
        exit: ExitWatch(exit),
        stop,
        drop_grace: spec.drop_grace,
    }
}

/// Kills the child with everything it started if the supervising task is dropped, that is when the
/// runtime shuts down, e.g. because a person does not wait for a polite end.
struct GroupGuard {
    pid: u32,
    mark: Option<(String, String)>,
    armed: bool,
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        if self.armed {
            // While the leader lives, parent links lead to its helpers in other groups.
            let known: Vec<ProcId> = proc::descendants(self.pid).iter().map(|s| s.id).collect();
            signal::group(self.pid, Signal::SIGKILL);
            kill_leftovers(self.pid, &known, self.mark.as_ref());
        }
    }
}

/// The variable and value that all of a child's processes have in their environment.
fn mark(record: Option<&Record>) -> Option<(String, String)> {
    record.map(|r| (r.entry.variable.clone(), r.entry.nonce.clone()))
}

/// Kills what is left of a child's processes; says how many. Reads `/proc`, and so blocks for
/// milliseconds.
fn kill_leftovers(group: u32, known: &[ProcId], mark: Option<&(String, String)>) -> usize {
    let mark = mark.map(|(name, value)| (name.as_str(), value.as_str()));
    Leftovers { group, known, mark }.kill()
}

/// Waits for one child, and carries out its stop.
struct Supervisor {
    // Before `raw`: dropped while the leader is not yet waited for, so its group is still ours.
    guard: GroupGuard,
    raw: tokio::process::Child,
    pid: u32,
    label: String,
    record: Option<Record>,
    at_exit: AtExit,
    stops: watch::Receiver<Option<Stop>>,
    drains: Vec<JoinHandle<()>>,
    err_tail: Arc<Tail>,
}

impl Supervisor {
    async fn run(mut self, told: watch::Sender<Option<Exit>>) {
        let mut known = Vec::new();
        let (status, cause) = tokio::select! {
            status = self.raw.wait() => (status, Cause::Exited),
            Some(stop) = ordered(&mut self.stops) => self.stop(stop, &mut known).await,
        };
        self.guard.armed = false;
        let swept = self.sweep(known, &cause).await;
        self.finish_drains().await;
        if let Some(record) = &self.record {
            record.close();
        }
        let status = status.map_or(Status::Unknown, Status::from);
        tracing::debug!(self.pid, self.label, %status, ?cause, swept, "child ended");
        // Nobody watching is fine.
        let _ = told.send(Some(Exit {
            pid: self.pid,
            label: self.label,
            status,
            cause,
            swept,
            stderr: self.err_tail.lines(),
        }));
    }

    async fn stop(
        &mut self,
        first: Stop,
        known: &mut Vec<ProcId>,
    ) -> (std::io::Result<std::process::ExitStatus>, Cause) {
        let mut deadline = first.deadline;
        // While the leader lives, parent links lead to its helpers in other groups.
        known.extend(below(self.pid).await);
        if first.polite {
            signal::group(self.pid, Signal::SIGTERM);
        }
        let mut forced = false;
        let status = loop {
            tokio::select! {
                status = self.raw.wait() => break status,
                () = tokio::time::sleep_until(deadline), if !forced => {
                    forced = true;
                    known.extend(below(self.pid).await);
                    signal::group(self.pid, Signal::SIGKILL);
                }
                Ok(()) = self.stops.changed() => {
                    let again = self.stops.borrow_and_update().as_ref().map(|s| s.deadline);
                    deadline = again.unwrap_or(deadline);
                }
            }
        };
        let cause = match first.reason {
            Some(reason) => Cause::Stopped { reason, forced },
            None => Cause::Dropped { forced },
        };
        (status, cause)
    }

    async fn sweep(&self, known: Vec<ProcId>, cause: &Cause) -> usize {
        if self.at_exit == AtExit::Leave && *cause == Cause::Exited {
            return 0;
        }
        let group = self.pid;
        let mark = mark(self.record.as_ref());
        let kill = move || kill_leftovers(group, &known, mark.as_ref());
        tokio::task::spawn_blocking(kill).await.unwrap_or_default()
    }

    /// Lets the pipes run dry, so that the last lines are there when the end is told. A stranger
    /// that inherited a pipe does not hold this up; draining goes on all the same.
    async fn finish_drains(&mut self) {
        const AT_MOST: Duration = Duration::from_millis(500);
        let all = async {
            for drain in &mut self.drains {
                let _ = drain.await;
            }
        };
        let _ = tokio::time::timeout(AT_MOST, all).await;
    }
}

/// Waits for the first request to stop. `None` never comes: a handle asks for it when dropped.
async fn ordered(stops: &mut watch::Receiver<Option<Stop>>) -> Option<Stop> {
    stops.wait_for(Option::is_some).await.ok().and_then(|stop| stop.clone())
}

async fn below(pid: u32) -> Vec<ProcId> {
    let look = move || proc::descendants(pid).iter().map(|s| s.id).collect();
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}
