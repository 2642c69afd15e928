//! The life of `kilo serve`: started when needed, watched, restarted, stopped.
//!
//! There are two at most: one for the threads of trusted projects, and one, in which projects'
//! own configuration is left unread, for the others.

use std::sync::Arc;
use std::time::Duration;

use domain::{AgentEnd, AgentEndReason, ProviderState, Timestamp, TurnError};
use kilo_sdk::{EventStream, Installed};
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::router::{Generation, Hold};
use super::session::server_gone;
use super::{NAME, Shared, looking};
use crate::OpenError;
use crate::shared::ends::End;
use crate::shared::failures::Failures;
use crate::shared::{looks, now};

mod directories;
mod health;
mod host;
mod pump;
mod report;
mod sources;
mod start;
mod unknown;
mod usage;

pub(super) use host::Host;
use usage::Vitals;

/// How long the server has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// The same for one that answers nothing, and so hardly a signal.
const SHORT_GRACE: Duration = Duration::from_secs(1);
/// Lines of a dead server's last words that are told.
const LAST_WORDS: usize = 3;

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Projects' own configuration is in force.
    Trusted,
    /// Projects' own configuration is left unread, and nothing that it names is started.
    Untrusted,
}

/// Where the two servers stand. Each is locked while it is being started or stopped.
#[derive(Default)]
pub(super) struct Slots {
    trusted: Mutex<Slot>,
    untrusted: Mutex<Slot>,
}

/// Where a server stands.
#[derive(Default)]
pub(super) struct Slot {
    running: Option<Running>,
    failures: Failures,
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
    kind: Kind,
    server: Host,
    generation: Generation,
    /// What the settings named when it was started.
    wanted: Wanted,
    /// When it was ready.
    since: Timestamp,
    vitals: Arc<Vitals>,
    /// Cancelled when it serves no more.
    gone: CancellationToken,
}

/// What the settings want for a kind of server.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// A server of our own, by this program.
    Own(Option<String>),
    /// One that runs already.
    Attached { server: String, password: Option<String> },
}

/// A server, kept from being ended as unused.
pub(super) struct Held {
    pub(super) server: Host,
    pub(super) hold: Hold,
}

impl Shared {
    /// The running server of a kind, started if there is none.
    pub(super) async fn server(self: &Arc<Self>, kind: Kind) -> Result<Held, OpenError> {
        let mut slot = self.slots.lock(kind).await;
        slot.wanted = Some(Instant::now());
        if let Some(why) = self.barred() {
            return Err(why.refusal(NAME));
        }
        if slot.running.as_ref().is_some_and(Running::is_gone) {
            self.bury(&mut slot);
        }
        let wanted = self.wanted(kind);
        if let Some(running) = slot.running.as_ref().filter(|r| r.wanted != wanted) {
            let generation = running.generation;
            if self.router.turns(generation) == 0 && !self.router.is_opening(generation) {
                self.stop(&mut slot, End::Moved).await;
            } else {
                self.router.rest(generation);
            }
        }
        let running = match slot.running.clone() {
            Some(running) => running,
            None => tokio::select! {
                biased;
                why = self.bar() => return Err(why.refusal(NAME)),
                started = self.find_and_start(kind, &mut slot) => started?,
            },
        };
        // Under the lock of the slot, as every test for use: no end comes in between.
        Ok(Held { hold: self.router.hold(running.generation), server: running.server })
    }

    /// Why no server may run, if so.
    fn barred(&self) -> Option<End> {
        if self.face.closed.is_cancelled() {
            Some(End::BatonEnds)
        } else {
            (!self.face.settings().enabled).then_some(End::SwitchedOff)
        }
    }

    /// Waits until no server may run.
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

