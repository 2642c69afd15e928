//! The turn state machine: one pure function from what happened to what changes.
//!
//! [`ThreadState`] holds what is live of one thread: its row, the turn that runs, the queue.
//! [`ThreadState::apply`] is the only way it changes. Every change it makes comes out as a
//! [`Change`] (to be stored, then shown) and every act it decides on as an [`Effect`] (to be done
//! after its changes are stored). The acts are no rows of their own: a turn that is preparing, a
//! request that is being answered, a turn that is stopping *are* the record of what is still to be
//! done, so [`ThreadState::recover`] finds the same effects again after a crash.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    Access, AgentEvent, Answer, Attachment, Delivery, Item, ItemId, MAX_ATTACHMENTS,
    MAX_MESSAGE_BYTES, Mode, ModelSelection, Request, RequestId, Thread, ThreadStatus, Timestamp,
    Turn, TurnError, TurnId, TurnInput, TurnOutcome, TurnState, units,
};

mod back;
mod founding;
mod items;
mod past;
mod queue;
mod requests;
mod sessions;
mod steer;
mod turns;

pub use back::MAX_TAKEN_BACK;
pub use founding::Founded;
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

/// Something that happened to a thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person sent a message.
    Submit(NewTurn),
    /// A person wants the agent to shorten its context, after what waits already.
    Compact(TurnId),
    /// A person took a waiting message back.
    Withdraw(TurnId),
    /// A person changed a waiting message.
    EditQueued {
        /// The turn.
        turn: TurnId,
        /// What is to be different.
        patch: TurnPatch,
    },
    /// A person gave a waiting message another place.
    Move {
        /// The turn.
        turn: TurnId,
        /// The waiting turn it comes before; `None` is the end of the queue.
        before: Option<TurnId>,
    },
    /// A person has a waiting message sent now, into what runs.
    Promote(TurnId),
    /// A person lets the held queue go on.
    Release,
    /// A person stops the running turn.
    Stop,
    /// The time for the agent to confirm a stop is over.
    StopExpired(TurnId),
    /// The session is open and the message is about to be sent under this name.
    Prepared {
        /// The turn.
        turn: TurnId,
        /// The provider's name for the message.
        prompt_key: String,
    },
    /// What the engine is doing for a turn that is not running yet.
    Preparing {
        /// The turn.
        turn: TurnId,
        /// What is being done.
        phase: crate::Phase,
    },
    /// The session was searched for the message and does not have it.
    NotSent(TurnId),
    /// The turn has not gone on for long, although nothing but its model is waited for.
    Silent {
        /// The turn.
        turn: TurnId,
        /// When it last went on.
        since: Timestamp,
    },
    /// Baton ended while this turn was at the agent, and looks now what became of it.
    Restarted(TurnId),
    /// The session has turns that were begun elsewhere; they come before those that still wait.
    Past {
        /// The turns, oldest first, each ended.
        turns: Vec<crate::PastTurn>,
        /// Turns of the session that came before them and are not kept here.
        earlier: crate::Earlier,
    },
    /// A person lets the thread go on in a new session, because the one it had is gone.
    Renew,
    /// A person takes the conversation back to before a message that the agent has. The agent is
    /// told by whoever applies this, and again before the next message.
    GoBack {
        /// The turn of the message.
        turn: TurnId,
        /// Its ordinal.
        ordinal: u64,
        /// The provider's name for the message.
        key: String,
    },
    /// A person undid that, and the agent knows.
    BringBack,
    /// The turn cannot go on.
    Fail {
        /// The turn.
        turn: TurnId,
        /// Why.
        error: TurnError,
    },
    /// A person answered a request.
    Answer {
        /// The request.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
    /// The agent took the answer.
    Delivered(RequestId),
    /// The answer did not reach the agent.
    DeliveryFailed {
        /// The request.
        request: RequestId,
        /// Why, in a sentence.
        problem: String,
        /// Whether the agent no longer knows the request.
        gone: bool,
    },
    /// A person changed the thread itself.
    Patch(ThreadPatch),
    /// The agent did something.
    Agent(AgentEvent),
}

/// A message to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTurn {
    /// The turn's id, chosen by the client.
    pub id: TurnId,
    /// The message.
    pub text: String,
    /// The files that go with it.
    pub attachments: Vec<Attachment>,
    /// How it reaches the agent.
    pub delivery: Delivery,
    /// What to run on; `None` takes the thread's.
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked; `None` takes the thread's.
    pub access: Option<Access>,
    /// What the turn is for; `None` takes the thread's.
    pub mode: Option<Mode>,
}

/// Changes of a person to a waiting message; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct TurnPatch {
    /// What is asked instead.
    pub text: Option<String>,
    /// What it runs on.
    pub model: Option<ModelSelection>,
    /// What it is for.
    pub mode: Option<Mode>,
}

/// Changes of a person to a thread; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ThreadPatch {
    /// A title of one's own.
    pub title: Option<String>,
    /// What the next turn runs on.
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked, from its next tool on.
    pub access: Option<Access>,
    /// What the next turn is for.
    pub mode: Option<Mode>,
    /// Whether it is kept at the top.
    pub pinned: Option<bool>,
    /// Whether it is put away; this also stops what runs.
    pub archived: Option<bool>,
    /// Whether its end was not looked at yet.
    pub unread: Option<bool>,
}

