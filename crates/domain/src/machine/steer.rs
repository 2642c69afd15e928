//! Steering within the machine: a message that is given to the agent while another turn runs.
//!
//! Its turn is *preparing* beside the one that runs, with a prompt key of its own. The agent takes
//! it when it can: then what ran is completed, and the steered turn is the one that runs. When the
//! turn before it ends in another way, it is the next one all the same. One message at a time is at
//! the agent like this; others that steer wait at the front of the queue, where they can still be
//! changed. `docs/decisions/0005-steering.md` has the reasons.

use super::turns::{RunningTurn, advance};
use super::{Change, Delivery, Effect, Outcome, Refusal, ThreadState};
use crate::{
    ErrorCode, InputKind, Phase, RequestBody, Timestamp, Turn, TurnError, TurnId, TurnOutcome,
    TurnState,
};

/// The turn whose message the agent has, or is being given, while another one runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steering {
    pub(super) turn: Turn,
    /// What became of it has to be found out once it is its turn: the agent or Baton ended
    /// meanwhile.
    unsure: bool,
}

impl Steering {
    /// One that was found stored.
    pub(super) fn found(turn: Turn) -> Self {
        Self { turn, unsure: true }
    }
}

impl ThreadState {
    /// The turn whose message is given to the agent while another one runs.
    #[must_use]
    pub fn steering(&self) -> Option<&Turn> {
        self.steering.as_ref().map(|s| &s.turn)
    }

    /// Has a waiting message steer: it goes before all that only wait.
    pub(super) fn promote(
        &mut self,
        now: Timestamp,
        id: &TurnId,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        // A compaction is no message: it goes into nothing that runs.
        let is_message = |t: &Turn| t.input.kind == crate::InputKind::Message;
        if self.queue.iter().any(|t| t.id == *id && !is_message(t)) {
            return Err(Refusal::NotAMessage);
        }
        let at = self.place(id)?;
        if let Some(mut turn) = self.queue.remove(at) {
            if turn.delivery != Delivery::Steer {
                turn.delivery = Delivery::Steer;
                out.changes.push(Change::Turn { turn: turn.clone() });
            }
            self.enqueue(turn, out);
        }
        self.release(now, out);
        Ok(())
    }

    /// Gives the first waiting message to the agent, if it steers and the turn that runs can be
    /// steered now.
    pub(super) fn hand_over(&mut self, now: Timestamp, out: &mut Outcome) {
        let steerable = |turn: &Turn| {
            turn.delivery == Delivery::Steer
                && self.running.as_ref().is_some_and(|r| takes(r, turn))
        };
        if self.steering.is_some() || !self.queue.front().is_some_and(steerable) {
            return;
        }
        let Some(mut turn) = self.queue.pop_front() else { return };
        advance(&mut turn, TurnState::Preparing);
        turn.started_at = Some(now);
        turn.access = self.thread.access;
        turn.phase = Some(Phase::Steering);
        out.changes.push(Change::Turn { turn: turn.clone() });
        out.effects.push(Effect::Prepare(turn.id.clone()));
        self.steering = Some(Steering { turn, unsure: false });
    }

    pub(super) fn is_steering(&self, id: &TurnId) -> bool {
        self.steering.as_ref().is_some_and(|s| s.turn.id == *id)
    }

    pub(super) fn steering_prepared(&mut self, prompt_key: String, out: &mut Outcome) {
        if let Some(Steering { turn, .. }) = &mut self.steering
            && turn.prompt_key.is_none()
        {
            turn.prompt_key = Some(prompt_key);
            out.changes.push(Change::Turn { turn: turn.clone() });
            out.effects.push(Effect::Send(turn.id.clone()));
        }
    }

    /// A stop is for both: a message the agent cannot have is never sent, one that it may have
    /// ends with the turn it was to be taken into.
    pub(super) fn stop_steering(&mut self, now: Timestamp, out: &mut Outcome) {
        let Some(Steering { turn, .. }) = &mut self.steering else { return };
        if turn.prompt_key.is_none() {
            self.end_steering(now, TurnOutcome::Interrupted, out);
        } else if !turn.stopping {
            turn.stopping = true;
            out.changes.push(Change::Turn { turn: turn.clone() });
        }
    }

    /// Ends the steered turn alone: what runs goes on.
    pub(super) fn end_steering(&mut self, now: Timestamp, outcome: TurnOutcome, out: &mut Outcome) {
        let Some(Steering { mut turn, .. }) = self.steering.take() else { return };
        let (state, error) = match outcome {
            TurnOutcome::Failed(_) if turn.stopping => (TurnState::Interrupted, None),
            TurnOutcome::Completed => (TurnState::Completed, None),
            TurnOutcome::Interrupted => (TurnState::Interrupted, None),
            TurnOutcome::Failed(error) => (TurnState::Failed, Some(error)),
        };
        advance(&mut turn, state);
        turn.error = error;
        turn.phase = None;
        turn.stopping = false;
        turn.ended_at = Some(now);
        out.changes.push(Change::Turn { turn });
    }

    /// Ends the steered turn along with the one it was to be taken into, which is being stopped or
    /// was given up: the agent may have the message, and is not to work on it any more.
    pub(super) fn end_with_running(&mut self, now: Timestamp, out: &mut Outcome) {
        let Some(Steering { turn, .. }) = &self.steering else { return };
        if turn.prompt_key.is_none() {
            return;
        }
        out.effects.push(Effect::Abandon(turn.id.clone()));
        let outcome = if turn.stopping {
            TurnOutcome::Interrupted
        } else {
            TurnOutcome::Failed(TurnError {
                code: ErrorCode::NotAccepted,
                message: "the turn that was to take the message up was given up before".to_owned(),
                hint: Some("send it again".to_owned()),
                retryable: true,
            })
        };
        self.end_steering(now, outcome, out);
    }

    /// Notes that nobody knows what becomes of the steered message.
    pub(super) fn doubt_steering(&mut self) {
        if let Some(steering) = &mut self.steering {
            steering.unsure = true;
        }
    }

    /// Makes the steered turn the one that runs, now that the one before it has ended.
    pub(super) fn succeed(&mut self, out: &mut Outcome) {
        let Some(Steering { mut turn, unsure }) = self.steering.take() else { return };
        let id = turn.id.clone();
        turn.phase = turn.prompt_key.is_some().then_some(Phase::Sending);
        match (unsure, &turn.prompt_key) {
            (false, _) => {}
            (true, None) => out.effects.push(Effect::Prepare(id)),
            (true, Some(_)) => out.effects.push(Effect::Reconcile(id)),
        }
        out.changes.push(Change::Turn { turn: turn.clone() });
        self.running = Some(RunningTurn::new(turn));
    }
}

/// Whether a turn that runs can be given this message. What a person is asked is not taken from
/// them: agents drop their questions for a new message.
fn takes(running: &RunningTurn, next: &Turn) -> bool {
    let asks = |body: &RequestBody| match body {
        RequestBody::Question { .. } | RequestBody::Plan { .. } => true,
        RequestBody::Approval(_) => false,
    };
    let turn = &running.turn;
    turn.state == TurnState::Running
        // What is said before its own message is there would come before it.
        && turn.phase != Some(Phase::Sending)
        && !turn.stopping
        && turn.mode == next.mode
        && turn.input.kind == InputKind::Message
        && next.input.kind == InputKind::Message
        && !running.requests.values().any(|r| r.state.is_open() && asks(&r.body))
}
