//! What a person does with the thread's session as a whole.

use super::{Change, MAX_QUEUED, Outcome, Refusal, ThreadState};
use crate::{ErrorCode, InputKind, Timestamp, Turn, TurnError, TurnId, TurnInput};

impl ThreadState {
    /// Lets the next message begin a session of its own.
    pub(super) fn renew(&mut self) -> Result<(), Refusal> {
        if self.running.is_some() {
            return Err(Refusal::Working);
        }
        if self.thread.session.take().is_some() {
            self.thread.renewed = true;
            self.thread.session_gone = false;
            self.thread.context = None;
            self.thread.back = None;
        }
        Ok(())
    }

    /// Notes that the session is gone, if that is what went wrong: whether or not a turn runs, the
    /// thread says so until it goes on in a new one.
    pub(super) fn note_lost(&mut self, error: &TurnError) {
        self.thread.session_gone |=
            error.code == ErrorCode::SessionLost && self.thread.session.is_some();
    }

    /// Lets the agent shorten its context: a turn like a message's, so that it waits, shows, stops
    /// and ends by the same rules.
    pub(super) fn compact(
        &mut self,
        now: Timestamp,
        id: TurnId,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        let known = |turn: &Turn| turn.id == id;
        if self.queue.iter().any(known) || self.running.as_ref().is_some_and(|r| known(&r.turn)) {
            return Ok(());
        }
        if self.thread.archived {
            return Err(Refusal::Archived);
        }
        if self.thread.session.is_none() {
            return Err(Refusal::NoSession);
        }
        if self.thread.back.is_some() {
            return Err(Refusal::WentBack);
        }
        if self.thread.model.is_none() {
            return Err(Refusal::NoModel);
        }
        if self.queue.len() >= MAX_QUEUED {
            return Err(Refusal::QueueFull);
        }
        let input = TurnInput { kind: InputKind::Compact, ..TurnInput::default() };
        let turn = Turn::queued(&self.thread, id, self.next_ordinal, input, now);
        self.next_ordinal += 1;
        self.thread.active_at = now;
        out.changes.push(Change::Turn { turn: turn.clone() });
        self.queue.push_back(turn);
        self.start_next(now, out);
        Ok(())
    }
}
