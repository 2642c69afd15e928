//! What a client and the store make of the changes, with the rules every change has to obey.

use std::collections::BTreeMap;

use crate::{
    Body, BodyLimits, Change, Item, ItemId, ItemStatus, Request, RequestId, RequestState, Thread,
    Turn, TurnId, TurnState,
};

/// A thread as someone sees it who knows nothing but the changes.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) thread: Thread,
    pub(super) turns: BTreeMap<TurnId, Turn>,
    /// The whole text of each message, as the store keeps it.
    pub(super) messages: BTreeMap<TurnId, String>,
    pub(super) items: BTreeMap<ItemId, Item>,
    /// The whole text of each item, as the store keeps it.
    pub(super) bodies: BTreeMap<ItemId, String>,
    pub(super) requests: BTreeMap<RequestId, Request>,
}

impl Client {
    pub(super) fn new(thread: Thread) -> Self {
        Self {
            thread,
            turns: BTreeMap::new(),
            messages: BTreeMap::new(),
            items: BTreeMap::new(),
            bodies: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    /// The turns in a state, by ordinal.
    pub(super) fn turns_in(&self, wanted: &[TurnState]) -> Vec<&Turn> {
        let mut found: Vec<&Turn> =
            self.turns.values().filter(|t| wanted.contains(&t.state)).collect();
        found.sort_by_key(|t| t.ordinal);
        found
    }

    pub(super) fn active(&self) -> Option<&Turn> {
        self.at_work().first().copied()
    }

    /// The turn whose message is given to the agent while another one runs.
    pub(super) fn steering(&self) -> Option<&Turn> {
        self.at_work().get(1).copied()
    }

    fn at_work(&self) -> Vec<&Turn> {
        let work = self.turns_in(&[TurnState::Preparing, TurnState::Running]);
        assert!(work.len() <= 2, "three turns at once: {work:?}");
        if let [running, steering] = work[..] {
            assert_eq!(running.state, TurnState::Running, "only what runs is steered");
            assert_eq!(steering.state, TurnState::Preparing, "two turns run at once");
        }
        work
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &Request> {
        self.requests.values().filter(|r| r.state.is_open())
    }

    /// Applies the changes of one input, which have this number.
    pub(super) fn fold(&mut self, changes: &[Change], seq: u64) {
        let mut whole: BTreeMap<ItemId, String> = BTreeMap::new();
        for change in changes {
            match change {
                Change::Thread { thread } => {
                    assert_eq!(thread.seq, seq, "a row carries the number of its change");
                    self.thread = thread.clone();
                }
                Change::Turn { turn } => self.turn(turn),
                Change::Item { item } => self.item(item, whole.remove(&item.id)),
                Change::ItemRemoved { id } => {
                    let item = self.items.remove(id).expect("only what is known is removed");
                    self.bodies.remove(id);
                    self.assert_alive(&item.turn_id);
                }
                Change::Text { item, at, text } => self.text(item, *at, text),
                Change::Request { request } => self.request(request),
                Change::ItemBody { item, text } => {
                    whole.insert(item.clone(), text.clone());
                }
                Change::TurnText { turn, text } => {
                    let waits = |turn: &Turn| turn.state == TurnState::Queued;
                    assert!(self.turns.get(turn).is_none_or(waits), "only what waits is changed");
                    self.messages.insert(turn.clone(), text.clone());
                }
            }
        }
        assert!(whole.is_empty(), "a whole body comes right before its item");
        self.thread.seq = seq;
    }

    fn assert_alive(&self, turn: &TurnId) {
        let turn = self.turns.get(turn).expect("it belongs to a turn that is known");
        assert!(!turn.state.is_terminal(), "it belongs to a turn that has ended: {turn:?}");
    }

    fn turn(&mut self, turn: &Turn) {
        match self.turns.get(&turn.id) {
            None => {
                assert_eq!(turn.state, TurnState::Queued, "every turn begins by waiting");
                assert!(
                    self.turns.values().all(|other| other.ordinal < turn.ordinal),
                    "ordinals ascend"
                );
            }
            Some(known) => {
                assert!(!known.state.is_terminal(), "{known:?} has ended and yet is {turn:?}");
                assert!(
                    known.state == turn.state || known.state.may_become(turn.state),
                    "{:?} may not become {:?}",
                    known.state,
                    turn.state
                );
                let waits = known.state == TurnState::Queued && turn.state == TurnState::Queued;
                assert!(waits || known.ordinal == turn.ordinal, "only what waits is moved");
                assert!(waits || known.input == turn.input, "only what waits is changed");
                assert_ne!(known, turn, "a change changes something");
            }
        }
        assert_eq!(turn.input.text, Body::bounded(&self.messages[&turn.id], BodyLimits::PROSE));
        assert_eq!(turn.ended_at.is_some(), turn.state.is_terminal());
        assert_eq!(turn.error.is_some(), turn.state == TurnState::Failed);
        let unfinished = matches!(turn.state, TurnState::Interrupted | TurnState::Failed);
        assert!(unfinished || !turn.untaken, "what was done was taken: {turn:?}");
        if turn.state.is_terminal() {
            assert!(turn.phase.is_none() && !turn.stopping, "{turn:?}");
        }
        self.turns.insert(turn.id.clone(), turn.clone());
    }

    fn item(&mut self, item: &Item, whole: Option<String>) {
        // Of a turn that has ended only a text may be put right.
        let body = |known: &Item| Item { body: item.body.clone(), ..known.clone() };
        if !self.items.get(&item.id).is_some_and(|known| body(known) == *item) {
            self.assert_alive(&item.turn_id);
        }
        match self.items.get(&item.id) {
            None => assert!(
                self.items.values().all(|other| other.position < item.position),
                "positions ascend"
            ),
            Some(known) => {
                assert_eq!((known.position, &known.turn_id), (item.position, &item.turn_id));
                let waited = matches!(known.status, ItemStatus::Waiting | ItemStatus::NotRun);
                assert!(waited || item.status != ItemStatus::NotRun, "it had run: {known:?}");
            }
        }
        assert_eq!(item.ended_at.is_none(), item.status.is_open(), "{item:?}");
        let known = self.bodies.get(&item.id).cloned();
        let whole = match (whole, item.body.is_shortened()) {
            (Some(whole), true) => whole,
            (Some(_), false) => panic!("a body that travels whole needs no other"),
            (None, false) => item.body.head.clone(),
            // It is shortened as before, so its whole is what is stored.
            (None, true) => known.expect("the whole of a shortened body is stored"),
        };
        assert_eq!(item.body, Body::bounded(&whole, item.content.limits()));
        self.bodies.insert(item.id.clone(), whole);
        self.items.insert(item.id.clone(), item.clone());
    }

    fn text(&mut self, id: &ItemId, at: u64, text: &str) {
        let item = self.items.get_mut(id).expect("text belongs to an item that is known");
        assert!(item.status.is_open(), "only what is open grows");
        assert_eq!(item.body.len(), at, "a piece begins where the text ends");
        assert!(!text.is_empty());
        let end = if item.body.is_shortened() { &mut item.body.tail } else { &mut item.body.head };
        end.push_str(text);
        let turn = item.turn_id.clone();
        self.bodies.entry(id.clone()).or_default().push_str(text);
        self.assert_alive(&turn);
    }

    fn request(&mut self, request: &Request) {
        self.assert_alive(&request.turn_id);
        if let Some(known) = self.requests.get(&request.id) {
            assert!(known.state.is_open(), "{known:?} is closed and yet is {request:?}");
            assert_ne!(known, request, "a change changes something");
        } else {
            assert_eq!(request.state, RequestState::Open { problem: None });
        }
        assert_eq!(request.closed_at.is_none(), request.state.is_open());
        self.requests.insert(request.id.clone(), request.clone());
    }
}
