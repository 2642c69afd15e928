//! What runs and how it ended, and the restart a person asks for.

use std::sync::Arc;

use domain::{AgentProcess, AgentReport, ProviderState};

use super::{End, Kind};
use crate::RestartError;
use crate::contract::unavailable;
use crate::kilo::{NAME, Shared};

impl Shared {
    /// The servers that run, and how earlier ones ended.
    pub(in crate::kilo) async fn report(&self) -> AgentReport {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut processes = Vec::new();
        for kind in Kind::BOTH {
            // One that is being started or ended is waited for.
            let Some(running) = self.slots.lock(kind).await.running.clone() else { continue };
            let sample = running.vitals.sample();
            processes.push(AgentProcess {
                trusted: kind == Kind::Trusted,
                pid: running.server.pid(),
                url: running.server.client().url().to_owned(),
                version: running.server.version().to_owned(),
                since: running.since,
                answering: running.vitals.is_answering(),
                memory_bytes: sample.map(|sample| sample.memory_bytes),
                cpu_percent: sample.map(|sample| sample.cpu_percent),
                sessions: count(self.router.sessions(running.generation)),
                turns: self.router.turns(running.generation),
                directories: count(running.vitals.directories().len()),
            });
        }
        self.ends.report(processes)
    }

    /// Ends the servers and starts the one for trusted projects anew; the other starts when it is
    /// needed.
    pub(in crate::kilo) async fn restart(
        self: &Arc<Self>,
        force: bool,
    ) -> Result<(), RestartError> {
        if let Some(why) = self.barred() {
            return Err(RestartError::Failed(why.refusal(NAME)));
        }
        let turns = self.router.all_turns();
        if turns > 0 && !force {
            return Err(RestartError::Busy { turns });
        }
        self.end_servers(End::Restarted).await;
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
