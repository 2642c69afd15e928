//! The hub's bounded queues: what changed, on its way to one follower.
//!
//! A publisher keeps the last frames, so that a follower who comes back with a cursor continues
//! where it stopped. A follower who does not keep up loses its queue and gets a fresh snapshot;
//! it never makes the publisher wait and never makes memory grow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use domain::Change;
use tokio::sync::Notify;

use crate::EngineError;

/// The most bytes kept for followers who come back, and the most that wait for one: what waits is
/// shared with what is kept, so that a follower costs nothing more, however slow it is.
const MAX_KEPT_BYTES: usize = 512 * 1024;
/// The same in frames.
const MAX_KEPT_FRAMES: usize = 2_048;
/// The most bytes kept where nothing goes on: it is enough for a link that broke at the end of a
/// turn. Who comes later gets a snapshot, which is no larger than what was kept.
const MAX_RESTING_BYTES: usize = 32 * 1024;

/// What a publisher tells at once, under one number.
#[derive(Debug)]
pub(crate) struct Frame<C> {
    pub(crate) seq: u64,
    /// Boxed, for a vector has room to grow: for a token that is several times what it holds.
    pub(crate) changes: Box<[C]>,
    bytes: usize,
}

/// A change that can be counted in bytes and joined with the one before it.
pub(crate) trait Publish: Clone + Send + Sync + 'static {
    /// About how many bytes of memory it takes, itself included.
    fn weight(&self) -> usize;
    /// How much text it holds, in UTF-16 units.
    fn units(&self) -> u64 {
        0
    }
    /// Takes `next` into itself when both together are one change. `units` is how much text it
    /// holds so far, so that joining costs what is joined and not what is there.
    fn join(&mut self, next: &Self, units: &mut u64) -> bool;
}

impl Publish for Change {
    fn weight(&self) -> usize {
        // The ids and short texts of a row.
        const ROW: usize = 512;
        let held = match self {
            Self::Text { text, .. } => 64 + text.len(),
            Self::Item { item } => ROW + item.body.head.len() + item.body.tail.len(),
            Self::Turn { turn } => ROW + turn.input.text.head.len() + turn.input.text.tail.len(),
            Self::Request { .. } => 8 * ROW,
            Self::Thread { .. } | Self::ItemRemoved { .. } => ROW,
            Self::ItemBody { text, .. } | Self::TurnText { text, .. } => text.len(),
        };
        size_of::<Self>() + held
    }

    fn units(&self) -> u64 {
        match self {
            Self::Text { text, .. } => domain::units(text),
            Self::Item { .. }
            | Self::Turn { .. }
            | Self::Request { .. }
            | Self::Thread { .. }
            | Self::ItemRemoved { .. }
            | Self::ItemBody { .. }
            | Self::TurnText { .. } => 0,
        }
    }

    fn join(&mut self, next: &Self, units: &mut u64) -> bool {
        match (self, next) {
            (
                Self::Text { item, at, text },
                Self::Text { item: next_item, at: next_at, text: next_text },
            ) if item == next_item && *at + *units == *next_at => {
                text.push_str(next_text);
                *units += domain::units(next_text);
                true
            }
            (Self::Thread { thread }, Self::Thread { thread: next }) => {
                thread.clone_from(next);
                true
            }
            (Self::Turn { turn }, Self::Turn { turn: next }) if turn.id == next.id => {
                turn.clone_from(next);
                true
            }
            (Self::Item { item }, Self::Item { item: next }) if item.id == next.id => {
                item.clone_from(next);
                true
            }
            _ => false,
        }
    }
}

/// The side that tells.
#[derive(Debug)]
pub(crate) struct Publisher<C> {
    kept: VecDeque<Arc<Frame<C>>>,
    kept_bytes: usize,
    seq: u64,
    followers: Vec<Weak<Waiting<C>>>,
}

impl<C: Publish> Publisher<C> {
    /// Starts after the frame `seq`.
    pub(crate) fn new(seq: u64) -> Self {
        Self { kept: VecDeque::new(), kept_bytes: 0, seq, followers: Vec::new() }
    }

    /// The number of the last frame.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Tells all followers.
    pub(crate) fn publish(&mut self, seq: u64, changes: Vec<C>) {
        if changes.is_empty() {
            return;
        }
        self.seq = seq;
        let bytes = changes.iter().map(Publish::weight).sum();
        let frame = Arc::new(Frame { seq, changes: changes.into_boxed_slice(), bytes });
        self.followers.retain(|follower| match follower.upgrade() {
            Some(waiting) => {
                waiting.push(&frame);
                true
            }
            None => false,
        });
        self.kept_bytes += bytes;
        self.kept.push_back(frame);
        self.keep(MAX_KEPT_BYTES);
    }

