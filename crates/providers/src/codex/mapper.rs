//! What Codex's events mean for a thread: a pure function of what was told and of the prompts that
//! were sent.
//!
//! The mapper knows which of Codex's turns is which turn here, which sub-agents' threads belong to
//! the thread, what is open, and what is asked. It never waits and never reads a clock.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;

use codex_sdk::RequestId;
use codex_sdk::types::{Event, EventBody, Item, Turn, TurnStatus};
use domain::{
    Access, AgentEvent, InputKind, Mode, Phase, TurnError, TurnEvent, TurnId, TurnOutcome,
};
use serde_json::Value;

use super::{NAME, errors};
use crate::shared::face;

mod approvals;
mod asks;
mod children;
mod content;
mod items;
pub(super) mod past;
mod plan;
mod steer;
#[cfg(test)]
mod tests;
mod usage;

pub(super) use approvals::answer;
pub(super) use asks::{Ask, AskKind};
use children::Child;
pub(super) use content::{GO_ON, REMARK};
use items::OpenItem;
pub(super) use plan::BUILD;
use usage::Meter;

/// The threads of sub-agents that an item names.
pub(super) fn children_of(item: &Item) -> Vec<String> {
    children::named(item).into_iter().map(str::to_owned).collect()
}

/// Turns of Codex that are remembered as over, the latest last; their late events are passed over.
const MAX_FORMER: usize = 256;
/// Sub-agents of one thread that are known at once; of further ones nothing is shown.
const MAX_CHILDREN: usize = 1_000;

/// What comes of an event.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mapped {
    /// What the thread is told.
    pub(super) events: Vec<AgentEvent>,
    /// Requests of Codex that are answered without a person.
    pub(super) replies: Vec<Reply>,
    /// A turn of Codex that nobody here wants, by its id: it is to be stopped.
    pub(super) stray: Option<String>,
    /// The running turn ended before it took the message that was to steer it: that is to be sent.
    pub(super) unsteered: bool,
}

impl From<Vec<AgentEvent>> for Mapped {
    fn from(events: Vec<AgentEvent>) -> Self {
        Self { events, ..Self::default() }
    }
}

/// A turn of Codex that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Codex's id of it.
    pub(super) native: String,
    /// Whether Codex told that it began. Until then it has only answered that it will, and takes no
    /// stop of it.
    pub(super) told: bool,
}

/// An answer to a request of Codex that no person gives.
#[derive(Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) id: RequestId,
    pub(super) answer: Automatic,
}

/// What is answered without a person.
#[derive(Debug, PartialEq)]
pub(super) enum Automatic {
    /// This.
    Answer(Value),
    /// This, if these files really lie inside the workspace; else a person is asked, under the key.
    IfInside { answer: Value, paths: Vec<String>, key: String },
    /// That it cannot be answered.
    Refuse,
}

/// The running turn.
#[derive(Debug)]
struct Active {
    turn: TurnId,
    /// Our name of its message.
    key: String,
    kind: InputKind,
    mode: Mode,
    /// Codex's id of it, once it is known.
    native: Option<String>,
    /// Whether it was told that it began.
    begun: bool,
    /// Why it fails, as far as was told.
    error: Option<TurnError>,
    phase: Option<Phase>,
    /// Failed attempts in a row.
    attempts: u32,
    /// Texts of the answer that is being read: should it break off, they are told anew.
    fresh: Vec<String>,
    /// The plan that was proposed last, and its item.
    plan: Option<(String, String)>,
    /// The plan is a person's to decide; Codex itself is idle.
    deciding: bool,
}

