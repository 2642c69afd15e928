//! A thread with everything around it: people, the engine, an agent that is late, repeats itself
//! and confuses turns, and ends of Baton at any moment.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::client::Client;
use crate::{
    Access, AgentEvent, Answer, Approval, ApprovalKind, Choice, Context, Decision, Delivery,
    Effect, ErrorCode, FullText, Input, ItemContent, ItemStatus, ItemUpdate, Mode, ModelSelection,
    NewRequest, NewTurn, NoticeLevel, Outcome, Phase, PlanDecision, ProjectId, ProviderId,
    Question, QuestionOption, Refusal, RequestBody, RequestId, RequestOutcome, RequestState,
    Thread, ThreadId, ThreadPatch, ThreadState, ThreadStatus, Turn, TurnError, TurnEvent, TurnId,
    TurnOutcome, TurnPatch, TurnState, Usage, units,
};

/// Turns that people may send.
const TURNS: u8 = 5;
/// Items of each turn.
const KEYS: u8 = 4;
/// Requests of each turn: few, so that what is asked is also answered.
const ASKS: u8 = 2;

pub(super) fn thread() -> Thread {
    Thread {
        model: Some(ModelSelection { model: "p/m".to_owned(), option: None }),
        ..Thread::new(
            ThreadId::from_uuid(Uuid::from_u128(1)),
            ProjectId::from_uuid(Uuid::from_u128(2)),
            "/w".to_owned(),
            ProviderId::known("kilo"),
            0,
        )
    }
}

pub(super) fn turn_id(n: u8) -> TurnId {
    TurnId::from_uuid(Uuid::from_u128(100 + u128::from(n)))
}

pub(super) fn message(n: u8) -> NewTurn {
    NewTurn::message(turn_id(n), &format!("message {n}"))
}

pub(super) fn steer(n: u8) -> NewTurn {
    NewTurn { delivery: Delivery::Steer, ..message(n) }
}

pub(super) fn failure() -> TurnError {
    TurnError {
        code: ErrorCode::ProviderError,
        message: "it broke".to_owned(),
        hint: None,
        retryable: true,
    }
}

pub(super) fn item_key(turn: u8, key: u8) -> String {
    format!("item-{turn}-{key}")
}

pub(super) fn request_key(turn: u8, key: u8) -> String {
    format!("ask-{turn}-{key}")
}

/// The text an item has in the end: repeated characters, wide ones, and one long enough to be
/// shortened where it travels.
pub(super) fn source(key: u8, version: u8) -> String {
    let unit = match key {
        0 => "aa",
        1 => "| 1 | 1 |\n",
        2 => "☕👍🏽",
        _ => "e\u{301}x",
    };
    let times = if key == 1 { 1200 } else { 12 };
    format!("{}{}", "≡".repeat(usize::from(version)), unit.repeat(times))
}

fn content(key: u8) -> ItemContent {
    match key {
        0 => ItemContent::AgentMessage,
        1 => ItemContent::Command {
            command: "make".to_owned(),
            description: None,
            cwd: None,
            exit_code: None,
        },
        2 => ItemContent::Reasoning,
        _ => ItemContent::Notice { level: NoticeLevel::Info },
    }
}

/// The first `share` 255ths of a text.
fn part(text: &str, share: u8) -> String {
    let chars = text.chars().count();
    text.chars().take(chars * usize::from(share) / 255).collect()
}

pub(super) fn body(kind: u8) -> RequestBody {
    match kind {
        0 => RequestBody::Approval(Approval {
            what: ApprovalKind::Command,
            permission: "bash".to_owned(),
            title: "run a command".to_owned(),
            command: Some("make".to_owned()),
            diff: None,
            path: None,
            url: None,
            details: Vec::new(),
            choices: [Decision::Once, Decision::Reject]
                .map(|decision| Choice {
                    decision,
                    covers: Vec::new(),
                    scope: "just this once".to_owned(),
                })
                .into(),
        }),
        1 => RequestBody::Question { questions: vec![question(false, false)] },
        _ => RequestBody::Plan { markdown: "# Plan".to_owned(), path: None, built_in: None },
    }
}

