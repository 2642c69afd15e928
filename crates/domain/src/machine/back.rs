//! Going back: a conversation is taken back to before a message, or that is undone.
//!
//! The row says it first: as long as [`Thread::back`] is set, the agent is told again before the
//! next message is handed over. With that message the turns are gone for the agent; they keep their
//! states and what they used, and the row lists them in [`Thread::taken_back`].

use super::{Refusal, ThreadState};
use crate::{Back, Span, Thread, TurnId};

/// The most stretches of turns that a thread's row lists as taken back. What touches is one.
pub const MAX_TAKEN_BACK: usize = 100;

impl ThreadState {
    pub(super) fn go_back(
        &mut self,
        turn: TurnId,
        ordinal: u64,
        key: String,
    ) -> Result<(), Refusal> {
        if self.thread.archived {
            return Err(Refusal::Archived);
        }
        if self.running.is_some() {
            return Err(Refusal::Working);
        }
        if !self.queue.is_empty() {
            return Err(Refusal::MessagesWait);
        }
        if self.thread.session.is_none() {
            return Err(Refusal::NoSession);
        }
        if self.thread.is_taken_back(ordinal) {
            return Err(Refusal::TakenBack);
        }
        let turns = Span { first: ordinal, last: self.next_ordinal.saturating_sub(1) };
        if added(&self.thread.taken_back, turns).len() > MAX_TAKEN_BACK {
            return Err(Refusal::TooOftenBack);
        }
        self.thread.back = Some(Back { turn, key, turns });
        Ok(())
    }

    pub(super) fn bring_back(&mut self) -> Result<(), Refusal> {
        if self.running.is_some() {
            return Err(Refusal::Working);
        }
        self.thread.back = None;
        Ok(())
    }

    /// Takes note that what was put away is gone, since a message takes its place.
    pub(super) fn take_back(&mut self) {
        if let Some(Back { turns, .. }) = self.thread.back.take() {
            self.thread.taken_back = added(&self.thread.taken_back, turns);
        }
    }
}

impl Thread {
    /// Whether the turn of this ordinal was taken back, and a message was sent since.
    #[must_use]
    pub fn is_taken_back(&self, ordinal: u64) -> bool {
        self.taken_back.iter().any(|span| (span.first..=span.last).contains(&ordinal))
    }
}

/// Adds a stretch that reaches to the end, which swallows what it touches.
fn added(spans: &[Span], new: Span) -> Vec<Span> {
    let apart = |span: &&Span| span.last.saturating_add(1) < new.first;
    let mut all: Vec<Span> = spans.iter().filter(apart).copied().collect();
    let touched = spans.iter().filter(|span| !apart(span)).map(|span| span.first);
    all.push(Span { first: touched.min().map_or(new.first, |f| f.min(new.first)), ..new });
    all
}
