//! Directories that nothing uses any more: their instances, with their MCP servers, are freed.
//!
//! Kilo keeps one instance for each directory it was ever asked about. Disposing of one stops what
//! runs in that directory and leaves the others alone (Kilo 7.7.7, measured), so it is done only
//! where nothing runs, turns of nobody's included.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Running, usage};
use crate::kilo::Shared;

/// How often it is looked, at most.
const STEP: Duration = Duration::from_secs(60);
/// How long the server may take to free one: 0.1 s is usual, MCP servers can take longer.
const DISPOSING: Duration = Duration::from_secs(10);

/// Frees what is unused, for as long as the server runs.
pub(super) async fn watch(shared: Arc<Shared>, running: Running) {
    let unused = shared.config.bounds.directory_unused;
    loop {
        tokio::time::sleep(STEP.min(unused / 2)).await;
        let used = shared.router.directories(running.generation);
        for directory in &used {
            running.vitals.touch(directory);
        }
        let stale: Vec<String> = {
            let known = running.vitals.directories();
            let stale = known.iter().filter(|(_, at)| at.elapsed() >= unused);
            stale.map(|(directory, _)| directory.clone()).collect()
        };
        for directory in stale {
            shared.free(&running, &directory).await;
        }
    }
}

impl Shared {
    async fn free(&self, running: &Running, directory: &str) {
        if !self.router.directories(running.generation).contains(directory) {
            self.renew(running, directory).await;
        }
    }

    /// Has an instance in which nothing runs made anew when it is used again; says whether that is
    /// done. Sessions that rest there are closed: what they have asked goes by what they read of the
    /// configuration when they were opened.
    pub(super) async fn renew(&self, running: &Running, directory: &str) -> bool {
        // Under the lock no session is opened there meanwhile.
        let slot = self.slots.lock(running.kind).await;
        let generation = running.generation;
        // What would be handed over to a session there waits until it is done.
        let sessions = self.router.sessions_in(generation, directory);
        let held: Option<Vec<_>> = sessions.iter().map(|session| session.hold()).collect();
        if !slot.serves(generation)
            || self.router.is_opening(generation)
            || held.is_none()
            || !usage::is_quiet(running, directory).await
        {
            return false;
        }
        let closed = sessions.iter().all(|session| session.close_unused());
        // Also those that were closed before one was found in use: each is opened again.
        self.router.rest_in(generation, directory);
        if !closed {
            return false;
        }
        let instance = running.server.client().at(directory);
        match timeout(DISPOSING, instance.dispose()).await {
            Ok(Ok(())) => tracing::debug!(directory, "an unused instance of Kilo was freed"),
            Ok(Err(error)) => tracing::warn!(directory, %error, "an instance could not be freed"),
            Err(_) => tracing::warn!(directory, "an instance was not freed in time"),
        }
        // What failed is tried again when the directory was used again; it ends with the server.
        running.vitals.directories().remove(directory);
        true
    }
}
