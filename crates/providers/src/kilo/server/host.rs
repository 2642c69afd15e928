//! The server behind the sessions: one of our own, or one that somebody else started.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use kilo_sdk::{Client, Health, Server};
use process::{Exit, ExitWatch, Usage};

/// A server that is used.
#[derive(Clone)]
pub(in crate::kilo) enum Host {
    /// Baton started it and ends it.
    Own(Arc<Server>),
    /// A person started it. It is neither ended nor tidied up.
    Attached(Arc<(Client, Health)>),
}

impl Host {
    pub(in crate::kilo) fn client(&self) -> &Client {
        match self {
            Self::Own(server) => server.client(),
            Self::Attached(server) => &server.0,
        }
    }

    pub(in crate::kilo) fn version(&self) -> &str {
        match self {
            Self::Own(server) => &server.health().version,
            Self::Attached(server) => &server.1.version,
        }
    }

    pub(in crate::kilo) fn is_own(&self) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Attached(_) => false,
        }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Own(server) => Some(server.pid()),
            Self::Attached(_) => None,
        }
    }

    pub(super) fn exit(&self) -> Option<ExitWatch> {
        match self {
            Self::Own(server) => Some(server.exit()),
            Self::Attached(_) => None,
        }
    }

    /// Waits for its end; for ever when that cannot be known.
    pub(in crate::kilo) async fn ended(&self) -> Option<Exit> {
        match self.exit() {
            Some(mut exit) => exit.wait().await,
            None => std::future::pending().await,
        }
    }

    /// What it takes of the machine; nothing of one that is not ours. Blocks for milliseconds.
    pub(super) fn usage(&self) -> Option<Usage> {
        match self {
            Self::Own(server) => server.usage(),
            Self::Attached(_) => None,
        }
    }

    /// The last lines it wrote to standard error.
    pub(super) fn last_words(&self) -> Vec<String> {
        match self {
            Self::Own(server) => server.stderr(),
            Self::Attached(_) => Vec::new(),
        }
    }

    /// Stops it if it is ours.
    pub(super) async fn stop(&self, reason: impl Into<Cow<'static, str>>, grace: Duration) {
        match self {
            Self::Own(server) => {
                server.stop(reason, grace).await;
            }
            Self::Attached(_) => {}
        }
    }
}
