//! What a session says of its history: turns that were not begun here, told to the machine as if
//! it had been there, and texts of ended turns that were not stored as they are.

use std::collections::{BTreeMap, HashMap};

use super::{Change, Correction, Outcome, RunningTurn, ThreadState};
use crate::{
    Body, Earlier, FullText, InputKind, ItemContent, ItemId, ItemStatus, ItemUpdate, NoticeLevel,
    PastTurn, Timestamp, Turn, TurnEvent, TurnId, TurnInput, TurnOrigin, TurnOutcome, TurnState,
};

impl ThreadState {
    /// Takes in ended turns of the session, before those that wait. While a turn is at the agent
    /// nothing is taken in: what happened elsewhere meanwhile is read once it has ended.
    pub(super) fn past(
        &mut self,
        now: Timestamp,
        origin: TurnOrigin,
        turns: Vec<PastTurn>,
        earlier: Earlier,
        out: &mut Outcome,
    ) {
        if self.running.as_ref().is_some_and(|r| r.turn.prompt_key.is_some()) || turns.is_empty() {
            return;
        }
        let preparing = self.running.take();
        let queue = std::mem::take(&mut self.queue);
        let (held, unread) = (self.thread.queue_held, self.thread.unread);
        let (since_stop, active_at) = (self.thread.sent_since_stop, self.thread.active_at);
        let first = preparing.as_ref().map(|r| r.turn.ordinal);
        self.next_ordinal = first.or(queue.front().map(|t| t.ordinal)).unwrap_or(self.next_ordinal);
        let mut told = Outcome::default();
        for (n, turn) in turns.into_iter().enumerate() {
            let missing = (n == 0).then_some(earlier).filter(|e| e.turns > 0 || e.more);
            self.past_turn(now, origin, turn, missing, &mut told);
        }
        out.changes.extend(last_of_each(told.changes));
        self.running = preparing;
        self.queue = queue;
        (self.thread.queue_held, self.thread.unread) = (held, unread);
        self.thread.sent_since_stop = since_stop;
        self.thread.active_at = self.thread.active_at.max(active_at);
        if self.running.is_some() {
            self.thread.status = crate::ThreadStatus::Working;
        }
        self.number_waiting(out);
    }

    /// Gives items of ended turns the text that the agent has of them. Only what the agent wrote as
    /// prose is corrected, and nothing but its text: a turn stays ended as it ended.
    pub(super) fn correct(&mut self, corrections: Vec<Correction>, out: &mut Outcome) {
        for Correction { mut item, text } in corrections {
            let live = self.running.iter().map(|r| &r.turn.id);
            let live = live.chain(self.steering().map(|turn| &turn.id));
            let ended = !item.status.is_open() && !live.into_iter().any(|t| *t == item.turn_id);
            if !ended || !item.content.is_written() {
                continue;
            }
            item.body = Body::bounded(text.as_str(), item.content.limits());
            if item.body.is_shortened() {
                let text = text.as_str().to_owned();
                out.changes.push(Change::ItemBody { item: item.id.clone(), text });
            }
            out.changes.push(Change::Item { item });
        }
    }

    /// Gives the turns that wait the next places.
    fn number_waiting(&mut self, out: &mut Outcome) {
        let preparing = self.running.iter_mut().map(|r| &mut r.turn);
        for turn in preparing.chain(&mut self.queue) {
            if turn.ordinal != self.next_ordinal {
                turn.ordinal = self.next_ordinal;
                out.changes.push(Change::Turn { turn: turn.clone() });
            }
            self.next_ordinal += 1;
        }
    }

    fn past_turn(
        &mut self,
        now: Timestamp,
        origin: TurnOrigin,
        past: PastTurn,
        missing: Option<Earlier>,
        out: &mut Outcome,
    ) {
        let PastTurn { key, kind, text, model, mode, at, events } = past;
        let id = TurnId::derive_past(&self.thread.id, &key);
        let input = TurnInput { kind, ..TurnInput::message(&text) };
        let turn = Turn {
            origin,
            model,
            mode,
            state: TurnState::Preparing,
            prompt_key: Some(key.clone()),
            started_at: Some(at),
            ..Turn::queued(&self.thread, id.clone(), self.next_ordinal, input, at)
        };
        self.next_ordinal += 1;
        if self.thread.title.is_empty() && kind == InputKind::Message {
            self.thread.title = super::cut_title(&text);
        }
        if turn.input.text.is_shortened() {
            out.changes.push(Change::TurnText { turn: id.clone(), text });
        }
        self.running = Some(RunningTurn::new(turn));
        if let Some(missing) = missing {
            let update = only_there(&key, missing);
            self.turn_event(at, &id, TurnEvent::Item(update), out);
        }
        let mut last = at;
        for (time, event) in events {
            last = last.max(time.min(now));
            self.turn_event(time.min(now), &id, event, out);
        }
        // Whoever told of it is trusted to tell its end; should that be missing, this is it.
        self.end_if(last, &id, TurnOutcome::Interrupted, out);
    }
}

/// Says that the session has more than is kept here.
fn only_there(key: &str, missing: Earlier) -> ItemUpdate {
    let Earlier { turns, more } = missing;
    let count = match (turns, more) {
        (1, false) => "One earlier turn".to_owned(),
        (n, false) => format!("{n} earlier turns"),
        (0, true) => "Earlier turns".to_owned(),
        (n, true) => format!("More than {n} earlier turns"),
    };
    let text = format!("{count} of this session can be read in the agent's own interface only.");
    ItemUpdate {
        key: format!("baton:earlier:{key}"),
        parent: None,
        status: ItemStatus::Done,
        content: ItemContent::Notice { level: NoticeLevel::Info },
        body: Some(FullText::new(text)),
        error: None,
    }
}

/// Leaves out what a later change of the same turn or item says again: nobody saw it happen. Each
/// stands where its last change stood, an item's whole text before it.
fn last_of_each(changes: Vec<Change>) -> Vec<Change> {
    let mut turns: HashMap<TurnId, usize> = HashMap::new();
    let mut items: HashMap<ItemId, usize> = HashMap::new();
    let mut bodies: HashMap<ItemId, usize> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        match change {
            Change::Turn { turn } => drop(turns.insert(turn.id.clone(), at)),
            Change::Item { item } => drop(items.insert(item.id.clone(), at)),
            Change::ItemBody { item, .. } => drop(bodies.insert(item.clone(), at)),
            _ => {}
        }
    }
    let mut removed: BTreeMap<ItemId, usize> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate() {
        if let Change::ItemRemoved { id } = change {
            removed.insert(id.clone(), at);
        }
    }
    let gone = |id: &ItemId, at: usize| removed.get(id).is_some_and(|removed| *removed > at);
    let kept = changes.into_iter().enumerate().filter(|(at, change)| match change {
        Change::Turn { turn } => turns.get(&turn.id) == Some(at),
        Change::Item { item } => items.get(&item.id) == Some(at) && !gone(&item.id, *at),
        Change::ItemBody { item, .. } => bodies.get(item) == Some(at) && !gone(item, *at),
        // A text that grew is in the item's last change, for every item of an ended turn is closed.
        Change::Text { .. } | Change::ItemRemoved { .. } => false,
        Change::Thread { .. } | Change::Request { .. } | Change::TurnText { .. } => true,
    });
    kept.map(|(_, change)| change).collect()
}
