//! What happened to a thread's session elsewhere: turns that were made in the agent's own
//! interface are taken in before the next message is named.
//!
//! An agent tells only of what runs on the server it is asked on, so what another program did in
//! the session is read: when a message is about to be sent, since what was said elsewhere comes
//! before it. A message never waits on it for longer than [`READING`], nor fails by it.

use std::collections::HashMap;
use std::time::Duration;

use domain::{
    Correction, Earlier, Effect, FullText, History, Input, Item, ItemId, PastTurn, ThreadId,
    TurnId, TurnOrigin,
};
use providers::{Place, ReadSession, Reading};
use store::{Store, StoreError};

use super::{Actor, Link, Report};

/// How long the reading may hold a message up.
const READING: Duration = Duration::from_secs(10);
/// The newest turns whose messages are known again.
const MAX_KNOWN: usize = 200;

/// The newest texts of known turns that are compared with what is stored.
const MAX_COMPARED: usize = 500;

/// What reading the session found: the turns that were made elsewhere since the newest that is
/// known, and what of the known ones is stored otherwise.
#[derive(Default)]
pub(super) struct Found {
    turns: Vec<PastTurn>,
    earlier: Earlier,
    corrections: Vec<Correction>,
}

/// Where the reading of turns stands that others make in the session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Elsewhere {
    /// One ended since the last reading for it began.
    due: bool,
    reading: bool,
}

impl Actor {
    /// Takes note that a turn of others ended in the session, and reads it while nothing runs here.
    pub(super) fn made_elsewhere(&mut self) {
        self.elsewhere.due = true;
        self.read_elsewhere();
    }

    /// Reads what was made elsewhere, if there is something and nothing runs here: a turn that is
    /// about to run has it read before.
    pub(super) fn read_elsewhere(&mut self) {
        let Elsewhere { due, reading } = self.elsewhere;
        if due && !reading && self.state.running().is_none() && self.catch_up(None) {
            self.elsewhere = Elsewhere { due: false, reading: true };
        }
    }

    /// Reads what was made of the session elsewhere, then lets the turn be prepared, if there is
    /// one. Returns whether there is anything to read.
    pub(super) fn catch_up(&self, turn: Option<&TurnId>) -> bool {
        let Link::Open { session, trusted, .. } = &self.link else { return false };
        let Some(sessions) = self.provider().and_then(|p| p.sessions()) else { return false };
        let thread = self.state.thread();
        let place = Place { workspace: thread.workspace.clone().into(), trusted: *trusted };
        let mut wanted =
            ReadSession { session: session.id(), thread: self.id.clone(), known: Vec::new() };
        let (store, turn) = (self.shared.store.clone(), turn.cloned());
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let reading = async {
                let turns = store.last_turns(&wanted.thread, MAX_KNOWN).await;
                let turns = turns.map_err(|error| error.to_string())?;
                wanted.known = turns.into_iter().filter_map(|turn| turn.prompt_key).collect();
                if wanted.known.is_empty() {
                    return Ok(Found::default());
                }
                let reading = sessions.read(&place, &wanted).await;
                let mut reading = reading.map_err(|error| error.to_string())?;
                let texts = std::mem::take(&mut reading.texts);
                let corrections = differing(&store, &wanted.thread, texts).await;
                let corrections = corrections.unwrap_or_else(|error| {
                    tracing::warn!(thread = %wanted.thread, %error, "texts were not compared");
                    Vec::new()
                });
                Ok(Found { corrections, ..found(reading) })
            };
            let read = tokio::time::timeout(READING, reading).await;
            let read = read.unwrap_or_else(|_| Err("it took too long".to_owned()));
            let found = read.unwrap_or_else(|error| {
                tracing::warn!(thread = %wanted.thread, error, "the session was not read again");
                Found::default()
            });
            let _ = reports.send(Report::CaughtUp { turn, found }).await;
        });
        true
    }

    /// Takes in what was found, and goes on with the turn that waited for it.
    pub(super) async fn caught_up(&mut self, turn: Option<TurnId>, found: Found) {
        let waits = self.state.running().map(domain::RunningTurn::turn);
        let Some(turn) = turn else {
            self.elsewhere.reading = false;
            match waits {
                None => self.take_in(found).await,
                // Its own reading was begun by now; once it has ended it is looked at again.
                Some(_) => self.elsewhere.due = true,
            }
            return self.read_elsewhere();
        };
        // Of a turn that is over it is of no matter: the next one has it read again.
        if !waits.is_some_and(|t| t.id == turn && t.prompt_key.is_none() && !t.stopping) {
            return;
        }
        self.take_in(found).await;
        match &self.link {
            Link::Open { .. } => self.name(turn),
            // It was lost meanwhile.
            Link::Closed => {
                self.after_open = Some(Effect::Prepare(turn));
                self.open();
            }
            Link::Opening(_) => self.after_open = Some(Effect::Prepare(turn)),
        }
    }

    async fn take_in(&mut self, found: Found) {
        let Found { turns, earlier, corrections } = found;
        if !corrections.is_empty() {
            tracing::info!(thread = %self.id, texts = corrections.len(), "texts were corrected");
            self.apply(Input::Correct(corrections)).await;
        }
        // Two readings may have been under way, one of them for a turn that is over by now.
        let mut new = Vec::with_capacity(turns.len());
        for turn in turns {
            let id = TurnId::derive_past(&self.id, &turn.key);
            if matches!(self.shared.store.turn(&id).await, Ok(None)) {
                new.push(turn);
            }
        }
        if !new.is_empty() {
            self.apply(Input::Past { origin: TurnOrigin::Elsewhere, turns: new, earlier }).await;
        }
    }
}

/// What is to be taken in. Of a session that has none of the known messages nothing is: it was
/// taken back that far, or what was made is more than is read.
fn found(reading: Reading) -> Found {
    let Reading { history: History { turns, earlier, .. }, after, .. } = reading;
    match after {
        Some(_) => Found { turns, earlier, corrections: Vec::new() },
        None => Found::default(),
    }
}

/// The items that are stored with another text than the agent has.
async fn differing(
    store: &Store,
    thread: &ThreadId,
    mut texts: Vec<(String, FullText)>,
) -> Result<Vec<Correction>, StoreError> {
    let newest = texts.split_off(texts.len().saturating_sub(MAX_COMPARED));
    let mut wanted: HashMap<ItemId, FullText> =
        newest.into_iter().map(|(key, text)| (ItemId::derive(thread, &key), text)).collect();
    let stored = store.items(thread, wanted.keys().cloned().collect()).await?;
    let differs = |(item, text): (Item, String)| {
        let there = wanted.remove(&item.id)?;
        (there.as_str() != text).then_some(Correction { item, text: there })
    };
    Ok(stored.into_iter().filter_map(differs).collect())
}
