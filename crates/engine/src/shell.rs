//! The shell: the rows of the sidebar and the states of the providers, for everyone who follows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ProviderStatus, Settings, ShellChange, ShellSnapshot};
use store::Store;

use crate::EngineError;
use crate::actor::now;
use crate::engine::Providers;
use crate::feed::{Feed, Publish, Publisher, Source, Waiting};
use crate::heads::Heads;

/// A follower's view of the shell.
pub type ShellFeed = Feed<ShellSnapshot, ShellChange>;

/// What publishes the shell.
pub(crate) struct Shell {
    publisher: Mutex<Publisher<ShellChange>>,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { publisher: Mutex::new(Publisher::new(0)) }
    }

    /// Tells all followers. What is told is stored already.
    pub(crate) fn publish(&self, change: ShellChange) {
        let mut publisher = self.lock();
        let seq = publisher.seq() + 1;
        publisher.publish(seq, vec![change]);
    }

    fn lock(&self) -> MutexGuard<'_, Publisher<ShellChange>> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a shell feed's snapshots come from.
pub(crate) struct ShellSource {
    pub(crate) shell: Arc<Shell>,
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) heads: Arc<Heads>,
}

#[async_trait]
impl Source<ShellSnapshot, ShellChange> for ShellSource {
    async fn follow(&self, cursor: Option<u64>) -> Result<Arc<Waiting<ShellChange>>, EngineError> {
        Ok(self.shell.lock().follow(cursor))
    }

    async fn snapshot(&self) -> Result<(u64, ShellSnapshot), EngineError> {
        // Rows are stored before they are told, so what is read after the number is at least as
        // new as the number says; changes told again afterwards only repeat it.
        let seq = self.shell.lock().seq();
        let rows = self.store.shell().await?;
        let providers = self.providers.statuses();
        let settings = stored_settings(&self.store).await?;
        let storage = self.store.trouble().borrow().as_ref().map(ToString::to_string);
        Ok((
            seq,
            ShellSnapshot {
                projects: rows.projects,
                heads: self.heads.all(),
                threads: rows.threads,
                more_threads: rows.more_threads,
                providers,
                settings,
                storage,
            },
        ))
    }
}

const SETTINGS: &str = "settings";

/// The settings as they are stored, or as they come: also when what is stored cannot be read.
pub(crate) async fn stored_settings(store: &Store) -> Result<Settings, EngineError> {
    Ok(store.value(SETTINGS).await?.unwrap_or_default())
}

/// The settings as they are stored, or as they come when none are, to be stored anew.
pub(crate) async fn settings_to_change(store: &Store) -> Result<Settings, EngineError> {
    match store.value(SETTINGS).await? {
        Some(settings) => Ok(settings),
        None if store.has_value(SETTINGS).await? => Err(EngineError::SettingsUnreadable),
        None => Ok(Settings::default()),
    }
}

/// Stores the settings.
pub(crate) async fn store_settings(store: &Store, settings: &Settings) -> Result<(), EngineError> {
    Ok(store.put_value(SETTINGS, settings).await?)
}

/// How often it is tried to write while that fails, so that the end of the trouble is noticed.
const PROBE: Duration = Duration::from_secs(5);

/// Tells whenever Baton cannot write to its disk, and when it can again, until the store is gone.
pub(crate) async fn watch_storage(shell: Arc<Shell>, store: Store) {
    let mut trouble = store.trouble();
    while trouble.changed().await.is_ok() {
        let problem = trouble.borrow_and_update().as_ref().map(ToString::to_string);
        let fails = problem.is_some();
        shell.publish(ShellChange::Storage { problem });
        if !fails {
            continue;
        }
        // Whether it works again is known only by writing; what comes of it is told above.
        while matches!(trouble.has_changed(), Ok(false)) {
            tokio::time::sleep(PROBE).await;
            let _ = store.put_value("storage.probe", &now()).await;
        }
    }
}

impl Publish for ShellChange {
    fn weight(&self) -> usize {
        let held = match self {
            Self::Settings { settings } => settings.weight(),
            Self::Project { .. }
            | Self::ProjectRemoved { .. }
            | Self::Thread { .. }
            | Self::ThreadRemoved { .. }
            | Self::Provider { .. }
            | Self::Head { .. }
            | Self::Storage { .. }
            | Self::ModelsChanged { .. } => 512,
        };
        size_of::<Self>() + held
    }

    fn join(&mut self, next: &Self, _units: &mut u64) -> bool {
        match (self, next) {
            (Self::Thread { thread }, Self::Thread { thread: next }) if thread.id == next.id => {
                thread.clone_from(next);
                true
            }
            (Self::Provider { status }, Self::Provider { status: next })
                if same_provider(status, next) =>
            {
                status.clone_from(next);
                true
            }
            (Self::Head { head }, Self::Head { head: next }) if head.project == next.project => {
                head.clone_from(next);
                true
            }
            (Self::Settings { settings }, Self::Settings { settings: next }) => {
                settings.clone_from(next);
                true
            }
            (Self::Storage { problem }, Self::Storage { problem: next }) => {
                problem.clone_from(next);
                true
            }
            _ => false,
        }
    }
}

fn same_provider(a: &ProviderStatus, b: &ProviderStatus) -> bool {
    a.id == b.id
}
