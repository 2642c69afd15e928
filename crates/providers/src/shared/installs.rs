//! A program that is installed, updated or repaired while it cannot be used is looked at by itself.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use domain::{ProviderState, ProviderStatus};

/// How often the program is looked for; that takes microseconds.
const STEP: Duration = Duration::from_secs(3);

/// What the program is known by; `None` when there is none.
type Mark = Option<(u64, Option<SystemTime>)>;

/// A provider whose program may be installed while Baton runs.
pub(crate) trait Installable: Send + Sync + 'static {
    /// Whether Baton ends.
    fn is_closed(&self) -> bool;
    /// What is said of it now.
    fn status(&self) -> ProviderStatus;
    /// Whether a program on this machine is wanted at all.
    fn wants_program(&self) -> bool;
    /// Where the program is, without starting anything.
    fn find(&self) -> Option<PathBuf>;
    /// Looks again whether it can be used.
    fn look_again(self: Arc<Self>) -> impl Future<Output = ()> + Send;
}

/// Looks for the program for as long as Baton runs, while it cannot be used.
pub(crate) async fn watch<P: Installable>(shared: Weak<P>) {
    let mut seen = None;
    loop {
        tokio::time::sleep(STEP).await;
        let Some(shared) = shared.upgrade().filter(|s| !s.is_closed()) else { return };
        if !shared.wants_program() || is_usable(shared.status().state) {
            seen = None;
            continue;
        }
        // A directory that does not answer holds up this watch alone.
        let Some(mark) = mark_program(shared.clone()).await else { return };
        let none = shared.status().state == ProviderState::NotInstalled;
        // Else the first mark is taken to be of what the last look found.
        let before = seen.replace(mark).unwrap_or(if none { None } else { mark });
        if before != mark {
            shared.look_again().await;
        }
    }
}

/// Whether another program would not help.
fn is_usable(state: ProviderState) -> bool {
    match state {
        ProviderState::NotInstalled
        | ProviderState::WrongProgram
        | ProviderState::TooOld
        | ProviderState::Broken => false,
        ProviderState::Unknown
        | ProviderState::Disabled
        | ProviderState::SignedOut
        | ProviderState::Ready => true,
    }
}

async fn mark_program<P: Installable>(shared: Arc<P>) -> Option<Mark> {
    let mark = move || {
        let program = shared.find()?.metadata().ok()?;
        Some((program.len(), program.modified().ok()))
    };
    tokio::task::spawn_blocking(mark).await.ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use domain::{ProviderSettings, ProviderState, ProviderStatus};
    use tokio::sync::watch;

    use crate::Provider as _;
    use crate::kilo::{Bounds, Kilo, KiloConfig};

    async fn until(
        status: &mut watch::Receiver<ProviderStatus>,
        what: impl FnMut(&ProviderStatus) -> bool,
    ) {
        let patience = std::time::Duration::from_secs(120);
        tokio::time::timeout(patience, status.wait_for(what)).await.expect("in time").unwrap();
    }

    #[tokio::test]
    async fn a_program_that_comes_or_changes_is_looked_at_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let kilo = Kilo::new(KiloConfig {
            host: process::Host::default(),
            path: dir.path().into(),
            cwd: dir.path().into(),
            state: dir.path().into(),
            injected: None,
            env: Vec::new(),
            scratch: None,
            bounds: Bounds::default(),
            native_log: None,
        });
        let mut status = kilo.status();
        kilo.configure(ProviderSettings::default()).await;
        assert_eq!(status.borrow().state, ProviderState::NotInstalled);

        let install = |version: &str| {
            // As npm does: whole at once, so that nobody finds a program that is being written.
            let (new, program) = (dir.path().join("new"), dir.path().join("kilo"));
            std::fs::write(&new, format!("#!/bin/sh\necho {version}\n")).unwrap();
            std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::rename(&new, &program).unwrap();
        };
        install("1.0.0");
        until(&mut status, |status| status.state == ProviderState::TooOld).await;
        install("7.70.7");
        until(&mut status, |status| status.version.as_deref() == Some("7.70.7")).await;
        kilo.shutdown().await;
    }
}
