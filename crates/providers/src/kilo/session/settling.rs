//! Quiet before a message: what earlier turns left running or waiting at Kilo is stopped and rejected,
//! and no stop hits a turn that it is not for.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use domain::{ErrorCode, TurnId};
use kilo_sdk::types::Status;
use kilo_sdk::{PermissionId, QuestionId, Reply, SessionId};

use super::super::mapper::{Ask, AskKind};
use super::answers::network_id;
use super::{Inner, reading, send_error, stopped_before};
use crate::SendError;

/// How long a session may take to become idle after a stop before the next message is sent.
const SETTLE: Duration = Duration::from_secs(10);
/// How long work that was begun elsewhere may take to end before a message is not handed over: that
/// of a turn which has just ended shows for a moment.
const FOREIGN: Duration = Duration::from_secs(2);
/// How often it is asked meanwhile.
pub(super) const SETTLE_STEP: Duration = Duration::from_millis(100);
/// How often an abandoned turn is stopped before that is left to the next message.
const MAX_QUIETING: u32 = 12;
/// Stopped turns that are remembered. Their messages are on their way for seconds; a session has
/// one of them at a time.
const MAX_STOPPED: usize = 16;

impl Inner {
    pub(super) async fn is_busy(&self) -> Result<bool, kilo_sdk::Error> {
        let statuses = self.instance.statuses().await?;
        Ok(statuses.get(&self.id).is_some_and(|status| *status != Status::Idle))
    }

    /// Waits until nothing of an earlier turn runs, and rejects what it left waiting: a stale
    /// question that is rejected later would take the next turn's questions with it (Kilo 7.7.7).
    ///
    /// What somebody began elsewhere is not stopped: it ends in a moment, or the message is not
    /// handed over.
    pub(super) async fn settle(&self) -> Result<(), SendError> {
        let ours = self.unsettled.load(Ordering::SeqCst) && !self.foreign.load(Ordering::SeqCst);
        let deadline = tokio::time::Instant::now() + if ours { SETTLE } else { FOREIGN };
        // A command is not busy before its message is there.
        while self.calls.any() || self.is_busy().await.map_err(|e| send_error(&e))? {
            if tokio::time::Instant::now() > deadline {
                return Err(if ours { still_busy() } else { busy_elsewhere() });
            }
            if ours {
                self.instance.abort(&self.id).await.map_err(|e| send_error(&e))?;
            }
            tokio::time::sleep(SETTLE_STEP).await;
        }
        // What was told of is rejected without looking: Kilo cannot always list it.
        let left = self.mapper().take_left();
        for ask in &left {
            self.reject_left(ask).await;
        }
        let owns = |id: &SessionId| *id == self.id || self.router.is_child(id, &self.id);
        let permissions = reading::permissions(&self.instance).await.map_err(|e| send_error(&e))?;
        for ask in permissions.unwrap_or_default() {
            if owns(&ask.session_id) {
                let _ = self.instance.reply_permission(&ask.id, Reply::Reject, None).await;
            }
        }
        for ask in self.instance.questions().await.map_err(|e| send_error(&e))? {
            if owns(&ask.session_id) {
                let _ = self.instance.reject_question(&ask.id).await;
            }
        }
        Ok(())
    }

    /// Rejects what turns left waiting, unless another runs by now, which did so before it began.
    ///
    /// An edit that waits for permission when its turn is stopped keeps its file locked at Kilo,
    /// for every session, until it is answered (Kilo 7.7.7).
    pub(super) async fn tidy(&self) {
        let _alone = self.gate.lock().await;
        let left = {
            let mut mapper = self.mapper();
            if mapper.is_untidy() { mapper.take_left() } else { Vec::new() }
        };
        for ask in &left {
            self.reject_left(ask).await;
        }
    }

    /// Rejects what an earlier turn left waiting. Most of it is gone by now, which is as good.
    pub(super) async fn reject_left(&self, ask: &Ask) {
        let instance = self.at(ask);
        let rejected = match &ask.kind {
            AskKind::Permission { .. } => {
                let id = PermissionId::from(ask.key.as_str());
                instance.reply_permission(&id, Reply::Reject, None).await
            }
            AskKind::Question { .. } => {
                instance.reject_question(&QuestionId::from(ask.key.as_str())).await
            }
            AskKind::Network => instance.reject_network(&network_id(ask)).await,
        };
        if let Err(error) = rejected
            && !error.is_not_found()
        {
            tracing::debug!(session = %self.id, %error, "what an earlier turn asked was not rejected");
        }
    }

    pub(super) fn stops(&self) -> MutexGuard<'_, VecDeque<TurnId>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a turn is to stop. A stop that comes late is not for the turn after it.
    pub(super) fn note_stop(&self, turn: &TurnId) {
        let mut stops = self.stops();
        if !stops.contains(turn) {
            stops.push_back(turn.clone());
            if stops.len() > MAX_STOPPED {
                stops.pop_front();
            }
        }
        drop(stops);
        if !self.runs_another(turn) {
            self.stopped.store(true, Ordering::SeqCst);
            self.ours_may_run();
        }
    }

    /// Notes that something of a turn that began here may still run or wait at Kilo.
    pub(super) fn ours_may_run(&self) {
        self.unsettled.store(true, Ordering::SeqCst);
        self.foreign.store(false, Ordering::SeqCst);
    }

    /// Whether a turn is to stop.
    pub(super) fn was_stopped(&self, turn: &TurnId) -> bool {
        self.stops().contains(turn)
    }

    /// Refuses the message of a turn that was stopped.
    pub(super) fn still_wanted(&self, turn: &TurnId) -> Result<(), SendError> {
        if self.was_stopped(turn) { Err(stopped_before()) } else { Ok(()) }
    }

    /// Whether the session is at another turn's message, before which everything was stopped.
    pub(super) fn runs_another(&self, turn: &TurnId) -> bool {
        self.mapper().active().is_some_and(|(active, _)| active != turn)
    }

    /// Stops what runs until nothing has run for a moment, or it has been tried often enough; the
    /// next message tries again.
    pub(super) async fn quiet(&self, turn: &TurnId) {
        let _alone = self.gate.lock().await;
        if self.runs_another(turn) {
            return;
        }
        let mut pause = SETTLE_STEP;
        let mut idle = 0;
        for _ in 0..MAX_QUIETING {
            let aborted = self.instance.abort(&self.id).await;
            match (aborted, self.is_busy().await) {
                (Ok(()), Ok(false)) if !self.calls.any() => idle += 1,
                (aborted, busy) => {
                    idle = 0;
                    if let Some(error) = aborted.err().or(busy.err()) {
                        tracing::warn!(session = %self.id, %error, "an abandoned turn may still run");
                    }
                }
            }
            if idle == 2 {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SETTLE);
        }
    }

    /// Stops a turn that began late, after the stop that was for it, unless another was begun since.
    pub(super) async fn stop_stray(&self) {
        let _alone = self.gate.lock().await;
        let stray = self.mapper().active().is_none() && self.stopped.load(Ordering::SeqCst);
        if stray && let Err(error) = self.instance.abort(&self.id).await {
            tracing::warn!(session = %self.id, %error, "a turn that began late was not stopped");
        }
    }
}

fn still_busy() -> SendError {
    SendError {
        code: ErrorCode::Rejected,
        message: "Kilo is still busy with an earlier turn of this session".to_owned(),
    }
}

fn busy_elsewhere() -> SendError {
    SendError {
        code: ErrorCode::SessionBusy,
        message: "Kilo is at work in this session on something that was not begun here: send the \
                  message again when it has finished, or stop it in Kilo"
            .to_owned(),
    }
}
