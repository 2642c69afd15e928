//! Kilo through `kilo serve`: one server for all threads and directories of a Baton, and a second
//! one for the projects whose own configuration is not trusted.
//!
//! The folder holds the whole of what Baton knows about Kilo: which rules lie under every session
//! (`baseline`), how its events become a thread's (`mapper`), which session an event is for
//! (`router`), the session's face and task (`session`), the server's life (`server`), and what can
//! be said of the installation and its models (`looking`). The wire itself is `kilo-sdk`'s.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    AgentReport, ErrorCode, Extras, ProviderCapabilities, ProviderId, ProviderProblem,
    ProviderSettings, ProviderStatus, Startup, ThreadId,
};
use kilo_sdk::{NewSession, SessionId};
use tokio::sync::{broadcast, mpsc, watch};

use crate::contract::unavailable;
use crate::shared::ends::{End, Ends};
use crate::shared::face::{self, Face};
use crate::shared::installs;
use crate::shared::places::{must_be, on_disk};
use crate::{
    Inventory, OpenError, OpenSession, Opened, Origin, Place, Provider, RestartError, Sessions,
};

mod baseline;
mod bounds;
mod errors;
mod extras;
mod looking;
mod mapper;
mod models;
pub mod native_log;
mod problems;
mod router;
mod scratch;
mod server;
mod session;
mod sessions;
mod startup;
mod whereabouts;

pub use bounds::Bounds;

use native_log::NativeLog;
use problems::Source;
use router::{NotJoined, Router};
use server::{Found, Held, Kind, Slots};
use session::{Inner, KiloSession, Known};
use sessions::KiloSessions;

/// Events that may wait for a thread.
const MAX_EVENTS: usize = 1024;

/// Deletions of sessions that may wait to be looked at.
const MAX_DELETIONS: usize = 64;

/// How long a server's end may take to be known when an open failed on it.
const NOTICED: Duration = Duration::from_secs(1);

/// The provider's name.
pub const ID: &str = "kilo";
/// What people call it.
const NAME: &str = "Kilo";

/// The configuration with which a Kilo that Baton does not start has to be started to be used, as
/// `KILO_CONFIG_CONTENT`.
#[must_use]
pub fn rules() -> serde_json::Value {
    baseline::config()
}

/// What Kilo needs of the machine; read once by whoever composes Baton.
#[derive(Debug, Clone)]
pub struct KiloConfig {
    /// Starts the processes.
    pub host: process::Host,
    /// Where programs are looked for: the value of `PATH`.
    pub path: OsString,
    /// A directory without a project, where the server is started.
    pub cwd: PathBuf,
    /// Where programs keep their state (`~/.local/state`): Kilo's daemon tells there how to reach
    /// it.
    pub state: PathBuf,
    /// What the user's environment holds as `KILO_CONFIG_CONTENT`; it stays in force under ours.
    pub injected: Option<String>,
    /// Variables set over the inherited environment; none for people, a home apart for tests.
    pub env: Vec<(OsString, OsString)>,
    /// A folder of Baton's own for what Kilo unpacks; what is in it is removed. `None` to leave that
    /// where it is put.
    pub scratch: Option<PathBuf>,
    /// What is borne of the server before something is done about it.
    pub bounds: Bounds,
    /// Where native logs lie; `None` for none.
    pub native_log: Option<NativeLog>,
}

/// The Kilo provider. Cheap to clone.
#[derive(Clone)]
pub struct Kilo(Arc<Shared>);

struct Shared {
    config: KiloConfig,
    face: Face<Found>,
    /// The password of the server that the settings name.
    password: Mutex<Option<String>>,
    /// One reading of the models at a time, so that an older one never comes after a newer.
    reading: tokio::sync::Mutex<()>,
    /// One start or stop at a time of each server.
    slots: Slots,
    router: Arc<Router>,
    /// The sessions that were deleted at Kilo while they had no lane.
    deletions: broadcast::Sender<String>,
    /// How servers ended, and how many were started.
    ends: Ends,
    /// What is wrong although Kilo can be used, the latest last.
    problems: Mutex<Vec<(Source, ProviderProblem)>>,
}