    /// Keeps less, for nothing goes on that followers could miss.
    pub(crate) fn rest(&mut self) {
        if self.kept_bytes > MAX_RESTING_BYTES {
            self.keep(MAX_RESTING_BYTES);
            self.kept.shrink_to_fit();
        }
    }

    fn keep(&mut self, most: usize) {
        while self.kept.len() > MAX_KEPT_FRAMES || self.kept_bytes > most {
            let Some(old) = self.kept.pop_front() else { break };
            self.kept_bytes -= old.bytes;
        }
    }

    /// Tells all followers that there is nothing more to follow.
    pub(crate) fn gone(&mut self) {
        for follower in self.followers.drain(..).filter_map(|f| f.upgrade()) {
            follower.lock().gone = true;
            follower.notify.notify_one();
        }
    }

    /// Whether anyone follows.
    pub(crate) fn is_followed(&mut self) -> bool {
        self.followers.retain(|f| f.strong_count() > 0);
        !self.followers.is_empty()
    }

    /// Adds a follower who has everything up to `cursor`, or nothing.
    pub(crate) fn follow(&mut self, cursor: Option<u64>) -> Arc<Waiting<C>> {
        let missed = cursor.and_then(|cursor| Some((cursor, self.since(cursor)?)));
        let (verdict, seen, frames) = match missed {
            Some((cursor, frames)) => (Verdict::Ok, cursor, frames),
            None => (Verdict::Gap, 0, Vec::new()),
        };
        let waiting = Arc::new(Waiting {
            state: Mutex::new(WaitingState {
                verdict: Some(verdict),
                seen,
                bytes: frames.iter().map(|frame| frame.bytes).sum(),
                frames: frames.into(),
                overflowed: false,
                gone: false,
            }),
            notify: Notify::new(),
        });
        self.followers.push(Arc::downgrade(&waiting));
        waiting
    }

    /// The frames after `cursor`, if all of them are still kept.
    fn since(&self, cursor: u64) -> Option<Vec<Arc<Frame<C>>>> {
        if cursor == self.seq {
            return Some(Vec::new());
        }
        let first = self.kept.front()?.seq;
        if cursor > self.seq || cursor + 1 < first {
            return None;
        }
        Some(self.kept.iter().filter(|frame| frame.seq > cursor).cloned().collect())
    }
}

impl<C> Drop for Publisher<C> {
    /// Followers of a publisher that ended look for the next one.
    fn drop(&mut self) {
        for follower in self.followers.drain(..).filter_map(|f| f.upgrade()) {
            follower.lock().overflowed = true;
            follower.notify.notify_one();
        }
    }
}

/// What a follower has to be told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Gap,
}

/// What waits for one follower.
#[derive(Debug)]
pub(crate) struct Waiting<C> {
    state: Mutex<WaitingState<C>>,
    notify: Notify,
}

#[derive(Debug)]
struct WaitingState<C> {
    verdict: Option<Verdict>,
    /// The number up to which the follower has everything.
    seen: u64,
    frames: VecDeque<Arc<Frame<C>>>,
    bytes: usize,
    /// Frames were dropped: the follower has to follow anew.
    overflowed: bool,
    /// There is nothing more to follow.
    gone: bool,
}

impl<C> Waiting<C> {
    fn lock(&self) -> MutexGuard<'_, WaitingState<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, frame: &Arc<Frame<C>>) {
        let mut state = self.lock();
        if state.overflowed {
            return;
        }
        state.bytes += frame.bytes;
        state.frames.push_back(frame.clone());
        if state.bytes > MAX_KEPT_BYTES || state.frames.len() > MAX_KEPT_FRAMES {
            state.frames = VecDeque::new();
            state.bytes = 0;
            state.overflowed = true;
        }
        drop(state);
        self.notify.notify_one();
    }
}

impl<C> WaitingState<C> {
    fn is_ready(&self) -> bool {
        self.verdict.is_some() || self.overflowed || self.gone || !self.frames.is_empty()
    }
}

/// Where a feed's snapshots come from.
#[async_trait]
pub(crate) trait Source<S, C>: Send + Sync {
    /// Follows from a cursor. Everything published before is readable by `snapshot` afterwards.
    async fn follow(&self, cursor: Option<u64>) -> Result<Arc<Waiting<C>>, EngineError>;
    /// What there is now, and its number.
    async fn snapshot(&self) -> Result<(u64, S), EngineError>;
}

/// One follower's view of something that changes.
pub struct Feed<S, C> {
    source: Box<dyn Source<S, C>>,
    waiting: Arc<Waiting<C>>,
}

impl<S, C> Feed<S, C> {
    pub(crate) async fn open(
        source: Box<dyn Source<S, C>>,
        cursor: Option<u64>,
    ) -> Result<Self, EngineError> {
        let waiting = source.follow(cursor).await?;
        Ok(Self { source, waiting })
    }

