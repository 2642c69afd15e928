//! Claude Code through `claude` with stream-json: one process for each thread at work, started with
//! a message, ended when nothing was asked of it for long, resumed by its session.
//!
//! The folder holds the whole of what Baton knows about Claude Code: what it may do unasked
//! (`access`), how its frames become a thread's (`mapper`), the session's face, task and process
//! (`session`), what it keeps on disk (`transcripts`), and what can be said of the installation, the
//! sign-in and the models (`looking`). The wire itself is `claude-sdk`'s.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use claude_sdk::{Claude as Agent, Frames, Initialized, Installed, Launch, LaunchError};
use domain::{
    AgentEnd, AgentReport, Extras, ProviderCapabilities, ProviderId, ProviderSettings,
    ProviderStatus, Startup,
};
use process::Cause;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::shared::ends::{End, Ends};
use crate::shared::face::{self, Face};
use crate::shared::{installs, now, places};
use crate::{Inventory, OpenError, OpenSession, Opened, Origin, Place, Provider, Sessions};

mod access;
mod allowed;
mod errors;
mod extras;
mod limits;
mod looking;
mod loose;
mod mapper;
mod models;
mod names;
mod rules;
mod session;
mod sessions;
mod startup;
mod transcripts;

use mapper::Mapper;
use names::{Begin, Name};
use session::{ClaudeSession, Control, Inner, MAX_CONTROL, Task};
use sessions::ClaudeSessions;

/// The provider's name.
pub const ID: &str = "claude";
/// What people call it.
const NAME: &str = "Claude Code";

/// Events that may wait for a thread.
const MAX_EVENTS: usize = 1024;
/// How long the sessions may take to end with Baton.
const ENDING: Duration = Duration::from_secs(8);

/// What Claude Code needs of the machine; read once by whoever composes Baton.
#[derive(Debug, Clone)]
pub struct ClaudeConfig {
    /// Starts the processes.
    pub host: process::Host,
    /// Where programs are looked for: the value of `PATH`.
    pub path: OsString,
    /// A directory without a project, where it is started to be asked about itself.
    pub cwd: PathBuf,
    /// The user's home directory.
    pub home: PathBuf,
    /// Where it keeps its configuration and its sessions, when not in the home directory.
    pub config_dir: Option<PathBuf>,
    /// Variables set over the inherited environment; none for people, a home apart for tests.
    pub env: Vec<(OsString, OsString)>,
    /// Whether the environment keeps Claude Code from asking its model on the side (see
    /// [`is_quiet`]): then it is asked for no titles either.
    pub quiet: bool,
}

/// The Claude Code provider. Cheap to clone.
#[derive(Clone)]
pub struct Claude(Arc<Shared>);

struct Shared {
    config: ClaudeConfig,
    face: Face<Installed>,
    /// The sessions that are open, by the ids they were opened with.
    open: Mutex<HashMap<String, mpsc::Sender<Control>>>,
    allowed: allowed::Allowed,
    limits: limits::Limits,
    tasks: TaskTracker,
    ends: Ends,
    processes: Mutex<Vec<Process>>,
}

/// Whether variables keep Claude Code from asking its model for titles (2.1.197).
#[must_use]
pub fn is_quiet(variable: impl Fn(&str) -> Option<String>) -> bool {
    const QUIET: [&str; 2] =
        ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "CLAUDE_CODE_DISABLE_TERMINAL_TITLE"];
    QUIET
        .iter()
        .any(|name| variable(name).is_some_and(|value| !["", "0", "false"].contains(&value.trim())))
}

/// A process that runs.
struct Process {
    pid: u32,
    trusted: bool,
    since: domain::Timestamp,
    directory: PathBuf,
}

impl Claude {
    /// A Claude Code that has not been looked at yet; nothing is started.
    #[must_use]
    pub fn new(config: ClaudeConfig) -> Self {
        let capabilities = ProviderCapabilities {
            plan: true,
            steer: false,
            live_access: true,
            restart: true,
            attach: false,
        };
        Self(Arc::new(Shared {
            config,
            face: Face::new(ID, NAME, capabilities),
            open: Mutex::default(),
            allowed: allowed::Allowed::default(),
            limits: limits::Limits::default(),
            tasks: TaskTracker::new(),
            ends: Ends::default(),
            processes: Mutex::default(),
        }))
    }

    /// The process ids of the agents that run.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.0.processes().iter().map(|process| process.pid).collect()
    }
}