/// What came of an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What changed, in order. Empty when nothing did.
    pub changes: Vec<Change>,
    /// What is to be done once the changes are stored.
    pub effects: Vec<Effect>,
    /// A thread to be stored together with the changes, unless there is one of this id.
    pub founds: Option<Box<Founded>>,
}

/// One change of a thread: what is stored, sent and rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The thread's row is now this.
    Thread {
        /// The row.
        thread: Thread,
    },
    /// A turn is new or now this.
    Turn {
        /// The turn.
        turn: Turn,
    },
    /// An item is new or now this, its body included.
    Item {
        /// The item.
        item: Item,
    },
    /// An item is gone.
    ItemRemoved {
        /// Which.
        id: ItemId,
    },
    /// An item's body grew.
    Text {
        /// Which item.
        item: ItemId,
        /// Where the piece begins, in UTF-16 units.
        at: u64,
        /// The piece.
        text: String,
    },
    /// A request is new or now this.
    Request {
        /// The request.
        request: Request,
    },
    /// The whole of an item's body that is shortened in the `Item` change after it. For the store
    /// only; it is never sent.
    #[serde(skip)]
    ItemBody {
        /// Which item.
        item: ItemId,
        /// The whole text.
        text: String,
    },
    /// The whole of a message that may be shortened in the `Turn` change after it. For the store
    /// only; it is never sent.
    #[serde(skip)]
    TurnText {
        /// Which turn.
        turn: TurnId,
        /// The whole text.
        text: String,
    },
}

/// Something to be done, once the changes that decided it are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Open the session for this turn; then say [`Input::Prepared`] or [`Input::Fail`].
    Prepare(TurnId),
    /// Send the turn's message under its prompt key.
    Send(TurnId),
    /// Find out from the session what became of this turn, which was under way when Baton ended.
    Reconcile(TurnId),
    /// Interrupt the agent; after a grace time say [`Input::StopExpired`].
    Interrupt(TurnId),
    /// The turn is over although the agent has not said so: whatever it still does for it is to be
    /// stopped and not told.
    Abandon(TurnId),
    /// Give the agent the answer of this request.
    Deliver(RequestId),
    /// Tell the agent how much it may do from now on.
    ApplyAccess(Access),
    /// The text has a hole: read the session again.
    Resync,
}

/// Why an input of a person was refused. Each has a stable code at the edge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The message has no text.
    #[error("the message is empty")]
    EmptyMessage,
    /// The message is too long.
    #[error("the message has {units} characters; at most {MAX_MESSAGE_UNITS} are accepted")]
    MessageTooLong {
        /// Its length.
        units: u64,
    },
    /// Too many files, or too much of them, go with the message.
    #[error(
        "at most {MAX_ATTACHMENTS} files of {} MiB together go with a message",
        MAX_MESSAGE_BYTES / (1024 * 1024)
    )]
    TooManyAttachments,
    /// No model is chosen.
    #[error("no model is chosen for this thread")]
    NoModel,
    /// The thread is archived.
    #[error("the thread is archived")]
    Archived,
    /// Too many messages wait.
    #[error("{MAX_QUEUED} messages are waiting already")]
    QueueFull,
    /// The turn is not waiting any more, or never was.
    #[error("the turn is not waiting in the queue")]
    NotQueued,
    /// The request is unknown or already closed.
    #[error("the request is already closed")]
    RequestClosed,
    /// The request is being answered.
    #[error("an answer to the request is already on its way")]
    AlreadyAnswering,
    /// The answer does not fit the request.
    #[error("the answer does not fit the request: {why}")]
    WrongAnswer {
        /// What does not fit.
        why: String,
    },
    /// A turn prepares or runs.
    #[error("a turn is running")]
    Working,
    /// The turn is no message.
    #[error("a compaction is no message that could be sent into what runs or gone back to")]
    NotAMessage,
    /// The thread has no session yet, or no longer.
    #[error("the thread has no session yet: send a message first")]
    NoSession,
    /// Messages wait in the queue.
    #[error("messages are waiting: send them or take them back first")]
    MessagesWait,
    /// The agent never had the turn's message.
    #[error("the agent never had this message")]
    NeverSent,
    /// The turn was taken back, and another message was sent since.
    #[error("the turn was taken back before: the agent does not have it any more")]
    TakenBack,
    /// The conversation goes back with the next message.
    #[error("the conversation went back: send a message or bring back what was put away first")]
    WentBack,
    /// The thread went back too often.
    #[error("the conversation went back {MAX_TAKEN_BACK} times: fork the thread instead")]
    TooOftenBack,
    /// The title is empty or too long.
    #[error("a title has between 1 and {MAX_TITLE_CHARS} characters")]
    BadTitle,
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
            Input::Past { turns, earlier } => self.past(now, turns, earlier, &mut out),
            Input::Renew => self.renew()?,
            Input::GoBack { turn, ordinal, key } => self.go_back(turn, ordinal, key)?,
            Input::BringBack => self.bring_back()?,
            Input::Fail { turn, error } => {
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
            AgentEvent::Reconnecting(down) => self.reconnecting(down, out),
            AgentEvent::Lost(error) => {
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
