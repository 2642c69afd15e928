//! The running turn: what Kilo does with it as a whole, and how it ends.

use domain::{AgentEvent, ErrorCode, Phase, TurnError, TurnEvent, TurnId, TurnOutcome};
use kilo_sdk::CloseReason;
use kilo_sdk::types::{ErrorKind, MessageError, Session, Status};

use super::millis;
use super::{Active, Child, MAX_CHILDREN, Mapped, Mapper, PartKind, PartState, UNNAMED_ROOT};
use crate::kilo::{errors, session};
use crate::shared::shorten;

impl Active {
    /// How Kilo closed the turn, if it did, by what is known now: why it failed may have been missed
    /// when it was told.
    pub(super) fn closed(&mut self) -> Option<TurnOutcome> {
        let outcome = self.closing.take()?;
        Some(match (outcome, &self.error) {
            (TurnOutcome::Failed(_), Some(error)) => TurnOutcome::Failed(error.clone()),
            (outcome, _) => outcome,
        })
    }
}

impl Mapper {
    pub(super) fn session_created(&mut self, session: &Session) {
        let Some(parent) = &session.parent_id else { return };
        let known = self.children.contains_key(&session.id) || self.former.contains(&session.id);
        if self.owns(parent) && !known && self.children.len() < MAX_CHILDREN {
            let turn = self.active.as_ref().map(|a| a.turn.clone());
            let child = Child::new(shorten::line(&session.title), turn);
            self.children.insert(session.id.clone(), child);
        }
    }

    pub(super) fn session_updated(&mut self, session: &Session, out: &mut Mapped) {
        // Until Kilo has named a session its title is this and the time.
        const UNNAMED: [&str; 2] = [UNNAMED_ROOT, "Child session - "];
        let named = !UNNAMED.iter().any(|prefix| session.title.starts_with(prefix));
        if session.id == self.root && named && session.title != self.title {
            self.title.clone_from(&session.title);
            out.events.push(AgentEvent::Title(shorten::line(&session.title)));
        }
    }

    pub(super) fn status(&mut self, status: &Status, out: &mut Mapped) {
        let compacting = self.active.as_ref().is_some_and(|a| a.compacting);
        let phase = match status {
            Status::Busy if compacting => Some(Phase::Compacting),
            other => trouble(other),
        };
        if let Some(active) = &mut self.active
            && active.echoed
            && active.phase != phase
        {
            active.phase.clone_from(&phase);
            self.tell(TurnEvent::Phase(phase), out);
        }
    }

    pub(super) fn session_error(&mut self, error: &MessageError, out: &mut Mapped) {
        if error.kind == ErrorKind::Aborted {
            return;
        }
        let Some(active) = &mut self.active else { return };
        if active.error.is_some() && errors::is_echo(error) {
            return;
        }
        active.error = Some(errors::turn_error(error));
        let (turn, echoed) = (active.turn.clone(), active.echoed);
        // Of a command its answer says so; what it names may have been kept from it, and it goes on.
        out.refused = (!echoed && !self.is_call(&turn)).then_some(turn);
    }

    pub(super) fn turn_open(&mut self, out: &mut Mapped) {
        match &mut self.active {
            Some(active) if active.echoed => {
                active.opened = true;
                self.begun(out);
            }
            // Before the echo it is the end of an earlier turn that is still going on.
            Some(_) => {}
            None => {
                out.stray_turn = true;
                self.strays = true;
            }
        }
    }

    /// Tells that a turn of others has ended, while none of this thread's runs. Kilo counts as busy
    /// until it is idle, which it says around the close.
    pub(super) fn tell_of_stray(&mut self, idle: bool, out: &mut Mapped) {
        if self.strays && self.active.is_none() {
            self.strays = !idle;
            out.events.push(AgentEvent::Elsewhere);
        }
    }

    pub(super) fn turn_close(&mut self, reason: &CloseReason, out: &mut Mapped) {
        let Some(active) = self.active.as_ref().filter(|a| a.opened) else {
            // Or it is this one's, whose opening was missed: the session says which.
            out.resync |= self.active.as_ref().is_some_and(|active| active.echoed);
            self.strays = true;
            return self.tell_of_stray(false, out);
        };
        let outcome = match reason {
            CloseReason::Completed | CloseReason::Superseded | CloseReason::Other(_) => {
                TurnOutcome::Completed
            }
            CloseReason::Interrupted => TurnOutcome::Interrupted,
            CloseReason::Error => {
                TurnOutcome::Failed(active.error.clone().unwrap_or_else(nameless))
            }
        };
        if self.is_incomplete() {
            if let Some(active) = &mut self.active {
                active.closing = Some(outcome);
            }
            out.resync = true;
        } else {
            self.end(outcome, out);
        }
    }

