//! Codex through `codex app-server`: one process for all threads and directories of a Baton.
//!
//! The folder holds the whole of what Baton knows about Codex: what it may do unasked (`access`),
//! how its events become a thread's (`mapper`), which thread an event is for (`router`), the
//! session's face and task (`session`), the process's life (`server`), whole sessions (`sessions`),
//! and what can be said of the installation and its models (`looking`, `models`). The wire itself
//! is `codex-sdk`'s.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use codex_sdk::types::Opened as NativeOpened;
use domain::{
    AgentReport, ErrorCode, Extras, ProviderCapabilities, ProviderId, ProviderSettings,
    ProviderStatus, Startup,
};
use serde_json::json;
use tokio::sync::{broadcast, mpsc, watch};

use crate::contract::unavailable;
use crate::shared::ends::{End, Ends};
use crate::shared::face::{self, Face};
use crate::shared::installs;
use crate::shared::places::must_be;
use crate::{
    Inventory, OpenError, OpenSession, Opened, Origin, Place, Provider, RestartError, Sessions,
};

mod access;
mod errors;
mod extras;
mod limits;
mod looking;
mod mapper;
mod models;
mod router;
mod server;
mod session;
mod sessions;
mod startup;

use limits::Limits;
use looking::Who;
use router::{NotJoined, Router};
use server::{Found, Held, Slot};
use session::{CodexSession, Inner};
use sessions::{CodexSessions, Waiting};

/// Events that may wait for a thread.
const MAX_EVENTS: usize = 1024;
/// Deletions of sessions that may wait to be looked at.
const MAX_DELETIONS: usize = 64;
/// How long a process's end may take to be known when an open failed on it.
const NOTICED: Duration = Duration::from_secs(1);

/// The provider's name.
pub const ID: &str = "codex";
/// What people call it.
const NAME: &str = "Codex";

/// What Codex needs of the machine; read once by whoever composes Baton.
#[derive(Debug, Clone)]
pub struct CodexConfig {
    /// Starts the processes.
    pub host: process::Host,
    /// Where programs are looked for: the value of `PATH`.
    pub path: OsString,
    /// A directory without a project, where the process is started.
    pub cwd: PathBuf,
    /// Variables set over the inherited environment; none for people, a home apart for tests.
    pub env: Vec<(OsString, OsString)>,
    /// How long the process is kept when no thread has a session open.
    pub unused: Duration,
    /// How often it is looked at what the process takes, and whether it is used.
    pub sample_every: Duration,
    /// How often a process that is used is asked whether it answers.
    pub check_every: Duration,
    /// How long that answer may take: milliseconds are usual (Codex 0.169.0).
    pub answer_within: Duration,
}

impl CodexConfig {
    /// With the times that are for people.
    #[must_use]
    pub fn new(host: process::Host, path: OsString, cwd: PathBuf) -> Self {
        Self {
            host,
            path,
            cwd,
            env: Vec::new(),
            unused: Duration::from_secs(600),
            sample_every: Duration::from_secs(15),
            check_every: Duration::from_secs(10),
            answer_within: Duration::from_secs(10),
        }
    }
}

/// The Codex provider. Cheap to clone.
#[derive(Clone)]
pub struct Codex(Arc<Shared>);

struct Shared {
    config: CodexConfig,
    face: Face<Found>,
    /// Who is signed in.
    who: Mutex<Who>,
    /// What the account may use, as last told.
    limits: Arc<Limits>,
    /// One reading of the models at a time, so that an older one never comes after a newer.
    reading: tokio::sync::Mutex<()>,
    /// One start or stop at a time of the process.
    slot: tokio::sync::Mutex<Slot>,
    router: Arc<Router>,
    /// How processes ended, and how many were started.
    ends: Ends,
    /// What is to be taken back before the next message of a session.
    waiting: Arc<Waiting>,
    /// The sessions that were deleted at Codex while they had no lane.
    deletions: broadcast::Sender<String>,
}

impl Codex {
    /// A Codex that has not been looked at yet; nothing is started.
    #[must_use]
    pub fn new(config: CodexConfig) -> Self {
        let capabilities = ProviderCapabilities {
            plan: true,
            steer: true,
            live_access: true,
            restart: true,
            attach: false,
        };
        Self(Arc::new(Shared {
            config,
            face: Face::new(ID, NAME, capabilities),
            who: Mutex::default(),
            limits: Arc::default(),
            reading: tokio::sync::Mutex::default(),
            slot: tokio::sync::Mutex::default(),
            router: Arc::default(),
            ends: Ends::default(),
            waiting: Arc::default(),
            deletions: broadcast::Sender::new(MAX_DELETIONS),
        }))
    }

    /// The process id of the running process.
    pub async fn server_pid(&self) -> Option<u32> {
        self.0.slot.lock().await.pid()
    }
}

impl Shared {
    /// A variable as Codex will see it.
    fn variable(&self, name: &str) -> Option<OsString> {
        let set = self.config.env.iter().find(|(known, _)| known == name);
        set.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
    }
}

impl installs::Installable for Shared {
    fn is_closed(&self) -> bool {
        self.face.closed.is_cancelled()
    }

    fn status(&self) -> ProviderStatus {
        self.face.status.borrow().clone()
    }

    fn wants_program(&self) -> bool {
        self.face.settings().enabled
    }

