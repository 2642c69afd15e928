//! What a provider shows of itself, whichever agent it drives: what a person set, what is said of
//! the installation, which models there are, and what of the account's limits is used.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_program::LocateError;
use domain::{
    ErrorCode, ProviderCapabilities, ProviderId, ProviderSettings, ProviderStatus, Startup,
    StartupProblem, UsageLimit,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::looks::{Remedies, Said};
use super::now;
use crate::contract::unavailable;
use crate::{Inventory, OpenError};

/// How long an open waits for the first settings, which are on their way when Baton starts.
const FIRST_SETTINGS: Duration = Duration::from_secs(10);

/// A provider's face; `F` is what its program is found to be.
pub(crate) struct Face<F> {
    /// What people call the agent.
    name: &'static str,
    /// What a person set; `None` until it was told once.
    pub(crate) settings: watch::Sender<Option<ProviderSettings>>,
    pub(crate) status: watch::Sender<ProviderStatus>,
    pub(crate) inventory: watch::Sender<Inventory>,
    /// One look at a time.
    pub(crate) looking: tokio::sync::Mutex<()>,
    /// What is installed, as last found.
    found: Mutex<Option<F>>,
    /// Cancelled when Baton ends: nothing is started any more.
    pub(crate) closed: CancellationToken,
}

/// What a change of the settings means.
pub(crate) struct Configured {
    /// They are the first.
    pub(crate) first: bool,
    /// Another program or server is to be used from now on.
    pub(crate) moved: bool,
    /// The models that a person named are others.
    pub(crate) named: bool,
}

impl<F> Face<F> {
    /// Of an agent that has not been looked at yet.
    pub(crate) fn new(
        id: &'static str,
        name: &'static str,
        capabilities: ProviderCapabilities,
    ) -> Self {
        let status =
            ProviderStatus { capabilities, ..ProviderStatus::new(ProviderId::known(id), name) };
        Self {
            name,
            settings: watch::Sender::default(),
            status: watch::Sender::new(status),
            inventory: watch::Sender::default(),
            looking: tokio::sync::Mutex::default(),
            found: Mutex::default(),
            closed: CancellationToken::new(),
        }
    }

    /// What a person set, or how it comes.
    pub(crate) fn settings(&self) -> ProviderSettings {
        self.settings.borrow().clone().unwrap_or_default()
    }

    /// Waits until a person's settings are known: nothing may run by others.
    pub(crate) async fn configured(&self) -> Result<(), OpenError> {
        let mut settings = self.settings.subscribe();
        let told = tokio::time::timeout(FIRST_SETTINGS, settings.wait_for(Option::is_some)).await;
        match told {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                let message = format!("{} has no settings yet", self.name);
                Err(unavailable(&message, Some("try again")))
            }
        }
    }

    /// Takes a person's settings. From here on an open goes by them, and a start is cut short.
    pub(crate) fn configure(&self, settings: &ProviderSettings) -> Configured {
        let before = self.settings.send_replace(Some(settings.clone()));
        self.status.send_modify(|status| status.settings.clone_from(settings));
        let program = |of: &ProviderSettings| (of.binary.clone(), of.server.clone());
        Configured {
            first: before.is_none(),
            moved: before.as_ref().is_some_and(|before| program(before) != program(settings)),
            named: before.is_some_and(|before| before.custom_models != settings.custom_models),
        }
    }

    /// Takes the models that were known before Baton was started, unless newer ones are.
    pub(crate) fn restore(&self, inventory: Inventory) {
        self.inventory.send_if_modified(|known| {
            let first = !known.known;
            if first {
                *known = inventory;
            }
            first
        });
    }

    /// Takes the models as they were read.
    pub(crate) fn fresh(&self, models: Inventory) {
        self.inventory.send_if_modified(|known| {
            let changed = *known != models;
            *known = models;
            changed
        });
    }

    /// Keeps the last good list, and says why it is not fresh.
    pub(crate) fn stale(&self, why: String) {
        self.inventory.send_modify(|known| known.problem = Some(why));
    }

    pub(crate) fn found(&self) -> MutexGuard<'_, Option<F>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the program that a look found.
    pub(crate) fn is_here(&self, found: F, program: &Path, version: &impl ToString) {
        self.status.send_modify(|status| {
            status.version = Some(version.to_string());
            status.binary = Some(program.display().to_string());
        });
        *self.found() = Some(found);
    }

    /// Takes note that there is no program to use, and says what that means.
    pub(crate) fn is_missing(&self, remedies: Remedies, error: &LocateError) -> Said {
        *self.found() = None;
        self.status.send_modify(|status| {
            status.version = None;
            status.binary = None;
        });
        remedies.describe(error, self.settings().binary.is_some())
    }

    /// Tells how much of what the account allows is used. It is asked while nobody else tells it, so
    /// that what is told last is the newest.
    pub(crate) fn tell_limits(&self, shown: impl FnOnce() -> Vec<UsageLimit>) {
        self.status.send_if_modified(|status| {
            let shown = shown();
            let changed = status.limits != shown;
            status.limits = shown;
            changed
        });
    }

    /// Ends a look with what it found.
    pub(crate) fn say(&self, said: Said) -> ProviderStatus {
        let models = self.inventory.borrow().usable();
        self.status.send_modify(|status| {
            status.state = said.state;
            status.message = said.message;
            status.fix = said.fix;
            status.models = u32::try_from(models).unwrap_or(u32::MAX);
            status.checking = false;
            status.checked_at = Some(now());
        });
        self.status.borrow().clone()
    }
}

/// Why a session is not gone on with that the agent of this name no longer has.
pub(crate) fn gone(name: &str) -> OpenError {
    OpenError {
        code: ErrorCode::SessionLost,
        message: format!("{name} no longer has this session: it was deleted there"),
        hint: Some("go on in a new session, which knows nothing of what was said".to_owned()),
    }
}

/// Why a session is not opened that the agent of this name did not open.
pub(crate) fn not_opened(name: &str, error: &impl std::fmt::Display) -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: format!("{name} could not open the session: {error}"),
        hint: Some(format!("try again; if it goes on, restart {name} in the settings")),
    }
}

/// Why a session is not opened in two threads.
pub(crate) fn taken() -> OpenError {
    OpenError {
        code: ErrorCode::SessionTaken,
        message: "the session is open in another thread".to_owned(),
        hint: Some("close that thread first".to_owned()),
    }
}

/// What a directory would start, read beside what else goes on. What could not be looked at is not
/// taken for nothing.
pub(crate) async fn startup(look: impl FnOnce() -> Startup + Send + 'static) -> Startup {
    let looked = tokio::task::spawn_blocking(look).await;
    looked.unwrap_or_else(|_| {
        let message = "its configuration could not be looked at".to_owned();
        Startup {
            problems: vec![StartupProblem { file: String::new(), message }],
            fingerprint: Some("unknown".to_owned()),
            ..Startup::default()
        }
    })
}
