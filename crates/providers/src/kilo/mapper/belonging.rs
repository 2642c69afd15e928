//! Which turn a message is of: by what it answers and by its place, never by its id.
//!
//! Kilo's ids hold the time modulo 795 days, and clocks are set back: neither says what came first.
//! Kilo 7.7.7 itself goes by `time.created` and, where that is the same, by the place in the session
//! (read in its program; the ids of sessions that are older than the last wrap are the proof).

use kilo_sdk::types::{Message, UserMessage};
use kilo_sdk::{MessageId, SessionId};

use super::{Active, Known, MAX_PARTS, Mapped, Mapper};

/// Where a message is from, which says how it is known to be of the running turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// From the stream of events: an answer by its parent, a user's message by when it was made.
    Heard,
    /// From a reading, which begins with the turn's message: a user's message by its place.
    Read,
    /// From a history that was cut into its turns: all of it.
    Cut,
}

impl Active {
    /// Whether a user's message was made after the turn's own, or is the one that a compaction was
    /// awaited by.
    fn is_before(&self, message: &UserMessage) -> bool {
        let Some(at) = message.time.start else { return true };
        if self.echoed {
            return self.created.is_none_or(|created| created <= at);
        }
        // The name of what is awaited was made here, just before Kilo was told of it.
        self.awaits_its_message() && made(&self.message, at).is_none_or(|named| named <= at)
    }

    /// Whether Kilo is yet to make the message of the turn.
    fn awaits_its_message(&self) -> bool {
        self.kind == domain::InputKind::Compact && !self.echoed
    }
}

impl Mapper {
    /// Whether a compaction was begun of which Kilo is yet to make the message.
    pub(in crate::kilo) fn awaits_compaction(&self) -> bool {
        self.active.as_ref().is_some_and(Active::awaits_its_message)
    }

    /// Whether something of a message may belong to the running turn: what is known to be another
    /// turn's does not; of what is not known yet the message itself will say.
    pub(super) fn is_current(&self, session: &SessionId, message: &MessageId) -> bool {
        let Some(active) = &self.active else { return false };
        if *session == self.root {
            return !self.others.contains(message) && !self.is_next(session, message);
        }
        let child = self.children.get(session);
        child.is_some_and(|c| c.turn.as_ref() == Some(&active.turn))
    }

    /// Whether a message belongs to the running turn. What does not is remembered, and what was
    /// kept of it until this was known is forgotten.
    pub(super) fn belongs(
        &mut self,
        session: &SessionId,
        message: &Message,
        source: Source,
        out: &mut Mapped,
    ) -> bool {
        let id = message.id();
        let Some(active) = &self.active else { return false };
        if *session != self.root {
            return self.is_current(session, &id);
        }
        if self.is_next(session, &id) {
            return false;
        }
        let left = self.others.contains(&id);
        let belongs = match (message, source) {
            _ if id == active.message || self.messages.contains_key(&id) => true,
            (Message::Assistant(answer), _) if self.is_of_turn(&answer.parent_id) => true,
            (_, Source::Cut) => true,
            (Message::Assistant(_), Source::Heard | Source::Read) => false,
            (Message::User(_) | Message::Unknown(_), Source::Read) => !left,
            (Message::User(user), Source::Heard) => !left && active.is_before(user),
            (Message::Unknown(_), Source::Heard) => !left && active.echoed,
        };
        if belongs {
            self.others.remove(&id);
            return true;
        }
        let undecided = match message {
            // Until the turn's own message is there, it is not known what came after it.
            Message::User(_) | Message::Unknown(_) => !active.echoed,
            Message::Assistant(answer) => {
                // The message that it answers may have been missed.
                out.resync |= !left && !self.others.contains(&answer.parent_id);
                false
            }
        };
        if !undecided {
            self.orphans.retain(|part| part.message_id != id);
            self.leave_message(id);
        }
        false
    }

    /// Whether an answer to this message is the running turn's.
    pub(super) fn is_of_turn(&self, parent: &MessageId) -> bool {
        let own = self.active.as_ref().is_some_and(|active| active.message == *parent);
        own || self.messages.get(parent) == Some(&Known::User)
    }

    /// Notes that a message of the session is not of the running turn.
    pub(super) fn leave_message(&mut self, message: MessageId) {
        if self.others.len() < MAX_PARTS {
            self.others.insert(message);
        }
    }

    /// Notes that the messages of the turn that ran are not of the one that begins with this. When
    /// there are too many those of turns before are forgotten, of which nothing comes any more.
    pub(super) fn leave_turn(&mut self, next: &MessageId) {
        if self.others.len() + self.messages.len() > MAX_PARTS {
            self.others.clear();
        }
        self.others.extend(self.messages.drain().map(|(id, _)| id));
        self.others.remove(next);
    }
}

/// When an id was made, of the possible times the one nearest to a time.
fn made(id: &MessageId, near: f64) -> Option<f64> {
    let near = super::millis(near).and_then(|near| u64::try_from(near).ok())?;
    id.time_ms(near).map(as_number)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
fn as_number(ms: u64) -> f64 {
    ms as f64
}
