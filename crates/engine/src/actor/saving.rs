//! Storing and telling: what changed is stored before it is told, except streaming text, which is
//! told at once and stored at most [`FLUSH`] later.
//!
//! On a disk that takes nothing it is tried again until the disk does. What can never be stored is
//! dropped with everything that came of it, and the thread begins anew with what is stored.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use domain::{Change, Effect, ErrorCode, Input, ItemId, Outcome, ShellChange, TurnError};
use store::{Live, StoreError};
use tokio::time::Instant;

use super::{Actor, Link};
use crate::feed::Publisher;

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
    /// Why what is not stored yet never can be.
    refused: Option<StoreError>,
    /// The thread began anew for that, and nothing was stored since: should that be refused as well,
    /// it is tried again like on a disk that takes nothing.
    anew: bool,
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

    /// Why something can never be stored, if that is so. It is said once.
    pub(super) fn take_refusal(&mut self) -> Option<StoreError> {
        self.refused.take()
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

    /// Like [`Actor::save_now`], trying again later when it fails for now.
    pub(super) async fn flush(&mut self) {
        if self.saving.unsaved.is_empty() && self.saving.is_stalled() {
            for (seq, changes, effects) in std::mem::take(&mut self.saving.stalled) {
                self.tell(seq, changes);
                self.perform_all(effects);
            }
        }
        if let Err(error) = self.save_now().await {
            self.saving.orphaned = matches!(error, StoreError::NoThread);
            tracing::error!(thread = %self.id, %error, "changes could not be stored");
            if !error.is_general() && !self.saving.orphaned && !self.saving.anew {
                self.saving.refused = Some(error);
            }
            self.saving.due = Some(Instant::now() + RETRY);
            if self.saving.stalled.is_empty() {
                self.saving.stalled.push((self.state.thread().seq, Vec::new(), Vec::new()));
            }
        }
    }

    /// Begins anew with what is stored, because what came of it since never can be: what is open is
    /// closed, the turn that runs fails with the reason. Breaks when not even that can be read.
    pub(super) async fn begin_anew(&mut self, refused: &StoreError) -> ControlFlow<()> {
        self.let_go();
        match &self.link {
            Link::Open { .. } => self.close_link().await,
            // The next message goes on in it.
            Link::Opening(_) | Link::Closed => {}
        }
        self.after_open = None;
        self.undelivered.clear();
        self.inbox.clear();
        self.saving = Saving { anew: true, ..Saving::default() };
        let Ok(Some(mut live)) = self.shared.store.live(&self.id).await else {
            return ControlFlow::Break(());
        };
        // A number is told once, so those who follow are shown what is stored.
        live.thread.seq = self.state.thread().seq + 1;
        self.publisher = Publisher::new(live.thread.seq);
        self.state = Live::into_state(live);
        let at_work: Vec<_> = self.state.at_work().map(|turn| turn.id.clone()).collect();
        for turn in at_work {
            self.apply(Input::Fail { turn, error: unstorable(refused) }).await;
        }
        ControlFlow::Continue(())
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
        // The agent may have checked something else out. What is imported has many ends at once.
        let ends =
            |change: &Change| matches!(change, Change::Turn { turn } if turn.state.is_terminal());
        if changes.iter().any(ends) {
            self.shared.look_at_head_soon(&self.state.thread().project_id);
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
        self.anew = false;
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

/// Why a turn ends of which something can never be stored.
fn unstorable(refused: &StoreError) -> TurnError {
    match refused {
        StoreError::SessionTaken { .. } => TurnError {
            code: ErrorCode::SessionTaken,
            message: "another thread went on meanwhile with the session that was opened for this \
                      message"
                .to_owned(),
            hint: Some("send the message again: it begins a session of its own".to_owned()),
            retryable: true,
        },
        other => TurnError {
            code: ErrorCode::Internal,
            message: format!("what came of this turn cannot be stored: {other}"),
            hint: Some("send the message again; the log says more".to_owned()),
            retryable: true,
        },
    }
}
