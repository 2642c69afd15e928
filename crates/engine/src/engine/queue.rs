//! Changing what waits in a thread's queue.

use domain::{Delivery, Input, ProviderId, Refusal, ThreadId, Turn, TurnId, TurnPatch, TurnState};

use super::Engine;
use crate::EngineError;

impl Engine {
    /// Takes a waiting message back. One that was taken back already is so still.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it no longer waits.
    pub async fn withdraw(&self, thread: &ThreadId, turn: &TurnId) -> Result<(), EngineError> {
        let result = self.input(thread, Input::Withdraw(turn.clone())).await;
        let withdrawn =
            |known: &Turn| known.state == TurnState::Interrupted && known.started_at.is_none();
        if is_too_late(&result) && self.turn_of(thread, turn).await.is_ok_and(|t| withdrawn(&t)) {
            return Ok(());
        }
        result
    }

    /// Changes a waiting message. The same change again is none, also when the message was taken
    /// up meanwhile.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it no longer waits as it was, or must not be like that.
    pub async fn edit_queued(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        patch: TurnPatch,
    ) -> Result<Turn, EngineError> {
        if let Some(model) = &patch.model {
            let provider = self.thread(thread).await?.provider;
            self.check_model(&provider, model)?;
        }
        let input = Input::EditQueued { turn: turn.clone(), patch: patch.clone() };
        let result = self.input(thread, input).await;
        if !(is_too_late(&result) && self.is_as(thread, turn, &patch).await) {
            result?;
        }
        self.turn_of(thread, turn).await
    }

    /// Gives a waiting message the place before another one, or the last place.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when one of them no longer waits.
    pub async fn move_queued(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        before: Option<TurnId>,
    ) -> Result<(), EngineError> {
        self.input(thread, Input::Move { turn: turn.clone(), before }).await
    }

    /// Has a waiting message sent now: given to the agent while it works, or begun when nothing
    /// runs.
    ///
    /// # Errors
    /// [`EngineError::SteerUnsupported`], or [`EngineError::Refused`] when it no longer waits.
    pub async fn promote(&self, thread: &ThreadId, turn: &TurnId) -> Result<(), EngineError> {
        self.check_steer(&self.thread(thread).await?.provider)?;
        let result = self.input(thread, Input::Promote(turn.clone())).await;
        let steered =
            |known: &Turn| known.delivery == Delivery::Steer && known.started_at.is_some();
        if is_too_late(&result) && self.turn_of(thread, turn).await.is_ok_and(|t| steered(&t)) {
            return Ok(());
        }
        result
    }

    /// Refuses what would otherwise wait in the queue though it was to go into what runs now.
    pub(super) fn check_steer(&self, provider: &ProviderId) -> Result<(), EngineError> {
        let steers = self.provider(provider)?.status().borrow().capabilities.steer;
        if steers { Ok(()) } else { Err(EngineError::SteerUnsupported) }
    }

    async fn turn_of(&self, thread: &ThreadId, turn: &TurnId) -> Result<Turn, EngineError> {
        let known = self.shared.store.turn(turn).await?.filter(|t| t.thread_id == *thread);
        known.ok_or(EngineError::UnknownTurn)
    }

    /// Whether a turn was sent as this change would make it: then the change was made before, and
    /// only its answer was lost.
    async fn is_as(&self, thread: &ThreadId, turn: &TurnId, patch: &TurnPatch) -> bool {
        let Ok(known) = self.turn_of(thread, turn).await else { return false };
        let text = match &patch.text {
            Some(text) => self.turn_text(thread, turn).await.is_ok_and(|known| known == *text),
            None => true,
        };
        let model = patch.model.as_ref().is_none_or(|model| known.model.as_ref() == Some(model));
        text && model && patch.mode.is_none_or(|mode| known.mode == mode)
    }
}

fn is_too_late(result: &Result<(), EngineError>) -> bool {
    matches!(result, Err(EngineError::Refused(Refusal::NotQueued)))
}
