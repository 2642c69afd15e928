//! Why an agent process ends, what those are told who used or wanted it, and what is remembered of
//! it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::{AgentEnd, AgentEndReason, AgentProcess, AgentReport, ErrorCode, TurnError};

use crate::OpenError;
use crate::contract::unavailable;

/// Ends that are remembered; the oldest are forgotten.
const MAX_ENDS: usize = 20;

/// Why an agent process is ended on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
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
    /// It in a phrase; `who` is what people call the agent.
    pub(crate) fn reason(self, who: &str) -> String {
        match self {
            Self::SwitchedOff => format!("{who} was switched off"),
            Self::BatonEnds => "Baton ends".to_owned(),
            Self::Moved => "its settings changed".to_owned(),
            Self::Unused => "no thread needs it".to_owned(),
            Self::Restarted => format!("{who} was restarted"),
            Self::NotAnswering => format!("{who} no longer answered and was ended"),
            Self::TooLarge => format!("{who} took too much memory and was ended"),
            Self::Spinning => format!("{who} kept a processor busy for nothing and was ended"),
        }
    }

    /// What the turns that run are told.
    pub(crate) fn error(self, who: &str) -> TurnError {
        let hint = match self {
            Self::SwitchedOff => {
                "switch it on in the settings and send the message again".to_owned()
            }
            Self::NotAnswering => format!(
                "send the message again; {who} is started anew and goes on in the same session"
            ),
            Self::BatonEnds
            | Self::Moved
            | Self::Unused
            | Self::Restarted
            | Self::TooLarge
            | Self::Spinning => "send the message again".to_owned(),
        };
        TurnError {
            code: ErrorCode::AgentDied,
            message: self.reason(who),
            hint: Some(hint),
            retryable: true,
        }
    }

    /// What those are told who want the agent.
    pub(crate) fn refusal(self, who: &str) -> OpenError {
        match self {
            Self::SwitchedOff => {
                unavailable(&format!("{who} is switched off"), Some("switch it on in the settings"))
            }
            Self::BatonEnds
            | Self::Moved
            | Self::Unused
            | Self::Restarted
            | Self::NotAnswering
            | Self::TooLarge
            | Self::Spinning => unavailable(&self.reason(who), None),
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

/// How agent processes ended since Baton began, and how many were started.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The latest first.
    ends: Mutex<VecDeque<AgentEnd>>,
    starts: AtomicU32,
}

impl Ends {
    /// Remembers how a process ended, or that it did not start.
    pub(crate) fn remember(&self, who: &str, mut end: AgentEnd) {
        end.said = end.said.filter(|said| !said.is_empty());
        tracing::info!(?end, who, "an agent process ended");
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.push_front(end);
        ends.truncate(MAX_ENDS);
    }

    /// Notes that a process was started.
    pub(crate) fn started(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
    }

    /// What is known, beside the processes that run.
    pub(crate) fn report(&self, processes: Vec<AgentProcess>) -> AgentReport {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        AgentReport {
            processes,
            ends: ends.iter().cloned().collect(),
            starts: self.starts.load(Ordering::Relaxed),
        }
    }
}