/// Maps one thread's events.
#[derive(Debug)]
pub(super) struct Mapper {
    root: String,
    workspace: PathBuf,
    /// What makes names of requests unique: Codex counts them from 0 in each process.
    process: String,
    access: Access,
    active: Option<Active>,
    /// The message that was given to Codex while the turn runs, and its name.
    steering: Option<(TurnId, String)>,
    /// Codex's turns that are over here; Codex itself may be at them yet.
    former: VecDeque<String>,
    /// Codex's turns that it has ended.
    ended: VecDeque<String>,
    children: HashMap<String, Child>,
    items: HashMap<String, OpenItem>,
    asks: HashMap<String, Ask>,
    meter: Meter,
    /// The turn of Codex that runs, whoever wants it.
    running: Option<Run>,
    /// Events that mean nothing here.
    unknown: u64,
}

impl Mapper {
    pub(super) fn new(root: String, workspace: PathBuf, process: String, access: Access) -> Self {
        Self {
            root,
            workspace,
            process,
            access,
            active: None,
            steering: None,
            former: VecDeque::new(),
            ended: VecDeque::new(),
            children: HashMap::new(),
            items: HashMap::new(),
            asks: HashMap::new(),
            meter: Meter::default(),
            running: None,
            unknown: 0,
        }
    }

    /// Begins a turn: its message is about to be handed over.
    pub(super) fn begin(&mut self, turn: TurnId, key: String, kind: InputKind, mode: Mode) {
        self.leave();
        // It may have been given to the turn before, and is an ordinary message now.
        self.steering.take_if(|(_, steering)| *steering == key);
        self.active = Some(Active {
            turn,
            key,
            kind,
            mode,
            native: None,
            begun: false,
            error: None,
            phase: None,
            attempts: 0,
            fresh: Vec::new(),
            plan: None,
            deciding: false,
        });
    }

    /// Notes Codex's id of a turn, as its answer to the message says it. Gives the turn of Codex
    /// that nobody wants then: this one, if it was left meanwhile, or one that was taken for it.
    pub(super) fn native(&mut self, turn: &TurnId, native: &str) -> Option<String> {
        let runs = !self.ended.iter().any(|ended| ended == native);
        if runs && self.running.as_ref().is_none_or(|run| run.native != native) {
            self.running = Some(Run { native: native.to_owned(), told: false });
        }
        let other = match self.active.as_mut().filter(|active| active.turn == *turn) {
            Some(active) => {
                active.native.replace(native.to_owned()).filter(|other| other != native)?
            }
            None => native.to_owned(),
        };
        push(&mut self.former, other.clone());
        (!self.ended.contains(&other)).then_some(other)
    }

    /// Notes Codex's id of a turn that was found in the session.
    pub(super) fn found(&mut self, turn: &TurnId, native: &str) {
        if let Some(active) = self.active.as_mut().filter(|active| active.turn == *turn) {
            active.native = Some(native.to_owned());
        }
    }

    /// Notes that Codex is no longer at a turn, whatever it told of it.
    pub(super) fn over(&mut self, native: &str) {
        self.running.take_if(|run| run.native == native);
        if !self.ended.iter().any(|ended| ended == native) {
            push(&mut self.ended, native.to_owned());
        }
    }

    /// Forgets a turn: nothing more of it is told.
    pub(super) fn forget(&mut self, turn: &TurnId) {
        if self.steering.as_ref().is_some_and(|(steering, _)| steering == turn) {
            self.steering = None;
        }
        if self.active.as_ref().is_some_and(|active| active.turn == *turn) {
            self.leave();
        }
    }

    /// The running turn and Codex's id of it.
    pub(super) fn active(&self) -> Option<(&TurnId, Option<&str>)> {
        self.active.as_ref().map(|active| (&active.turn, active.native.as_deref()))
    }

    /// What the running turn is for.
    pub(super) fn mode(&self) -> Mode {
        self.active.as_ref().map_or(Mode::Build, |active| active.mode)
    }

