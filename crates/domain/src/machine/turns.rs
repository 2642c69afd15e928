//! Turns within the machine: accepting, starting, stopping, ending.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::LiveItem;
use super::{Change, Effect, NewTurn, Outcome, Refusal, ThreadState, TurnInput, cut_title};
use crate::{
    Access, ErrorCode, Item, ItemId, Phase, Request, RequestId, RequestState, ThreadStatus,
    Timestamp, Turn, TurnError, TurnEvent, TurnId, TurnOutcome, TurnState,
};

/// The turn that prepares or runs, with what is live in it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningTurn {
    pub(super) turn: Turn,
    /// Shared with the copy of the state that the actor keeps for as long as a command is being
    /// stored: a turn may hold tens of thousands of items, which no command needs a copy of.
    pub(super) items: Arc<BTreeMap<ItemId, LiveItem>>,
    pub(super) requests: BTreeMap<RequestId, Request>,
}

impl RunningTurn {
    pub(super) fn new(turn: Turn) -> Self {
        Self { turn, items: Arc::default(), requests: BTreeMap::new() }
    }

    pub(super) fn restore(&mut self, items: Vec<(Item, String)>, requests: Vec<Request>) {
        let live = |(item, text): (Item, String)| (item.id.clone(), LiveItem::restored(item, text));
        self.items = Arc::new(items.into_iter().map(live).collect());
        self.requests = requests.into_iter().map(|r| (r.id.clone(), r)).collect();
    }

    /// What is to be done for it after a restart. A message that may have been sent is looked up;
    /// a stop and answers that were on their way are repeated.
    pub(super) fn recovery(&self) -> Vec<Effect> {
        let id = self.turn.id.clone();
        let mut due = match self.turn.prompt_key {
            Some(_) => vec![Effect::Reconcile(id.clone())],
            None => vec![Effect::Prepare(id.clone())],
        };
        if self.turn.stopping {
            due.push(Effect::Interrupt(id));
        }
        due.extend(self.answering().map(|r| Effect::Deliver(r.id.clone())));
        due
    }

    /// The turn.
    #[must_use]
    pub fn turn(&self) -> &Turn {
        &self.turn
    }

    /// A request of it, open or closed.
    #[must_use]
    pub fn request(&self, id: &RequestId) -> Option<&Request> {
        self.requests.get(id)
    }

    /// How many requests the agent waits for.
    #[must_use]
    pub fn open_requests(&self) -> u32 {
        let open = self.requests.values().filter(|r| r.state.needs_person()).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }

    /// The requests of which it is not known since a restart whether the agent still waits.
    pub fn unsure(&self) -> impl Iterator<Item = &Request> {
        self.requests.values().filter(|r| matches!(r.state, RequestState::Checking { .. }))
    }

    /// The requests whose answer is on its way to the agent.
    pub fn answering(&self) -> impl Iterator<Item = &Request> {
        let answering = |r: &&Request| matches!(r.state, RequestState::Answering { .. });
        self.requests.values().filter(answering)
    }

    /// Whether the turn can go on only by a word of the agent or its model: it runs, no tool and no
    /// sub-agent works, nothing is asked, and no wait that the agent has told is going on.
    #[must_use]
    pub fn waits_for_model(&self, now: Timestamp) -> bool {
        let told = match &self.turn.phase {
            Some(Phase::Retrying { next_at, .. }) => next_at.is_some_and(|at| at > now),
            Some(Phase::WaitingForNetwork { .. }) => true,
            Some(
                Phase::StartingAgent
                | Phase::OpeningSession
                | Phase::Sending
                | Phase::Steering
                | Phase::Silent { .. }
                | Phase::Compacting
                | Phase::Reconnecting,
            )
            | None => false,
        };
        self.turn.state == TurnState::Running
            && !told
            && !self.requests.values().any(|r| r.state.is_open())
            && !self.items.values().any(LiveItem::is_at_work)
    }
}