    /// Whether something of the turn was missed: Kilo ends every part before the turn, and nothing
    /// that came while the link was down is known before the session is read.
    fn is_incomplete(&self) -> bool {
        let open = |part: &PartState| !part.ended && part.kind != PartKind::Hidden;
        self.behind || !self.orphans.is_empty() || self.parts.values().any(open)
    }

    /// Notes that the link to the server is down, or up again.
    pub(in crate::kilo) fn link(&mut self, down: bool) {
        self.cut = down;
        self.behind |= down;
    }

    /// Notes that the session was read, or that there was nothing of it to read.
    pub(in crate::kilo) fn caught_up(&mut self) {
        // While the link is down there is ever more to be missed.
        self.behind = self.cut;
    }

    /// Notes why the model of the turn that was begun is not known to work.
    pub(in crate::kilo) fn doubt(&mut self, reason: Option<String>) {
        if let Some(active) = &mut self.active {
            active.doubt = reason;
        }
    }

    pub(super) fn end(&mut self, mut outcome: TurnOutcome, out: &mut Mapped) {
        // Of a model that it does not list Kilo 7.7.7 says so in words alone, without a code.
        if let TurnOutcome::Failed(error) = &mut outcome
            && matches!(error.code, ErrorCode::ProviderError | ErrorCode::ModelUnavailable)
            && let Some(doubt) = self.active.as_mut().and_then(|active| active.doubt.take())
        {
            error.hint = Some(format!("the model is a custom one: {doubt}"));
        }
        self.tell(TurnEvent::Ended(outcome), out);
        self.active = None;
        self.acting.clear();
        self.leave_asks();
        self.take_up();
        // One of others may have ended while this one's message waited for that.
        self.tell_of_stray(true, out);
    }

    /// Tells, once, that the turn has begun.
    pub(super) fn begun(&mut self, out: &mut Mapped) {
        if let Some(active) = &mut self.active
            && !std::mem::replace(&mut active.begun, true)
        {
            self.tell(TurnEvent::Started, out);
            self.seen(out);
        }
    }

    /// The turn that Kilo has closed while something of it is still to be read.
    pub(in crate::kilo) fn closing(&self) -> Option<&TurnId> {
        self.active.as_ref().filter(|a| a.closing.is_some()).map(|a| &a.turn)
    }

    /// Ends a turn that Kilo has closed and that could not be read; what was told of it stands.
    pub(in crate::kilo) fn end_unread(&mut self) -> Vec<AgentEvent> {
        let mut out = Mapped::default();
        if let Some(outcome) = self.active.as_mut().and_then(|a| a.closing.take()) {
            self.end(outcome, &mut out);
        }
        out.events
    }

    /// Ends a turn of which nothing can be known any more.
    pub(in crate::kilo) fn fail(&mut self, error: TurnError) -> Vec<AgentEvent> {
        let mut out = Mapped::default();
        self.end(TurnOutcome::Failed(error), &mut out);
        out.events
    }

    /// Ends a turn that Kilo refused before it took the message.
    pub(in crate::kilo) fn refuse(&mut self, turn: &TurnId) -> Vec<AgentEvent> {
        self.refuse_or(turn, nameless)
    }

    /// The same, for the reason that Kilo's answer gives.
    pub(in crate::kilo) fn refuse_for(
        &mut self,
        turn: &TurnId,
        why: &kilo_sdk::Error,
    ) -> Vec<AgentEvent> {
        self.refuse_or(turn, || session::send_error(why).into())
    }

    fn refuse_or(
        &mut self,
        turn: &TurnId,
        otherwise: impl FnOnce() -> TurnError,
    ) -> Vec<AgentEvent> {
        let mut out = Mapped::default();
        let untaken = |a: &&Active| a.turn == *turn && !a.echoed && !a.opened;
        if let Some(active) = self.active.as_ref().filter(untaken) {
            let said = active.error.clone();
            let error = match said {
                Some(error) if self.is_call(turn) => errors::refused_command(error),
                Some(error) => errors::refused(error),
                None => otherwise(),
            };
            self.end(TurnOutcome::Failed(error), &mut out);
        } else if self.is_untaken(turn) {
            self.refuse_next(turn, otherwise(), &mut out);
        }
        out.events
    }
}

/// What keeps a session from going on by itself.
pub(super) fn trouble(status: &Status) -> Option<Phase> {
    match status {
        Status::Retry { attempt, message, next } => Some(Phase::Retrying {
            attempt: *attempt,
            next_at: millis(*next),
            message: shorten::line(message),
        }),
        Status::Offline { message, .. } => {
            Some(Phase::WaitingForNetwork { message: shorten::line(message) })
        }
        Status::Busy | Status::Idle | Status::Unknown(_) => None,
    }
}

fn nameless() -> TurnError {
    TurnError {
        code: ErrorCode::ProviderError,
        message: "Kilo ended the turn with an error it did not name".to_owned(),
        hint: None,
        retryable: true,
    }
}
