//! The life of the one `kilo serve`: started when needed, watched, restarted, stopped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{ErrorCode, ProviderState};
use kilo_sdk::{
    Client, Event, EventStream, Installed, Launch, LaunchError, Server, StreamItem, StreamOptions,
};
use tokio::time::Instant;

use super::session::server_gone;
use super::{Shared, baseline, looking};
use crate::OpenError;

/// Ends of the server that are forgiven within [`FORGIVEN_FOR`] before it is left alone.
const FORGIVEN: usize = 3;
const FORGIVEN_FOR: Duration = Duration::from_secs(300);
/// How long the server has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How long the first connection of the event stream may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long the server is kept when no thread has a session open: it takes half a gigabyte.
const UNUSED: Duration = Duration::from_secs(600);
/// Variables that would undo the baseline: `KILO_PERMISSION` is merged above it, and under
/// another `KILO_CLIENT` Kilo has neither questions nor the plan checkpoint (7.7.7).
const REMOVED: [&str; 2] = ["KILO_PERMISSION", "KILO_CLIENT"];

/// Where the server stands. Locked while one is being started.
#[derive(Default)]
pub(super) struct Slot {
    server: Option<Arc<Server>>,
    /// When servers ended without being asked to, the newest last.
    ends: VecDeque<Instant>,
    /// What is installed, as last found.
    pub(super) installed: Option<Installed>,
    /// When a server was last asked for.
    wanted: Option<Instant>,
    /// The settings name another program than the one that runs.
    stale: bool,
}

impl Shared {
    /// The running server, started if there is none.
    pub(super) async fn server(self: &Arc<Self>) -> Result<Arc<Server>, OpenError> {
        let mut slot = self.slot.lock().await;
        slot.wanted = Some(Instant::now());
        if slot.stale && self.router.is_empty() {
            slot.stale = false;
            if let Some(server) = slot.server.take() {
                server.stop("its settings changed", GRACE).await;
            }
        } else if slot.stale {
            self.router.rest();
        }
        if let Some(server) = &slot.server
            && server.exit().get().is_none()
        {
            return Ok(server.clone());
        }
        if !self.settings().enabled {
            return Err(unavailable("Kilo is switched off", Some("switch it on in the settings")));
        }
        slot.forgive()?;
        let installed = match slot.installed.clone() {
            Some(installed) => installed,
            None => {
                let found = self.locate().await.map_err(|error| {
                    let said = looking::describe(&error);
                    unavailable(&said.message, said.fix.as_deref())
                })?;
                slot.installed.insert(found).clone()
            }
        };
        let started = self.start(&installed).await;
        match started {
            Ok((server, stream)) => {
                let server = Arc::new(server);
                slot.server = Some(server.clone());
                self.status.send_modify(|status| status.running = true);
                tokio::spawn(pump(self.clone(), stream, server.clone()));
                Ok(server)
            }
            Err(error) => {
                slot.note_end();
                slot.installed = None;
                Err(error)
            }
        }
    }

    async fn start(&self, installed: &Installed) -> Result<(Server, EventStream), OpenError> {
        std::fs::create_dir_all(&self.config.cwd).map_err(|error| {
            let said = format!("{} cannot be made: {error}", self.config.cwd.display());
            unavailable(&said, Some("check the rights of the data directory"))
        })?;
        let mut launch = Launch::new(installed, &self.config.cwd);
        launch.config = Some(baseline::over(self.config.injected.as_deref()));
        launch.env.extend(self.config.env.iter().map(|(n, v)| (n.clone(), Some(v.clone()))));
        launch.env.extend(REMOVED.map(|name| (name.into(), None)));
        let server =
            kilo_sdk::launch(&self.config.host, launch).await.map_err(|e| launch_error(&e))?;
        let options = StreamOptions { exit: Some(server.exit()), ..StreamOptions::default() };
        let mut stream = server.client().events(options);
        let ready = async {
            check_baseline(server.client()).await?;
            wait_connected(&mut stream).await
        };
        match ready.await {
            Ok(()) => Ok((server, stream)),
            Err(error) => {
                server.stop("it did not get ready", GRACE).await;
                Err(error)
            }
        }
    }

    /// Stops the server and closes every session.
    pub(super) async fn end_server(&self, reason: &'static str) {
        let server = self.slot.lock().await.server.take();
        if let Some(server) = server {
            server.stop(reason, GRACE).await;
            self.status.send_modify(|status| status.running = false);
        }
    }

    /// Stops the server when no session is open and none was asked for lately.
    async fn end_unused(&self) -> bool {
        let lately = self.slot.lock().await.wanted.is_some_and(|at| at.elapsed() < UNUSED);
        let unused = !lately && self.router.is_empty();
        if unused {
            self.end_server("no thread needs it").await;
        }
        unused
    }

    /// Lets a new server be started as soon as no turn runs on the present one, or `now`. Sessions
    /// that rest are closed; they are opened again on the new server.
    pub(super) async fn retire_server(&self, now: bool) {
        {
            let mut slot = self.slot.lock().await;
            slot.installed = None;
            slot.ends.clear();
            slot.stale = slot.server.is_some();
        }
        self.router.rest();
        if now {
            self.end_server("Kilo was switched off").await;
        }
    }

    /// Whether this server is the one in use, and not one that is being ended.
    async fn has(&self, server: &Arc<Server>) -> bool {
        self.slot.lock().await.server.as_ref().is_some_and(|s| Arc::ptr_eq(s, server))
    }

    /// Forgets earlier ends: a person wants it tried again.
    pub(super) async fn forgive(&self) {
        self.slot.lock().await.ends.clear();
    }
}