impl Shared {
    fn open_sessions(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Control>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Process>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory of its configuration and sessions.
    fn config_dir(&self) -> PathBuf {
        self.config.config_dir.clone().unwrap_or_else(|| self.config.home.join(".claude"))
    }

    /// The transcript of a session, which need not be there.
    fn transcript(&self, workspace: &Path, mapper: &Mapper) -> PathBuf {
        transcripts::file(&self.config_dir(), workspace, mapper.session())
    }

    /// Waits until a person's settings are known, and refuses when they switch it off.
    async fn usable(&self) -> Result<(), OpenError> {
        self.face.configured().await?;
        if !self.face.settings().enabled {
            return Err(End::SwitchedOff.refusal(NAME));
        }
        if self.face.closed.is_cancelled() {
            return Err(End::BatonEnds.refusal(NAME));
        }
        Ok(())
    }

    /// The program to run: that of the last look, or what is found now.
    async fn program(&self) -> Result<PathBuf, OpenError> {
        self.usable().await?;
        let known = self.face.found().as_ref().map(|found| found.program.clone());
        // It may have been taken away since.
        if let Some(program) = known.filter(|program| program.is_file()) {
            return Ok(program);
        }
        match self.locate().await {
            Ok(found) => {
                let program = found.program.clone();
                *self.face.found() = Some(found);
                Ok(program)
            }
            Err(error) => Err(errors::not_usable(&error.to_string())),
        }
    }

    /// Leaves a project's own configuration unread, unless a person trusts it: its hooks, MCP
    /// servers and helpers are programs.
    fn restrict(&self, launch: &mut Launch, trusted: bool) {
        if !trusted {
            launch.setting_sources = Some("user".to_owned());
            launch.strict_mcp_config = true;
        }
    }

    /// Starts a process, and watches over its end.
    async fn launch(
        self: &Arc<Self>,
        mut launch: Launch,
    ) -> Result<(Agent, Frames, Initialized), LaunchError> {
        let env = self.config.env.iter().cloned();
        launch.env.extend(env.map(|(name, value)| (name, Some(value))));
        let directory = launch.cwd.clone();
        let trusted = launch.setting_sources.is_none();
        let started = claude_sdk::launch(&self.config.host, launch).await;
        match &started {
            Ok((agent, _, _)) => {
                let process = Process { pid: agent.pid(), trusted, since: now(), directory };
                self.watch(agent, process);
            }
            Err(error) => self.ends.remember(
                NAME,
                AgentEnd {
                    at: now(),
                    trusted,
                    pid: None,
                    why: domain::AgentEndReason::NotStarted,
                    said: Some(error.to_string()),
                    turns: 0,
                },
            ),
        }
        started
    }

    fn watch(self: &Arc<Self>, agent: &Agent, process: Process) {
        let (pid, trusted) = (process.pid, process.trusted);
        self.ends.started();
        self.processes().push(process);
        self.tell_running();
        let (shared, mut exit) = (Arc::downgrade(self), agent.exit());
        tokio::spawn(async move {
            let exit = exit.wait().await;
            let Some(shared) = shared.upgrade() else { return };
            shared.processes().retain(|process| process.pid != pid);
            shared.tell_running();
            // One that was told to end, by its input or otherwise, is no news.
            let Some(exit) = exit.filter(|e| e.cause == Cause::Exited && !e.status.success())
            else {
                return;
            };
            let end = AgentEnd {
                at: now(),
                trusted,
                pid: Some(pid),
                why: domain::AgentEndReason::Died,
                said: Some(exit.stderr.join("\n")),
                turns: 0,
            };
            shared.ends.remember(NAME, end);
        });
    }

    fn tell_running(&self) {
        let running = !self.processes().is_empty();
        self.face
            .status
            .send_if_modified(|status| std::mem::replace(&mut status.running, running) != running);
    }

    /// Notes that a session is open no more.
    fn left(&self, id: &str) {
        self.open_sessions().remove(id);
    }

    async fn open(self: &Arc<Self>, request: OpenSession) -> Result<Opened, OpenError> {
        places::must_be(&request.workspace).await?;
        self.program().await?;
        let name = match &request.session {
            None => {
                let id = claude_sdk::random_uuid();
                let id = id.ok_or_else(|| errors::not_usable("there is no randomness"))?;
                Name { id, begin: Begin::New }
            }
            Some(known) => {
                let name = Name::parse(known);
                let file = transcripts::file(&self.config_dir(), &request.workspace, &name.id);
                let there = move || file.is_file();
                let there = places::on_disk(&request.workspace, there).await?;
                match name.begin {
                    Begin::Resume if !there => return Err(errors::gone()),
                    // It had its first message although that was not told.
                    _ if there => Name { id: name.id, begin: Begin::Resume },
                    Begin::New | Begin::Resume | Begin::Fork { .. } => name,
                }
            }
        };
        let origin = if request.session.is_some() { Origin::Resumed } else { Origin::New };
        let (control, wishes) = mpsc::channel(MAX_CONTROL);
        {
            let mut open = self.open_sessions();
            if open.get(&name.id).is_some_and(|open| !open.is_closed()) {
                return Err(face::taken());
            }
            open.insert(name.id.clone(), control.clone());
        }
        let inner = Arc::new(Inner::new(name.text(), request.access));
        let workspace = request.workspace.to_string_lossy().into_owned();
        let (out, events) = mpsc::channel(MAX_EVENTS);
        let task = Task {
            shared: self.clone(),
            inner: inner.clone(),
            out,
            mapper: Mapper::new(workspace, name.id.clone(), request.access),
            workspace: request.workspace,
            trusted: request.trusted,
            opened: name.id,
            begin: name.begin,
        };
        self.tasks.spawn(session::run(task, wishes));
        Ok(Opened { session: Arc::new(ClaudeSession { inner, control }), events, origin })
    }

    /// Ends the processes: of all sessions, or of those that do nothing.
    async fn end_processes(&self, end: End, force: bool) {
        let open: Vec<_> = self.open_sessions().values().cloned().collect();
        let mut ended = Vec::new();
        for control in open {
            let (reply, answer) = tokio::sync::oneshot::channel();
            if control.send(Control::Rest { end, force, reply }).await.is_ok() {
                ended.push(answer);
            }
        }
        for answer in ended {
            let _ = answer.await;
        }
    }
}

#[async_trait]
impl Provider for Claude {
    fn id(&self) -> ProviderId {
        ProviderId::known(ID)
    }

