//! The life of `kilo serve`: started when needed, watched, restarted, stopped.
//!
//! There are two at most: one for the threads of trusted projects, and one, in which projects'
//! own configuration is left unread, for the others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{ErrorCode, ProviderState};
use kilo_sdk::{Installed, Server};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::Shared;
use super::router::{Generation, Hold};
use super::session::server_gone;
use crate::OpenError;

mod ends;
mod pump;
mod start;

pub(super) use ends::End;

/// Ends of the server that are forgiven within [`FORGIVEN_FOR`] before it is left alone.
const FORGIVEN: usize = 3;
const FORGIVEN_FOR: Duration = Duration::from_secs(300);
/// How long the server has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How long the server is kept when no thread has a session open: it takes half a gigabyte.
const UNUSED: Duration = Duration::from_secs(600);

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
    /// When servers ended without being asked to, the newest last.
    ends: VecDeque<Instant>,
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

impl Shared {
    /// The running server of a kind, started if there is none.
    pub(super) async fn server(self: &Arc<Self>, kind: Kind) -> Result<Held, OpenError> {
        let mut slot = self.slots.lock(kind).await;
        slot.wanted = Some(Instant::now());
        if let Some(why) = self.barred() {
            return Err(why.refusal());
        }
        if slot.running.as_ref().is_some_and(Running::is_gone) {
            self.bury(&mut slot);
        }
        let program = self.settings().binary;
        if let Some(running) = slot.running.as_ref().filter(|r| r.program != program) {
            if self.router.is_unused(running.generation) {
                self.stop(&mut slot, End::Moved).await;
            } else {
                self.router.rest(running.generation);
            }
        }
        let running = match slot.running.clone() {
            Some(running) => running,
            None => tokio::select! {
                biased;
                why = self.bar() => return Err(why.refusal()),
                started = self.find_and_start(kind, &mut slot) => started?,
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
    async fn find_and_start(
        self: &Arc<Self>,
        kind: Kind,
        slot: &mut Slot,
    ) -> Result<Running, OpenError> {
        slot.forgive()?;
        let program = self.settings().binary;
        let known = self.found().clone().filter(|found| found.program == program);
        let found = match known {
            Some(found) => found,
            None => {
                let configured = program.is_some();
                let found = self.locate().await;
                let found = found.map_err(|error| start::not_found(&error, configured))?;
                self.found().insert(found).clone()
            }
        };
        match self.start(kind, &found.installed).await {
            Ok((server, stream)) => {
                let (server, generation) = (Arc::new(server), self.router.begin());
                let running = Running { kind, server, generation, program: found.program };
                slot.running = Some(running.clone());
                self.tell_running();
                tokio::spawn(pump::pump(self.clone(), stream, running.clone()));
                Ok(running)
            }
            Err(error) => {
                slot.note_end();
                *self.found() = None;
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
        let lately = slot.wanted.is_some_and(|at| at.elapsed() < UNUSED);
        let unused = slot.serves(generation) && !lately && self.router.is_unused(generation);
        if unused {
            self.stop(&mut slot, End::Unused).await;
        }
        unused
    }

    async fn stop(&self, slot: &mut Slot, why: End) {
        let Some(running) = slot.running.take() else { return };
        // First, so that turns end by this reason and not by what the server's end makes of them.
        self.router.lost(running.generation, &why.error());
        self.tell_running();
        running.server.stop(why.reason(), GRACE).await;
    }

    /// Takes a server out that ended without being asked to.
    fn bury(&self, slot: &mut Slot) {
        let Some(Running { server, generation, .. }) = slot.running.take() else { return };
        let said = server.stderr().pop().unwrap_or_default();
        tracing::warn!(pid = server.pid(), said, "kilo serve ended unexpectedly");
        slot.note_end();
        self.router.lost(generation, &server_gone(&said));
        self.tell_running();
        self.status.send_modify(|status| {
            if status.state == ProviderState::Ready {
                "Kilo ended unexpectedly; it is started again when it is needed"
                    .clone_into(&mut status.message);
            }
        });
    }

    fn tell_running(&self) {
        let running = self.router.is_served();
        self.status
            .send_if_modified(|status| std::mem::replace(&mut status.running, running) != running);
    }

    /// Forgets earlier ends: a person wants it tried again.
    pub(super) async fn forgive(&self) {
        for kind in Kind::BOTH {
            self.slots.lock(kind).await.ends.clear();
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

pub(super) fn unavailable(message: &str, hint: Option<&str>) -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
