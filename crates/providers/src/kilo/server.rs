//! The life of the one `kilo serve`: started when needed, watched, restarted, stopped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{ErrorCode, ProviderState, TurnError};
use kilo_sdk::{
    Client, Event, EventStream, Installed, Launch, LaunchError, LocateError, Server, StreamItem,
    StreamOptions,
};
use tokio::time::Instant;

use super::router::{Generation, Hold};
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

/// Where the server stands. Locked while one is being started or stopped.
#[derive(Default)]
pub(super) struct Slot {
    running: Option<Running>,
    /// When servers ended without being asked to, the newest last.
    ends: VecDeque<Instant>,
    /// What is installed, as last found.
    pub(super) found: Option<Found>,
    /// When a server was last asked for.
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
}

/// A server, kept from being ended as unused.
pub(super) struct Held {
    pub(super) server: Arc<Server>,
    pub(super) hold: Hold,
}

/// Why a server is ended on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    SwitchedOff,
    BatonEnds,
    /// The settings name another program; no session is open.
    Moved,
    /// No session is open.
    Unused,
}

impl Shared {
    /// The running server, started if there is none.
    pub(super) async fn server(self: &Arc<Self>) -> Result<Held, OpenError> {
        let mut slot = self.slot.lock().await;
        slot.wanted = Some(Instant::now());
        if let Some(why) = self.barred() {
            return Err(why.refusal());
        }
        if slot.running.as_ref().is_some_and(Running::is_gone) {
            self.bury(&mut slot);
        }
        let program = self.settings().binary;
        if slot.running.as_ref().is_some_and(|running| running.program != program) {
            if self.router.is_unused() {
                self.stop(&mut slot, End::Moved).await;
            } else {
                self.router.rest();
            }
        }
        let running = match slot.running.clone() {
            Some(running) => running,
            None => tokio::select! {
                biased;
                why = self.bar() => return Err(why.refusal()),
                started = self.find_and_start(&mut slot) => started?,
            },
        };
        // Under the lock of the slot, as every test for use: no end comes in between.
        Ok(Held { hold: self.router.hold(running.generation), server: running.server })
    }

    /// Why no server may run, if so.
    fn barred(&self) -> Option<End> {
        if self.closed.is_cancelled() {
            Some(End::BatonEnds)
        } else {
            (!self.settings().enabled).then_some(End::SwitchedOff)
        }
    }

    /// Waits until no server may run.
    async fn bar(&self) -> End {
        let mut settings = self.settings.subscribe();
        let off = async {
            let _ = settings.wait_for(|s| s.as_ref().is_some_and(|s| !s.enabled)).await;
        };
        tokio::select! {
            () = self.closed.cancelled() => End::BatonEnds,
            () = off => End::SwitchedOff,
        }
    }

