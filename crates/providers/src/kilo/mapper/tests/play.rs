//! A thread whose agent is the mapper: events go in, and what a person would see comes out.

use std::collections::BTreeMap;

use domain::{
    Access, AgentEvent, Change, Effect, Input, Item, ItemId, ModelSelection, NewTurn, Phase,
    ProjectId, ProviderId, Request, RequestId, Thread, ThreadId, ThreadState, Turn, TurnId,
};
use kilo_sdk::{Envelope, MessageId, SessionId};

use super::super::{Mapped, Mapper, Servers, Snapshot};

pub(super) struct Play {
    pub(super) mapper: Mapper,
    pub(super) state: ThreadState,
    prompts: Vec<MessageId>,
    pub(super) turns: BTreeMap<TurnId, Turn>,
    pub(super) items: BTreeMap<ItemId, Item>,
    pub(super) bodies: BTreeMap<ItemId, String>,
    pub(super) requests: BTreeMap<RequestId, Request>,
    /// Every phase a turn showed, in order.
    pub(super) phases: BTreeMap<TurnId, Vec<Phase>>,
    /// The text of the plan file, as reading it gives it.
    pub(super) plan: Option<String>,
    /// Something was missed, and the session has to be read.
    pub(super) resync: bool,
    pub(super) refused: Option<TurnId>,
    pub(super) stray: bool,
    pub(super) implied: usize,
    /// How often it was told that others made a turn.
    pub(super) elsewhere: usize,
}

pub(super) fn thread() -> Thread {
    let id = |prefix: &str, n: u8| format!("{prefix}_{n:032x}");
    Thread {
        model: Some(ModelSelection { model: "mock/m2".to_owned(), option: None }),
        ..Thread::new(
            ThreadId::parse(&id("thr", 1)).unwrap(),
            ProjectId::parse(&id("prj", 1)).unwrap(),
            "/repo".to_owned(),
            ProviderId::known("kilo"),
            0,
        )
    }
}

pub(super) fn turn_id(n: usize) -> TurnId {
    TurnId::parse(&format!("trn_{n:032x}")).unwrap()
}

impl Play {
    /// Sends the messages; the first is at the agent, the others wait for their turn.
    pub(super) fn new(root: &SessionId, prompts: &[MessageId]) -> Self {
        let mut play = Self {
            mapper: Mapper::new(
                root.clone(),
                "/repo".to_owned(),
                Access::Supervised,
                Servers::new(["notes"].into_iter()),
            ),
            state: ThreadState::new(thread(), 0, 0),
            prompts: prompts.to_vec(),
            turns: BTreeMap::new(),
            items: BTreeMap::new(),
            bodies: BTreeMap::new(),
            requests: BTreeMap::new(),
            phases: BTreeMap::new(),
            plan: None,
            resync: false,
            refused: None,
            stray: false,
            implied: 0,
            elsewhere: 0,
        };
        for n in 0..prompts.len() {
            play.submit(n);
        }
        play
    }

    fn submit(&mut self, n: usize) {
        let message = NewTurn::message(turn_id(n), &format!("message {n}"));
        // As they were when it was recorded: given to Kilo while a turn ran.
        self.input(Input::Submit(NewTurn { delivery: domain::Delivery::Steer, ..message }));
    }

    /// A thread in which nothing was sent.
    pub(super) fn empty(root: &SessionId) -> Self {
        Self::new(root, &[])
    }

    /// Sends one more message.
    pub(super) fn send(&mut self, message: MessageId) -> TurnId {
        self.prompts.push(message);
        let n = self.prompts.len() - 1;
        self.submit(n);
        turn_id(n)
    }

    /// Asks for a compaction; its message is newer than this one.
    pub(super) fn compact(&mut self, older: MessageId) -> TurnId {
        self.prompts.push(older);
        let id = turn_id(self.prompts.len() - 1);
        // A session is what there is to compact.
        self.agent(AgentEvent::Session { id: "ses_1".to_owned() });
        self.input(Input::Compact(id.clone()));
        id
    }

    pub(super) fn event(&mut self, envelope: &Envelope) {
        if let Some(path) = self.mapper.plan_wanted(&envelope.event) {
            self.mapper.set_plan(path, self.plan.clone());
        }
        let mapped = self.mapper.apply(envelope.clone());
        self.mapped(mapped);
    }

