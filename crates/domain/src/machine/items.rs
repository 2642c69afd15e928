//! Items within the machine: upserts, text by position, closing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::permits::{Permit, can_wait, permit};
use super::{Change, Effect, MAX_TURN_ITEMS, Outcome, ThreadState};
use crate::{
    Body, FullText, Item, ItemContent, ItemId, ItemStatus, ItemUpdate, NoticeLevel, Phase,
    RequestId, Splice, Timestamp, TurnId, TurnState, units,
};

/// An item of the running turn. While it runs its whole text is held; afterwards only a digest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LiveItem {
    /// The item; while it runs, its body is not kept up to date here.
    item: Item,
    text: LiveText,
}

#[derive(Debug, Clone, PartialEq)]
enum LiveText {
    Growing(FullText),
    Settled { units: u64, digest: u64 },
}

impl LiveText {
    fn settled(text: &FullText) -> Self {
        Self::Settled { units: text.len(), digest: digest(text.as_str()) }
    }

    fn is(&self, other: &FullText) -> bool {
        match self {
            Self::Growing(text) => text == other,
            Self::Settled { units, digest: known } => {
                *units == other.len() && *known == digest(other.as_str())
            }
        }
    }
}

fn digest(text: &str) -> u64 {
    // Keys are fixed, so the machine stays a pure function of its inputs.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl LiveItem {
    pub(super) fn restored(item: Item, text: String) -> Self {
        let text = FullText::new(text);
        let text =
            if item.status.is_open() { LiveText::Growing(text) } else { LiveText::settled(&text) };
        Self { item, text }
    }

    pub(super) fn id(&self) -> &ItemId {
        &self.item.id
    }

    /// Whether it is a tool or a sub-agent that has not finished.
    pub(super) fn is_at_work(&self) -> bool {
        self.item.status.is_open() && !self.item.content.is_prose()
    }

    /// Notes that it is asked about, if it is what can wait.
    pub(super) fn wait(&mut self, out: &mut Outcome) {
        if self.item.status == ItemStatus::Running && can_wait(&self.item.content) {
            self.item.status = ItemStatus::Waiting;
            self.emit(out);
        }
    }

    /// Ends its wait, if it waited; if it runs now, its time begins.
    pub(super) fn waited(&mut self, now: Timestamp, status: ItemStatus, out: &mut Outcome) {
        if self.item.status == ItemStatus::Waiting {
            self.stand(now, status);
            self.emit(out);
        }
    }

    fn stand(&mut self, now: Timestamp, status: ItemStatus) {
        let unrun = matches!(status, ItemStatus::Declined | ItemStatus::NotRun);
        if self.item.status == ItemStatus::Waiting && status != ItemStatus::Waiting && !unrun {
            self.item.started_at = now;
        }
        self.item.status = status;
        if status.is_open() {
            self.item.ended_at = None;
        } else {
            self.item.ended_at.get_or_insert(now);
        }
    }

    /// Says what the item is now, its body brought up to date.
    fn emit(&mut self, out: &mut Outcome) {
        if let LiveText::Growing(text) = &self.text {
            self.item.body = Body::bounded(text.as_str(), self.item.content.limits());
            if self.item.body.is_shortened() {
                out.changes.push(Change::ItemBody {
                    item: self.item.id.clone(),
                    text: text.as_str().to_owned(),
                });
            }
            if !self.item.status.is_open() {
                self.text = LiveText::settled(text);
            }
        }
        out.changes.push(Change::Item { item: self.item.clone() });
    }

    /// Closes an item that was still open when its turn ended, and what was asked about it.
    pub(super) fn close(
        mut self,
        now: Timestamp,
        turn: TurnState,
        asked: Permit,
        out: &mut Outcome,
    ) {
        if !self.item.status.is_open() {
            return;
        }
        if let ItemContent::SubAgent { waiting, phase, .. } = &mut self.item.content {
            (*waiting, *phase) = (false, None);
        }
        let status = match self.item.status {
            ItemStatus::Waiting => asked.unrun(),
            _ if self.item.content.is_prose() || turn == TurnState::Completed => ItemStatus::Done,
            _ => ItemStatus::Failed,
        };
        if status == ItemStatus::Failed {
            self.item.error.get_or_insert_with(|| "the turn ended before it finished".to_owned());
        }
        self.stand(now, status);
        self.emit(out);
    }
}

impl ThreadState {
    /// Applies a piece of text to an item of the running turn.
    pub(super) fn text(
        &mut self,
        turn: &TurnId,
        key: &str,
        at: u64,
        piece: &str,
        out: &mut Outcome,
    ) {
        let id = ItemId::derive(&self.thread.id, key);
        let Some(running) = self.at_the_agent(turn) else { return };
        let full = running.items.len() > MAX_TURN_ITEMS;
        let Some(live) = Arc::make_mut(&mut running.items).get_mut(&id) else {
            // Of an item that is not kept the session has nothing to add.
            if !full {
                out.effects.push(Effect::Resync);
            }
            return;
        };
        let text = match &mut live.text {
            LiveText::Growing(text) => text,
            // Its whole text was told; a piece that comes after all is known or means it grew.
            LiveText::Settled { units: known, .. } => {
                if at + units(piece) > *known {
                    out.effects.push(Effect::Resync);
                }
                return;
            }
        };
        let known = text.len();
        match text.splice(at, piece) {
            Splice::Appended(fresh) => {
                out.changes.push(Change::Text { item: id, at: known, text: fresh.to_owned() });
            }
            Splice::Repeated => {}
            Splice::Hole => out.effects.push(Effect::Resync),
        }
    }

