//! From Kilo's events and snapshots to [`AgentEvent`]s: pure, one for each session.
//!
//! What it rests on (all measured on Kilo 7.7.7): a turn is framed by `session.turn.open` and
//! `session.turn.close`, never by `session.idle`; an answer names the message it answers, so what
//! answers another turn's is late and of no matter; deltas only append and the closing update of a
//! part holds its whole text; a part that is still being written is empty in snapshots, so a
//! snapshot never takes text away.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    AgentEvent, ErrorCode, InputKind, Phase, TurnError, TurnEvent, TurnId, TurnOutcome, Usage,
};
use kilo_sdk::types::{Part, PartBody, Rule, Status, ToolPart, ToolStatus};
use kilo_sdk::{Envelope, Event, MessageId, PartId, SessionId};

use super::baseline;

pub(super) mod asks;
mod belonging;
mod calls;
mod children;
mod content;
mod names;
pub(super) mod past;
mod requests;
mod snapshot;
mod steer;
mod tools;
mod turn;

pub(super) use crate::shared::shorten::line;
use belonging::Source;
pub(super) use names::Servers;
pub(super) use requests::{Ask, AskKind, Label};
pub(super) use snapshot::{Placed, Snapshot};
use turn::trouble;

/// How the title of a session begins that nobody has named; the time follows.
pub(super) const UNNAMED_ROOT: &str = "New session - ";

/// Events of sub-agents that wait for their place in the conversation to be known.
const MAX_UNPLACED: usize = 512;
/// Longest plan that is kept, in bytes.
const MAX_PLAN: usize = 256 * 1024;
/// Messages, parts, steps and calls of a turn that are remembered, of each so many. What is new
/// beyond is left out, asks for no reading of the session, and one notice says so; what is known
/// goes on. Twice what a turn keeps of items, since what is not shown counts here too.
const MAX_PARTS: usize = 2 * domain::MAX_TURN_ITEMS;
/// Requests that are open at once. Those beyond wait at Kilo: when there is room again the
/// session is read, which finds them.
const MAX_ASKS: usize = domain::MAX_TURN_REQUESTS;
/// Sub-agents of a turn that are remembered; what those beyond do is not shown.
const MAX_CHILDREN: usize = 1000;
/// Parts that wait for their message to be known.
const MAX_ORPHANS: usize = 256;
/// Tool calls under way whose input is held for what they may ask; what those beyond ask is shown
/// as Kilo asks it.
const MAX_ACTING: usize = 200;

/// What one session's events mean.
pub(super) struct Mapper {
    root: SessionId,
    workspace: String,
    access: domain::Access,
    /// The agent that plans is at work, which may change nothing but its plan.
    planning: bool,
    granted: Vec<Rule>,
    active: Option<Active>,
    /// The message that waits at Kilo while a turn runs.
    next: Option<steer::Next>,
    /// The turns that are commands whose message has not been seen.
    calling: Vec<calls::Call>,
    messages: HashMap<MessageId, Known>,
    /// Messages that are known to be of other turns.
    others: HashSet<MessageId>,
    parts: HashMap<PartId, PartState>,
    children: HashMap<SessionId, Child>,
    /// Sub-agents of the turn before; what still comes of them is late.
    former: HashSet<SessionId>,
    orphans: Vec<Part>,
    asks: BTreeMap<String, Ask>,
    /// The items of tool calls.
    calls: HashMap<Call, String>,
    /// The tool calls under way.
    acting: HashMap<Call, Box<ToolPart>>,
    /// What was open when its turn was given up here: Kilo may still wait for it.
    left: Vec<Ask>,
    servers: Servers,
    declined: HashSet<Call>,
    plan: Option<Plan>,
    /// The writings of markdown files that were seen.
    written: HashSet<PartId>,
    title: String,
    /// Something of the turn was left out because there was too much of it.
    full: bool,
    /// A turn of others ran in the session, and that was not told to its end.
    strays: bool,
    /// The link to the server is down.
    cut: bool,
    /// The link was down since the session was last read: what was begun and ended meanwhile left no
    /// trace here.
    behind: bool,
}

/// A tool call: its message, and the model's id of it, which some models use again.
pub(super) type Call = (MessageId, String);

