//! The queue within the machine: what is let in, changed, moved and taken back while it waits.
//!
//! The order of the queue is that of the turns' ordinals: a message that is given another place
//! shares out the ordinals of those that wait anew, so what is stored is in order by itself and
//! ordinals stay the order in which turns begin.

use super::turns::advance;
use super::{
    Change, Delivery, MAX_MESSAGE_UNITS, MAX_QUEUED, NewTurn, Outcome, Refusal, ThreadState,
    TurnInput, TurnPatch, units,
};
use crate::{Attachment, MAX_ATTACHMENTS, MAX_MESSAGE_BYTES, Timestamp, Turn, TurnId, TurnState};

impl ThreadState {
    pub(super) fn admit(&self, new: &NewTurn) -> Result<(), Refusal> {
        check_text(&new.text, &new.attachments)?;
        let bytes = new.attachments.iter().map(|file| file.bytes).sum::<u64>();
        if new.attachments.len() > MAX_ATTACHMENTS || bytes > MAX_MESSAGE_BYTES {
            Err(Refusal::TooManyAttachments)
        } else if self.thread.archived {
            Err(Refusal::Archived)
        } else if new.model.is_none() && self.thread.model.is_none() {
            Err(Refusal::NoModel)
        } else if self.queue.len() >= MAX_QUEUED {
            Err(Refusal::QueueFull)
        } else {
            Ok(())
        }
    }

    pub(super) fn withdraw(
        &mut self,
        now: Timestamp,
        id: &TurnId,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        let at = self.place(id)?;
        if let Some(turn) = self.queue.remove(at) {
            withdraw(turn, now, out);
        }
        Ok(())
    }

    pub(super) fn clear_queue(&mut self, now: Timestamp, out: &mut Outcome) {
        for turn in self.queue.drain(..) {
            withdraw(turn, now, out);
        }
    }

    pub(super) fn release(&mut self, now: Timestamp, out: &mut Outcome) {
        self.thread.queue_held = false;
        self.start_next(now, out);
    }

    pub(super) fn edit_queued(
        &mut self,
        id: &TurnId,
        patch: TurnPatch,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        let at = self.place(id)?;
        let compacts = |t: &Turn| t.input.kind != crate::InputKind::Message;
        if patch.text.is_some() && self.queue.get(at).is_some_and(compacts) {
            return Err(Refusal::NotAMessage);
        }
        let Some(turn) = self.queue.get_mut(at) else { return Err(Refusal::NotQueued) };
        patch.text.as_deref().map_or(Ok(()), |t| check_text(t, &turn.input.attachments))?;
        let before = turn.clone();
        turn.model = patch.model.or_else(|| turn.model.take());
        turn.mode = patch.mode.unwrap_or(turn.mode);
        if let Some(text) = patch.text {
            turn.input.text = TurnInput::message(&text).text;
            // Two long messages may differ only where both are left out.
            if *turn != before || turn.input.text.is_shortened() {
                out.changes.push(Change::TurnText { turn: turn.id.clone(), text });
            }
        }
        if *turn != before {
            out.changes.push(Change::Turn { turn: turn.clone() });
        }
        Ok(())
    }

    pub(super) fn move_queued(
        &mut self,
        id: &TurnId,
        before: Option<&TurnId>,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        let at = self.place(id)?;
        if before == Some(id) {
            return Ok(());
        }
        let to = match before {
            Some(before) => self.place(before)?,
            None => self.queue.len(),
        };
        if let Some(turn) = self.queue.remove(at) {
            self.queue.insert(if at < to { to - 1 } else { to }, turn);
        }
        self.share_out_ordinals(out);
        Ok(())
    }

    /// Gives those that wait the ordinals they have together, in the order they wait in.
    fn share_out_ordinals(&mut self, out: &mut Outcome) {
        let mut ordinals: Vec<u64> = self.queue.iter().map(|t| t.ordinal).collect();
        ordinals.sort_unstable();
        for (turn, ordinal) in self.queue.iter_mut().zip(ordinals) {
            if turn.ordinal != ordinal {
                turn.ordinal = ordinal;
                out.changes.push(Change::Turn { turn: turn.clone() });
            }
        }
    }

    /// Puts a message into the queue: one that steers before those that only wait.
    pub(super) fn enqueue(&mut self, turn: Turn, out: &mut Outcome) {
        let at = match turn.delivery {
            Delivery::Queue => self.queue.len(),
            Delivery::Steer => {
                let steers = |t: &&Turn| t.delivery == Delivery::Steer;
                self.queue.iter().take_while(steers).count()
            }
        };
        self.queue.insert(at, turn);
        self.share_out_ordinals(out);
    }

    /// Where a turn waits.
    pub(super) fn place(&self, id: &TurnId) -> Result<usize, Refusal> {
        self.queue.iter().position(|t| t.id == *id).ok_or(Refusal::NotQueued)
    }
}

/// Checks a message; what is attached may go without words.
fn check_text(text: &str, attachments: &[Attachment]) -> Result<(), Refusal> {
    let units = units(text);
    if text.trim().is_empty() && attachments.is_empty() {
        Err(Refusal::EmptyMessage)
    } else if units > MAX_MESSAGE_UNITS {
        Err(Refusal::MessageTooLong { units })
    } else {
        Ok(())
    }
}

/// Takes a waiting turn out of the queue.
fn withdraw(mut turn: Turn, now: Timestamp, out: &mut Outcome) {
    advance(&mut turn, TurnState::Interrupted);
    turn.ended_at = Some(now);
    out.changes.push(Change::Turn { turn });
}