    /// Starts a server. When this is dropped, the slot is as before and what was started is stopped.
    async fn find_and_start(
        self: &Arc<Self>,
        kind: Kind,
        slot: &mut Slot,
    ) -> Result<Running, OpenError> {
        if let Err(error) = slot.failures.may_start(NAME) {
            if kind == Kind::Trusted {
                self.face.say(looks::broken(error.clone()));
            }
            return Err(error);
        }
        slot.failures.back_off().await;
        let wanted = self.wanted(kind);
        let started = match &wanted {
            Wanted::Own(program) => {
                let started = self.start_own(kind, program.clone()).await;
                started.map_err(|error| self.explained(kind, error))
            }
            Wanted::Attached { server, password } => self.attach(server, password.clone()).await,
        };
        match started {
            Ok((server, stream)) => {
                let running = Running {
                    kind,
                    server,
                    generation: self.router.begin(),
                    wanted,
                    since: now(),
                    vitals: Arc::default(),
                    gone: CancellationToken::new(),
                };
                slot.running = Some(running.clone());
                self.ends.started();
                self.tell_running();
                tokio::spawn(care(self.clone(), running.clone(), stream.heard()));
                tokio::spawn(pump::pump(self.clone(), stream, running.clone()));
                Ok(running)
            }
            Err(error) => {
                slot.failures.note(&error.message);
                let said = Some(error.message.clone());
                self.remember(kind, None, AgentEndReason::NotStarted, said, 0);
                Err(error)
            }
        }
    }

    /// What the settings want. Untrusted projects always get a server of our own: of another one
    /// it is not known whether it leaves their configuration unread.
    fn wanted(&self, kind: Kind) -> Wanted {
        let settings = self.face.settings();
        match settings.server {
            Some(server) if kind == Kind::Trusted => {
                Wanted::Attached { server, password: self.password() }
            }
            _ => Wanted::Own(settings.binary),
        }
    }

    /// Says of a server that did not start why another one is not used, when the settings name one.
    fn explained(&self, kind: Kind, error: OpenError) -> OpenError {
        if kind == Kind::Trusted || self.face.settings().server.is_none() {
            return error;
        }
        let message = format!(
            "the configuration of this project is not trusted, and only a Kilo that Baton starts \
             itself leaves it unread, not the server that the settings name; {}",
            error.message
        );
        let hint = "decide to trust the project's configuration to use that server";
        let hint =
            error.hint.map_or_else(|| hint.to_owned(), |other| format!("{hint}, or {other}"));
        OpenError { message, hint: Some(hint), ..error }
    }

    async fn start_own(
        &self,
        kind: Kind,
        program: Option<String>,
    ) -> Result<(Host, EventStream), OpenError> {
        let known = self.face.found().clone().filter(|found| found.program == program);
        let found = match known {
            Some(found) => found,
            None => {
                let configured = program.is_some();
                let found = self.locate().await;
                let found = found.map_err(|error| looking::REMEDIES.refusal(&error, configured))?;
                self.face.found().insert(found).clone()
            }
        };
        match self.start(kind, &found.installed).await {
            Ok((server, stream)) => Ok((Host::Own(Arc::new(server)), stream)),
            Err(error) => {
                *self.face.found() = None;
                Err(error)
            }
        }
    }

    /// Stops both servers and loses every session on them. One that is being started is not waited
    /// for when the reason bars servers, which the caller has seen to.
    pub(super) async fn end_servers(&self, why: End) {
        let end = |kind| async move {
            let mut slot = self.slots.lock(kind).await;
            self.stop(&mut slot, why).await;
        };
        tokio::join!(end(Kind::Trusted), end(Kind::Untrusted));
    }

    /// Stops a server on which no session is open and for which none was asked lately.
    async fn end_unused(&self, kind: Kind, generation: Generation) -> bool {
        let mut slot = self.slots.lock(kind).await;
        let lately = slot.wanted.is_some_and(|at| at.elapsed() < self.config.bounds.server_unused);
        let unused = slot.serves(generation) && !lately && self.router.is_unused(generation);
        if unused {
            self.stop(&mut slot, End::Unused).await;
        }
        unused
    }

    /// Stops a server, if it still is this one, and loses every session on it.
    async fn end_one(&self, kind: Kind, generation: Generation, why: End) {
        let mut slot = self.slots.lock(kind).await;
        if slot.serves(generation) {
            self.stop(&mut slot, why).await;
        }
    }

