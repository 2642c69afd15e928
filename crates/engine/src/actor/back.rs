//! Going back to before a message: the row and the agent, kept the same.
//!
//! The row comes first when the conversation goes back and last when that is undone, so that an end
//! of Baton in between leaves a row that goes back; and before the next message the agent is told
//! again what the row says. These two commands are the one place where the actor waits for the
//! agent: nothing runs meanwhile, and no message may come between.

use std::sync::Arc;
use std::time::Duration;

use domain::{Effect, ErrorCode, Input, ThreadStatus, TurnError, TurnId};
use providers::{OpenError, Place, Session, Sessions};

use super::{Actor, Link, Report};
use crate::EngineError;

/// How long the agent has to go back, its start included.
const GOING_BACK: Duration = Duration::from_secs(30);

/// A message to go back to before.
pub(crate) struct BackTo {
    /// Its turn.
    pub(crate) turn: TurnId,
    /// The turn's ordinal.
    pub(crate) ordinal: u64,
    /// The provider's name for it.
    pub(crate) key: String,
}

impl Actor {
    /// Takes the conversation back, or undoes that.
    pub(super) async fn back(&mut self, to: Option<BackTo>) -> Result<(), EngineError> {
        match to {
            Some(to) => self.go_back(to).await,
            None => self.bring_back().await,
        }
    }

    async fn go_back(&mut self, to: BackTo) -> Result<(), EngineError> {
        let BackTo { turn, ordinal, key } = to;
        let before = self.state.thread().back.clone();
        self.person(Input::GoBack { turn, ordinal, key: key.clone() }).await?;
        let Err(error) = self.tell_back(Some(&key)).await else { return Ok(()) };
        match error.code {
            // The agent did not do it, and will not.
            ErrorCode::Rejected | ErrorCode::SessionBusy | ErrorCode::SessionLost => {
                let undo = match before {
                    Some(back) => {
                        Input::GoBack { turn: back.turn, ordinal: back.turns.first, key: back.key }
                    }
                    None => Input::BringBack,
                };
                self.person(undo).await?;
                Err(error.into())
            }
            // It may have done it: the row says so, and the next message sees to it.
            _ => {
                tracing::warn!(thread = %self.id, %error, "the agent is told again to go back");
                Ok(())
            }
        }
    }

    async fn bring_back(&mut self) -> Result<(), EngineError> {
        let idle = match self.state.thread().status {
            ThreadStatus::Idle | ThreadStatus::Failed => true,
            ThreadStatus::Working | ThreadStatus::NeedsYou => false,
        };
        if idle && self.state.thread().back.is_some() {
            match self.tell_back(None).await {
                // There is nothing left that could go back.
                Err(error) if error.code == ErrorCode::SessionLost => {}
                told => told?,
            }
        }
        self.person(Input::BringBack).await
    }

    async fn tell_back(&self, before: Option<&str>) -> Result<(), OpenError> {
        let thread = self.state.thread();
        let session = thread.session.clone().unwrap_or_default();
        let sessions = self.sessions()?;
        let trusted = self.shared.trusts(&thread.project_id).await?;
        let place = Place { workspace: thread.workspace.clone().into(), trusted };
        in_time(sessions.take_back(&place, &session, before)).await
    }

    fn sessions(&self) -> Result<Arc<dyn Sessions>, OpenError> {
        let offered = self.provider().and_then(|provider| provider.sessions());
        offered.ok_or_else(|| OpenError {
            code: ErrorCode::Rejected,
            message: "the agent does not go back".to_owned(),
            hint: None,
        })
    }

    /// Has the agent go back, if the conversation does, before a message is handed over. Whether
    /// there was anything to do: then it is reported when it is done.
    pub(super) fn goes_back(&self, session: &Arc<dyn Session>, turn: &TurnId) -> bool {
        let thread = self.state.thread();
        let (Some(back), Link::Open { trusted, .. }) = (&thread.back, &self.link) else {
            return false;
        };
        let place = Place { workspace: thread.workspace.clone().into(), trusted: *trusted };
        let (key, id, turn) = (back.key.clone(), session.id(), turn.clone());
        let (sessions, reports) = (self.sessions(), self.reports.0.clone());
        tokio::spawn(async move {
            let result = match sessions {
                Ok(sessions) => in_time(sessions.take_back(&place, &id, Some(&key))).await,
                Err(error) => Err(error),
            };
            let _ = reports.send(Report::WentBack { turn, result }).await;
        });
        true
    }

    /// Goes on with the message, since the agent went back.
    pub(super) async fn went_back(&mut self, turn: TurnId, result: Result<(), OpenError>) {
        let waits = |t: &domain::Turn| t.id == turn && t.prompt_key.is_none();
        let Some(running) = self.state.running().map(domain::RunningTurn::turn) else { return };
        if !waits(running) {
            return;
        }
        let kind = running.input.kind;
        match (result, &self.link) {
            (Ok(()), Link::Open { session, .. }) => {
                let prompt_key = session.prompt_key(kind);
                self.apply(Input::Prepared { turn, prompt_key }).await;
                self.prepare_steering();
            }
            // The session was lost meanwhile; it is opened again, and then this is done again.
            (Ok(()), Link::Closed) => {
                self.after_open = Some(Effect::Prepare(turn));
                self.open();
            }
            (Ok(()), Link::Opening(_)) => self.after_open = Some(Effect::Prepare(turn)),
            (Err(error), _) => {
                let hint = "bring back what was put away, or send the message again".to_owned();
                let error = TurnError { hint: Some(hint), ..error.into() };
                self.apply(Input::Fail { turn, error }).await;
            }
        }
    }
}

async fn in_time(told: impl Future<Output = Result<(), OpenError>>) -> Result<(), OpenError> {
    tokio::time::timeout(GOING_BACK, told).await.unwrap_or_else(|_| {
        Err(OpenError {
            code: ErrorCode::AgentUnavailable,
            message: "the agent did not go back in half a minute".to_owned(),
            hint: Some("try again; `baton doctor` looks at the agent".to_owned()),
        })
    })
}
