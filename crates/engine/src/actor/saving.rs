//! Storing and telling: what changed is stored before it is told, except streaming text, which is
//! told at once and stored at most [`FLUSH`] later.

use std::collections::HashMap;
use std::time::Duration;

use domain::{Change, Effect, ItemId, Outcome, ShellChange};
use store::StoreError;
use tokio::time::Instant;

use super::Actor;

/// How long streaming text may be told and not stored.
const FLUSH: Duration = Duration::from_millis(100);
/// How much streaming text may be told and not stored.
const MAX_UNSAVED_BYTES: usize = 256 * 1024;
/// How long to wait after the store failed before trying again.
const RETRY: Duration = Duration::from_secs(1);

/// What is not stored yet.
#[derive(Default)]
pub(super) struct Saving {
    unsaved: Vec<Change>,
    /// For items that grew since anything else changed: which of `unsaved` holds the piece, and
    /// the position where it ends.
    ends: HashMap<ItemId, (usize, u64)>,
    bytes: usize,
    due: Option<Instant>,
    /// What waits to be told and done because storing it failed. While this is not empty the
    /// agent's events are not read, so it is bounded by what was under way.
    stalled: Vec<(u64, Vec<Change>, Vec<Effect>)>,
    /// The thread is no longer in the store.
    orphaned: bool,
}

impl Saving {
    /// When the unsaved text has to be stored.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the thread was removed under the actor.
    pub(super) fn is_orphaned(&self) -> bool {
        self.orphaned
    }

    /// Whether storing failed and is being tried again.
    pub(super) fn is_stalled(&self) -> bool {
        !self.stalled.is_empty()
    }
}

impl Actor {
    /// Stores, tells and does what came of something that cannot be refused.
    pub(super) async fn settle(&mut self, outcome: Outcome) {
        if is_text(&outcome.changes) && !self.saving.is_stalled() {
            return self.settle_text(outcome).await;
        }
        let seq = self.state.thread().seq;
        let Outcome { changes, effects, founds: _ } = outcome;
        if changes.is_empty() && !self.saving.is_stalled() {
            return self.perform_all(effects);
        }
        self.saving.unsaved.extend(changes.iter().cloned());
        self.saving.ends.clear();
        self.saving.stalled.push((seq, changes, effects));
        self.flush().await;
    }

    /// Stores, tells and does what came of a person's input, or nothing of it.
    pub(super) async fn try_settle(&mut self, outcome: Outcome) -> Result<(), StoreError> {
        if outcome.changes.is_empty() {
            self.perform_all(outcome.effects);
            return Ok(());
        }
        let seq = self.state.thread().seq;
        let mut changes = self.saving.unsaved.clone();
        changes.extend(outcome.changes.iter().cloned());
        match outcome.founds {
            None => self.shared.store.commit(&self.id, seq, changes).await?,
            Some(founded) => {
                let row = founded.thread.clone();
                self.shared.store.commit_founding(&self.id, seq, changes, founded).await?;
                self.shared.found(row);
            }
        }
        self.saving.saved();
        self.tell(seq, outcome.changes);
        self.perform_all(outcome.effects);
        Ok(())
    }

    /// Stores everything that is not stored yet.
    pub(super) async fn save_now(&mut self) -> Result<(), StoreError> {
        if self.saving.unsaved.is_empty() {
            return Ok(());
        }
        let seq = self.state.thread().seq;
        let changes = self.saving.unsaved.clone();
        self.shared.store.commit(&self.id, seq, changes).await?;
        self.saving.saved();
        for (seq, changes, effects) in std::mem::take(&mut self.saving.stalled) {
            self.tell(seq, changes);
            self.perform_all(effects);
        }
        Ok(())
    }

    /// Like [`Actor::save_now`], trying again later when it fails.
    pub(super) async fn flush(&mut self) {
        if self.saving.unsaved.is_empty() && self.saving.is_stalled() {
            for (seq, changes, effects) in std::mem::take(&mut self.saving.stalled) {
                self.tell(seq, changes);
                self.perform_all(effects);
            }
        }
        if let Err(error) = self.save_now().await {
            self.saving.orphaned = matches!(error, StoreError::NoThread);
            tracing::error!(thread = %self.id, %error, "changes could not be stored; trying again");
            self.saving.due = Some(Instant::now() + RETRY);
            if self.saving.stalled.is_empty() {
                self.saving.stalled.push((self.state.thread().seq, Vec::new(), Vec::new()));
            }
        }
    }

    async fn settle_text(&mut self, outcome: Outcome) {
        let seq = self.state.thread().seq;
        for change in &outcome.changes {
            self.saving.note(change);
        }
        self.tell(seq, outcome.changes);
        self.perform_all(outcome.effects);
        if self.saving.bytes > MAX_UNSAVED_BYTES {
            self.flush().await;
        }
    }

    fn tell(&mut self, seq: u64, mut changes: Vec<Change>) {
        changes.retain(|c| !matches!(c, Change::ItemBody { .. } | Change::TurnText { .. }));
        for change in &changes {
            if let Change::Thread { thread } = change {
                self.shared.shell.publish(ShellChange::Thread { thread: thread.clone() });
            }
        }
        self.publisher.publish(seq, changes);
    }
}

impl Saving {
    fn saved(&mut self) {
        self.unsaved.clear();
        self.ends.clear();
        self.bytes = 0;
        self.due = None;
    }

    /// Keeps a piece of text for the next flush, joined with the piece it continues.
    fn note(&mut self, change: &Change) {
        let Change::Text { item, at, text } = change else { return };
        self.bytes += text.len();
        self.due.get_or_insert_with(|| Instant::now() + FLUSH);
        let end = at + domain::units(text);
        if let Some((index, known)) = self.ends.get_mut(item)
            && *known == *at
            && let Some(Change::Text { text: held, .. }) = self.unsaved.get_mut(*index)
        {
            held.push_str(text);
            *known = end;
            return;
        }
        self.ends.insert(item.clone(), (self.unsaved.len(), end));
        self.unsaved.push(change.clone());
    }
}

fn is_text(changes: &[Change]) -> bool {
    !changes.is_empty() && changes.iter().all(|c| matches!(c, Change::Text { .. }))
}
