//! A thread with everything around it: people, the engine, an agent, and ends of Baton at any
//! moment; and what holds after each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::client::Client;
use super::ops::{KEYS, Op, TURNS};
use super::samples::{item_key, thread, turn_id};
use crate::{
    AgentEvent, Effect, FullText, Input, ItemStatus, ItemUpdate, Outcome, Refusal, RequestBody,
    RequestState, ThreadState, ThreadStatus, TurnEvent, TurnId, TurnState, Usage,
};

#[derive(Clone)]
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
    pub(super) restarted: bool,
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

    pub(super) fn run(&mut self, op: &Op) {
        if matches!(op, Op::Restart) {
            return self.restart();
        }
        if let Some(input) = self.input(op) {
            let _ = self.apply(input);
        }
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
        let asked = open.iter().filter(|r| r.state.needs_person()).count();
        assert_eq!(thread.open_requests as usize, asked);
        assert!(
            open.iter().all(|r| active.is_some_and(|turn| turn.id == r.turn_id)),
            "a request outlived its turn"
        );
        let approvals = open.iter().filter(|r| matches!(r.body, RequestBody::Approval(_)));
        for item in approvals.filter_map(|r| client.items.get(r.item_id.as_ref()?)) {
            assert_ne!(item.status, ItemStatus::Running, "what is asked about waits: {item:?}");
        }
        let running = client.items.values().filter(|i| i.status.is_open());
        assert!(
            running.into_iter().all(|i| active.is_some_and(|turn| turn.id == i.turn_id)),
            "an item outlived its turn"
        );
        assert_eq!(thread.queue_held, active.is_none() && !queue.is_empty());
        let last =
            client.turns_in(&[TurnState::Completed, TurnState::Interrupted, TurnState::Failed]);
        let last = last.into_iter().filter(|t| t.started_at.is_some()).max_by_key(|t| t.ended_at);
        let expected = match (active, asked) {
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
        if let Some(turn) = self.client.active().map(|turn| turn.id.clone()) {
            self.apply(Input::Restarted(turn)).expect("it is not refused");
        }
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
        assert!(self.client.items.values().all(|i| !i.status.is_open()));
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
