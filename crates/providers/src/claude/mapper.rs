//! From Claude Code's frames to [`AgentEvent`]s: pure, one for each session.
//!
//! What it rests on (all measured on Claude Code 2.1.197): `system/init` comes at the beginning of
//! every turn and `result` at its end; whole lines are the truth and pieces only a preview; an
//! answer whose stream broke is thrown away and given again under another id, without pieces; what
//! is open when a turn ends is never closed by the agent; `total_cost_usd` counts for the process.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use claude_sdk::{Ask as Asked, Frame, TurnResult};
use domain::{
    Access, AgentEvent, Context, ErrorCode, FullText, InputKind, ItemContent, ItemStatus,
    ItemUpdate, Mode, NoticeLevel, Phase, Timestamp, Todo, TurnError, TurnEvent, TurnId,
    TurnOutcome, Usage,
};
use serde_json::Value;

use super::{access, errors, limits};

mod answer;
mod asks;
mod past;
mod results;
mod system;
#[cfg(test)]
mod tests;
mod tools;

pub(super) use answer::text;
pub(super) use asks::{Ask, reply};

/// Tool calls, answers and tasks of a turn that are remembered, of each so many. What is new beyond
/// is left out, and one notice says so.
const MAX_KNOWN: usize = 2 * domain::MAX_TURN_ITEMS;
/// Requests that are open at once; what is asked beyond is refused.
const MAX_ASKS: usize = domain::MAX_TURN_REQUESTS;
/// Lines that are known, so that their repetition after a compaction tells nothing.
const MAX_LINES: usize = 4096;
/// Entries of the list of what is to be done.
const MAX_TODOS: usize = 500;

/// What one session's frames mean.
pub(super) struct Mapper {
    workspace: String,
    /// The session's newest id; `/clear` gives it another.
    session: String,
    access: Access,
    /// The agent's permission mode, as it was set or as the agent says: its model may enter `plan` by
    /// itself (2.1.197).
    mode: String,
    /// A person allowed changes of files in the workspace for the session.
    edits_allowed: bool,
    active: Option<Active>,
    /// A turn runs that nobody here asked for: a task in the background had ended.
    stray: bool,
    /// The answer that is being written, of the thread's own agent.
    writing: Option<answer::Writing>,
    /// How many blocks of each answer were told.
    blocks: HashMap<String, u64>,
    calls: HashMap<String, Call>,
    /// Sub-agents by their task: the call, and what people call it.
    agents: HashMap<String, (String, String)>,
    asks: BTreeMap<String, Ask>,
    /// What is asked and shown to nobody until it is known where a path leads.
    unsure: BTreeMap<String, asks::Unsure>,
    /// Calls that a person, or a rule, said no to.
    declined: HashSet<String>,
    /// Calls that were asked about and no longer are, though nobody answered.
    unasked: HashSet<String>,
    tasks: Vec<(String, Todo)>,
    lines: VecDeque<String>,
    known_lines: HashSet<String>,
    /// The compaction whose summary comes next.
    compaction: Option<String>,
    /// The cost of the process before this turn.
    cost_before: f64,
    cost: f64,
    context_limit: Option<u64>,
    full: bool,
    /// Frames that mean nothing here, by their kind.
    pub(super) unknown: u64,
}

/// The turn that runs.
struct Active {
    turn: TurnId,
    key: String,
    kind: InputKind,
    begun: bool,
    /// The agent said that it takes the message up.
    taken: bool,
    /// A person stopped it.
    stopping: bool,
    /// A person put its plan away, which stops it and is no stop.
    plan_left: bool,
    phase: Option<Phase>,
    /// What its answers used so far, by their ids.
    usage: BTreeMap<String, Usage>,
    /// The failure that an answer told.
    failure: Option<(String, String)>,
}

/// A tool call.
struct Call {
    name: String,
    input: Value,
    parent: Option<String>,
    content: ItemContent,
    done: bool,
}

/// What came of a frame.
#[derive(Default)]
pub(super) struct Mapped {
    pub(super) events: Vec<AgentEvent>,
    /// What the thread's access already allows: to be allowed at once.
    pub(super) implied: Vec<Ask>,
    /// What is asked, by its name, and the file it is about: it is to be looked up where its path
    /// leads.
    pub(super) looks: Vec<(String, String)>,
    /// Asks that cannot be shown, and why: to be refused at once.
    pub(super) refused: Vec<(String, String)>,
    /// What was told of the account's limits.
    pub(super) limit: Option<limits::Told>,
    /// The running turn is over.
    pub(super) ended: bool,
}

