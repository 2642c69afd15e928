//! The turn state machine: one pure function from what happened to what changes.
//!
//! [`ThreadState`] holds what is live of one thread: its row, the turn that runs, the queue.
//! [`ThreadState::apply`] is the only way it changes. Every change it makes comes out as a
//! [`Change`] (to be stored, then shown) and every act it decides on as an [`Effect`] (to be done
//! after its changes are stored). The acts are no rows of their own: a turn that is preparing, a
//! request that is being answered, a turn that is stopping *are* the record of what is still to be
//! done, so [`ThreadState::recover`] finds the same effects again after a crash.

use std::collections::VecDeque;

use crate::{
    AgentEvent, Delivery, Item, Request, Thread, ThreadStatus, Timestamp, Turn, TurnInput,
    TurnOutcome, TurnState, units,
};

mod back;
mod founding;
mod input;
mod items;
mod outcome;
mod past;
mod permits;
mod queue;
mod requests;
mod sessions;
mod steer;
mod turns;

pub use back::MAX_TAKEN_BACK;
pub use founding::Founded;
pub use input::{Correction, Input, NewTurn, ThreadPatch, TurnPatch};
pub use outcome::{Change, Effect, Outcome, Refusal};
pub use turns::RunningTurn;

/// The longest message that is accepted, in UTF-16 units.
pub const MAX_MESSAGE_UNITS: u64 = 1_000_000;
/// The most messages that wait in one thread.
pub const MAX_QUEUED: usize = 50;
/// The most items that one turn keeps; what comes after is counted and said, not shown.
pub const MAX_TURN_ITEMS: usize = 20_000;
/// The most requests of one turn that are kept, open and closed together.
pub const MAX_TURN_REQUESTS: usize = 2_000;
/// The longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 200;

/// What is live of one thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadState {
    thread: Thread,
    running: Option<RunningTurn>,
    /// Never without a turn that runs.
    steering: Option<steer::Steering>,
    queue: VecDeque<Turn>,
    next_ordinal: u64,
    next_position: u64,
}

impl ThreadState {
    /// Starts with a thread that has no turn under way.
    ///
    /// `last_ordinal` and `last_position` are the highest in use, 0 when there are none.
    #[must_use]
    pub fn new(thread: Thread, last_ordinal: u64, last_position: u64) -> Self {
        Self {
            thread,
            running: None,
            steering: None,
            queue: VecDeque::new(),
            next_ordinal: last_ordinal + 1,
            next_position: last_position + 1,
        }
    }

    /// Adds what was under way when the thread was last stored: the turns that are not terminal in
    /// order, and the items (with their whole bodies) and open requests of the one that runs.
    #[must_use]
    pub fn with_live(
        mut self,
        turns: Vec<Turn>,
        items: Vec<(Item, String)>,
        requests: Vec<Request>,
    ) -> Self {
        for turn in turns {
            match turn.state {
                TurnState::Queued => self.queue.push_back(turn),
                TurnState::Preparing | TurnState::Running if self.running.is_some() => {
                    self.steering = Some(steer::Steering::found(turn));
                }
                TurnState::Preparing | TurnState::Running => {
                    self.running = Some(RunningTurn::new(turn));
                }
                TurnState::Completed | TurnState::Interrupted | TurnState::Failed => {}
            }
        }
        if let Some(running) = &mut self.running {
            running.restore(items, requests);
        }
        self
    }

    /// What is to be done for what [`ThreadState::with_live`] found under way.
    pub fn recover(&mut self, now: Timestamp) -> Outcome {
        let mut out = Outcome::default();
        let before = self.thread.clone();
        match &self.running {
            Some(running) => out.effects = running.recovery(),
            None => self.start_next(now, &mut out),
        }
        self.finish(&before, out)
    }

    /// The thread's row.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// The turn that prepares or runs.
    #[must_use]
    pub fn running(&self) -> Option<&RunningTurn> {
        self.running.as_ref()
    }

    /// The turns that the agent may be at work on: the one that prepares or runs, and the one that
    /// steers it.
    pub fn at_work(&self) -> impl Iterator<Item = &Turn> {
        self.running.iter().map(RunningTurn::turn).chain(self.steering())
    }

    /// The turns that wait, in order.
    pub fn queue(&self) -> impl Iterator<Item = &Turn> {
        self.queue.iter()
    }

