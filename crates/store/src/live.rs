//! What a thread's one writer needs to go on where it was.

use domain::{Item, Request, Thread, ThreadId, ThreadState, Turn, TurnState};
use rusqlite::Connection;

use crate::row::{self, all, count, decode, first};
use crate::window::thread_of;
use crate::{Store, StoreError};

/// What is live of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Its row.
    pub thread: Thread,
    /// The highest ordinal ever used in it, 0 when there was no turn.
    pub last_ordinal: u64,
    /// The highest position ever used in it, 0 when there was no item.
    pub last_position: u64,
    /// Its turns that are not terminal, by ordinal.
    pub turns: Vec<Turn>,
    /// The items of the turn that prepares or runs, as last stored, each with its whole text.
    pub items: Vec<(Item, String)>,
    /// The requests of the turn that prepares or runs, open or closed.
    pub requests: Vec<Request>,
}

impl Live {
    /// Makes the state that continues it.
    #[must_use]
    pub fn into_state(self) -> ThreadState {
        ThreadState::new(self.thread, self.last_ordinal, self.last_position).with_live(
            self.turns,
            self.items,
            self.requests,
        )
    }
}

impl Store {
    /// Reads what is live of a thread; `None` when there is no such thread. Of one moment, like
    /// [`Store::window`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the thread's own row cannot be read; other records that cannot
    /// be read are left out.
    pub async fn live(&self, thread: &ThreadId) -> Result<Option<Live>, StoreError> {
        let thread = thread.clone();
        self.readers.call(move |conn| live(conn, &thread)).await
    }

    /// Names the threads with a turn that is not terminal. Its cost depends on their number alone.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn unfinished_threads(&self) -> Result<Vec<ThreadId>, StoreError> {
        let found = self.readers.call(|conn| {
            all(
                conn,
                "SELECT DISTINCT turns.thread AS id FROM turns JOIN threads ON
                     threads.id = turns.thread AND threads.removed = 0
                 WHERE turns.open = 1 ORDER BY turns.thread",
                (),
                |row| row::text(row, "id"),
            )
        });
        Ok(found.await?.iter().filter_map(|id| ThreadId::parse(id).ok()).collect())
    }
}

fn live(conn: &Connection, id: &ThreadId) -> Result<Option<Live>, StoreError> {
    let found = first(
        conn,
        "SELECT id, seq, json, last_ordinal, last_position FROM threads
         WHERE id = ? AND removed = 0",
        [id.as_str()],
        |row| Ok((thread_of(row)?, count(row, "last_ordinal")?, count(row, "last_position")?)),
    )?;
    let Some((thread, last_ordinal, last_position)) = found else { return Ok(None) };
    let thread = thread.ok_or_else(|| StoreError::Damaged { what: format!("thread {id}") })?;
    let turns = open_turns(conn, id)?;
    let running = turns.iter().rfind(|turn| match turn.state {
        TurnState::Preparing | TurnState::Running => true,
        TurnState::Queued | TurnState::Completed | TurnState::Interrupted | TurnState::Failed => {
            false
        }
    });
    let (items, requests) = match running {
        Some(turn) => (items_of(conn, turn)?, requests_of(conn, turn)?),
        None => (Vec::new(), Vec::new()),
    };
    Ok(Some(Live { thread, last_ordinal, last_position, turns, items, requests }))
}

fn open_turns(conn: &Connection, thread: &ThreadId) -> Result<Vec<Turn>, StoreError> {
    let found = all(
        conn,
        "SELECT id, json FROM turns WHERE thread = ? AND open = 1 ORDER BY ordinal",
        [thread.as_str()],
        |row| decode::<Turn>(row, "json", "turn"),
    )?;
    Ok(found.into_iter().flatten().filter(|turn| !turn.state.is_terminal()).collect())
}

fn items_of(conn: &Connection, turn: &Turn) -> Result<Vec<(Item, String)>, StoreError> {
    let found = all(
        conn,
        "SELECT id, json FROM items WHERE turn = ? ORDER BY position",
        [turn.id.as_str()],
        |row| decode::<Item>(row, "json", "item"),
    )?;
    let with_text = |item: Item| row::item_text(conn, &item).map(|text| (item, text));
    found.into_iter().flatten().map(with_text).collect()
}

fn requests_of(conn: &Connection, turn: &Turn) -> Result<Vec<Request>, StoreError> {
    let found = all(
        conn,
        "SELECT id, json FROM requests WHERE turn = ? ORDER BY created_at",
        [turn.id.as_str()],
        |row| decode(row, "json", "request"),
    )?;
    Ok(found.into_iter().flatten().collect())
}