pub(super) fn question(multiple: bool, custom: bool) -> Question {
    let option =
        |label: &str| QuestionOption { label: label.to_owned(), description: String::new() };
    Question {
        header: "Colour".to_owned(),
        text: "Which colour?".to_owned(),
        options: vec![option("Red"), option("Blue")],
        multiple,
        custom,
    }
}

fn answer(kind: u8) -> Answer {
    match kind {
        0 => Answer::Approval { decision: Decision::Once, message: None },
        1 => Answer::Question { answers: vec![vec!["Red".to_owned()]] },
        _ => Answer::Plan { decision: PlanDecision::Accept, message: None },
    }
}

/// Whose turn something is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// The one that runs.
    Active,
    /// The one that is given to the agent meanwhile.
    Steering,
    /// This one, whatever it does, if it was ever sent.
    Of(u8),
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Submit(u8),
    Steer(u8),
    Promote(u8),
    Withdraw(u8),
    Edit {
        n: u8,
        what: u8,
    },
    Move {
        n: u8,
        before: Option<u8>,
    },
    Release,
    Stop,
    StopExpired(Whose),
    Prepared(Whose),
    Preparing(Whose),
    NotSent(Whose),
    Silent(Whose),
    Replaced,
    Fail(Whose),
    Answer {
        whose: Whose,
        key: u8,
        fits: bool,
    },
    Delivered {
        whose: Whose,
        key: u8,
    },
    DeliveryFailed {
        whose: Whose,
        key: u8,
        gone: bool,
    },
    Patch(u8),
    Event {
        whose: Whose,
        event: Ev,
    },
    Link(u8),
    /// Baton ends and starts again from what is stored.
    Restart,
}

#[derive(Debug, Clone)]
pub(super) enum Ev {
    Started,
    Phase(u8),
    Item { key: u8, status: ItemStatus, body: Option<(u8, u8)>, error: bool },
    Text { key: u8, from: u8, to: u8 },
    Removed(u8),
    Asked { key: u8, kind: u8 },
    AskClosed { key: u8, gone: bool },
    Usage(u8),
    Ended(u8),
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![
        5 => Just(Whose::Active),
        2 => Just(Whose::Steering),
        1 => (0..TURNS).prop_map(Whose::Of),
    ]
}

fn event() -> impl Strategy<Value = Ev> {
    let status = prop::sample::select(vec![
        ItemStatus::Running,
        ItemStatus::Running,
        ItemStatus::Done,
        ItemStatus::Failed,
        ItemStatus::Declined,
    ]);
    let body = prop::option::of((0u8..2, any::<u8>()));
    prop_oneof![
        2 => Just(Ev::Started),
        1 => (0u8..3).prop_map(Ev::Phase),
        6 => (0..KEYS, status, body, any::<bool>())
            .prop_map(|(key, status, body, error)| Ev::Item { key, status, body, error }),
        6 => (0..KEYS, any::<u8>(), any::<u8>())
            .prop_map(|(key, a, b)| Ev::Text { key, from: a.min(b), to: a.max(b) }),
        1 => (0..KEYS).prop_map(Ev::Removed),
        4 => (0..ASKS, 0u8..3).prop_map(|(key, kind)| Ev::Asked { key, kind }),
        1 => (0..ASKS, any::<bool>()).prop_map(|(key, gone)| Ev::AskClosed { key, gone }),
        1 => (0u8..3).prop_map(Ev::Usage),
        1 => (0u8..3).prop_map(Ev::Ended),
    ]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..TURNS).prop_map(Op::Submit),
        4 => (0..TURNS).prop_map(Op::Steer),
        2 => (0..TURNS).prop_map(Op::Promote),
        1 => (0..TURNS).prop_map(Op::Withdraw),
        2 => (0..TURNS, 0u8..4).prop_map(|(n, what)| Op::Edit { n, what }),
        3 => (0..TURNS, prop::option::weighted(0.7, 0..TURNS))
            .prop_map(|(n, before)| Op::Move { n, before }),
        2 => Just(Op::Release),
        2 => Just(Op::Stop),
        2 => whose().prop_map(Op::StopExpired),
        6 => whose().prop_map(Op::Prepared),
        1 => whose().prop_map(Op::Preparing),
        2 => whose().prop_map(Op::NotSent),
        2 => whose().prop_map(Op::Silent),
        1 => Just(Op::Replaced),
        1 => whose().prop_map(Op::Fail),
        8 => (whose(), 0..ASKS, prop::bool::weighted(0.8))
            .prop_map(|(whose, key, fits)| Op::Answer { whose, key, fits }),
        3 => (whose(), 0..ASKS).prop_map(|(whose, key)| Op::Delivered { whose, key }),
        4 => (whose(), 0..ASKS, any::<bool>())
            .prop_map(|(whose, key, gone)| Op::DeliveryFailed { whose, key, gone }),
        1 => (0u8..7).prop_map(Op::Patch),
        30 => (whose(), event()).prop_map(|(whose, event)| Op::Event { whose, event }),
        2 => (0u8..6).prop_map(Op::Link),
        1 => Just(Op::Restart),
    ]
}