impl Kilo {
    /// A Kilo that has not been looked at yet; nothing is started.
    #[must_use]
    pub fn new(config: KiloConfig) -> Self {
        // A Baton that was killed removed nothing.
        config.scratch.as_deref().inspect(|folder| scratch::remove(folder));
        let capabilities = ProviderCapabilities {
            plan: true,
            steer: true,
            live_access: true,
            restart: true,
            attach: true,
        };
        Self(Arc::new(Shared {
            config,
            face: Face::new(ID, NAME, capabilities),
            password: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            slots: Slots::default(),
            router: Arc::default(),
            deletions: broadcast::Sender::new(MAX_DELETIONS),
            ends: Ends::default(),
            problems: Mutex::default(),
        }))
    }
}

impl Kilo {
    /// The process id of the running server for trusted projects.
    pub async fn server_pid(&self) -> Option<u32> {
        self.0.slots.lock(Kind::Trusted).await.pid()
    }

    /// The process id of the running server for the other projects.
    pub async fn untrusted_server_pid(&self) -> Option<u32> {
        self.0.slots.lock(Kind::Untrusted).await.pid()
    }
}

impl Shared {
    /// The home directory that Kilo will see.
    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    fn password(&self) -> Option<String> {
        self.password.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn problems(&self) -> MutexGuard<'_, Vec<(Source, ProviderProblem)>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Provider for Kilo {
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

    fn entrust(&self, password: Option<String>) {
        *self.0.password.lock().unwrap_or_else(PoisonError::into_inner) = password;
    }

    async fn configure(&self, settings: ProviderSettings) {
        // Before anything is awaited.
        let now = self.0.face.configure(&settings);
        if now.first {
            tokio::spawn(installs::watch(Arc::downgrade(&self.0)));
        }
        if !settings.enabled {
            self.0.end_servers(End::SwitchedOff).await;
        } else if now.moved {
            // They are opened again on the new program's server.
            self.0.router.rest_all();
        }
        let known = self.0.face.inventory.borrow().known;
        // What was named is checked at once, not when the models are next read.
        self.0.look(!known || now.moved || now.named).await;
    }

    async fn startup(&self, directory: &Path) -> Startup {
        let directory = directory.to_owned();
        let home = self.0.home();
        face::startup(move || startup::look(&directory, home.as_deref())).await
    }

    async fn extras(&self, place: &Place) -> Result<Extras, OpenError> {
        self.0.extras(place).await
    }

    async fn warm(&self) {
        if let Err(error) = self.0.server(Kind::Trusted).await {
            tracing::debug!(%error, "Kilo could not be started ahead of time");
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
        Some(Arc::new(KiloSessions(self.0.clone())))
    }

    fn forget(&self, thread: &ThreadId) {
        if let Some(native) = &self.0.config.native_log {
            native.forget(thread);
        }
    }

    async fn shutdown(&self) {
        self.0.face.closed.cancel();
        self.0.end_servers(End::BatonEnds).await;
        self.0.config.scratch.as_deref().inspect(|folder| scratch::remove(folder));
    }
}

impl Shared {
    async fn open(self: &Arc<Self>, request: OpenSession) -> Result<Opened, OpenError> {
        workspace_of(&request.workspace, request.trusted).await?;
        self.face.configured().await?;
        let kind = Kind::of(request.trusted);
        let held = self.server(kind).await?;
        let server = held.server.clone();
        match self.open_on(held, &request).await {
            // A server that ended just now was still taken for one that runs.
            Err(_) if tokio::time::timeout(NOTICED, server.ended()).await.is_ok() => {
                self.open_on(self.server(kind).await?, &request).await
            }
            result => result,
        }
    }

    async fn open_on(
        self: &Arc<Self>,
        held: Held,
        request: &OpenSession,
    ) -> Result<Opened, OpenError> {
        let mode = domain::Mode::Build;
        let (held, resumed, origin) = match &request.session {
            None => (held, None, Origin::New),
            Some(known) => {
                let (workspace, trusted) = (request.workspace.clone(), request.trusted);
                let place = Place { workspace, trusted };
                let id = SessionId::from(known.as_str());
                let (held, session) = self.find(held, &place, &id).await?;
                (held, Some(session), Origin::Resumed)
            }
        };
        let Held { server, hold } = held;
        // A session works, and asks, where it was made; that may be below the thread's workspace.
        let made_in = resumed.as_ref().map(|session| session.directory.clone());
        let workspace = made_in.unwrap_or_else(|| request.workspace.to_string_lossy().into_owned());
        let instance = server.client().at(&workspace);
        let agents = instance.agents().await.map_err(|e| face::not_opened(NAME, &e))?;
        let mut loose = baseline::Loose::find(&agents);
        let config = instance.config().await.map_err(|e| face::not_opened(NAME, &e))?;
        let names: Vec<&str> = config.mcp.keys().map(String::as_str).collect();
        let servers = mapper::Servers::new(names.iter().copied());
        let (id, known) = match resumed {
            Some(session) => {
                loose = loose.with_session(&session.permission);
                let granted = baseline::grants(&session.permission, &loose);
                (session.id, Known::Resumed(granted))
            }
            None => {
                let new = NewSession {
                    agent: Some(session::agent(mode).to_owned()),
                    permission: baseline::rules(request.access, mode, &loose),
                    ..NewSession::default()
                };
                let made =
                    instance.create_session(&new).await.map_err(|e| face::not_opened(NAME, &e))?;
                (made.id, Known::New((request.access, mode)))
            }
        };
        let joined = self.router.join(hold.generation, &id);
        let (lane, control) = joined.map_err(not_joined)?;
        let native = self.config.native_log.as_ref();
        let log = native.and_then(|native| {
            let about = native_log::About { session: &id, workspace: &workspace, servers: &names };
            native.open(&request.thread, &about, request.access)
        });
        let mut inner = Inner::new(
            id,
            workspace,
            instance,
            self.router.clone(),
            (loose, servers),
            request.access,
            known,
        );
        inner.log = log.map(Arc::new);
        let inner = Arc::new(inner);
        self.router.attend(&inner.id, hold.generation, &inner);
        drop(hold);
        self.tell_configuration(&inner);
        let (out, events) = mpsc::channel(MAX_EVENTS);
        tokio::spawn(session::run(inner.clone(), lane, out));
        let models = self.face.inventory.subscribe();
        Ok(Opened { session: Arc::new(KiloSession { inner, control, models }), events, origin })
    }

    /// Says what Kilo does not understand of the configuration in a session's directory.
    fn tell_configuration(self: &Arc<Self>, inner: &Arc<Inner>) {
        let (shared, inner) = (self.clone(), inner.clone());
        tokio::spawn(async move {
            if let Ok(warnings) = inner.instance.config_warnings().await {
                let source = Source::Directory(inner.directory.clone());
                shared.set_problems(&source, problems::of_configuration(&warnings));
            }
        });
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
        let settings = self.face.settings();
        settings.enabled && settings.server.is_none()
    }

    fn find(&self) -> Option<PathBuf> {
        let configured = self.face.settings().binary;
        kilo_sdk::find(configured.as_deref().map(Path::new), &self.config.path)
    }

    async fn look_again(self: Arc<Self>) {
        self.look(true).await;
    }
}

/// The directory to work in: it is there, and Kilo leaves unread there what nobody trusted.
async fn workspace_of(directory: &Path, trusted: bool) -> Result<String, OpenError> {
    must_be(directory).await?;
    let path = directory.to_owned();
    if !trusted && let Some(file) = on_disk(directory, move || startup::unheld(&path)).await? {
        return Err(not_held_back(&file));
    }
    Ok(directory.to_string_lossy().into_owned())
}

fn not_held_back(file: &Path) -> OpenError {
    OpenError {
        code: ErrorCode::Rejected,
        message: format!(
            "Kilo would start the programs that {} names, although the project is not trusted",
            file.display()
        ),
        hint: Some(
            "look at what it would start and trust the project, or move that file away".to_owned(),
        ),
    }
}

fn not_joined(why: NotJoined) -> OpenError {
    match why {
        NotJoined::Taken => face::taken(),
        NotJoined::Ended => {
            unavailable("Kilo ended while the session was opened", Some("try again"))
        }
    }
}
