//! A server's events, passed on until it is gone.

use std::sync::Arc;
use std::time::Duration;

use kilo_sdk::{Event, EventStream, StreamItem};
use tokio::time::Instant;

use super::{GRACE, Running};
use crate::kilo::Shared;
use crate::kilo::router::{Fault, Frame};

/// Passes the server's events on until it is gone.
pub(super) async fn pump(shared: Arc<Shared>, mut stream: EventStream, running: Running) {
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
    let unused = shared.config.bounds.server_unused;
    let mut unused_since = Instant::now();
    let mut settling = Settling::default();
    loop {
        let item = tokio::select! {
            item = stream.next() => item,
            () = settling.done() => {
                shared.router.link(generation, Fault::Broken, false);
                continue;
            }
            () = tokio::time::sleep_until(unused_since + unused) => {
                if shared.end_unused(running.kind, generation).await {
                    return;
                }
                unused_since = Instant::now();
                continue;
            }
        };
        let Some(item) = item else { break };
        match item {
            StreamItem::Connected => settling.connected(),
            StreamItem::Event { envelope, raw, bytes } => {
                let changed = matches!(
                    envelope.event,
                    Event::CatalogUpdated | Event::IntegrationUpdated | Event::ConfigUpdated
                );
                if changed && refresh.is_finished() {
                    // Several changes come together; they are read once.
                    refresh = models(Duration::from_secs(1));
                }
                match (&envelope.event, envelope.directory.as_deref()) {
                    (Event::InstanceDisposed { directory }, _) => {
                        running.vitals.directories().remove(directory);
                    }
                    // What has no directory is told for this one.
                    (_, None | Some("global")) => {}
                    (_, Some(directory)) => running.vitals.touch(directory),
                }
                shared.tell_unknown(&running, &envelope.event);
                let deleted = match &envelope.event {
                    Event::SessionDeleted(session) if session.parent_id.is_none() => {
                        Some(session.id.as_str().to_owned())
                    }
                    _ => None,
                };
                if shared.router.route(generation, Frame::new(envelope, raw, bytes)) {
                    unused_since = Instant::now();
                } else if let Some(session) = deleted {
                    // Nobody listens when no engine does.
                    let _ = shared.deletions.send(session);
                }
            }
            StreamItem::Disconnected(why) if why.ended() => break,
            // A server that is being ended closes its stream before it exits.
            StreamItem::Disconnected(_) if !shared.router.serves(generation) => settling.broken(),
            StreamItem::Disconnected(why) => {
                settling.broken();
                tracing::warn!(?why, "the link to Kilo broke; connecting again");
                shared.router.link(generation, Fault::Broken, true);
            }
            StreamItem::Malformed { bytes, error } => {
                tracing::warn!(bytes, error, "an event of Kilo could not be read");
                // It may have been a request, or the end of anything.
                shared.router.missed(generation);
            }
        }
    }
    running.server.stop("its event stream ended", GRACE).await;
    let mut slot = shared.slots.lock(running.kind).await;
    // Otherwise it was ended on purpose, or found gone and replaced.
    if slot.serves(generation) {
        shared.bury(&mut slot);
    }
}

/// When an open stream counts as up: it may still miss events for a moment, and may break again
/// within it.
#[derive(Default)]
struct Settling {
    until: Option<Instant>,
}

impl Settling {
    fn connected(&mut self) {
        self.until = Some(Instant::now() + StreamItem::SETTLE);
    }

    fn broken(&mut self) {
        self.until = None;
    }

    /// Returns once for each connection that has lasted long enough.
    async fn done(&mut self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_link_that_breaks_again_before_it_has_settled_is_not_up() {
        let mut settling = Settling::default();
        settling.connected();
        assert!(timeout(StreamItem::SETTLE / 2, settling.done()).await.is_err());
        settling.broken();
        let long = StreamItem::SETTLE * 10;
        assert!(timeout(long, settling.done()).await.is_err(), "it is down");

        settling.connected();
        let again = Instant::now();
        timeout(long, settling.done()).await.unwrap();
        assert_eq!(again.elapsed(), StreamItem::SETTLE);
        assert!(timeout(long, settling.done()).await.is_err(), "it was told once");
    }
}