    /// Applies what happened.
    ///
    /// # Errors
    /// A [`Refusal`] when a person asked for something that cannot be done; then nothing changed.
    /// What agents and the engine report is never refused: what no longer matters changes nothing.
    pub fn apply(&mut self, now: Timestamp, input: Input) -> Result<Outcome, Refusal> {
        let mut out = Outcome::default();
        if let Input::Agent(AgentEvent::Turn {
            turn,
            event: crate::TurnEvent::Text { key, at, text },
        }) = input
        {
            self.text(&turn, &key, at, &text, &mut out);
            self.heard(&mut out);
            return Ok(self.count(out));
        }
        let before = self.thread.clone();
        match input {
            Input::Submit(new) => self.submit(now, new, &mut out)?,
            Input::Compact(turn) => self.compact(now, turn, &mut out)?,
            Input::Withdraw(turn) => self.withdraw(now, &turn, &mut out)?,
            Input::EditQueued { turn, patch } => self.edit_queued(&turn, patch, &mut out)?,
            Input::Move { turn, before } => self.move_queued(&turn, before.as_ref(), &mut out)?,
            Input::Promote(turn) => self.promote(now, &turn, &mut out)?,
            Input::Release => self.release(now, &mut out),
            Input::Stop => self.stop(now, &mut out),
            Input::StopExpired(turn) => self.stop_expired(now, &turn, &mut out),
            Input::Prepared { turn, prompt_key } => self.prepared(&turn, prompt_key, &mut out),
            Input::Preparing { turn, phase } => self.preparing(&turn, phase, &mut out),
            Input::NotSent(turn) => self.not_sent(now, &turn, &mut out),
            Input::Silent { turn, since } => self.silent(&turn, since, &mut out),
            Input::Restarted(turn) => self.restarted(now, &turn, &mut out),
            Input::StillAsked(request) => self.still_asked(&request, &mut out),
            Input::Past { origin, turns, earlier } => {
                self.past(now, origin, turns, earlier, &mut out);
            }
            Input::Correct(corrections) => self.correct(corrections, &mut out),
            Input::Renew => self.renew()?,
            Input::GoBack { turn, ordinal, key } => self.go_back(turn, ordinal, key)?,
            Input::BringBack => self.bring_back()?,
            Input::Fail { turn, error } => {
                if self.current(&turn).is_some() || self.is_steering(&turn) {
                    self.note_lost(&error);
                }
                self.give_up(now, &turn, TurnOutcome::Failed(error), &mut out);
            }
            Input::Answer { request, answer } => self.answer(now, &request, answer, &mut out)?,
            Input::Delivered(request) => self.delivered(now, &request, &mut out),
            Input::DeliveryFailed { request, problem, gone } => {
                self.delivery_failed(now, &request, problem, gone, &mut out);
            }
            Input::Patch(patch) => self.patch(now, patch, &mut out)?,
            Input::Agent(event) => self.agent(now, event, &mut out),
        }
        self.hand_over(now, &mut out);
        Ok(self.finish(&before, out))
    }

    fn agent(&mut self, now: Timestamp, event: AgentEvent, out: &mut Outcome) {
        match event {
            AgentEvent::Turn { turn, event } => {
                self.turn_event(now, &turn, event, out);
                self.heard(out);
            }
            AgentEvent::Session { id } => {
                self.thread.session = Some(id);
                self.thread.session_gone = false;
                if self.thread.renewed && self.running.is_some() {
                    self.thread.renewed = false;
                    self.session_replaced(now, out);
                }
            }
            AgentEvent::Title(title) => {
                if !self.thread.titled_by_person && !title.trim().is_empty() {
                    self.thread.title = cut_title(&title);
                }
            }
            AgentEvent::Context(context) => self.thread.context = Some(context),
            // Whoever feeds the machine reads what was made, and tells it as the past.
            AgentEvent::Elsewhere => {}
            AgentEvent::Reconnecting(down) => self.reconnecting(down, out),
            AgentEvent::Lost(error) => {
                self.note_lost(&error);
                if let Some(running) = &self.running
                    && running.turn().prompt_key.is_some()
                {
                    let turn = running.turn().id.clone();
                    self.doubt_steering();
                    self.end_if(now, &turn, TurnOutcome::Failed(error), out);
                }
            }
        }
    }

    fn patch(
        &mut self,
        now: Timestamp,
        patch: ThreadPatch,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        if let Some(title) = patch.title {
            let title = title.trim();
            if title.is_empty() || title.chars().count() > MAX_TITLE_CHARS {
                return Err(Refusal::BadTitle);
            }
            title.clone_into(&mut self.thread.title);
            self.thread.titled_by_person = true;
        }
        if let Some(model) = patch.model {
            self.thread.model = Some(model);
        }
        if let Some(mode) = patch.mode {
            self.thread.mode = mode;
        }
        if let Some(pinned) = patch.pinned {
            self.thread.pinned = pinned;
        }
        if let Some(unread) = patch.unread {
            self.thread.unread = unread;
        }
        if let Some(access) = patch.access
            && access != self.thread.access
        {
            self.set_access(access, out);
        }
        if let Some(archived) = patch.archived {
            self.thread.archived = archived;
            if archived {
                self.thread.unread = false;
                self.clear_queue(now, out);
                self.stop(now, out);
            }
        }
        Ok(())
    }

    /// Brings the derived fields of the thread's row up to date and counts the change.
    fn finish(&mut self, before: &Thread, mut out: Outcome) -> Outcome {
        let open = self.running.as_ref().map_or(0, RunningTurn::open_requests);
        self.thread.open_requests = open;
        self.thread.queued = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        if self.queue.is_empty() {
            self.thread.queue_held = false;
        }
        self.thread.status = match (&self.running, open) {
            (Some(_), 0) => ThreadStatus::Working,
            (Some(_), _) => ThreadStatus::NeedsYou,
            (None, _) if self.thread.status == ThreadStatus::Failed => ThreadStatus::Failed,
            (None, _) => ThreadStatus::Idle,
        };
        if *before != self.thread {
            out.changes.push(Change::Thread { thread: self.thread.clone() });
        }
        self.count(out)
    }

    /// Gives the changes of one input their number.
    fn count(&mut self, mut out: Outcome) -> Outcome {
        if out.changes.is_empty() {
            return out;
        }
        self.thread.seq += 1;
        for change in &mut out.changes {
            if let Change::Thread { thread } = change {
                thread.seq = self.thread.seq;
            }
        }
        out
    }
}

/// Makes a title of a text: its first line that says something, shortened at a word.
pub(crate) fn cut_title(text: &str) -> String {
    const WANTED: usize = 72;
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    let line = match line.trim_start_matches(['#', '>', '-', '*', ' ']) {
        "" => line,
        words => words,
    };
    if line.chars().count() <= WANTED {
        return line.to_owned();
    }
    let cut: String = line.chars().take(WANTED).collect();
    let end = cut.rfind(' ').filter(|at| *at > WANTED / 2).unwrap_or(cut.len());
    format!("{}…", cut.get(..end).unwrap_or(&cut).trim_end())
}

#[cfg(test)]
mod tests;