impl ThreadState {
    pub(super) fn submit(
        &mut self,
        now: Timestamp,
        new: NewTurn,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        let known = |turn: &Turn| turn.id == new.id;
        let running = self.running.as_ref().map(|r| &r.turn);
        if self.queue.iter().chain(running).chain(self.steering()).any(known) {
            return Ok(());
        }
        self.admit(&new)?;
        self.thread.model = new.model.or_else(|| self.thread.model.take());
        self.set_access(new.access.unwrap_or(self.thread.access), out);
        self.thread.mode = new.mode.unwrap_or(self.thread.mode);
        if self.thread.title.is_empty() {
            let named = new.attachments.first().filter(|_| new.text.trim().is_empty());
            self.thread.title = cut_title(named.map_or(&new.text, |file| &file.name));
        }
        let message = TurnInput::message(&new.text);
        let input = TurnInput { attachments: new.attachments, ..message };
        let turn = Turn::queued(&self.thread, new.id, self.next_ordinal, input, now);
        let turn = Turn { delivery: new.delivery, ..turn };
        self.next_ordinal += 1;
        self.thread.active_at = now;
        self.thread.queue_held = false;
        self.thread.sent_since_stop = self.running.as_ref().is_some_and(|r| r.turn.stopping);
        out.changes.push(Change::TurnText { turn: turn.id.clone(), text: new.text });
        out.changes.push(Change::Turn { turn: turn.clone() });
        self.enqueue(turn, out);
        self.start_next(now, out);
        Ok(())
    }

    /// Changes how much the agent may do: one truth for the row, the turn that runs, and those that
    /// wait.
    pub(super) fn set_access(&mut self, access: Access, out: &mut Outcome) {
        if self.thread.access == access {
            return;
        }
        self.thread.access = access;
        if let Some(running) = &mut self.running {
            running.turn.access = access;
            out.changes.push(Change::Turn { turn: running.turn.clone() });
            out.effects.push(Effect::ApplyAccess(access));
        }
        if let Some(steering) = &mut self.steering {
            steering.turn.access = access;
            out.changes.push(Change::Turn { turn: steering.turn.clone() });
        }
    }

    /// Starts the first waiting turn when nothing runs and nobody holds the queue.
    pub(super) fn start_next(&mut self, now: Timestamp, out: &mut Outcome) {
        if self.running.is_some() || self.thread.queue_held {
            return;
        }
        let Some(mut turn) = self.queue.pop_front() else { return };
        advance(&mut turn, TurnState::Preparing);
        turn.started_at = Some(now);
        turn.access = self.thread.access;
        self.thread.status = ThreadStatus::Working;
        out.changes.push(Change::Turn { turn: turn.clone() });
        out.effects.push(Effect::Prepare(turn.id.clone()));
        self.running = Some(RunningTurn::new(turn));
    }

    pub(super) fn stop(&mut self, now: Timestamp, out: &mut Outcome) {
        self.stop_steering(now, out);
        let Some(running) = &mut self.running else { return };
        if running.turn.prompt_key.is_none() {
            self.end(now, TurnOutcome::Interrupted, out);
        } else if !running.turn.stopping {
            running.turn.stopping = true;
            out.changes.push(Change::Turn { turn: running.turn.clone() });
            out.effects.push(Effect::Interrupt(running.turn.id.clone()));
        }
    }

    pub(super) fn stop_expired(&mut self, now: Timestamp, id: &TurnId, out: &mut Outcome) {
        if self.running.as_ref().is_some_and(|r| r.turn.id == *id && r.turn.stopping) {
            self.give_up(now, id, TurnOutcome::Interrupted, out);
        }
    }

    pub(super) fn preparing(&mut self, id: &TurnId, phase: Phase, out: &mut Outcome) {
        if let Some(running) = self.current(id)
            && running.turn.state == TurnState::Preparing
            && running.turn.phase.as_ref() != Some(&phase)
        {
            running.turn.phase = Some(phase);
            out.changes.push(Change::Turn { turn: running.turn.clone() });
        }
    }

    pub(super) fn prepared(&mut self, id: &TurnId, prompt_key: String, out: &mut Outcome) {
        if self.is_steering(id) {
            return self.steering_prepared(prompt_key, out);
        }
        if let Some(running) = self.current(id)
            && running.turn.state == TurnState::Preparing
            && running.turn.prompt_key.is_none()
        {
            running.turn.prompt_key = Some(prompt_key);
            running.turn.phase = Some(Phase::Sending);
            out.changes.push(Change::Turn { turn: running.turn.clone() });
            out.effects.push(Effect::Send(id.clone()));
            self.take_back();
        }
    }

