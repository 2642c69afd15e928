//! Why a server ends, and what those are told who used or wanted it.

use domain::{ErrorCode, TurnError};

use super::unavailable;
use crate::OpenError;

/// Why a server is ended on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kilo) enum End {
    SwitchedOff,
    BatonEnds,
    /// The settings name another program; no session is open.
    Moved,
    /// No session is open.
    Unused,
}

impl End {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::SwitchedOff => "Kilo was switched off",
            Self::BatonEnds => "Baton ends",
            Self::Moved => "its settings changed",
            Self::Unused => "no thread needs it",
        }
    }

    /// What the turns that run are told.
    pub(super) fn error(self) -> TurnError {
        let hint = match self {
            Self::SwitchedOff => "switch it on in the settings and send the message again",
            Self::BatonEnds | Self::Moved | Self::Unused => "send the message again",
        };
        TurnError {
            code: ErrorCode::AgentDied,
            message: self.reason().to_owned(),
            hint: Some(hint.to_owned()),
            retryable: true,
        }
    }

    /// What those are told who want a server.
    pub(super) fn refusal(self) -> OpenError {
        match self {
            Self::SwitchedOff => {
                unavailable("Kilo is switched off", Some("switch it on in the settings"))
            }
            Self::BatonEnds | Self::Moved | Self::Unused => unavailable(self.reason(), None),
        }
    }
}
