//! A message that waits at Kilo while a turn runs (measured on Kilo 7.7.7).
//!
//! Kilo echoes it at once and names it in `session.queue.changed`. At the next boundary between
//! two steps of the running turn it closes that turn (`superseded`, or `completed` when the turn
//! was done anyway, or `error` when it failed) and opens one for the message. An abort empties
//! Kilo's queue first: the message stays in the conversation and is never answered.

use domain::{AgentEvent, TurnEvent, TurnId, TurnOutcome};
use kilo_sdk::types::{AssistantMessage, Message, MessageWithParts};
use kilo_sdk::{MessageId, SessionId};

use super::{Mapped, Mapper};

/// The message that waits.
pub(super) struct Next {
    turn: TurnId,
    message: MessageId,
    context_limit: Option<u64>,
    /// Kilo has it.
    echoed: bool,
}

impl Next {
    pub(super) fn is(&self, turn: &TurnId) -> bool {
        self.turn == *turn
    }

    /// Whether Kilo is known to have it.
    pub(super) fn is_there(&self) -> bool {
        self.echoed
    }

    pub(super) fn is_answered_by(&self, answer: &AssistantMessage) -> bool {
        answer.parent_id == self.message
    }
}

impl Mapper {
    /// Notes that a message is given to Kilo while a turn runs. Returns whether one runs.
    pub(in crate::kilo) fn steer(
        &mut self,
        turn: TurnId,
        message: MessageId,
        context_limit: Option<u64>,
    ) -> bool {
        if self.active.is_none() {
            return false;
        }
        self.next = Some(Next { turn, message, context_limit, echoed: false });
        true
    }

    /// Notes that this message may wait at Kilo behind the turn that is looked up next.
    pub(in crate::kilo) fn expect(&mut self, turn: TurnId, message: MessageId) {
        self.next = Some(Next { turn, message, context_limit: None, echoed: false });
    }

    /// Gives the message that waits up, if it is this one; what still comes of it is late.
    pub(super) fn drop_next(&mut self, is: impl FnOnce(&mut Next) -> bool) -> bool {
        let next = self.next.take_if(is);
        let dropped = next.is_some();
        if let Some(next) = next {
            self.leave_message(next.message);
        }
        dropped
    }

    /// Forgets this turn, whether it runs or waits; what still comes of it is late.
    pub(in crate::kilo) fn forget(&mut self, turn: &TurnId) {
        self.drop_next(|next| next.is(turn));
        if self.active.as_ref().is_some_and(|active| active.turn == *turn) {
            self.abandon();
        }
    }

    /// Whether a user's message is the one that waits, which is no part of the running turn.
    pub(super) fn is_next(&self, session: &SessionId, message: &MessageId) -> bool {
        *session == self.root && self.next.as_ref().is_some_and(|next| next.message == *message)
    }

    /// Takes note of what belongs to the message that waits; says whether it did.
    pub(super) fn of_next(
        &mut self,
        session: &SessionId,
        message: &Message,
        out: &mut Mapped,
    ) -> bool {
        if *session != self.root {
            return false;
        }
        let Some(next) = &mut self.next else { return false };
        match message {
            Message::User(user) if user.id == next.message => {
                next.echoed = true;
                true
            }
            // It is being answered, so the running turn is over: its end was missed.
            Message::Assistant(answer) if next.is_answered_by(answer) => {
                out.resync = true;
                true
            }
            Message::User(_) | Message::Assistant(_) | Message::Unknown(_) => false,
        }
    }

    /// Kilo's queue is now this. A message that leaves it while the turn before it still runs was
    /// dropped by an abort.
    pub(super) fn queue_changed(&mut self, queued: &[MessageId], out: &mut Mapped) {
        let runs = self.active.as_ref().is_some_and(|active| active.closing.is_none());
        let dropped = |next: &mut Next| runs && next.echoed && !queued.contains(&next.message);
        if let Some(next) = self.next.take_if(dropped) {
            self.leave_message(next.message);
            let event = TurnEvent::Ended(TurnOutcome::Interrupted);
            out.events.push(AgentEvent::Turn { turn: next.turn, event });
        }
    }

    /// Whether a session as it was read has an answer to the message that waits.
    pub(super) fn is_taken(&self, messages: &[MessageWithParts]) -> bool {
        let answers = |next: &Next, message: &MessageWithParts| match &message.info {
            Message::Assistant(answer) => next.is_answered_by(answer),
            Message::User(_) | Message::Unknown(_) => false,
        };
        self.next.as_ref().is_some_and(|next| messages.iter().any(|m| answers(next, m)))
    }

    /// Begins the turn that waited, now that the one before it has ended.
    pub(super) fn take_up(&mut self) {
        let Some(next) = self.next.take() else { return };
        self.begin(next.turn, next.message, domain::InputKind::Message, next.context_limit);
        if let Some(active) = &mut self.active {
            active.echoed = next.echoed;
        }
    }
}
