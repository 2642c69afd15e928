//! What was accepted, what was seen, and what was wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;

/// The books of a run.
pub(crate) struct Accounts {
    begun: Instant,
    log: Mutex<File>,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    /// Each accepted message: turn, thread, mark, and how often the model may have begun it.
    accepted: BTreeMap<String, Accepted>,
    /// The terminal state each turn was seen in.
    ended: BTreeMap<String, String>,
    /// Turns that were taken back while they waited.
    withdrawn: BTreeSet<String>,
    /// Threads that were deleted, whose turns went with them.
    deleted: BTreeSet<String>,
    counts: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
}

/// A message that Baton said it has.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) thread: String,
    pub(crate) mark: String,
    pub(crate) plays: u32,
}

/// Findings that are kept; more say nothing new.
const MAX_WRONG: usize = 200;

impl Accounts {
    pub(crate) fn new(log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("{}", log.display()))?;
        let books = Mutex::default();
        Ok(Self { begun: Instant::now(), log: Mutex::new(file), books })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that something happened.
    pub(crate) fn event(&self, what: &str, about: impl Into<String>) {
        let at = self.begun.elapsed().as_secs_f64();
        let line = json!({ "at": at, "what": what, "about": about.into() });
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written ends no run.
        let _ = writeln!(log, "{line}");
    }

    /// Writes down that something is not as it should be.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.books().wrong.clone()
    }

    pub(crate) fn blame(&self, what: impl Into<String>) {
        let what = what.into();
        self.event("WRONG", what.clone());
        let mut books = self.books();
        if books.wrong.len() < MAX_WRONG {
            books.wrong.push(what);
        }
    }

    pub(crate) fn accept(&self, turn: &str, accepted: Accepted) {
        self.event("accepted", format!("{turn} {} {}", accepted.mark, accepted.thread));
        self.books().accepted.insert(turn.to_owned(), accepted);
    }

    pub(crate) fn withdraw(&self, turn: &str) {
        self.event("withdrawn", turn);
        self.books().withdrawn.insert(turn.to_owned());
    }

    pub(crate) fn delete(&self, thread: &str) {
        self.event("deleted", thread);
        self.books().deleted.insert(thread.to_owned());
    }

    /// Notes a terminal state that somebody saw; there is only ever one.
    pub(crate) fn see_end(&self, turn: &str, state: &str) {
        let before = self.books().ended.insert(turn.to_owned(), state.to_owned());
        match before {
            None => self.event("ended", format!("{turn} {state}")),
            Some(before) if before != state => {
                self.blame(format!("{turn} ended as {before}, and then as {state}"));
            }
            Some(_) => {}
        }
    }

    pub(crate) fn count(&self, what: &'static str) {
        *self.books().counts.entry(what).or_default() += 1;
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.books().counts.get(what).copied().unwrap_or_default()
    }

    /// How many messages were accepted, and of how many an end was seen.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let books = self.books();
        let ended = books.accepted.keys().filter(|turn| books.ended.contains_key(*turn));
        (books.accepted.len(), ended.count())
    }

    pub(crate) fn accepted(&self) -> BTreeMap<String, Accepted> {
        self.books().accepted.clone()
    }

    pub(crate) fn is_withdrawn(&self, turn: &str) -> bool {
        self.books().withdrawn.contains(turn)
    }

    pub(crate) fn is_deleted(&self, thread: &str) -> bool {
        self.books().deleted.contains(thread)
    }
}