impl Mapper {
    pub(super) fn new(workspace: String, session: String, access: Access) -> Self {
        Self {
            workspace,
            session,
            access,
            mode: access::BUILD.to_owned(),
            edits_allowed: false,
            active: None,
            stray: false,
            writing: None,
            blocks: HashMap::new(),
            calls: HashMap::new(),
            agents: HashMap::new(),
            asks: BTreeMap::new(),
            unsure: BTreeMap::new(),
            declined: HashSet::new(),
            unasked: HashSet::new(),
            tasks: Vec::new(),
            lines: VecDeque::new(),
            known_lines: HashSet::new(),
            compaction: None,
            cost_before: 0.0,
            cost: 0.0,
            context_limit: None,
            full: false,
            unknown: 0,
        }
    }

    /// Begins a turn whose message has this name. What is known of earlier turns is forgotten.
    pub(super) fn begin(&mut self, turn: TurnId, key: String, kind: InputKind) {
        self.writing = None;
        self.blocks.clear();
        self.calls.clear();
        self.asks.clear();
        self.unsure.clear();
        self.declined.clear();
        self.unasked.clear();
        self.compaction = None;
        self.full = false;
        self.cost_before = self.cost;
        self.active = Some(Active {
            turn,
            key,
            kind,
            begun: false,
            taken: false,
            stopping: false,
            plan_left: false,
            phase: None,
            usage: BTreeMap::new(),
            failure: None,
        });
    }

    /// Notes that a process was started for the session: it counts its cost anew.
    pub(super) fn new_process(&mut self, mode: &str) {
        self.cost = 0.0;
        self.cost_before = 0.0;
        self.stray = false;
        self.set_mode(mode);
        self.agents.clear();
    }

    /// Forgets the turn; what still comes of it is told to nobody.
    pub(super) fn forget(&mut self) {
        self.active = None;
        self.asks.clear();
        self.unsure.clear();
    }

    pub(super) fn session(&self) -> &str {
        &self.session
    }

    pub(super) fn turn(&self) -> Option<&TurnId> {
        self.active.as_ref().map(|active| &active.turn)
    }

    /// Whether a turn runs and the agent works on it.
    pub(super) fn has_begun(&self, turn: &TurnId) -> bool {
        self.active.as_ref().is_some_and(|active| active.turn == *turn && active.begun)
    }

    /// Whether a turn that nobody here asked for runs.
    pub(super) fn is_stray(&self) -> bool {
        self.stray
    }

    pub(super) fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    /// Whether a person allowed changes of files for the session.
    pub(super) fn edits_allowed(&self) -> bool {
        self.edits_allowed
    }

    /// Notes that a person allowed changes of files for the session, or did not.
    pub(super) fn allow_edits(&mut self, allowed: bool) {
        self.edits_allowed = allowed;
    }

    /// The permission mode the agent is in.
    pub(super) fn mode(&self) -> &str {
        &self.mode
    }

    /// Notes in which permission mode the agent is.
    pub(super) fn set_mode(&mut self, mode: &str) {
        mode.clone_into(&mut self.mode);
    }

    fn is_planning(&self) -> bool {
        self.mode == access::permission_mode(Mode::Plan)
    }

    /// Notes that a person stops the running turn.
    pub(super) fn stopping(&mut self) {
        if let Some(active) = &mut self.active {
            active.stopping = true;
        }
    }

    /// Applies a frame that came at this time.
    pub(super) fn apply(&mut self, frame: Frame, now: Timestamp) -> Mapped {
        let mut out = Mapped::default();
        self.frame(frame, now, &mut out);
        out
    }

    fn frame(&mut self, frame: Frame, now: Timestamp, out: &mut Mapped) {
        match frame {
            Frame::System { subtype, body } => self.system(&subtype, &body, now, out),
            Frame::Stream { parent: None, event } => self.piece(&event, out),
            // Sub-agents' answers come whole (2.1.197).
            Frame::Stream { parent: Some(_), .. } => {}
            Frame::Assistant { parent, uuid, error, message } => {
                if self.is_new_line(uuid.as_deref()) {
                    self.answer(parent.as_deref(), error, &message, out);
                }
            }
            Frame::User { parent, uuid, replay, synthetic, message, result } => {
                if replay {
                    self.taken(uuid.as_deref(), out);
                } else if self.is_new_line(uuid.as_deref()) {
                    let line = (uuid.as_deref(), synthetic);
                    self.user(parent.as_deref(), line, &message, &result, out);
                }
            }
            Frame::Result(result) => self.result(&result, out),
            Frame::Ask(asked) => self.asked(&asked, out),
            Frame::Withdrawn { request_id } => self.withdrawn(&request_id, out),
            Frame::Answer { .. } => {}
            Frame::Other { kind, body } => self.other(&kind, &body, out),
        }
    }