pub(super) struct World {
    pub(super) state: ThreadState,
    pub(super) client: Client,
    now: i64,
    /// How often each turn's message was to be sent.
    sends: BTreeMap<TurnId, u32>,
    /// How often the agent was found not to have it.
    not_sent: BTreeMap<TurnId, u32>,
    /// Turns that were stopped before their message had a name.
    never: BTreeSet<TurnId>,
    restarted: bool,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            state: ThreadState::new(thread(), 0, 0),
            client: Client::new(thread()),
            now: 0,
            sends: BTreeMap::new(),
            not_sent: BTreeMap::new(),
            never: BTreeSet::new(),
            restarted: false,
        }
    }

    fn number(&self, whose: Whose) -> Option<u8> {
        match whose {
            Whose::Of(n) => Some(n),
            Whose::Active => {
                let active = self.client.active()?.id.clone();
                (0..TURNS).find(|n| turn_id(*n) == active)
            }
            Whose::Steering => {
                let steering = self.client.steering()?.id.clone();
                (0..TURNS).find(|n| turn_id(*n) == steering)
            }
        }
    }

    pub(super) fn run(&mut self, op: &Op) {
        if matches!(op, Op::Restart) {
            return self.restart();
        }
        if let Some(input) = self.input(op) {
            let _ = self.apply(input);
        }
    }

    fn input(&self, op: &Op) -> Option<Input> {
        let request = |whose: &Whose, key: &u8| {
            let key = request_key(self.number(*whose)?, *key);
            Some(RequestId::derive(&self.client.thread.id, &key))
        };
        Some(match op {
            Op::Submit(n) | Op::Steer(n) => {
                // A message whose turn has ended is answered from the store, not by the machine.
                let ended = |turn: &Turn| turn.state.is_terminal();
                if self.client.turns.get(&turn_id(*n)).is_some_and(ended) {
                    return None;
                }
                Input::Submit(if matches!(op, Op::Steer(_)) { steer(*n) } else { message(*n) })
            }
            Op::Promote(n) => Input::Promote(turn_id(*n)),
            Op::Withdraw(n) => Input::Withdraw(turn_id(*n)),
            Op::Edit { n, what } => Input::EditQueued { turn: turn_id(*n), patch: edit(*what) },
            Op::Move { n, before } => {
                Input::Move { turn: turn_id(*n), before: before.map(turn_id) }
            }
            Op::Release => Input::Release,
            Op::Stop => Input::Stop,
            Op::StopExpired(whose) => Input::StopExpired(turn_id(self.number(*whose)?)),
            Op::Prepared(whose) => {
                let n = self.number(*whose)?;
                Input::Prepared { turn: turn_id(n), prompt_key: format!("msg_{n}") }
            }
            Op::Preparing(whose) => Input::Preparing {
                turn: turn_id(self.number(*whose)?),
                phase: Phase::StartingAgent,
            },
            Op::NotSent(whose) => Input::NotSent(turn_id(self.number(*whose)?)),
            Op::Silent(whose) => Input::Silent { turn: turn_id(self.number(*whose)?), since: 1 },
            Op::Replaced => Input::Renew,
            Op::Fail(whose) => {
                Input::Fail { turn: turn_id(self.number(*whose)?), error: failure() }
            }
            Op::Answer { whose, key, fits } => {
                let request = request(whose, key)?;
                let asked = self.client.requests.get(&request).map(|r| &r.body);
                let kind = match asked {
                    Some(RequestBody::Approval(_)) | None => 0,
                    Some(RequestBody::Question { .. }) => 1,
                    Some(RequestBody::Plan { .. }) => 2,
                };
                let answer = answer(if *fits { kind } else { (kind + 1) % 3 });
                Input::Answer { request, answer }
            }
            Op::Delivered { whose, key } => Input::Delivered(request(whose, key)?),
            Op::DeliveryFailed { whose, key, gone } => Input::DeliveryFailed {
                request: request(whose, key)?,
                problem: "no answer".to_owned(),
                gone: *gone,
            },
            Op::Patch(n) => Input::Patch(patch(*n)),
            Op::Event { whose, event } => {
                let n = self.number(*whose)?;
                Input::Agent(AgentEvent::Turn { turn: turn_id(n), event: self.event(n, event)? })
            }
            Op::Link(n) => Input::Agent(match n {
                0 => AgentEvent::Reconnecting(true),
                1 => AgentEvent::Reconnecting(false),
                2 => AgentEvent::Lost(failure()),
                3 => AgentEvent::Title("A name".to_owned()),
                4 => AgentEvent::Session { id: "ses_1".to_owned() },
                _ => AgentEvent::Context(Context { used: 7, limit: None }),
            }),
            Op::Restart => return None,
        })
    }

    fn event(&self, turn: u8, event: &Ev) -> Option<TurnEvent> {
        Some(match event {
            Ev::Started => TurnEvent::Started,
            Ev::Phase(n) => TurnEvent::Phase(match n {
                0 => None,
                1 => Some(Phase::Compacting),
                _ => Some(Phase::WaitingForNetwork { message: "offline".to_owned() }),
            }),
            Ev::Item { key, status, body, error } => TurnEvent::Item(ItemUpdate {
                key: item_key(turn, *key),
                parent: (*key == 2).then(|| item_key(turn, 1)),
                status: *status,
                content: content(*key),
                body: body
                    .map(|(version, share)| FullText::new(part(&source(*key, version), share))),
                error: error.then(|| "no".to_owned()),
            }),
            Ev::Text { key, from, to } => {
                let source = source(*key, 0);
                let before = part(&source, *from);
                let text = part(&source, *to).split_off(before.len());
                TurnEvent::Text { key: item_key(turn, *key), at: units(&before), text }
            }
            Ev::Removed(key) => TurnEvent::ItemRemoved { key: item_key(turn, *key) },
            Ev::Asked { key, kind } => {
                let name = request_key(turn, *key);
                let id = RequestId::derive(&self.client.thread.id, &name);
                // An agent that was started anew no longer asks what was answered.
                let closed = self.client.requests.get(&id).is_some_and(|r| !r.state.is_open());
                if closed && self.restarted {
                    return None;
                }
                TurnEvent::Asked(NewRequest {
                    key: name,
                    item: Some(item_key(turn, 1)),
                    from: None,
                    body: body(*kind),
                })
            }
            Ev::AskClosed { key, gone } => TurnEvent::AskClosed {
                key: request_key(turn, *key),
                outcome: if *gone { RequestOutcome::Gone } else { RequestOutcome::Answered },
            },
            Ev::Usage(n) => TurnEvent::Usage(Usage { input: u64::from(*n), ..Usage::default() }),
            Ev::Ended(n) => TurnEvent::Ended(match n {
                0 => TurnOutcome::Completed,
                1 => TurnOutcome::Interrupted,
                _ => TurnOutcome::Failed(failure()),
            }),
        })
    }

    /// Applies an input and checks everything that holds after every input.
    pub(super) fn apply(&mut self, input: Input) -> Result<Outcome, Refusal> {
        self.now += 1;
        let before = self.state.clone();
        self.foresee(&input);
        let told = input.clone();
        let result = self.state.apply(self.now, input);
        match &result {
            Ok(outcome) => self.outcome(&before, outcome, &told),
            Err(_) => assert_eq!(before, self.state, "what is refused changes nothing"),
        }
        result
    }

    fn foresee(&mut self, input: &Input) {
        match input {
            Input::Stop => {
                let work = self.state.running().map(crate::RunningTurn::turn);
                let unsent = work.into_iter().chain(self.state.steering());
                let unsent = unsent.filter(|turn| turn.prompt_key.is_none());
                self.never.extend(unsent.map(|turn| turn.id.clone()));
            }
            Input::NotSent(turn) => *self.not_sent.entry(turn.clone()).or_default() += 1,
            _ => {}
        }
    }

    fn outcome(&mut self, before: &ThreadState, outcome: &Outcome, input: &Input) {
        let added = u64::from(!outcome.changes.is_empty());
        assert_eq!(self.state.thread().seq, before.thread().seq + added, "{input:?}");
        if outcome.changes.is_empty() {
            assert_eq!(*before, self.state, "nothing changes untold: {input:?}");
        }
        self.about_late(before, outcome, input);
        self.client.fold(&outcome.changes, self.state.thread().seq);
        for effect in &outcome.effects {
            self.effect(effect);
        }
        self.consistent();
    }

    /// An event of a turn that does not run changes nothing and asks for nothing.
    fn about_late(&self, before: &ThreadState, outcome: &Outcome, input: &Input) {
        let (Input::Agent(AgentEvent::Turn { turn, .. })
        | Input::Prepared { turn, .. }
        | Input::Preparing { turn, .. }
        | Input::Fail { turn, .. }
        | Input::NotSent(turn)
        | Input::Silent { turn, .. }
        | Input::StopExpired(turn)) = input
        else {
            return;
        };
        let agent = matches!(input, Input::Agent(_));
        let work = before.running().map(crate::RunningTurn::turn);
        let at_work = work.into_iter().chain(before.steering()).find(|t| t.id == *turn);
        if at_work.is_none_or(|t| agent && t.prompt_key.is_none()) {
            assert_eq!(*outcome, Outcome::default(), "{input:?} is of no matter");
        }
    }

    fn effect(&mut self, effect: &Effect) {
        let active = self.client.active();
        let at_work =
            |id: &TurnId| active.into_iter().chain(self.client.steering()).find(|t| t.id == *id);
        match effect {
            Effect::Prepare(id) => {
                let turn = at_work(id).expect("what is prepared is under way");
                assert_eq!((turn.state, &turn.prompt_key), (TurnState::Preparing, &None));
            }
            Effect::Send(id) => {
                let turn = at_work(id).expect("what is sent is under way");
                assert_eq!(turn.state, TurnState::Preparing);
                assert!(turn.prompt_key.is_some() && !turn.stopping);
                assert!(!self.never.contains(id), "it was stopped before it was sent");
                let sends = self.sends.entry(id.clone()).or_default();
                *sends += 1;
                let looked = self.not_sent.get(id).copied().unwrap_or_default();
                assert!(*sends <= 1 + looked, "sent twice without a look at the session");
            }
            Effect::Reconcile(id) => {
                let turn = active.expect("what is looked up is under way");
                assert!(turn.id == *id && turn.prompt_key.is_some());
            }
            Effect::Interrupt(id) => {
                let turn = active.expect("what is stopped is under way");
                assert!(turn.id == *id && turn.stopping);
            }
            Effect::Deliver(id) => {
                let state = &self.client.requests[id].state;
                assert!(matches!(state, RequestState::Answering { .. }));
            }
            Effect::ApplyAccess(access) => assert_eq!(*access, self.client.thread.access),
            Effect::Abandon(id) => {
                let turn = &self.client.turns[id];
                assert!(turn.state.is_terminal() && turn.prompt_key.is_some());
            }
            Effect::Resync => assert!(active.is_some()),
        }
    }

    /// What holds at every moment.
    fn consistent(&self) {
        let client = &self.client;
        let thread = &client.thread;
        assert_eq!(thread, self.state.thread(), "the row that was told is the row");
        let active = client.active();
        assert_eq!(active, self.state.running().map(crate::RunningTurn::turn));
        assert_eq!(client.steering(), self.state.steering());
        let queue = client.turns_in(&[TurnState::Queued]);
        assert_eq!(queue, self.state.queue().collect::<Vec<_>>());
        assert_eq!(thread.queued as usize, queue.len());
        let open: Vec<_> = client.open().collect();
        assert_eq!(thread.open_requests as usize, open.len());
        assert!(
            open.iter().all(|r| active.is_some_and(|turn| turn.id == r.turn_id)),
            "a request outlived its turn"
        );
        let running = client.items.values().filter(|i| i.status == ItemStatus::Running);
        assert!(
            running.into_iter().all(|i| active.is_some_and(|turn| turn.id == i.turn_id)),
            "an item outlived its turn"
        );
        assert_eq!(thread.queue_held, active.is_none() && !queue.is_empty());
        let last =
            client.turns_in(&[TurnState::Completed, TurnState::Interrupted, TurnState::Failed]);
        let last = last.into_iter().filter(|t| t.started_at.is_some()).max_by_key(|t| t.ended_at);
        let expected = match (active, open.len()) {
            (Some(_), 0) => ThreadStatus::Working,
            (Some(_), _) => ThreadStatus::NeedsYou,
            (None, _) if last.is_some_and(|t| t.state == TurnState::Failed) => ThreadStatus::Failed,
            (None, _) => ThreadStatus::Idle,
        };
        assert_eq!(thread.status, expected);
        if thread.archived {
            assert!(queue.is_empty(), "an archived thread has nothing waiting");
            let mut work = active.into_iter().chain(client.steering());
            assert!(work.all(|turn| turn.stopping), "an archived thread is being stopped");
        }
    }

    /// Baton dies and reads what it stored.
    pub(super) fn restart(&mut self) {
        self.restarted = true;
        let client = &self.client;
        let live = client
            .turns_in(&[TurnState::Queued, TurnState::Preparing, TurnState::Running])
            .into_iter()
            .cloned()
            .collect();
        let active = client.active().map(|turn| turn.id.clone());
        let items = client.items.values().filter(|i| Some(&i.turn_id) == active.as_ref());
        let items = items.map(|i| (i.clone(), client.bodies[&i.id].clone())).collect();
        let requests = client.open().cloned().collect();
        let ordinal = client.turns.values().map(|t| t.ordinal).max().unwrap_or_default();
        let position = client.items.values().map(|i| i.position).max().unwrap_or_default();
        self.state = ThreadState::new(client.thread.clone(), ordinal, position)
            .with_live(live, items, requests);
        let before = self.state.clone();
        self.now += 1;
        let outcome = self.state.recover(self.now);
        let due: Vec<Effect> = due(&self.client);
        assert_eq!(outcome.effects, due, "what was under way is taken up again");
        assert!(outcome.changes.is_empty(), "a restart by itself changes nothing");
        self.outcome(&before, &outcome, &Input::Release);
    }

    /// What the machine holds of each item is what was told: telling it once more changes nothing.
    pub(super) fn same_texts(&mut self) {
        let Some(active) = self.client.active().map(|turn| turn.id.clone()) else { return };
        let n = (0..TURNS).find(|n| turn_id(*n) == active).expect("it was sent");
        for key in 0..KEYS {
            let name = item_key(n, key);
            let id = crate::ItemId::derive(&self.client.thread.id, &name);
            let Some(item) = self.client.items.get(&id).cloned() else { continue };
            let update = ItemUpdate {
                key: name,
                parent: (key == 2).then(|| item_key(n, 1)),
                status: item.status,
                content: item.content,
                body: Some(FullText::new(self.client.bodies[&id].clone())),
                error: item.error,
            };
            let event = AgentEvent::Turn { turn: active.clone(), event: TurnEvent::Item(update) };
            let outcome = self.apply(Input::Agent(event)).expect("agents are not refused");
            let told = outcome.changes.iter().find(|c| !matches!(c, crate::Change::Turn { .. }));
            assert_eq!(told, None, "the machine has another text than was told");
        }
    }

    /// The environment answers everything: people stop and release, clocks run out.
    pub(super) fn drain(&mut self) {
        for _ in 0..=2 * TURNS {
            let _ = self.apply(Input::Stop);
            if let Some(turn) = self.client.active().map(|turn| turn.id.clone()) {
                let _ = self.apply(Input::StopExpired(turn));
            }
            let _ = self.apply(Input::Release);
        }
        assert!(self.client.turns.values().all(|turn| turn.state.is_terminal()));
        assert_eq!(self.client.open().count(), 0);
        assert!(self.client.items.values().all(|i| i.status != ItemStatus::Running));
        let usage = self.client.turns.values().fold(Usage::default(), |sum, t| sum.plus(&t.usage));
        assert_eq!(self.client.thread.usage, usage, "each turn is counted once");
    }
}