impl Slot {
    pub(super) fn pid(&self) -> Option<u32> {
        self.server.as_ref().filter(|s| s.exit().get().is_none()).map(|s| s.pid())
    }

    fn note_end(&mut self) {
        self.ends.push_back(Instant::now());
        while self.ends.len() > FORGIVEN {
            self.ends.pop_front();
        }
    }

    fn forgive(&mut self) -> Result<(), OpenError> {
        self.ends.retain(|at| at.elapsed() < FORGIVEN_FOR);
        if self.ends.len() < FORGIVEN {
            return Ok(());
        }
        let said = format!("Kilo ended {FORGIVEN} times within five minutes and is left alone");
        Err(unavailable(&said, Some("look at its state in the settings and check again")))
    }
}

/// Reads the permission rules back: no thread runs when Kilo did not take them.
async fn check_baseline(client: &Client) -> Result<(), OpenError> {
    let home = client.at_home();
    let config = home.config().await.map_err(|error| {
        unavailable(&format!("Kilo's configuration could not be read back: {error}"), None)
    })?;
    let Some(missing) = baseline::missing(&config) else { return Ok(()) };
    let warnings = home.config_warnings().await.unwrap_or_default();
    let said: Vec<_> =
        warnings.iter().map(|w| format!("{}: {}", w.path, w.message)).take(3).collect();
    Err(unavailable(
        &format!("Kilo did not take Baton's permission rules ({missing}), so nothing is run"),
        Some(if said.is_empty() { "check Kilo's configuration" } else { &said[0] }),
    ))
}

async fn wait_connected(stream: &mut EventStream) -> Result<(), OpenError> {
    let connected = async {
        while let Some(item) = stream.next().await {
            if matches!(item, StreamItem::Connected) {
                return true;
            }
        }
        false
    };
    match tokio::time::timeout(CONNECT, connected).await {
        Ok(true) => {
            tokio::time::sleep(StreamItem::SETTLE).await;
            Ok(())
        }
        Ok(false) | Err(_) => Err(unavailable("Kilo's event stream could not be opened", None)),
    }
}

/// Passes the server's events on until it is gone.
async fn pump(shared: Arc<Shared>, mut stream: EventStream, server: Arc<Server>) {
    let models = |after: Duration| {
        let (shared, server) = (shared.clone(), server.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            if shared.has(&server).await {
                shared.refresh_models(server.client()).await;
            }
        })
    };
    let mut refresh = models(Duration::ZERO);
    let mut unused_since = Instant::now();
    loop {
        let item = tokio::select! {
            item = stream.next() => item,
            () = tokio::time::sleep_until(unused_since + UNUSED) => {
                if shared.end_unused().await {
                    return;
                }
                unused_since = Instant::now();
                continue;
            }
        };
        let Some(item) = item else { break };
        match item {
            StreamItem::Connected => {
                let router = shared.router.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(StreamItem::SETTLE).await;
                    router.link(false);
                });
            }
            StreamItem::Event { envelope, .. } => {
                let changed = matches!(
                    envelope.event,
                    Event::CatalogUpdated | Event::IntegrationUpdated | Event::ConfigUpdated
                );
                if changed && refresh.is_finished() {
                    // Several changes come together; they are read once.
                    refresh = models(Duration::from_secs(1));
                }
                if shared.router.route(envelope) {
                    unused_since = Instant::now();
                }
            }
            StreamItem::Disconnected(why) if why.ended() => break,
            // A server that is being ended closes its stream before it exits.
            StreamItem::Disconnected(_) if !shared.has(&server).await => {}
            StreamItem::Disconnected(why) => {
                tracing::warn!(?why, "the link to Kilo broke; connecting again");
                shared.router.link(true);
            }
            StreamItem::Malformed { bytes, error } => {
                tracing::warn!(bytes, error, "an event of Kilo could not be read");
            }
        }
    }
    ended(&shared, &server).await;
}

/// Cleans up after a server that is gone, whoever ended it.
async fn ended(shared: &Arc<Shared>, server: &Arc<Server>) {
    server.stop("its event stream ended", GRACE).await;
    let said = server.stderr().pop().unwrap_or_default();
    let mut slot = shared.slot.lock().await;
    // Taken out already means that it was ended on purpose.
    let ours = slot.server.as_ref().is_some_and(|s| Arc::ptr_eq(s, server));
    if ours {
        slot.server = None;
        slot.note_end();
        tracing::warn!(pid = server.pid(), said, "kilo serve ended unexpectedly");
    }
    let running = slot.server.is_some();
    drop(slot);
    shared.status.send_modify(|status| {
        status.running = running;
        if ours && status.state == ProviderState::Ready {
            "Kilo ended unexpectedly; it is started again when it is needed"
                .clone_into(&mut status.message);
        }
    });
    if !running {
        shared.router.lost(&server_gone(&said));
    }
}

pub(super) fn unavailable(message: &str, hint: Option<&str>) -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

fn launch_error(error: &LaunchError) -> OpenError {
    let hint = match error {
        LaunchError::Spawn(_) | LaunchError::NoRandomness => "check that the program can be run",
        LaunchError::Exited { .. } => "run `kilo serve` in a terminal to see why it ends",
        LaunchError::Timeout { .. } => "try again; the machine may be busy",
        LaunchError::Unsupported { .. } => "install a current Kilo: npm install -g @kilocode/cli",
        LaunchError::Unprotected { .. } | LaunchError::Unhealthy(_) => {
            "install a current Kilo: npm install -g @kilocode/cli@latest"
        }
    };
    unavailable(&format!("Kilo could not be started: {error}"), Some(hint))
}