    /// Whether a line is told for the first time.
    fn is_new_line(&mut self, uuid: Option<&str>) -> bool {
        let Some(uuid) = uuid else { return true };
        if !self.known_lines.insert(uuid.to_owned()) {
            return false;
        }
        self.lines.push_back(uuid.to_owned());
        if self.lines.len() > MAX_LINES
            && let Some(oldest) = self.lines.pop_front()
        {
            self.known_lines.remove(&oldest);
        }
        true
    }

    /// Tells of the running turn, unless what runs is nobody's.
    fn tell(&self, event: TurnEvent, out: &mut Mapped) {
        if let Some(active) = self.active.as_ref().filter(|active| active.begun) {
            out.events.push(AgentEvent::Turn { turn: active.turn.clone(), event });
        }
    }

    fn item(
        &self,
        key: String,
        parent: Option<String>,
        status: ItemStatus,
        content: ItemContent,
        body: Option<String>,
        out: &mut Mapped,
    ) {
        let body = body.map(FullText::new);
        let update = ItemUpdate { key, parent, status, content, body, error: None };
        self.tell(TurnEvent::Item(update), out);
    }

    /// Notes that the message is taken up, when the agent begins to work while it waits. What runs
    /// for nobody here takes no message up, unless it says so.
    fn begins(&mut self, out: &mut Mapped) {
        let stray = self.stray;
        let waits = |active: &&mut Active| !active.begun && (active.taken || !stray);
        let Some(active) = self.active.as_mut().filter(waits) else { return };
        active.begun = true;
        self.stray = false;
        self.tell(TurnEvent::Started, out);
    }

    /// Notes that the agent says it takes a message up.
    fn taken(&mut self, uuid: Option<&str>, out: &mut Mapped) {
        let is_ours = self.active.as_ref().is_some_and(|a| Some(a.key.as_str()) == uuid);
        if is_ours {
            if let Some(active) = &mut self.active {
                active.taken = true;
            }
            self.begins(out);
        }
    }

    /// Says what the turn is doing besides working, when that changed.
    fn phase(&mut self, phase: Option<Phase>, out: &mut Mapped) {
        let Some(active) = self.active.as_mut().filter(|active| active.phase != phase) else {
            return;
        };
        active.phase.clone_from(&phase);
        self.tell(TurnEvent::Phase(phase), out);
    }

    fn notice(&self, key: &str, level: NoticeLevel, text: String, out: &mut Mapped) {
        let content = ItemContent::Notice { level };
        self.item(key.to_owned(), None, ItemStatus::Done, content, Some(text), out);
    }

    /// Says once that something is left out because there is too much of it.
    fn too_much(&mut self, out: &mut Mapped) {
        if !std::mem::replace(&mut self.full, true)
            && let Some(turn) = self.turn().map(ToString::to_string)
        {
            let text = "this turn has more than can be shown; the rest of it is left out";
            self.notice(&format!("full:{turn}"), NoticeLevel::Warning, text.to_owned(), out);
        }
    }

    fn other(&mut self, kind: &str, body: &Value, out: &mut Mapped) {
        match kind {
            "rate_limit_event" => self.rate_limit(body, out),
            "tool_progress" | "auth_status" | "tool_use_summary" | "prompt_suggestion"
            | "keep_alive" => {}
            "conversation_reset" | "active_goal" => {}
            _ => self.unknown += 1,
        }
    }

