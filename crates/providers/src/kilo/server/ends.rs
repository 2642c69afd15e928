//! Why a server ends, what those are told who used or wanted it, and what is remembered of it.

use std::sync::PoisonError;

use domain::{AgentEnd, AgentEndReason, ErrorCode, TurnError};

use super::{Kind, unavailable};
use crate::OpenError;
use crate::kilo::Shared;

/// Ends that are remembered; the oldest are forgotten.
const MAX_ENDS: usize = 20;

/// Why a server is ended on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kilo) enum End {
    SwitchedOff,
    BatonEnds,
    /// The settings name another program; no session is open.
    Moved,
    /// No session is open.
    Unused,
    /// A person wants it started anew.
    Restarted,
    /// It keeps its port open and answers nothing.
    NotAnswering,
    /// It takes too much memory; no turn runs.
    TooLarge,
    /// It keeps a processor busy; no turn runs.
    Spinning,
}

impl End {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::SwitchedOff => "Kilo was switched off",
            Self::BatonEnds => "Baton ends",
            Self::Moved => "its settings changed",
            Self::Unused => "no thread needs it",
            Self::Restarted => "Kilo was restarted",
            Self::NotAnswering => "Kilo no longer answered and was ended",
            Self::TooLarge => "Kilo took too much memory and was ended",
            Self::Spinning => "Kilo kept a processor busy for nothing and was ended",
        }
    }

    /// What the turns that run are told.
    pub(super) fn error(self) -> TurnError {
        let hint = match self {
            Self::SwitchedOff => "switch it on in the settings and send the message again",
            Self::NotAnswering => {
                "send the message again; Kilo is started anew and goes on in the same session"
            }
            Self::BatonEnds
            | Self::Moved
            | Self::Unused
            | Self::Restarted
            | Self::TooLarge
            | Self::Spinning => "send the message again",
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
            Self::BatonEnds
            | Self::Moved
            | Self::Unused
            | Self::Restarted
            | Self::NotAnswering
            | Self::TooLarge
            | Self::Spinning => unavailable(self.reason(), None),
        }
    }
}

impl From<End> for AgentEndReason {
    fn from(end: End) -> Self {
        match end {
            End::SwitchedOff => Self::SwitchedOff,
            End::BatonEnds => Self::BatonEnded,
            End::Moved => Self::SettingsChanged,
            End::Unused => Self::Unused,
            End::Restarted => Self::Restarted,
            End::NotAnswering => Self::NotAnswering,
            End::TooLarge => Self::Memory,
            End::Spinning => Self::Processor,
        }
    }
}

impl Shared {
    /// Remembers how a server ended.
    pub(super) fn remember(
        &self,
        kind: Kind,
        pid: Option<u32>,
        why: AgentEndReason,
        said: Option<String>,
        turns: u32,
    ) {
        let end = AgentEnd {
            at: crate::kilo::now(),
            trusted: kind == Kind::Trusted,
            pid,
            why,
            said: said.filter(|said| !said.is_empty()),
            turns,
        };
        tracing::info!(?end, "a server of Kilo ended");
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.push_front(end);
        ends.truncate(MAX_ENDS);
    }
}