    /// Applies an item as the agent has it now.
    pub(super) fn item(&mut self, now: Timestamp, update: ItemUpdate, out: &mut Outcome) {
        let id = ItemId::derive(&self.thread.id, &update.key);
        let parent = update.parent.as_deref().map(|key| ItemId::derive(&self.thread.id, key));
        let Some(running) = &mut self.running else { return };
        let asked = permit(&running.requests, &id);
        if let Some(live) = Arc::make_mut(&mut running.items).get_mut(&id) {
            let status = asked.status(Some(live.item.status), &update);
            merge(live, now, parent, ItemUpdate { status, ..update }, out);
            return;
        }
        if running.items.len() > MAX_TURN_ITEMS {
            return;
        }
        let full = running.items.len() == MAX_TURN_ITEMS;
        let update = if full { too_many(&running.turn.id) } else { update };
        let id = if full { ItemId::derive(&self.thread.id, &update.key) } else { id };
        if running.items.contains_key(&id) {
            return;
        }
        let status = asked.status(None, &update);
        let item = Item {
            id,
            turn_id: running.turn.id.clone(),
            parent,
            position: self.next_position,
            status,
            content: update.content,
            body: Body::default(),
            error: update.error,
            started_at: now,
            ended_at: (!status.is_open()).then_some(now),
        };
        self.next_position += 1;
        let text = LiveText::Growing(update.body.unwrap_or_default());
        let mut live = LiveItem { item, text };
        live.emit(out);
        Arc::make_mut(&mut running.items).insert(live.item.id.clone(), live);
    }

    /// Tells in a turn that Baton was not there for a while.
    pub(super) fn restarted(&mut self, now: Timestamp, id: &TurnId, out: &mut Outcome) {
        let Some(running) = self.current(id).filter(|r| r.turn.state == TurnState::Running) else {
            return;
        };
        if running.turn.phase != Some(Phase::Reconnecting) {
            running.turn.phase = Some(Phase::Reconnecting);
            out.changes.push(Change::Turn { turn: running.turn.clone() });
        }
        let text = "Baton ended while this turn ran, and the agent with it. What it had done by \
                    then is above; send a message to go on.";
        self.item(now, notice(format!("baton:restarted:{id}:{now}"), text.to_owned()), out);
        self.doubt_requests(out);
    }

    /// Tells in the running turn that the agent knows nothing of the conversation.
    pub(super) fn session_replaced(&mut self, now: Timestamp, out: &mut Outcome) {
        let Some(running) = &self.running else { return };
        let session = self.thread.session.as_deref().unwrap_or_default();
        let key = format!("baton:replaced:{}:{session}", running.turn.id);
        let text = "The conversation goes on in a new session: the agent does not know what was \
                    said before this.";
        self.item(now, notice(key, text.to_owned()), out);
    }

    /// Tells in the running turn that its plan is built in another thread.
    pub(super) fn built_elsewhere(&mut self, now: Timestamp, plan: &RequestId, out: &mut Outcome) {
        let text = "The plan was accepted and is being built in a new thread.";
        let told = ItemUpdate {
            content: ItemContent::Notice { level: NoticeLevel::Info },
            ..notice(format!("baton:elsewhere:{plan}"), text.to_owned())
        };
        self.item(now, told, out);
    }

    pub(super) fn item_removed(&mut self, key: &str, out: &mut Outcome) {
        let id = ItemId::derive(&self.thread.id, key);
        if let Some(running) = &mut self.running
            && Arc::make_mut(&mut running.items).remove(&id).is_some()
        {
            out.changes.push(Change::ItemRemoved { id });
        }
    }
}

/// Brings a known item up to what the agent says, with the smallest change that does it.
fn merge(
    live: &mut LiveItem,
    now: Timestamp,
    parent: Option<ItemId>,
    update: ItemUpdate,
    out: &mut Outcome,
) {
    let same_head = live.item.status == update.status
        && live.item.content == update.content
        && live.item.parent == parent
        && live.item.error == update.error;
    let new_text = update.body.filter(|body| !live.text.is(body));
    if same_head {
        match (&mut live.text, &new_text) {
            (_, None) => return,
            (LiveText::Growing(text), Some(new)) if new.as_str().starts_with(text.as_str()) => {
                let at = text.len();
                if let Some(fresh) = new.as_str().get(text.as_str().len()..) {
                    let piece = fresh.to_owned();
                    text.splice(at, &piece);
                    out.changes.push(Change::Text { item: live.item.id.clone(), at, text: piece });
                }
                return;
            }
            _ => {}
        }
    }
    live.stand(now, update.status);
    live.item.content = update.content;
    live.item.parent = parent;
    live.item.error = update.error;
    if let Some(new) = new_text {
        live.text = LiveText::Growing(new);
    }
    live.emit(out);
}

/// What stands for all items after a turn's last one that is kept.
fn too_many(turn: &TurnId) -> ItemUpdate {
    let text =
        format!("This turn has more than {MAX_TURN_ITEMS} entries; later ones are not kept.");
    notice(format!("baton:too-many-items:{turn}"), text)
}

/// Something Baton itself has to say in a turn.
pub(super) fn notice(key: String, text: String) -> ItemUpdate {
    ItemUpdate {
        key,
        parent: None,
        status: ItemStatus::Done,
        content: ItemContent::Notice { level: NoticeLevel::Warning },
        body: Some(FullText::new(text)),
        error: None,
    }
}