/// What is to be done for what is stored.
fn due(client: &Client) -> Vec<Effect> {
    let Some(turn) = client.active() else { return Vec::new() };
    let id = turn.id.clone();
    let mut due = match turn.prompt_key {
        None => vec![Effect::Prepare(id.clone())],
        Some(_) => vec![Effect::Reconcile(id.clone())],
    };
    if turn.stopping {
        due.push(Effect::Interrupt(id));
    }
    let answering = |r: &&crate::Request| matches!(r.state, RequestState::Answering { .. });
    due.extend(client.open().filter(answering).map(|r| Effect::Deliver(r.id.clone())));
    due
}

/// Changes of a waiting message, a long one among them.
pub(super) fn edit(n: u8) -> TurnPatch {
    let nothing = TurnPatch::default();
    match n {
        0 => TurnPatch { text: Some("another message".to_owned()), ..nothing },
        1 => TurnPatch { text: Some("line\n".repeat(4000)), mode: Some(Mode::Plan), ..nothing },
        2 => TurnPatch { text: Some(" ".to_owned()), mode: Some(Mode::Build), ..nothing },
        _ => TurnPatch {
            model: Some(ModelSelection { model: "p/other".to_owned(), option: None }),
            ..nothing
        },
    }
}

fn patch(n: u8) -> ThreadPatch {
    let nothing = ThreadPatch::default();
    match n {
        0 => ThreadPatch { title: Some("Mine".to_owned()), ..nothing },
        1 => ThreadPatch { access: Some(Access::Full), ..nothing },
        2 => ThreadPatch { access: Some(Access::Supervised), ..nothing },
        3 => ThreadPatch { archived: Some(true), ..nothing },
        4 => ThreadPatch { archived: Some(false), ..nothing },
        5 => ThreadPatch { unread: Some(false), ..nothing },
        _ => ThreadPatch { title: Some(" ".to_owned()), ..nothing },
    }
}