    /// Waits until there is something to take. Dropping the future loses nothing.
    pub async fn ready(&self) {
        while !self.waiting.lock().is_ready() {
            self.waiting.notify.notified().await;
        }
    }
}

#[expect(private_bounds, reason = "only the engine's own changes are followed")]
impl<S, C: Publish> Feed<S, C> {
    /// Takes everything that waits, coalesced. `None` when nothing does.
    ///
    /// # Errors
    /// [`EngineError`] when a snapshot cannot be had; it is asked for again at the next call.
    pub async fn take(&mut self) -> Result<Option<FeedItem<S, C>>, EngineError> {
        if self.waiting.lock().gone {
            return Ok(Some(FeedItem::Gone));
        }
        if self.waiting.lock().overflowed {
            self.waiting = self.source.follow(None).await?;
        }
        let verdict = self.waiting.lock().verdict;
        match verdict {
            Some(Verdict::Gap) => {
                let (seq, snapshot) = self.source.snapshot().await?;
                let mut state = self.waiting.lock();
                state.verdict = None;
                state.seen = seq;
                Ok(Some(FeedItem::Gap { seq, snapshot }))
            }
            Some(Verdict::Ok) => {
                let mut state = self.waiting.lock();
                state.verdict = None;
                Ok(Some(FeedItem::Ok { seq: state.seen }))
            }
            None => Ok(self.drain()),
        }
    }

    fn drain(&self) -> Option<FeedItem<S, C>> {
        let (seen, frames) = {
            let mut state = self.waiting.lock();
            state.bytes = 0;
            let frames = std::mem::take(&mut state.frames);
            let seen = state.seen;
            state.seen = frames.back().map_or(seen, |frame| frame.seq.max(seen));
            (seen, frames)
        };
        let seq = frames.back()?.seq;
        let mut changes: Vec<C> = Vec::new();
        let mut units = 0;
        for change in frames.iter().filter(|f| f.seq > seen).flat_map(|f| &f.changes) {
            if !changes.last_mut().is_some_and(|last| last.join(change, &mut units)) {
                units = change.units();
                changes.push(change.clone());
            }
        }
        (!changes.is_empty()).then_some(FeedItem::Changes { seq, changes })
    }
}

/// What one follower is told.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedItem<S, C> {
    /// The cursor can be continued.
    Ok {
        /// Where it stands.
        seq: u64,
    },
    /// What is known is to be replaced.
    Gap {
        /// Where the snapshot stands.
        seq: u64,
        /// The snapshot.
        snapshot: S,
    },
    /// What changed, in order.
    Changes {
        /// Where it stands after them.
        seq: u64,
        /// The changes, coalesced.
        changes: Vec<C>,
    },
    /// There is nothing more to follow.
    Gone,
}

#[cfg(test)]
mod tests {
    use domain::{ItemId, ThreadId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_kept_takes_no_more_memory_than_its_bound() {
        let item = ItemId::derive(&ThreadId::from_uuid(Uuid::nil()), "text");
        let mut publisher = Publisher::new(0);
        for seq in 1..=10_000 {
            let text = Change::Text { item: item.clone(), at: seq, text: "word ".to_owned() };
            publisher.publish(seq, vec![text]);
        }
        let taken: usize = publisher.kept.iter().map(|f| size_of_val(&*f.changes)).sum();
        assert!(taken <= MAX_KEPT_BYTES, "{taken} bytes in {} frames", publisher.kept.len());
        assert!(publisher.since(9_900).is_some(), "the last hundred are kept");
        publisher.rest();
        let taken: usize = publisher.kept.iter().map(|f| size_of_val(&*f.changes)).sum();
        assert!(taken <= MAX_RESTING_BYTES, "{taken} bytes in {} frames", publisher.kept.len());
        assert!(publisher.since(9_980).is_some() && publisher.since(9_000).is_none());
    }

    #[test]
    fn a_follower_that_reads_nothing_holds_nothing_that_is_not_kept_anyway() {
        let item = ItemId::derive(&ThreadId::from_uuid(Uuid::nil()), "text");
        let mut publisher = Publisher::new(0);
        let follower = publisher.follow(Some(0));
        for seq in 1..=10_000 {
            let text = Change::Text { item: item.clone(), at: seq, text: "word ".to_owned() };
            publisher.publish(seq, vec![text]);
            let waiting = follower.lock();
            let kept = |frame: &Arc<Frame<Change>>| {
                publisher.kept.iter().any(|known| Arc::ptr_eq(known, frame))
            };
            assert!(waiting.frames.front().is_none_or(kept), "{seq}");
        }
        assert!(follower.lock().overflowed, "it is given a snapshot next");
    }
}
