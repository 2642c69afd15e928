//! A message that is given to Codex while a turn runs: Codex takes it at its next step, and what it
//! does from then on belongs to the message's own turn.

use domain::{InputKind, TurnEvent, TurnId, TurnOutcome};

use super::{Mapped, Mapper};

impl Mapper {
    /// Notes that a message is about to be given to Codex while a turn runs. Gives Codex's id of
    /// that turn; `None` when none runs that could be steered.
    pub(in crate::codex) fn steer(&mut self, turn: TurnId, key: String) -> Option<String> {
        let active = self.active.as_ref()?;
        if active.deciding || active.kind != InputKind::Message {
            return None;
        }
        let native = active.native.clone()?;
        self.steering = Some((turn, key));
        Some(native)
    }

    /// Notes that the message that was to steer was not taken.
    pub(in crate::codex) fn not_steered(&mut self, turn: &TurnId) {
        if self.steering.as_ref().is_some_and(|(steering, _)| steering == turn) {
            self.steering = None;
        }
    }

    /// Notes that an earlier run may have given Codex this message.
    pub(in crate::codex) fn expect(&mut self, turn: TurnId, key: String) {
        self.steering = Some((turn, key));
    }

    /// Takes that Codex has a message; whether it is the one that steers.
    pub(super) fn steered(&mut self, client_id: &str, out: &mut Mapped) -> bool {
        if self.steering.as_ref().is_none_or(|(_, key)| key != client_id) {
            return false;
        }
        let Some((turn, key)) = self.steering.take() else { return false };
        self.begun(out);
        self.tell(TurnEvent::Ended(TurnOutcome::Completed), out);
        self.leave_items();
        self.meter.begin();
        let Some(active) = &mut self.active else { return true };
        (active.turn, active.key) = (turn, key);
        // What steers is a message; a plan that it follows is superseded.
        active.plan = None;
        active.phase = None;
        self.tell(TurnEvent::Started, out);
        self.ask_again(out);
        true
    }
}