    async fn stop(&self, slot: &mut Slot, why: End) {
        let Some(running) = slot.running.take() else { return };
        let turns = self.router.turns(running.generation);
        if !running.server.is_own() {
            // It goes on without us, and so would they.
            let _ = timeout(GRACE, self.router.abort_all(running.generation)).await;
        }
        // First, so that turns end by this reason and not by what the server's end makes of them.
        self.let_go(&running, &why.error(NAME));
        let wedged = why == End::NotAnswering;
        if wedged {
            slot.failures.note(&why.reason(NAME));
        }
        running.server.stop(why.reason(NAME), if wedged { SHORT_GRACE } else { GRACE }).await;
        self.remember(running.kind, running.server.pid(), why.into(), None, turns);
    }

    /// Takes a server out that ended without being asked to.
    fn bury(&self, slot: &mut Slot) {
        let Some(running) = slot.running.take() else { return };
        let words = running.server.last_words();
        let from = words.len().saturating_sub(LAST_WORDS);
        let said = looks::plain(&words.get(from..).unwrap_or_default().join("; "));
        let pid = running.server.pid();
        tracing::warn!(?pid, said, "kilo serve ended unexpectedly");
        let turns = self.router.turns(running.generation);
        let error = server_gone(&said);
        slot.failures.note(&said);
        self.let_go(&running, &error);
        self.remember(running.kind, pid, AgentEndReason::Died, Some(said), turns);
        self.face.status.send_modify(|status| {
            if status.state == ProviderState::Ready {
                "Kilo ended unexpectedly; it is started again when it is needed"
                    .clone_into(&mut status.message);
            }
        });
    }

    /// Loses every session on a server that serves no more.
    fn let_go(&self, running: &Running, error: &TurnError) {
        running.gone.cancel();
        self.router.lost(running.generation, error);
        self.clear_problems(running.generation);
        self.tell_running();
    }

    /// Remembers how a server ended.
    fn remember(
        &self,
        kind: Kind,
        pid: Option<u32>,
        why: AgentEndReason,
        said: Option<String>,
        turns: u32,
    ) {
        let trusted = kind == Kind::Trusted;
        self.ends.remember(NAME, AgentEnd { at: now(), trusted, pid, why, said, turns });
    }

    fn tell_running(&self) {
        let running = self.router.is_served();
        self.face
            .status
            .send_if_modified(|status| std::mem::replace(&mut status.running, running) != running);
    }

    /// Forgets earlier ends: a person wants it tried again.
    pub(super) async fn forgive(&self) {
        for kind in Kind::BOTH {
            self.slots.lock(kind).await.failures.forgive();
        }
    }
}

impl Kind {
    const BOTH: [Self; 2] = [Self::Trusted, Self::Untrusted];

    /// The server for a project.
    pub(super) fn of(trusted: bool) -> Self {
        if trusted { Self::Trusted } else { Self::Untrusted }
    }
}

impl Slots {
    pub(super) async fn lock(&self, kind: Kind) -> MutexGuard<'_, Slot> {
        match kind {
            Kind::Trusted => self.trusted.lock().await,
            Kind::Untrusted => self.untrusted.lock().await,
        }
    }
}

impl Slot {
    pub(super) fn pid(&self) -> Option<u32> {
        self.running.as_ref().filter(|running| !running.is_gone()).and_then(|r| r.server.pid())
    }

    fn serves(&self, generation: Generation) -> bool {
        self.running.as_ref().is_some_and(|running| running.generation == generation)
    }
}

impl Running {
    fn is_gone(&self) -> bool {
        self.server.exit().is_some_and(|exit| exit.get().is_some())
    }
}

/// Looks after a server until it serves no more.
async fn care(shared: Arc<Shared>, running: Running, heard: watch::Receiver<Instant>) {
    let gone = running.gone.clone();
    let health = tokio::spawn(health::watch(shared.clone(), running.clone(), heard));
    let usage = tokio::spawn(usage::watch(shared.clone(), running.clone()));
    let own = running.server.is_own();
    // Others may count on what a server that is not ours keeps.
    let directories = tokio::spawn({
        let (shared, running) = (shared.clone(), running.clone());
        async move {
            if own {
                directories::watch(shared, running).await;
            }
        }
    });
    let sources = tokio::spawn(async move {
        if own {
            sources::watch(shared, running).await;
        }
    });
    gone.cancelled().await;
    for watch in [health, usage, directories, sources] {
        watch.abort();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