    /// Takes the end of a turn.
    fn result(&mut self, result: &TurnResult, out: &mut Mapped) {
        self.move_to(&result.session_id, out);
        let other = result.origin.as_deref().is_some_and(|origin| origin != "human");
        // One that comes before the agent began with the message is of something else, too.
        let ours = |active: &Active| active.taken || active.begun && !other;
        let ours = self.active.as_ref().is_some_and(ours);
        if !ours {
            self.stray = false;
            self.cost = result.total_cost_usd.unwrap_or(self.cost);
            self.cost_before = self.cost;
            if result.num_turns > 0 {
                out.events.push(AgentEvent::Elsewhere);
            }
            return;
        }
        self.begins(out);
        self.usage_of(result, out);
        let outcome = self.outcome(result);
        self.end(outcome, out);
    }

    fn outcome(&self, result: &TurnResult) -> TurnOutcome {
        let Some(active) = &self.active else { return TurnOutcome::Completed };
        let aborted = result.terminal_reason.starts_with("aborted_");
        if active.plan_left && (aborted || !result.is_error) {
            return TurnOutcome::Completed;
        }
        if aborted || active.stopping && result.is_error {
            return TurnOutcome::Interrupted;
        }
        if result.is_error || active.failure.is_some() {
            let failure = active.failure.as_ref();
            return TurnOutcome::Failed(errors::of_result(result, failure));
        }
        let broken = self.writing.as_ref().is_some_and(answer::Writing::is_broken);
        if broken && result.stop_reason.is_none() {
            return TurnOutcome::Failed(errors::broken_off());
        }
        TurnOutcome::Completed
    }

    /// Ends the running turn, if one runs.
    pub(super) fn end(&mut self, outcome: TurnOutcome, out: &mut Mapped) {
        self.stray = false;
        self.begins(out);
        self.tell(TurnEvent::Ended(outcome), out);
        out.ended |= self.active.is_some();
        self.active = None;
        self.asks.clear();
        self.unsure.clear();
        self.writing = None;
    }

    /// Ends the running turn because the agent is gone.
    pub(super) fn lost(&mut self, error: TurnError) -> Mapped {
        let mut out = Mapped::default();
        if let Some(active) = &self.active {
            let stopped = active.stopping;
            let outcome =
                if stopped { TurnOutcome::Interrupted } else { TurnOutcome::Failed(error) };
            self.end(outcome, &mut out);
        }
        self.stray = false;
        out
    }

    /// Follows the session when it gets another id.
    fn move_to(&mut self, session: &str, out: &mut Mapped) {
        if !session.is_empty() && session != self.session {
            session.clone_into(&mut self.session);
            out.events.push(AgentEvent::Session { id: session.to_owned() });
        }
    }

    /// Tells what the turn used, and how full the context is, from the turn's end.
    fn usage_of(&mut self, result: &TurnResult, out: &mut Mapped) {
        let limit = system::window(&result.body);
        self.context_limit = limit.or(self.context_limit);
        let last = self.writing.as_ref().map(|writing| writing.usage);
        self.cost = result.total_cost_usd.unwrap_or(self.cost);
        let cost = (self.cost - self.cost_before).max(0.0);
        let Some(active) = &self.active else { return };
        let told = active.usage.values().fold(Usage::default(), |sum, one| sum.plus(one));
        let whole = answer::usage(result.body.get("usage").unwrap_or(&Value::Null));
        // A turn that was stopped says that it used nothing.
        let tokens = if whole.tokens() >= told.tokens() { whole } else { told };
        if tokens.tokens() > 0 || cost > 0.0 {
            self.tell(TurnEvent::Usage(Usage { cost, ..tokens }), out);
        }
        if let Some(used) = last.map(|usage| usage.tokens()).filter(|used| *used > 0) {
            out.events.push(AgentEvent::Context(Context { used, limit: self.context_limit }));
        }
    }

    /// The kind of failure for what cannot be asked, so that nothing is silently refused.
    fn refuse(&self, asked: &Asked, out: &mut Mapped) {
        let why = format!("this host does not answer {}", asked.subtype);
        let text = format!(
            "Claude Code asked for something that this Baton does not know ({}), and was told so.",
            asked.subtype
        );
        self.notice(&format!("refused:{}", asked.request_id), NoticeLevel::Warning, text, out);
        out.refused.push((asked.request_id.clone(), why));
    }
}

/// What a session says that was ended by something else than its work.
pub(super) fn died(said: &[String]) -> TurnError {
    let last = said.last().map(|line| format!(": {line}")).unwrap_or_default();
    TurnError {
        code: ErrorCode::AgentDied,
        message: format!("Claude Code ended while it worked{last}"),
        hint: Some("send the message again; it goes on in the same session".to_owned()),
        retryable: true,
    }
}