    /// Whether a person decides on the plan of the running turn.
    pub(super) fn is_deciding(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.deciding)
    }

    /// Notes what may be done unasked from now on.
    pub(super) fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    /// Takes an event.
    pub(super) fn apply(&mut self, event: Event) -> Mapped {
        let mut out = Mapped::default();
        let Event { thread, turn, body } = event;
        let Some(thread) = thread else { return out };
        if thread != self.root {
            self.child_event(&thread, turn.as_deref(), body, &mut out);
            return out;
        }
        match body {
            EventBody::TurnStarted(native) => self.turn_started(&native.id, &mut out),
            EventBody::TurnCompleted(native) => self.turn_completed(&native, &mut out),
            EventBody::Named(name) => {
                if let Some(name) = name.filter(|name| !name.trim().is_empty()) {
                    out.events.push(AgentEvent::Title(crate::shared::shorten::line(&name)));
                }
            }
            EventBody::Resolved { id } => self.resolved(&id.into(), &mut out),
            EventBody::Warning { message } => self.warning(&message, &mut out),
            EventBody::Deleted => out.events.push(AgentEvent::Lost(face::gone(NAME).into())),
            body => match turn {
                Some(native) if self.is_current(&native) => self.of_turn(&native, body, &mut out),
                // What is over here is over, however late Codex tells of it.
                Some(_) | None => self.unknown += u64::from(body == EventBody::Other),
            },
        }
        out
    }

    /// Takes what happened in the running turn.
    fn of_turn(&mut self, native: &str, body: EventBody, out: &mut Mapped) {
        match body {
            EventBody::ItemStarted(item) => self.item_started(native, &item, out),
            EventBody::ItemCompleted(item) => self.item_completed(native, &item, out),
            EventBody::MessageDelta { item, delta }
            | EventBody::PlanDelta { item, delta }
            | EventBody::OutputDelta { item, delta } => {
                self.grow(native, &item, 0, &delta, out);
            }
            EventBody::SummaryDelta { item, index, delta }
            | EventBody::ReasoningDelta { item, index, delta } => {
                self.grow(native, &item, index, &delta, out);
            }
            EventBody::Todos { plan } => self.todos(native, plan, out),
            EventBody::Usage(usage) => self.usage(&usage, out),
            EventBody::Error { error, will_retry } => {
                if will_retry {
                    self.retrying(native, &error, out);
                } else if let Some(active) = &mut self.active {
                    active.error = Some(errors::turn_error(&error));
                }
            }
            _ => self.unknown += 1,
        }
    }

    /// Whether a turn of Codex is the one that runs here.
    pub(super) fn is_current(&self, native: &str) -> bool {
        self.active.as_ref().is_some_and(|active| active.native.as_deref() == Some(native))
    }

    /// The turn of Codex that runs, whoever wants it.
    pub(super) fn running(&self) -> Option<Run> {
        self.running.clone()
    }

    fn turn_started(&mut self, native: &str, out: &mut Mapped) {
        let ended = self.ended.iter().any(|ended| ended == native);
        if !ended {
            self.running = Some(Run { native: native.to_owned(), told: true });
        }
        if self.is_current(native) {
            return self.begun(out);
        }
        if ended {
            return;
        }
        let former = self.former.iter().any(|former| former == native);
        match &mut self.active {
            Some(active) if active.native.is_none() && !active.deciding && !former => {
                active.native = Some(native.to_owned());
                self.begun(out);
            }
            // Nobody here began it, or it was left before it began.
            Some(_) | None => out.stray = Some(native.to_owned()),
        }
    }

    /// Tells that Codex has taken the message.
    fn begun(&mut self, out: &mut Mapped) {
        let Some(active) = &mut self.active else { return };
        if !std::mem::replace(&mut active.begun, true) {
            self.meter.begin();
            self.tell(TurnEvent::Started, out);
        }
    }

    fn turn_completed(&mut self, native: &Turn, out: &mut Mapped) {
        self.over(&native.id);
        if !self.is_current(&native.id) {
            if self.active.is_none() && !self.former.contains(&native.id) {
                out.events.push(AgentEvent::Elsewhere);
            }
            return;
        }
        self.begun(out);
        let Some(active) = &mut self.active else { return };
        let outcome = match native.status {
            TurnStatus::Interrupted => TurnOutcome::Interrupted,
            TurnStatus::Failed => {
                let told = native.error.as_ref().map(errors::turn_error);
                let error = told.or_else(|| active.error.take());
                TurnOutcome::Failed(error.unwrap_or_else(|| errors::turn_error(&nameless())))
            }
            TurnStatus::Completed | TurnStatus::InProgress | TurnStatus::Unknown => {
                if self.ask_about_plan(out) {
                    return;
                }
                TurnOutcome::Completed
            }
        };
        self.end(outcome, out);
    }

    /// Ends the running turn.
    fn end(&mut self, outcome: TurnOutcome, out: &mut Mapped) {
        out.unsteered = self.steering.take().is_some();
        self.tell(TurnEvent::Ended(outcome), out);
        self.leave();
    }

    /// Ends the running turn because it was stopped while Codex itself was idle; `None` when that
    /// is not so.
    pub(super) fn stop_deciding(&mut self, turn: &TurnId) -> Option<Mapped> {
        let stopped = self.is_deciding() && self.active().is_some_and(|(active, _)| active == turn);
        stopped.then(|| {
            let mut out = Mapped::default();
            self.end(TurnOutcome::Interrupted, &mut out);
            out
        })
    }

    /// Ends the running turn with an error that Codex did not tell.
    pub(super) fn fail(&mut self, error: TurnError) -> Mapped {
        let mut out = Mapped::default();
        self.end(TurnOutcome::Failed(error), &mut out);
        out
    }

    /// Leaves the running turn behind.
    fn leave(&mut self) {
        if let Some(native) = self.active.take().and_then(|active| active.native) {
            push(&mut self.former, native);
        }
        self.items.clear();
        // Codex settles what it asked by itself when a turn ends (0.169.0).
        self.asks.clear();
        self.leave_children();
    }

    fn retrying(&mut self, native: &str, error: &codex_sdk::types::TurnError, out: &mut Mapped) {
        // The answer begins anew: what was told of it, whole texts too, is told again under other
        // names (0.169.0).
        self.take_back_texts(native, out);
        let Some(active) = &mut self.active else { return };
        active.attempts += 1;
        let said = error.additional_details.as_deref().unwrap_or(&error.message);
        let message = crate::shared::shorten::line(said);
        let network = error.kind() == codex_sdk::types::ErrorKind::Http(None);
        let phase = if network {
            Phase::WaitingForNetwork { message }
        } else {
            Phase::Retrying { attempt: active.attempts, next_at: None, message }
        };
        active.phase = Some(phase.clone());
        self.tell(TurnEvent::Phase(Some(phase)), out);
    }

    /// Notes that the turn goes on.
    fn goes_on(&mut self, out: &mut Mapped) {
        let Some(active) = &mut self.active else { return };
        if active.phase.take().is_some() {
            active.attempts = 0;
            self.tell(TurnEvent::Phase(None), out);
        }
    }

    fn tell(&self, event: TurnEvent, out: &mut Mapped) {
        if let Some(active) = &self.active {
            out.events.push(AgentEvent::Turn { turn: active.turn.clone(), event });
        }
    }

    /// Events and items that meant nothing here.
    #[cfg(test)]
    pub(super) fn unknown(&self) -> u64 {
        self.unknown
    }
}

fn push(turns: &mut VecDeque<String>, native: String) {
    turns.push_back(native);
    while turns.len() > MAX_FORMER {
        turns.pop_front();
    }
}

/// What stands for an error that was not told.
fn nameless() -> codex_sdk::types::TurnError {
    codex_sdk::types::TurnError {
        message: "Codex ended the turn with an error that it did not tell".to_owned(),
        ..codex_sdk::types::TurnError::default()
    }
}
