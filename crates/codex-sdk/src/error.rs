use std::time::Duration;

use serde::Deserialize;

/// Longest text of an error that is kept, in bytes: of an unknown method Codex lists all others.
const MAX_MESSAGE: usize = 2_000;

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server's process or its pipes are gone. Whether the request was taken is unknown.
    #[error("codex app-server is gone")]
    Gone,
    /// It was not answered in time. Whether it was taken is unknown.
    #[error("codex app-server did not answer within {0:?}")]
    Timeout(Duration),
    /// It was refused.
    #[error("{0}")]
    Refused(RpcError),
    /// The answer is not what was expected.
    #[error("codex app-server answered {method} in a way that is not understood: {reason}")]
    Decode {
        /// The request.
        method: &'static str,
        /// What does not fit.
        reason: String,
    },
}

impl Error {
    /// Whether the request may have been carried out all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Gone | Self::Timeout(_) | Self::Decode { .. } => true,
            Self::Refused(_) => false,
        }
    }
}

/// A refusal. Nearly all have the code -32600, so that only the context tells what it means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// The code.
    #[serde(default)]
    pub code: i64,
    /// The reason in words.
    #[serde(default)]
    pub message: String,
}

impl RpcError {
    pub(crate) fn shortened(mut self) -> Self {
        if self.message.len() > MAX_MESSAGE {
            let end = self.message.floor_char_boundary(MAX_MESSAGE);
            self.message.truncate(end);
            self.message.push('…');
        }
        self
    }
}