    /// The message is not in the session: it is sent (again, but never twice), unless the agent
    /// had it already, which means that the session it was in is gone.
    pub(super) fn not_sent(&mut self, now: Timestamp, id: &TurnId, out: &mut Outcome) {
        let Some(running) = self.current(id) else { return };
        match (running.turn.state, running.turn.stopping) {
            (TurnState::Preparing, false) if running.turn.prompt_key.is_some() => {
                out.effects.push(Effect::Send(id.clone()));
            }
            (_, true) => self.end(now, TurnOutcome::Interrupted, out),
            (TurnState::Running, false) => {
                self.doubt_steering();
                let error = TurnError {
                    code: ErrorCode::SessionLost,
                    message: "the agent no longer has the session this turn ran in".to_owned(),
                    hint: Some("send the message again to go on in a new session".to_owned()),
                    retryable: true,
                };
                self.end(now, TurnOutcome::Failed(error), out);
            }
            _ => {}
        }
    }

    pub(super) fn reconnecting(&mut self, down: bool, out: &mut Outcome) {
        if let Some(running) = &mut self.running
            && running.turn.state == TurnState::Running
        {
            // What it did before is told again by whoever mended the link.
            let shown = running.turn.phase == Some(Phase::Reconnecting);
            if shown != down {
                running.turn.phase = down.then_some(Phase::Reconnecting);
                out.changes.push(Change::Turn { turn: running.turn.clone() });
            }
        }
    }

    /// Applies an agent's event, unless its turn is over.
    pub(super) fn turn_event(
        &mut self,
        now: Timestamp,
        id: &TurnId,
        event: TurnEvent,
        out: &mut Outcome,
    ) {
        if self.is_steering(id) && self.steering().is_some_and(|t| t.prompt_key.is_some()) {
            match event {
                // It was not taken, and will not be.
                TurnEvent::Ended(outcome) => return self.end_steering(now, outcome, out),
                // It was taken: what ran until now is done.
                _ => self.end(now, TurnOutcome::Completed, out),
            }
        }
        let Some(running) = self.at_the_agent(id) else { return };
        let begins = running.turn.state == TurnState::Preparing;
        let sending = begins || running.turn.phase == Some(Phase::Sending);
        if sending && !matches!(event, TurnEvent::Ended(_)) {
            let there = shows_message(&event);
            if begins {
                advance(&mut running.turn, TurnState::Running);
            }
            running.turn.phase = (!there).then_some(Phase::Sending);
            if begins || there {
                out.changes.push(Change::Turn { turn: running.turn.clone() });
            }
        }
        match event {
            TurnEvent::Started => {}
            TurnEvent::Named { key } => {
                if running.turn.prompt_key.as_ref() != Some(&key) {
                    running.turn.prompt_key = Some(key);
                    out.changes.push(Change::Turn { turn: running.turn.clone() });
                }
            }
            // That nothing else is waited for is no word of a model that is silent, or of a message.
            TurnEvent::Phase(None)
                if matches!(running.turn.phase, Some(Phase::Silent { .. } | Phase::Sending)) => {}
            TurnEvent::Phase(phase) => {
                if running.turn.phase != phase {
                    running.turn.phase = phase;
                    out.changes.push(Change::Turn { turn: running.turn.clone() });
                }
            }
            TurnEvent::Item(update) => self.item(now, update, out),
            TurnEvent::Text { key, at, text } => self.text(id, &key, at, &text, out),
            TurnEvent::ItemRemoved { key } => self.item_removed(&key, out),
            TurnEvent::Asked(request) => self.asked(now, request, out),
            TurnEvent::AskClosed { key, outcome } => self.ask_closed(now, &key, outcome, out),
            TurnEvent::Usage(mut usage) => {
                if !usage.cost.is_finite() {
                    usage.cost = 0.0;
                }
                if running.turn.usage != usage {
                    running.turn.usage = usage;
                    out.changes.push(Change::Turn { turn: running.turn.clone() });
                }
            }
            TurnEvent::Ended(outcome) => self.end_if(now, id, outcome, out),
        }
    }

    /// Notes that the turn has not gone on since then.
    pub(super) fn silent(&mut self, id: &TurnId, since: Timestamp, out: &mut Outcome) {
        if let Some(running) = self.current(id)
            && running.turn.state == TurnState::Running
            && running.turn.phase.is_none()
        {
            running.turn.phase = Some(Phase::Silent { since });
            out.changes.push(Change::Turn { turn: running.turn.clone() });
        }
    }

    /// A turn that goes on is no longer silent. What changed nothing was known: a session that is
    /// read again says nothing new.
    pub(super) fn heard(&mut self, out: &mut Outcome) {
        if !out.changes.is_empty()
            && let Some(running) = &mut self.running
            && matches!(running.turn.phase, Some(Phase::Silent { .. }))
        {
            running.turn.phase = None;
            out.changes.push(Change::Turn { turn: running.turn.clone() });
        }
    }

