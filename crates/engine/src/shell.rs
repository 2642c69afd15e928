//! The shell: the rows of the sidebar and the states of the providers, for everyone who follows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{ProviderStatus, ShellChange, ShellSnapshot};
use store::Store;

use crate::EngineError;
use crate::engine::Providers;
use crate::feed::{Feed, Publish, Publisher, Source, Waiting};

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
        Ok((
            seq,
            ShellSnapshot {
                projects: rows.projects,
                threads: rows.threads,
                more_threads: rows.more_threads,
                providers,
            },
        ))
    }
}

impl Publish for ShellChange {
    fn weight(&self) -> usize {
        512
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
            _ => false,
        }
    }
}

fn same_provider(a: &ProviderStatus, b: &ProviderStatus) -> bool {
    a.id == b.id
}