    fn status(&self) -> watch::Receiver<ProviderStatus> {
        self.0.face.status.subscribe()
    }

    fn inventory(&self) -> watch::Receiver<Inventory> {
        self.0.face.inventory.subscribe()
    }

    fn restore(&self, inventory: Inventory) {
        self.0.face.restore(inventory);
    }

    async fn detect(&self) -> ProviderStatus {
        self.0.look(true).await
    }

    async fn configure(&self, settings: ProviderSettings) {
        let now = self.0.face.configure(&settings);
        if now.first {
            tokio::spawn(installs::watch(Arc::downgrade(&self.0)));
        }
        if !settings.enabled {
            self.0.end_processes(End::SwitchedOff, true).await;
        } else if now.moved {
            *self.0.face.found() = None;
            self.0.end_processes(End::Moved, false).await;
        }
        self.0.name_models();
        let known = self.0.face.inventory.borrow().known;
        self.0.look(!known || now.moved).await;
    }

    async fn startup(&self, directory: &Path) -> Startup {
        let (directory, home) = (directory.to_owned(), self.0.config.home.clone());
        face::startup(move || startup::look(&directory, &home)).await
    }

    async fn extras(&self, place: &Place) -> Result<Extras, OpenError> {
        self.0.extras(place).await
    }

    async fn warm(&self) {
        // A process belongs to a thread, and is ready within a second: there is none to be started
        // for whatever thread it will be. What it takes to start one is looked up.
        if let Err(error) = self.0.program().await {
            tracing::debug!(%error, "Claude Code could not be looked for ahead of time");
        }
    }

    async fn open(&self, request: OpenSession) -> Result<Opened, OpenError> {
        self.0.open(request).await
    }

    async fn restart(&self, force: bool) -> Result<(), crate::RestartError> {
        self.0.end_processes(End::Restarted, force).await;
        Ok(())
    }

    async fn report(&self) -> AgentReport {
        self.0.report().await
    }

    fn sessions(&self) -> Option<Arc<dyn Sessions>> {
        Some(Arc::new(ClaudeSessions(self.0.clone())))
    }

    async fn shutdown(&self) {
        self.0.face.closed.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(ENDING, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("a session of Claude Code did not end in time");
        }
    }
}