/// The turn that runs.
struct Active {
    turn: TurnId,
    /// Its message. Of a compaction Kilo makes it; until it is known this is a name older than it.
    message: MessageId,
    /// When Kilo made the message, by Kilo's clock, once that is known.
    created: Option<f64>,
    kind: InputKind,
    /// Kilo has the message.
    echoed: bool,
    /// Its beginning was told.
    begun: bool,
    /// Kilo works on it.
    opened: bool,
    error: Option<TurnError>,
    steps: BTreeMap<PartId, Usage>,
    context_limit: Option<u64>,
    /// Why its model is not known to work.
    doubt: Option<String>,
    phase: Option<Phase>,
    compacting: bool,
    /// How it ended, while what was missed of it is still to be read.
    closing: Option<TurnOutcome>,
    /// It was read as idle before its last answer had ended.
    doubted: bool,
}

/// What is known of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    User,
    Assistant,
    Summary { automatic: bool },
}

/// What is known of a part.
struct PartState {
    message: MessageId,
    kind: PartKind,
    /// Units of text told so far.
    len: u64,
    /// Whether an item of it was told.
    told: bool,
    /// Whether its text is whole; a delta that still comes is late.
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PartKind {
    /// Text of this kind of item.
    Text(TextKind),
    Other,
    /// Not to be shown.
    Hidden,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextKind {
    Message,
    Reasoning,
    User,
    Compaction { automatic: bool },
}

/// The plan of a plan turn.
struct Plan {
    path: String,
    text: String,
}

/// A sub-agent's session.
struct Child {
    /// The item of the tool call that started it.
    parent: Option<String>,
    label: String,
    turn: Option<TurnId>,
    waiting: Vec<Event>,
    /// The call that started it, once that is known.
    call: Option<children::Call>,
    phase: Option<Phase>,
    /// What it used, without the sub-agents it started.
    usage: Usage,
    steps: u32,
}

/// What came of an event.
#[derive(Default)]
pub(super) struct Mapped {
    pub(super) events: Vec<AgentEvent>,
    /// Something was missed: the session has to be read.
    pub(super) resync: bool,
    /// Permission the thread's access already implies: to be given at once.
    pub(super) implied: Vec<Ask>,
    /// A question of Kilo's own with one sensible answer.
    pub(super) housekeeping: Option<(Ask, String)>,
    /// A turn began that nobody here asked for.
    pub(super) stray_turn: bool,
    /// The turn whose message was refused before it was taken, unless it is taken soon.
    pub(super) refused: Option<TurnId>,
}

impl Mapper {
    pub(super) fn new(
        root: SessionId,
        workspace: String,
        access: domain::Access,
        servers: Servers,
    ) -> Self {
        Self {
            root,
            workspace,
            access,
            planning: false,
            granted: Vec::new(),
            active: None,
            next: None,
            calling: Vec::new(),
            messages: HashMap::new(),
            others: HashSet::new(),
            parts: HashMap::new(),
            children: HashMap::new(),
            former: HashSet::new(),
            orphans: Vec::new(),
            asks: BTreeMap::new(),
            calls: HashMap::new(),
            acting: HashMap::new(),
            left: Vec::new(),
            servers,
            declined: HashSet::new(),
            plan: None,
            written: HashSet::new(),
            title: String::new(),
            full: false,
            strays: false,
            cut: false,
            behind: false,
        }
    }

    /// Begins a turn whose message has this id, or of whose compaction Kilo makes a message that is
    /// newer than this. What is known of earlier turns is forgotten.
    pub(super) fn begin(
        &mut self,
        turn: TurnId,
        message: MessageId,
        kind: InputKind,
        context_limit: Option<u64>,
    ) {
        if let Some(active) = self.active.as_mut().filter(|a| a.turn == turn) {
            active.context_limit = context_limit.or(active.context_limit);
            return;
        }
        self.next.take_if(|next| next.is(&turn));
        self.leave_turn(&message);
        self.parts.clear();
        self.former = self.children.drain().map(|(id, _)| id).collect();
        self.orphans.clear();
        self.leave_asks();
        self.calls.clear();
        self.acting.clear();
        self.declined.clear();
        self.plan = None;
        self.written.clear();
        self.full = false;
        self.active = Some(Active {
            turn,
            message,
            created: None,
            kind,
            echoed: false,
            begun: false,
            opened: false,
            error: None,
            steps: BTreeMap::new(),
            context_limit,
            doubt: None,
            phase: None,
            compacting: false,
            closing: None,
            doubted: false,
        });
    }

    /// Forgets the turn; what still comes of it is late.
    pub(super) fn abandon(&mut self) {
        self.active = None;
        self.leave_asks();
    }

    /// Notes that what is open is of no turn any more, though Kilo may wait for it.
    fn leave_asks(&mut self) {
        let asks = std::mem::take(&mut self.asks).into_values();
        let room = MAX_ASKS.saturating_sub(self.left.len());
        self.left.extend(asks.take(room));
    }

    /// Whether Kilo may still wait for something of a turn that is over.
    pub(super) fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Whether no turn runs though Kilo may still wait for something of an earlier one.
    pub(super) fn is_untidy(&self) -> bool {
        self.active.is_none() && self.has_left()
    }

    /// What Kilo may still wait for of turns that are over.
    pub(super) fn take_left(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.left)
    }

    /// The directories other than the session's own that something was asked in.
    pub(super) fn asking_directories(&self) -> BTreeSet<String> {
        self.asks.values().filter_map(|ask| ask.directory.clone()).collect()
    }

    pub(super) fn set_access(&mut self, access: domain::Access) {
        self.access = access;
    }

    /// Remembers what a person allowed for the session.
    pub(super) fn grant(&mut self, rules: &[Rule]) {
        for rule in rules {
            if !self.granted.contains(rule) {
                self.granted.push(rule.clone());
            }
        }
    }

    /// What people allowed for the session.
    pub(super) fn granted(&self) -> &[Rule] {
        &self.granted
    }

    /// The turn that runs and its message.
    pub(super) fn active(&self) -> Option<(&TurnId, &MessageId)> {
        self.active.as_ref().map(|a| (&a.turn, &a.message))
    }

    /// What waits for an answer, by the key of its request.
    pub(super) fn ask(&self, key: &str) -> Option<&Ask> {
        self.asks.get(key)
    }

    /// What waits for permission that the access now implies.
    pub(super) fn implied(&self) -> Vec<Ask> {
        let implied = |ask: &&Ask| match &ask.kind {
            AskKind::Permission { permission, .. } => ask.listed && self.allows(permission),
            AskKind::Question { .. } | AskKind::Network => false,
        };
        self.asks.values().filter(implied).cloned().collect()
    }

    /// Whether the access lets an act happen that asks all the same. What a planning agent asks is
    /// left to a person whatever the access: it, its MCP tools and its sub-agents are to look only.
    pub(super) fn allows(&self, permission: &str) -> bool {
        !self.planning && baseline::allows(self.access, permission)
    }

    /// Whether a session is this thread's: its own or a sub-agent's of the running turn.
    pub(super) fn owns(&self, session: &SessionId) -> bool {
        *session == self.root || self.children.contains_key(session)
    }

    /// The plan file to read before this event is applied.
    pub(super) fn plan_wanted(&self, event: &Event) -> Option<String> {
        let Event::PartUpdated { part, .. } = event else { return None };
        Self::plan_of(part)
    }

    /// The plan file to read before a session as it was read is merged: the last that was ended
    /// with, which may have been changed since it was written.
    pub(super) fn plan_in(snapshot: &Snapshot) -> Option<String> {
        snapshot.messages.iter().rev().flat_map(|m| m.parts.iter().rev()).find_map(Self::plan_of)
    }

    fn plan_of(part: &Part) -> Option<String> {
        let PartBody::Tool(tool) = &part.body else { return None };
        (tool.tool == "plan_exit" && tool.state.status == ToolStatus::Completed)
            .then(|| tools::plan_path(&tool.state))
            .flatten()
    }

    /// The text of the plan file, or `None` when it could not be read; then what was written to
    /// it in this turn stands.
    pub(super) fn set_plan(&mut self, path: String, text: Option<String>) {
        let written = self.plan.take().filter(|plan| plan.path.ends_with(&path));
        let text = text.or(written.map(|plan| plan.text)).unwrap_or_default();
        let text = crate::shared::shorten::cut(&text, MAX_PLAN);
        self.plan = Some(Plan { path, text });
    }

    /// Applies an event of this session or of one of its sub-agents.
    pub(super) fn apply(&mut self, envelope: Envelope) -> Mapped {
        let mut out = Mapped::default();
        self.event(envelope.event, envelope.directory, &mut out);
        out
    }

    fn event(&mut self, event: Event, directory: Option<String>, out: &mut Mapped) {
        match event {
            Event::SessionCreated(session) => self.session_created(&session),
            Event::SessionUpdated(session) => self.session_updated(&session, out),
            Event::SessionDeleted(session) if session.id == self.root => {
                out.events.push(AgentEvent::Lost(deleted()));
            }
            Event::SessionStatus { session_id, status } if session_id == self.root => {
                self.status(&status, out);
                if status == Status::Idle {
                    self.tell_of_stray(true, out);
                }
            }
            Event::SessionStatus { session_id, status } => {
                self.child_phase(&session_id, trouble(&status), out);
            }
            Event::SessionError { session_id, error } => {
                if session_id.is_none_or(|id| id == self.root) {
                    self.session_error(&error, out);
                }
            }
            Event::TurnOpen { session_id } if session_id == self.root => self.turn_open(out),
            Event::TurnClose { session_id, reason, .. } if session_id == self.root => {
                self.turn_close(&reason, out);
            }
            Event::QueueChanged { session_id, queued } if session_id == self.root => {
                self.queue_changed(&queued, out);
            }
            Event::MessageUpdated { session_id, message } => {
                self.message(&session_id, &message, Source::Heard, out);
            }
            Event::MessageRemoved { message_id, .. } => self.message_removed(&message_id, out),
            Event::PartUpdated { ref session_id, .. } | Event::PartDelta { ref session_id, .. } => {
                let session = session_id.clone();
                self.content(&session, event, out);
            }
            Event::PartRemoved { part_id, .. } => self.part_removed(&part_id, out),
            Event::PermissionAsked(ask) => self.permission(&ask, directory, out),
            Event::PermissionReplied { request_id, reply, .. } => {
                self.replied(request_id.as_str(), reply == "reject", out);
            }
            Event::QuestionAsked(ask) => self.question(&ask, directory, out),
            Event::QuestionReplied { request_id, .. }
            | Event::QuestionRejected { request_id, .. } => {
                self.replied(request_id.as_str(), false, out);
            }
            Event::NetworkAsked(wait) => self.network(&wait, directory, out),
            Event::NetworkReplied { request_id, .. }
            | Event::NetworkRejected { request_id, .. }
            | Event::NetworkRestored { request_id, .. } => {
                self.replied(&network_key(request_id.as_str()), false, out);
            }
            // Sub-agents' turns are framed by the tool call that started them; the rest says
            // nothing that a thread shows.
            Event::SessionDeleted(_)
            | Event::TurnOpen { .. }
            | Event::TurnClose { .. }
            | Event::SessionIdle { .. }
            | Event::QueueChanged { .. }
            | Event::SessionCompacted { .. }
            | Event::SessionDiff { .. }
            | Event::SessionWakeup { .. }
            | Event::DrainInterrupted { .. }
            | Event::TodoUpdated { .. }
            | Event::FileEdited { .. }
            | Event::ServerConnected
            | Event::Heartbeat
            | Event::InstanceDisposed { .. }
            | Event::GlobalDisposed
            | Event::CatalogUpdated
            | Event::IntegrationUpdated
            | Event::ConfigUpdated => {}
            Event::Unknown { kind, properties } => self.strange(&kind, properties, directory, out),
        }
    }

    fn tell(&self, event: TurnEvent, out: &mut Mapped) {
        if let Some(active) = &self.active {
            out.events.push(AgentEvent::Turn { turn: active.turn.clone(), event });
        }
    }
}

fn network_key(id: &str) -> String {
    format!("net:{id}")
}

fn whole(number: f64) -> u64 {
    u64::from(tools::count(number))
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
fn millis(number: f64) -> Option<i64> {
    (number.is_finite() && number > 0.0).then_some(number as i64)
}

fn deleted() -> TurnError {
    TurnError {
        code: ErrorCode::SessionLost,
        message: "the session was deleted in Kilo".to_owned(),
        hint: Some("send the message again to go on in a new session".to_owned()),
        retryable: true,
    }
}

#[cfg(test)]
mod tests;