    pub(super) fn end_if(
        &mut self,
        now: Timestamp,
        id: &TurnId,
        outcome: TurnOutcome,
        out: &mut Outcome,
    ) {
        if self.current(id).is_some() {
            self.end(now, outcome, out);
        }
    }

    /// Ends the turn, if it runs, without the agent having ended it. What was sent may still run
    /// there, and has to be stopped before anything else is sent.
    pub(super) fn give_up(
        &mut self,
        now: Timestamp,
        id: &TurnId,
        outcome: TurnOutcome,
        out: &mut Outcome,
    ) {
        if self.is_steering(id) {
            return self.end_steering(now, outcome, out);
        }
        if self.current(id).is_some_and(|running| running.turn.prompt_key.is_some()) {
            out.effects.push(Effect::Abandon(id.clone()));
            // What the agent has of the next one is stopped with it.
            self.end_with_running(now, out);
            self.doubt_steering();
        }
        self.end_if(now, id, outcome, out);
    }

    /// The running turn, if it is this one.
    pub(super) fn current(&mut self, id: &TurnId) -> Option<&mut RunningTurn> {
        self.running.as_mut().filter(|r| r.turn.id == *id)
    }

    /// The running turn, if it is this one and the agent can know it: before its message has a
    /// name nothing an agent says is about it.
    pub(super) fn at_the_agent(&mut self, id: &TurnId) -> Option<&mut RunningTurn> {
        self.current(id).filter(|r| r.turn.prompt_key.is_some())
    }

    /// Ends the running turn: closes what is open in it and starts the next.
    fn end(&mut self, now: Timestamp, outcome: TurnOutcome, out: &mut Outcome) {
        if self.steering().is_some_and(|turn| turn.stopping) {
            self.end_with_running(now, out);
        }
        self.note_undelivered(now, out);
        let Some(RunningTurn { mut turn, items, requests }) = self.running.take() else {
            return;
        };
        let (state, error) = match outcome {
            // A person asked for the stop; however the agent words its end, that is what it was.
            TurnOutcome::Failed(_) if turn.stopping => (TurnState::Interrupted, None),
            TurnOutcome::Completed => (TurnState::Completed, None),
            TurnOutcome::Interrupted => (TurnState::Interrupted, None),
            TurnOutcome::Failed(error) => (TurnState::Failed, Some(error)),
        };
        for item in Arc::unwrap_or_clone(items).into_values() {
            let asked = item.permit(&requests);
            item.close(now, state, asked, out);
        }
        for mut request in requests.into_values().filter(|r| r.state.is_open()) {
            request.state = super::requests::closed_with_turn(&request.body);
            request.closed_at = Some(now);
            out.changes.push(Change::Request { request });
        }
        advance(&mut turn, state);
        turn.error = error;
        turn.phase = None;
        turn.stopping = false;
        turn.ended_at = Some(now);
        self.thread.usage = self.thread.usage.plus(&turn.usage);
        self.thread.active_at = now;
        self.thread.unread = !self.thread.archived;
        self.thread.status = match state {
            TurnState::Failed => ThreadStatus::Failed,
            _ => ThreadStatus::Idle,
        };
        let released = std::mem::take(&mut self.thread.sent_since_stop);
        out.changes.push(Change::Turn { turn });
        self.succeed(out);
        let held = state != TurnState::Completed && !released && self.running.is_none();
        self.thread.queue_held = held && !self.queue.is_empty();
        self.start_next(now, out);
    }
}

/// Moves a turn along the table of legal transitions; an illegal step changes nothing.
pub(super) fn advance(turn: &mut Turn, next: TurnState) {
    debug_assert!(turn.state.may_become(next), "{:?} may not become {next:?}", turn.state);
    if turn.state.may_become(next) {
        turn.untaken = turn.state != TurnState::Running
            && matches!(next, TurnState::Interrupted | TurnState::Failed);
        turn.state = next;
    }
}

/// Whether an event comes only after the agent has the turn's message: a name and a request may
/// come before, and the message is still on its way then.
fn shows_message(event: &TurnEvent) -> bool {
    match event {
        TurnEvent::Started
        | TurnEvent::Item(_)
        | TurnEvent::Text { .. }
        | TurnEvent::ItemRemoved { .. }
        | TurnEvent::Usage(_) => true,
        TurnEvent::Named { .. }
        | TurnEvent::Phase(_)
        | TurnEvent::Asked(_)
        | TurnEvent::AskClosed { .. }
        | TurnEvent::Ended(_) => false,
    }
}