    /// Starts a server. When this is dropped, the slot is as before and what was started is stopped.
    async fn find_and_start(self: &Arc<Self>, slot: &mut Slot) -> Result<Running, OpenError> {
        slot.forgive()?;
        let program = self.settings().binary;
        let found = match slot.found.clone().filter(|found| found.program == program) {
            Some(found) => found,
            None => {
                let configured = program.is_some();
                let found = self.locate().await.map_err(|error| not_found(&error, configured))?;
                slot.found.insert(found).clone()
            }
        };
        match self.start(&found.installed).await {
            Ok((server, stream)) => {
                let (server, generation) = (Arc::new(server), self.router.begin());
                let running = Running { server, generation, program: found.program };
                slot.running = Some(running.clone());
                self.status.send_modify(|status| status.running = true);
                tokio::spawn(pump(self.clone(), stream, running.clone()));
                Ok(running)
            }
            Err(error) => {
                slot.note_end();
                slot.found = None;
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

    /// Stops the server and loses every session on it. One that is being started is not waited
    /// for when the reason bars servers, which the caller has seen to.
    pub(super) async fn end_server(&self, why: End) {
        let mut slot = self.slot.lock().await;
        self.stop(&mut slot, why).await;
    }

    /// Stops the server when it is this one, no session is open and none was asked for lately.
    async fn end_unused(&self, generation: Generation) -> bool {
        let mut slot = self.slot.lock().await;
        let lately = slot.wanted.is_some_and(|at| at.elapsed() < UNUSED);
        let unused = slot.serves(generation) && !lately && self.router.is_unused();
        if unused {
            self.stop(&mut slot, End::Unused).await;
        }
        unused
    }

    async fn stop(&self, slot: &mut Slot, why: End) {
        let Some(running) = slot.running.take() else { return };
        // First, so that turns end by this reason and not by what the server's end makes of them.
        self.router.lost(running.generation, &why.error());
        self.status.send_modify(|status| status.running = false);
        running.server.stop(why.reason(), GRACE).await;
    }

    /// Takes a server out that ended without being asked to.
    fn bury(&self, slot: &mut Slot) {
        let Some(Running { server, generation, .. }) = slot.running.take() else { return };
        let said = server.stderr().pop().unwrap_or_default();
        tracing::warn!(pid = server.pid(), said, "kilo serve ended unexpectedly");
        slot.note_end();
        self.router.lost(generation, &server_gone(&said));
        self.status.send_modify(|status| {
            status.running = false;
            if status.state == ProviderState::Ready {
                "Kilo ended unexpectedly; it is started again when it is needed"
                    .clone_into(&mut status.message);
            }
        });
    }

    /// Forgets earlier ends: a person wants it tried again.
    pub(super) async fn forgive(&self) {
        self.slot.lock().await.ends.clear();
    }
}

impl Slot {
    pub(super) fn pid(&self) -> Option<u32> {
        self.running.as_ref().filter(|running| !running.is_gone()).map(|r| r.server.pid())
    }

    fn serves(&self, generation: Generation) -> bool {
        self.running.as_ref().is_some_and(|running| running.generation == generation)
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

impl Running {
    fn is_gone(&self) -> bool {
        self.server.exit().get().is_some()
    }
}

impl End {
    fn reason(self) -> &'static str {
        match self {
            Self::SwitchedOff => "Kilo was switched off",
            Self::BatonEnds => "Baton ends",
            Self::Moved => "its settings changed",
            Self::Unused => "no thread needs it",
        }
    }

    /// What the turns that run are told.
    fn error(self) -> TurnError {
        let hint = match self {
            Self::SwitchedOff => "switch it on in the settings and send the message again",
            Self::BatonEnds | Self::Moved | Self::Unused => "send the message again",
        };
        TurnError {
            code: ErrorCode::AgentDied,
            message: self.reason().to_owned(),
            hint: Some(hint.to_owned()),
            retryable: true,
        }
    }

    /// What those are told who want a server.
    fn refusal(self) -> OpenError {
        match self {
            Self::SwitchedOff => {
                unavailable("Kilo is switched off", Some("switch it on in the settings"))
            }
            Self::BatonEnds | Self::Moved | Self::Unused => unavailable(self.reason(), None),
        }
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
async fn pump(shared: Arc<Shared>, mut stream: EventStream, running: Running) {
    let generation = running.generation;
    let models = |after: Duration| {
        let (shared, server) = (shared.clone(), running.server.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            if shared.router.serves(generation) {
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
                if shared.end_unused(generation).await {
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
                    router.link(generation, false);
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
                if shared.router.route(generation, envelope) {
                    unused_since = Instant::now();
                }
            }
            StreamItem::Disconnected(why) if why.ended() => break,
            // A server that is being ended closes its stream before it exits.
            StreamItem::Disconnected(_) if !shared.router.serves(generation) => {}
            StreamItem::Disconnected(why) => {
                tracing::warn!(?why, "the link to Kilo broke; connecting again");
                shared.router.link(generation, true);
            }
            StreamItem::Malformed { bytes, error } => {
                tracing::warn!(bytes, error, "an event of Kilo could not be read");
            }
        }
    }
    running.server.stop("its event stream ended", GRACE).await;
    let mut slot = shared.slot.lock().await;
    // Otherwise it was ended on purpose, or found gone and replaced.
    if slot.serves(generation) {
        shared.bury(&mut slot);
    }
}

fn not_found(error: &LocateError, configured: bool) -> OpenError {
    let said = looking::describe(error, configured);
    let hint = said.fix.map(|command| format!("run `{command}` in a terminal"));
    unavailable(&said.message, hint.as_deref())
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
        LaunchError::Exited { .. } => {
            "if it names a file of Kilo's configuration, mend that; `kilo serve` in a terminal says the same"
        }
        LaunchError::Timeout { .. } => "try again; the machine may be busy",
        LaunchError::Unsupported { .. } => "install a current Kilo: npm install -g @kilocode/cli",
        LaunchError::Unprotected { .. } | LaunchError::Unhealthy(_) => {
            "install a current Kilo: npm install -g @kilocode/cli@latest"
        }
    };
    let said = looking::plain(&error.to_string());
    unavailable(&format!("Kilo could not be started: {said}"), Some(hint))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
