//! The life of `codex app-server`: one process for all threads, started when needed, watched,
//! restarted, stopped.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use codex_sdk::types::{Ask, Event, EventBody, Thread};
use codex_sdk::{Error, Incoming, Installed, Launch, LaunchError, Server, Told};
use domain::{
    AgentEnd, AgentEndReason, AgentProcess, AgentReport, ProviderProblem, ProviderProblemKind,
    ProviderState, Timestamp, TurnError,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::router::{Asking, Frame, Generation, Hold};
use super::{NAME, Shared, errors, looking};
use crate::contract::unavailable;
use crate::shared::ends::End;
use crate::shared::failures::Failures;
use crate::shared::usage::Sample;
use crate::shared::{looks, now, shorten};
use crate::{OpenError, RestartError};

mod health;

/// How long the process has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// The same for one that answers nothing.
const SHORT_GRACE: Duration = Duration::from_secs(1);
/// How long a process that said nothing more may take to be known as ended.
const ENDING: Duration = Duration::from_secs(2);
/// Lines of a dead process's last words that are told.
const LAST_WORDS: usize = 3;
/// Variables by which Codex would run another way than its configuration and Baton say.
const REMOVED: [&str; 2] = ["CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"];
/// What is wrong with the configuration that is told at once.
const MAX_PROBLEMS: usize = 20;
/// What waits to be done for the process besides passing on what it says.
const MAX_LOOKS: usize = 64;

/// Where the process stands. It is locked while it is being started or stopped.
#[derive(Default)]
pub(super) struct Slot {
    running: Option<Running>,
    failures: Failures,
    /// When the process was last asked for.
    wanted: Option<Instant>,
}

/// A program that was found.
#[derive(Clone)]
pub(super) struct Found {
    /// What the settings named when it was looked for.
    pub(super) program: Option<String>,
    pub(super) installed: Installed,
}

#[derive(Clone)]
struct Running {
    server: Arc<Server>,
    generation: Generation,
    /// What the settings named when it was started.
    program: Option<String>,
    since: Timestamp,
    sample: Arc<std::sync::Mutex<Option<Sample>>>,
    /// How often it said something.
    heard: Arc<AtomicU64>,
    /// Whether it answers, as far as is known.
    answering: Arc<AtomicBool>,
    /// Cancelled when it serves no more.
    gone: CancellationToken,
}

/// A process, kept from being ended as unused.
pub(super) struct Held {
    pub(super) server: Arc<Server>,
    /// Makes what is named by it unique among all processes.
    pub(super) process: String,
    pub(super) hold: Hold,
}

impl Slot {
    pub(super) fn pid(&self) -> Option<u32> {
        self.running.as_ref().filter(|running| !running.is_gone()).map(|r| r.server.pid())
    }

    fn serves(&self, generation: Generation) -> bool {
        self.running.as_ref().is_some_and(|running| running.generation == generation)
    }
}

impl Running {
    fn is_gone(&self) -> bool {
        self.server.exit().get().is_some()
    }
}

impl Shared {
    /// The running process, started if there is none.
    pub(super) async fn server(self: &Arc<Self>) -> Result<Held, OpenError> {
        let mut slot = self.slot.lock().await;
        slot.wanted = Some(Instant::now());
        if let Some(why) = self.barred() {
            return Err(why.refusal(NAME));
        }
        if slot.running.as_ref().is_some_and(Running::is_gone) {
            self.bury(&mut slot);
        }
        let program = self.face.settings().binary;
        if slot.running.as_ref().is_some_and(|running| running.program != program) {
            if self.router.turns() == 0 {
                self.stop(&mut slot, End::Moved).await;
            } else {
                self.router.rest_all();
            }
        }
        let running = match slot.running.clone() {
            Some(running) => running,
            None => tokio::select! {
                biased;
                why = self.bar() => return Err(why.refusal(NAME)),
                started = self.find_and_start(&mut slot) => started?,
            },
        };
        // Under the lock of the slot, as every test for use: no end comes in between.
        Ok(Held {
            hold: self.router.hold(running.generation),
            process: format!("{}.{}", running.server.pid(), running.since),
            server: running.server,
        })
    }

    /// Why no process may run, if so.
    fn barred(&self) -> Option<End> {
        if self.face.closed.is_cancelled() {
            Some(End::BatonEnds)
        } else {
            (!self.face.settings().enabled).then_some(End::SwitchedOff)
        }
    }

    /// Waits until no process may run.
    async fn bar(&self) -> End {
        let mut settings = self.face.settings.subscribe();
        let off = async {
            let _ = settings.wait_for(|s| s.as_ref().is_some_and(|s| !s.enabled)).await;
        };
        tokio::select! {
            () = self.face.closed.cancelled() => End::BatonEnds,
            () = off => End::SwitchedOff,
        }
    }

    /// Starts a process. When this is dropped, the slot is as before and what was started is
    /// stopped.
    async fn find_and_start(self: &Arc<Self>, slot: &mut Slot) -> Result<Running, OpenError> {
        if let Err(error) = slot.failures.may_start(NAME) {
            self.face.say(looks::broken(error.clone()));
            return Err(error);
        }
        slot.failures.back_off().await;
        let program = self.face.settings().binary;
        match self.start(program.clone()).await {
            Ok((server, incoming)) => {
                let running = Running {
                    server: Arc::new(server),
                    generation: self.router.begin(),
                    program,
                    since: now(),
                    sample: Arc::default(),
                    heard: Arc::default(),
                    answering: Arc::new(AtomicBool::new(true)),
                    gone: CancellationToken::new(),
                };
                slot.running = Some(running.clone());
                self.face.status.send_if_modified(|status| {
                    let told = !status.problems.is_empty();
                    status.problems.clear();
                    told
                });
                self.ends.started();
                self.tell_running();
                tokio::spawn(health::care(self.clone(), running.clone()));
                tokio::spawn(health::watch(self.clone(), running.clone()));
                tokio::spawn(pump(self.clone(), running.clone(), incoming));
                Ok(running)
            }
            Err(error) => {
                slot.failures.note(&error.message);
                self.remember(None, AgentEndReason::NotStarted, Some(error.message.clone()), 0);
                Err(error)
            }
        }
    }

    async fn start(&self, program: Option<String>) -> Result<(Server, Told), OpenError> {
        let known = self.face.found().clone().filter(|found| found.program == program);
        let found = match known {
            Some(found) => found,
            None => {
                let configured = program.is_some();
                let found = self
                    .locate()
                    .await
                    .map_err(|error| looking::REMEDIES.refusal(&error, configured))?;
                self.face.found().insert(found).clone()
            }
        };
        std::fs::create_dir_all(&self.config.cwd).map_err(|error| {
            let said = format!("{} cannot be made: {error}", self.config.cwd.display());
            unavailable(&said, Some("check the rights of the data directory"))
        })?;
        let mut launch = Launch::new(&found.installed.program, &self.config.cwd);
        launch.client =
            ("baton".to_owned(), "Baton".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let set = self.config.env.iter().map(|(n, v)| (n.clone(), Some(v.clone())));
        launch.env.extend(set);
        launch.env.extend(REMOVED.map(|name| (OsString::from(name), None)));
        let started = codex_sdk::launch(&self.config.host, launch).await;
        started.map_err(|error| {
            *self.face.found() = None;
            launch_error(&error)
        })
    }

    /// Says what Codex does not understand of the user's configuration.
    fn note_configuration(&self, message: &str) {
        let problem = ProviderProblem {
            kind: ProviderProblemKind::Configuration,
            message: shorten::line(&format!("Codex's configuration: {message}")),
        };
        self.face.status.send_if_modified(|status| {
            let new = !status.problems.contains(&problem) && status.problems.len() < MAX_PROBLEMS;
            if new {
                status.problems.push(problem);
            }
            new
        });
    }

    /// Stops the process and loses every session on it.
    pub(super) async fn end_server(&self, why: End) {
        let mut slot = self.slot.lock().await;
        self.stop(&mut slot, why).await;
    }

    async fn stop(&self, slot: &mut Slot, why: End) {
        let Some(running) = slot.running.take() else { return };
        let turns = self.router.turns();
        // First, so that turns end by this reason and not by what the end makes of them.
        self.let_go(&running, &why.error(NAME));
        let wedged = why == End::NotAnswering;
        if wedged {
            slot.failures.note(&why.reason(NAME));
        }
        let grace = if wedged { SHORT_GRACE } else { GRACE };
        running.server.stop(why.reason(NAME), grace).await;
        self.remember(Some(running.server.pid()), why.into(), None, turns);
    }

    /// Takes a process out that ended without being asked to.
    fn bury(&self, slot: &mut Slot) {
        let Some(running) = slot.running.take() else { return };
        let words = running.server.stderr();
        let from = words.len().saturating_sub(LAST_WORDS);
        let said = looks::plain(&words.get(from..).unwrap_or_default().join("; "));
        let pid = running.server.pid();
        tracing::warn!(pid, said, "codex app-server ended unexpectedly");
        let turns = self.router.turns();
        slot.failures.note(&said);
        self.let_go(&running, &errors::died(&said));
        self.remember(Some(pid), AgentEndReason::Died, Some(said), turns);
        self.face.status.send_modify(|status| {
            if status.state == ProviderState::Ready {
                "Codex ended unexpectedly; it is started again when it is needed"
                    .clone_into(&mut status.message);
            }
        });
    }

    /// Loses every session on a process that serves no more.
    fn let_go(&self, running: &Running, error: &TurnError) {
        running.gone.cancel();
        self.face.status.send_if_modified(|status| {
            let before = status.problems.len();
            status.problems.retain(|problem| problem.kind != ProviderProblemKind::NotAnswering);
            status.problems.len() != before
        });
        self.router.lost(running.generation, error);
        self.tell_running();
    }

    fn remember(&self, pid: Option<u32>, why: AgentEndReason, said: Option<String>, turns: u32) {
        let end = AgentEnd { at: now(), trusted: true, pid, why, said, turns };
        self.ends.remember(NAME, end);
    }

    fn tell_running(&self) {
        let running = self.router.is_served();
        self.face
            .status
            .send_if_modified(|status| std::mem::replace(&mut status.running, running) != running);
    }

    /// Forgets earlier ends: a person wants it tried again.
    pub(super) async fn forgive(&self) {
        self.slot.lock().await.failures.forgive();
    }

    /// Stops the process when no session is open and it was not asked for lately.
    async fn end_unused(&self, generation: Generation) -> bool {
        let mut slot = self.slot.lock().await;
        let lately = slot.wanted.is_some_and(|at| at.elapsed() < self.config.unused);
        let unused = slot.serves(generation) && !lately && self.router.is_unused();
        if unused {
            self.stop(&mut slot, End::Unused).await;
        }
        unused
    }

    /// The process that runs, and how earlier ones ended.
    pub(super) async fn report(&self) -> AgentReport {
        // One that is being started or ended is waited for.
        let running = self.slot.lock().await.running.clone();
        let process = running.map(|running| {
            let sample = *running.sample.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            AgentProcess {
                trusted: true,
                pid: Some(running.server.pid()),
                url: "stdio".to_owned(),
                version: running.server.about().version().to_owned(),
                since: running.since,
                answering: running.answering.load(Ordering::Relaxed),
                memory_bytes: sample.map(|sample| sample.memory_bytes),
                cpu_percent: sample.map(|sample| sample.cpu_percent),
                sessions: self.router.sessions(),
                turns: self.router.turns(),
                directories: 0,
            }
        });
        self.ends.report(process.into_iter().collect())
    }

    /// Ends the process and starts it anew.
    pub(super) async fn restart(self: &Arc<Self>, force: bool) -> Result<(), RestartError> {
        if let Some(why) = self.barred() {
            return Err(RestartError::Failed(why.refusal(NAME)));
        }
        let turns = self.router.turns();
        if turns > 0 && !force {
            return Err(RestartError::Busy { turns });
        }
        self.end_server(End::Restarted).await;
        let status = self.look(true).await;
        match status.state {
            ProviderState::Ready | ProviderState::SignedOut => Ok(()),
            ProviderState::Unknown
            | ProviderState::Disabled
            | ProviderState::NotInstalled
            | ProviderState::WrongProgram
            | ProviderState::TooOld
            | ProviderState::Broken => {
                Err(RestartError::Failed(unavailable(&status.message, status.fix.as_deref())))
            }
        }
    }
}

/// Passes on what a process says until it is gone.
async fn pump(shared: Arc<Shared>, running: Running, mut incoming: Told) {
    let (looks, mut wanted) = mpsc::channel::<String>(MAX_LOOKS);
    let seeker = {
        let (shared, server) = (shared.clone(), running.server.clone());
        tokio::spawn(async move {
            while let Some(thread) = wanted.recv().await {
                seek_parent(&shared, &server, &thread).await;
            }
        })
    };
    while let Some((told, bytes)) = incoming.recv_sized().await {
        running.heard.fetch_add(1, Ordering::Relaxed);
        match told {
            Incoming::Notification { method, params } => {
                let event = Event::read(&method, params);
                match &event.body {
                    EventBody::Account => shared.account_changed(),
                    EventBody::RateLimits(limits) => shared.note_limits(limits.clone()),
                    EventBody::Configuration { message, path: Some(_) } => {
                        shared.note_configuration(message);
                    }
                    _ => {}
                }
                if let Some(thread) = event.thread.clone() {
                    if event.body == EventBody::Deleted && !shared.router.is_open(&thread) {
                        // Nobody listens when no thread could have it.
                        let _ = shared.deletions.send(thread);
                        continue;
                    }
                    let refused =
                        shared.router.route(&thread, Frame::Event(Box::new(event)), bytes);
                    refuse(&running.server, refused).await;
                }
            }
            Incoming::Request { id, method, params } => {
                let ask = Ask::read(&method, &params);
                let thread = ask.thread.clone();
                let frame = Frame::Ask(Box::new(Asking { id, method, ask }));
                let mut refused = match &thread {
                    Some(thread) => shared.router.route(thread, frame, bytes),
                    None => vec![frame],
                };
                if let Some(thread) = thread.filter(|thread| !shared.router.is_open(thread)) {
                    // Of a sub-agent that no item named yet.
                    if let Err(TrySendError::Full(thread)) = looks.try_send(thread) {
                        refused.extend(shared.router.adopt(&thread, None));
                    }
                }
                refuse(&running.server, refused).await;
            }
        }
    }
    drop(looks);
    seeker.abort();
    // Its end is known in a moment, with its last words.
    let mut exit = running.server.exit();
    if tokio::time::timeout(ENDING, exit.wait()).await.is_err() {
        running.server.stop("it closed its output", SHORT_GRACE).await;
    }
    let mut slot = shared.slot.lock().await;
    if slot.serves(running.generation) {
        shared.bury(&mut slot);
    }
}

#[derive(Deserialize)]
struct ReadThread {
    thread: Thread,
}

/// Finds out whose sub-agent a thread is that asks something.
async fn seek_parent(shared: &Shared, server: &Server, thread: &str) {
    let params = json!({ "threadId": thread });
    let read: Result<ReadThread, Error> = server.client().request("thread/read", params).await;
    let parent = read.ok().and_then(|read| read.thread.parent_thread_id);
    let orphans = shared.router.adopt(thread, parent.as_deref());
    refuse(server, orphans).await;
}

/// Refuses requests that nobody is there for: Codex would wait for ever.
async fn refuse(server: &Server, frames: Vec<Frame>) {
    for frame in frames {
        if let Frame::Ask(asking) = frame {
            tracing::warn!(method = asking.method, "a request of Codex is nobody's");
            let _ = server.client().refuse(&asking.id, "nobody is there to answer it").await;
        }
    }
}

fn launch_error(error: &LaunchError) -> OpenError {
    let hint = match error {
        LaunchError::Spawn(_) => "check that the program can be run",
        LaunchError::Exited { .. } => {
            "if it names Codex's configuration, mend that; `codex doctor` in a terminal says more"
        }
        LaunchError::Timeout { .. } => "try again; the machine may be busy",
        LaunchError::Unusable(_) => "install a current Codex: npm install -g @openai/codex@latest",
    };
    let said = looks::plain(&error.to_string());
    unavailable(&format!("Codex could not be started: {said}"), Some(hint))
}