    pub(super) fn merge(&mut self, snapshot: &Snapshot) {
        self.resync = false;
        let mapped = self.mapper.merge(snapshot);
        self.mapped(mapped);
    }

    /// The time to take a message after an error was reported for it is over.
    pub(super) fn refuse(&mut self) {
        let Some(turn) = self.refused.take() else { return };
        for event in self.mapper.refuse(&turn) {
            self.input(Input::Agent(event));
        }
    }

    fn mapped(&mut self, mapped: Mapped) {
        self.resync |= mapped.resync;
        self.refused = mapped.refused.or(self.refused.take());
        self.stray |= mapped.stray_turn;
        self.implied += mapped.implied.len();
        for event in mapped.events {
            self.elsewhere += usize::from(event == AgentEvent::Elsewhere);
            self.input(Input::Agent(event));
        }
    }

    pub(super) fn agent(&mut self, event: AgentEvent) {
        self.input(Input::Agent(event));
    }

    pub(super) fn input(&mut self, input: Input) {
        let outcome = self.state.apply(1, input).expect("nothing is refused here");
        for change in outcome.changes {
            self.fold(change);
        }
        for effect in outcome.effects {
            match effect {
                Effect::Prepare(turn) => {
                    let n = (0..self.prompts.len()).find(|n| turn_id(*n) == turn).unwrap();
                    let prompt_key = self.prompts[n].as_str().to_owned();
                    self.input(Input::Prepared { turn, prompt_key });
                }
                Effect::Send(turn) => {
                    let n = (0..self.prompts.len()).find(|n| turn_id(*n) == turn).unwrap();
                    let message = self.prompts[n].clone();
                    let kind = self.turns[&turn].input.kind;
                    let steers = self.state.steering().is_some_and(|t| t.id == turn);
                    if !(steers && self.mapper.steer(turn.clone(), message.clone(), Some(100_000)))
                    {
                        self.mapper.begin(turn, message, kind, Some(100_000));
                    }
                }
                Effect::Resync => self.resync = true,
                Effect::Reconcile(_)
                | Effect::Interrupt(_)
                | Effect::Deliver(_)
                | Effect::ApplyAccess(_)
                | Effect::Abandon(_) => {}
            }
        }
    }

    fn fold(&mut self, change: Change) {
        match change {
            Change::Turn { turn } => {
                let known = self.turns.get(&turn.id);
                assert!(known.is_none_or(|t| !t.state.is_terminal()), "{turn:?} had ended");
                if let Some(phase) = &turn.phase {
                    let phases = self.phases.entry(turn.id.clone()).or_default();
                    if phases.last() != Some(phase) {
                        phases.push(phase.clone());
                    }
                }
                self.turns.insert(turn.id.clone(), turn);
            }
            Change::ItemBody { item, text } => drop(self.bodies.insert(item, text)),
            Change::Item { item } => {
                if !item.body.is_shortened() {
                    self.bodies.insert(item.id.clone(), item.body.head.clone());
                }
                self.items.insert(item.id.clone(), item);
            }
            Change::ItemRemoved { id } => {
                self.items.remove(&id).expect("it was there");
                self.bodies.remove(&id);
            }
            Change::Text { item, at, text } => {
                let body = self.bodies.get_mut(&item).expect("it was told");
                assert_eq!(domain::units(body), at, "a piece begins where the text ends");
                body.push_str(&text);
            }
            Change::Request { request } => drop(self.requests.insert(request.id.clone(), request)),
            Change::Thread { .. } | Change::TurnText { .. } => {}
        }
    }

    pub(super) fn turn(&self, n: usize) -> &Turn {
        &self.turns[&turn_id(n)]
    }

    /// The items of a turn, in order.
    pub(super) fn items_of(&self, turn: &TurnId) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.values().filter(|i| i.turn_id == *turn).collect();
        items.sort_by_key(|item| item.position);
        items
    }

    /// The item the agent calls this.
    pub(super) fn item(&self, key: &str) -> Option<&Item> {
        self.items.get(&ItemId::derive(&self.state.thread().id, key))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.bodies.get(&ItemId::derive(&self.state.thread().id, key)).map(String::as_str)
    }

    pub(super) fn open_requests(&self) -> usize {
        self.requests.values().filter(|r| r.state.is_open()).count()
    }
}