    fn find(&self) -> Option<PathBuf> {
        let configured = self.face.settings().binary;
        codex_sdk::find(configured.as_deref().map(Path::new), &self.config.path)
    }

    async fn look_again(self: Arc<Self>) {
        self.look(true).await;
    }
}

#[async_trait]
impl Provider for Codex {
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
        // Before anything is awaited.
        let now = self.0.face.configure(&settings);
        if now.first {
            tokio::spawn(installs::watch(Arc::downgrade(&self.0)));
        }
        if !settings.enabled {
            self.0.end_server(End::SwitchedOff).await;
        } else if now.moved {
            // They are opened again on the new program's process.
            self.0.router.rest_all();
        }
        let known = self.0.face.inventory.borrow().known;
        // What was named is checked at once, not when the models are next read.
        self.0.look(!known || now.moved || now.named).await;
    }

    async fn startup(&self, directory: &Path) -> Startup {
        let directory = directory.to_owned();
        let home = self.0.variable("HOME").map(PathBuf::from);
        face::startup(move || startup::look(&directory, home.as_deref())).await
    }

    async fn extras(&self, place: &Place) -> Result<Extras, OpenError> {
        self.0.extras(place).await
    }

    async fn warm(&self) {
        if let Err(error) = self.0.server().await {
            tracing::debug!(%error, "Codex could not be started ahead of time");
        }
    }

    async fn open(&self, request: OpenSession) -> Result<Opened, OpenError> {
        self.0.open(request).await
    }

    async fn restart(&self, force: bool) -> Result<(), RestartError> {
        self.0.restart(force).await
    }

    async fn report(&self) -> AgentReport {
        self.0.report().await
    }

    fn sessions(&self) -> Option<Arc<dyn Sessions>> {
        Some(Arc::new(CodexSessions(self.0.clone())))
    }

    async fn shutdown(&self) {
        self.0.face.closed.cancel();
        self.0.end_server(End::BatonEnds).await;
    }
}

impl Shared {
    async fn open(self: &Arc<Self>, request: OpenSession) -> Result<Opened, OpenError> {
        must_be(&request.workspace).await?;
        self.face.configured().await?;
        let held = self.server().await?;
        let server = held.server.clone();
        match self.open_on(held, &request).await {
            // A process that ended just now was still taken for one that runs.
            Err(_) if tokio::time::timeout(NOTICED, server.exit().wait()).await.is_ok() => {
                self.open_on(self.server().await?, &request).await
            }
            result => result,
        }
    }

    async fn open_on(
        self: &Arc<Self>,
        held: Held,
        request: &OpenSession,
    ) -> Result<Opened, OpenError> {
        let workspace = request.workspace.to_string_lossy().into_owned();
        let mut params = access::opening(request.access, &workspace, request.trusted);
        let client = held.server.client();
        let (opened, origin) = match &request.session {
            None => {
                let opened: Result<NativeOpened, _> = client.request("thread/start", params).await;
                (opened.map_err(|e| face::not_opened(NAME, &e))?, Origin::New)
            }
            Some(known) => {
                if self.router.is_open(known) {
                    return Err(not_joined(NotJoined::Taken));
                }
                params["threadId"] = json!(known);
                params["excludeTurns"] = json!(true);
                let opened: Result<NativeOpened, _> = client.request("thread/resume", params).await;
                match opened {
                    Ok(opened) => (opened, Origin::Resumed),
                    Err(error) => return Err(self.not_resumed(&held, known, &error).await),
                }
            }
        };
        let id = opened.thread.id;
        let Held { server, process, hold } = held;
        let joined = self.router.join(hold.generation, &id);
        let (lane, control) = joined.map_err(not_joined)?;
        let inner = Arc::new(Inner::new(
            id.clone(),
            server.client().clone(),
            self.router.clone(),
            request.workspace.clone(),
            process,
            request.access,
            self.waiting.clone(),
        ));
        self.router.attend(&id, &inner);
        drop(hold);
        let (out, events) = mpsc::channel(MAX_EVENTS);
        tokio::spawn(session::run(inner.clone(), lane, out));
        Ok(Opened { session: Arc::new(CodexSession { inner, control }), events, origin })
    }

    /// Why a session cannot be gone on with. Codex has one code for all of it, so whether the
    /// session is there at all is asked apart.
    async fn not_resumed(&self, held: &Held, id: &str, error: &codex_sdk::Error) -> OpenError {
        if error.outcome_unknown() {
            return face::not_opened(NAME, error);
        }
        let params = json!({ "threadId": id });
        match held.server.client().ask("thread/read", params).await {
            Err(codex_sdk::Error::Refused(_)) => face::gone(NAME),
            // It is there and cannot be written: another program has it open (0.169.0).
            Ok(_) => OpenError {
                code: ErrorCode::SessionBusy,
                message: format!("the session cannot be gone on with now: {error}"),
                hint: Some("close it in Codex's own interface, then send again".to_owned()),
            },
            Err(other) => face::not_opened(NAME, &other),
        }
    }
}

fn not_joined(why: NotJoined) -> OpenError {
    match why {
        NotJoined::Taken => face::taken(),
        NotJoined::Ended => {
            unavailable("Codex ended while the session was opened", Some("try again"))
        }
    }
}
