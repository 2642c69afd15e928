//! Slash commands (measured on Kilo 7.7.7).
//!
//! Kilo answers the wish for one when its turn is over, and takes our id for the message it makes
//! of it, which then goes as any message does. Before the message is there Kilo expands it: shell
//! commands in it run, and files outside the project are asked for, so that a request may come
//! before the message, while the session counts as idle. A refusal is an error of the session and
//! of the answer, without a message or a turn.

use domain::{AgentEvent, NoticeLevel, TurnError, TurnEvent, TurnId, TurnOutcome};

use super::steer::Next;
use super::{Active, Mapped, Mapper};
use crate::kilo::session::COMMAND;

/// Commands whose message has not been seen: that of the running turn and that of the one which
/// steers it, with room for one of each that was given up. The oldest is forgotten.
const MAX_CALLS: usize = 4;

/// A command whose message has not been seen.
pub(super) struct Call {
    turn: TurnId,
    /// What is to be said of it once it is.
    remark: Option<String>,
}

impl Mapper {
    /// Notes that a turn is a command's.
    pub(in crate::kilo) fn call(&mut self, turn: TurnId, remark: Option<String>) {
        self.calling.retain(|call| call.turn != turn);
        self.calling.push(Call { turn, remark });
        if self.calling.len() > MAX_CALLS {
            self.calling.remove(0);
        }
    }

    /// Tells, before Kilo is asked to run the command of the running turn, that it may have done
    /// something from now on although its message is not there.
    pub(in crate::kilo) fn called(&self, turn: &TurnId) -> Vec<AgentEvent> {
        let unseen = |active: &&Active| active.turn == *turn && !active.begun;
        let Some(active) = self.active.as_ref().filter(unseen) else { return Vec::new() };
        let event = TurnEvent::Named { key: format!("{COMMAND}{}", active.message) };
        vec![AgentEvent::Turn { turn: turn.clone(), event }]
    }

    /// Whether the turn is that of a command whose message has not been seen.
    pub(super) fn is_call(&self, turn: &TurnId) -> bool {
        self.calling.iter().any(|call| call.turn == *turn)
    }

    /// Takes that the message of the running turn is there, if it is a command's.
    pub(super) fn seen(&mut self, out: &mut Mapped) {
        let Some(active) = &self.active else { return };
        let (turn, key) = (active.turn.clone(), active.message.as_str().to_owned());
        let Some(at) = self.calling.iter().position(|call| call.turn == turn) else { return };
        let call = self.calling.remove(at);
        self.tell(TurnEvent::Named { key: key.clone() }, out);
        if let Some(remark) = call.remark {
            self.notice(format!("command:{key}"), NoticeLevel::Info, &remark, out);
        }
    }

    /// Whether Kilo is not known to have taken the message of a turn that runs or waits.
    pub(in crate::kilo) fn is_untaken(&self, turn: &TurnId) -> bool {
        let runs = |active: &Active| active.turn == *turn && !active.echoed && !active.opened;
        let waits = |next: &Next| next.is(turn) && !next.is_there();
        self.active.as_ref().is_some_and(runs) || self.next.as_ref().is_some_and(waits)
    }

    /// Whether it is known why a turn that runs failed, or that nothing more will be told of it.
    pub(in crate::kilo) fn has_reason(&self, turn: &TurnId) -> bool {
        let reason = |active: &Active| active.turn == *turn && active.error.is_some();
        self.active.as_ref().is_none_or(|active| active.turn != *turn || reason(active))
    }

    /// Notes that it cannot be known what became of a command, unless another reason is known.
    /// Returns false when a person is asked for it, so that it goes on.
    pub(in crate::kilo) fn lose_call(&mut self, turn: &TurnId, error: TurnError) -> bool {
        let Some(active) = self.active.as_mut().filter(|active| active.turn == *turn) else {
            return true;
        };
        if self.asks.is_empty() {
            active.error.get_or_insert(error);
        }
        self.asks.is_empty()
    }

    /// Ends the turn that waits for the running one, because Kilo refused its message.
    pub(super) fn refuse_next(&mut self, turn: &TurnId, error: TurnError, out: &mut Mapped) {
        let untaken = |next: &mut Next| next.is(turn) && !next.is_there();
        if self.drop_next(untaken) {
            let event = TurnEvent::Ended(TurnOutcome::Failed(error));
            out.events.push(AgentEvent::Turn { turn: turn.clone(), event });
        }
    }
}
