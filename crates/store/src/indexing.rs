//! Keeping the full-text index: what is said enters it when it is stored for good, and leaves it
//! with its row. What was stored before there was an index is read in a small step at a time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use domain::{Body, Item, ItemContent, ItemId, ThreadId, Turn, TurnState};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::row::{MAX_ROW_BYTES, all, decode, encode, execute, first, int, text, whole};

/// How much of a text is indexed, in bytes; what is behind it is not found.
pub(crate) const MAX_INDEXED_BYTES: usize = 256 * 1024;
/// Items that are read in in one step.
const ITEMS: u32 = 32;
/// Where in the table of values it is kept how far the reading in has come.
const PROGRESS: &str = "search.backfill";

/// Whether a turn's message is as it will stay: one that waits can still be changed.
pub(crate) fn is_settled(turn: &Turn) -> bool {
    turn.state != TurnState::Queued && !turn.input.text.is_empty()
}

/// Whether an item is something said, in the thread itself, and as it will stay.
pub(crate) fn is_said(item: &Item) -> bool {
    let said = match &item.content {
        ItemContent::UserMessage | ItemContent::AgentMessage | ItemContent::Plan { .. } => true,
        ItemContent::Reasoning
        | ItemContent::Command { .. }
        | ItemContent::FileChange { .. }
        | ItemContent::Read { .. }
        | ItemContent::Search { .. }
        | ItemContent::Web { .. }
        | ItemContent::McpCall { .. }
        | ItemContent::SubAgent { .. }
        | ItemContent::TodoList { .. }
        | ItemContent::Question { .. }
        | ItemContent::Compaction { .. }
        | ItemContent::Notice { .. }
        | ItemContent::Error { .. }
        | ItemContent::Tool { .. } => false,
    };
    said && item.parent.is_none() && !item.status.is_open() && !item.body.is_empty()
}

/// Where a text enters the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is the newest.
    Newest,
    /// It is older than everything that is there; if it is there already, it stays.
    Oldest,
}

/// Indexes a turn's message.
pub(crate) fn index_turn(
    conn: &Connection,
    thread: &str,
    turn: &Turn,
    entry: Entry,
) -> Result<(), StoreError> {
    let id = turn.id.as_str();
    index(conn, Owner { id, thread, turn: id }, &turn.input.text, entry)
}

/// Indexes an item's text.
pub(crate) fn index_item(
    conn: &Connection,
    thread: &str,
    item: &Item,
    entry: Entry,
) -> Result<(), StoreError> {
    let owner = Owner { id: item.id.as_str(), thread, turn: item.turn_id.as_str() };
    index(conn, owner, &item.body, entry)
}

#[derive(Clone, Copy)]
struct Owner<'a> {
    id: &'a str,
    thread: &'a str,
    turn: &'a str,
}

fn index(conn: &Connection, owner: Owner<'_>, body: &Body, entry: Entry) -> Result<(), StoreError> {
    let known =
        first(conn, "SELECT id, mark FROM search_rows WHERE owner = ?", [owner.id], |row| {
            Ok((row.get::<_, i64>("id")?, row.get::<_, i64>("mark")?))
        })?;
    // What a row shows of a shortened text changes with the text, near enough.
    let mark = mark(body);
    let id = match known {
        Some((_, old)) if old == mark || entry == Entry::Oldest => return Ok(()),
        Some((id, _)) => {
            execute(conn, "DELETE FROM search WHERE rowid = ?", [id])?;
            execute(conn, "UPDATE search_rows SET mark = ?2 WHERE id = ?1", (id, mark))?;
            id
        }
        None => {
            let place = match entry {
                Entry::Newest => "SELECT coalesce(max(max(id), 0), 0) + 1 AS id FROM search_rows",
                Entry::Oldest => "SELECT coalesce(min(min(id), 0), 0) - 1 AS id FROM search_rows",
            };
            let id: i64 = first(conn, place, (), |row| row.get("id"))?.unwrap_or(1);
            execute(
                conn,
                "INSERT INTO search_rows (id, owner, thread, turn, mark) VALUES (?, ?, ?, ?, ?)",
                (id, owner.id, owner.thread, owner.turn, mark),
            )?;
            id
        }
    };
    let text = whole(conn, owner.id, body)?;
    execute(conn, "INSERT INTO search (rowid, text) VALUES (?, ?)", (id, indexed(&text)))?;
    Ok(())
}

/// The part of a text that is indexed.
pub(crate) fn indexed(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_INDEXED_BYTES)).unwrap_or(text)
}

/// It need only be the same for the same text as long as the row is; a new one costs a new entry.
fn mark(body: &Body) -> i64 {
    let mut hasher = DefaultHasher::new();
    (&body.head, body.omitted, &body.tail).hash(&mut hasher);
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}

/// Takes a text out of the index.
pub(crate) fn forget(conn: &Connection, owner: &str) -> Result<(), StoreError> {
    let known = "SELECT id FROM search_rows WHERE owner = ?";
    let known = first(conn, known, [owner], |row| row.get::<_, i64>("id"))?;
    if let Some(id) = known {
        execute(conn, "DELETE FROM search WHERE rowid = ?", [id])?;
        execute(conn, "DELETE FROM search_rows WHERE id = ?", [id])?;
    }
    Ok(())
}

/// How far the reading in of what was stored before has come, newest turn first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// The row of the turn that is read in now, or of the last; none before the first.
    turn: Option<i64>,
    /// The place of the last item of it that was looked at, while there are more.
    item: Option<u64>,
    done: bool,
}

/// Whether all that was stored before is in the index.
pub(crate) fn is_whole(conn: &Connection) -> Result<bool, StoreError> {
    Ok(progress(conn)?.done)
}

fn progress(conn: &Connection) -> Result<Progress, StoreError> {
    let sql = "SELECT key AS id, json FROM kv WHERE key = ?";
    let kept = first(conn, sql, [PROGRESS], |row| decode(row, "json", "value"))?;
    Ok(kept.flatten().unwrap_or_default())
}

/// Reads in a little of what was stored before; says whether there may be more to do.
pub(crate) fn backfill(conn: &Connection) -> Result<bool, StoreError> {
    let progress = progress(conn)?;
    if progress.done {
        return Ok(false);
    }
    let next = advance(conn, progress)?;
    execute(
        conn,
        "INSERT INTO kv (key, json) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET json = ?2",
        (PROGRESS, encode(&next)?),
    )?;
    Ok(!next.done)
}

fn advance(conn: &Connection, now: Progress) -> Result<Progress, StoreError> {
    // A turn whose items are not all read in is taken up again.
    let below = match (now.turn, now.item) {
        (None, _) => i64::MAX,
        (Some(turn), Some(_)) => turn.saturating_add(1),
        (Some(turn), None) => turn,
    };
    let found = first(
        conn,
        "SELECT rowid, id, thread, CASE WHEN octet_length(json) <= ?2 THEN json END AS json
         FROM turns WHERE rowid < ?1 ORDER BY rowid DESC LIMIT 1",
        (below, MAX_ROW_BYTES),
        |row| {
            let turn = decode::<Turn>(row, "json", "turn")?;
            Ok((row.get::<_, i64>("rowid")?, text(row, "id")?, text(row, "thread")?, turn))
        },
    )?;
    let Some((rowid, id, thread, turn)) = found else { return Ok(Progress { done: true, ..now }) };
    let gone = "SELECT 1 FROM threads WHERE id = ? AND removed = 0";
    if first(conn, gone, [&thread], |_| Ok(()))?.is_none() {
        return Ok(Progress { turn: Some(rowid), item: None, done: false });
    }
    let resumed = now.turn == Some(rowid);
    let before = now.item.filter(|_| resumed).map_or(i64::MAX, int);
    let items = all(
        conn,
        "SELECT id, position, CASE WHEN octet_length(json) <= ?3 THEN json END AS json
         FROM items WHERE turn = ?1 AND position < ?2 ORDER BY position DESC LIMIT ?4",
        (&id, before, MAX_ROW_BYTES, ITEMS),
        |row| Ok((crate::row::count(row, "position")?, decode::<Item>(row, "json", "item")?)),
    )?;
    for item in items.iter().filter_map(|(_, item)| item.as_ref()).filter(|item| is_said(item)) {
        index_item(conn, &thread, item, Entry::Oldest)?;
    }
    let more = items.len() >= usize::try_from(ITEMS).unwrap_or(usize::MAX);
    if let (true, Some((last, _))) = (more, items.last()) {
        return Ok(Progress { turn: Some(rowid), item: Some(*last), done: false });
    }
    if let Some(turn) = turn.filter(is_settled) {
        index_turn(conn, &thread, &turn, Entry::Oldest)?;
    }
    Ok(Progress { turn: Some(rowid), item: None, done: false })
}

/// What a batch said that stays as it is; it is indexed once all of the batch is stored, since a
/// text may be stored behind the row that has it.
#[derive(Default)]
pub(crate) struct Said<'a> {
    turns: Vec<&'a Turn>,
    items: Vec<&'a Item>,
    removed: Vec<&'a ItemId>,
}

impl<'a> Said<'a> {
    pub(crate) fn turn(&mut self, turn: &'a Turn) {
        if is_settled(turn) {
            self.turns.push(turn);
        }
    }

    pub(crate) fn item(&mut self, item: &'a Item) {
        if is_said(item) {
            self.items.push(item);
        }
    }

    pub(crate) fn removed(&mut self, id: &'a ItemId) {
        self.items.retain(|item| item.id != *id);
        self.removed.push(id);
    }

    /// Brings the index up to date. An index that is damaged stands in nobody's way: what was said
    /// is stored all the same, and not found.
    pub(crate) fn index(self, conn: &Connection, thread: &ThreadId) -> Result<(), StoreError> {
        if self.turns.is_empty() && self.items.is_empty() && self.removed.is_empty() {
            return Ok(());
        }
        conn.execute_batch("SAVEPOINT search")?;
        match self.try_index(conn, thread) {
            Err(error @ (StoreError::Full | StoreError::Io { .. } | StoreError::Busy)) => {
                Err(error)
            }
            Err(error) => {
                tracing::warn!(%error, thread = thread.as_str(), "what was said is not indexed");
                Ok(conn.execute_batch("ROLLBACK TO search; RELEASE search")?)
            }
            Ok(()) => Ok(conn.execute_batch("RELEASE search")?),
        }
    }

    fn try_index(self, conn: &Connection, thread: &ThreadId) -> Result<(), StoreError> {
        self.removed.into_iter().try_for_each(|id| forget(conn, id.as_str()))?;
        for turn in self.turns {
            index_turn(conn, thread.as_str(), turn, Entry::Newest)?;
        }
        for item in self.items {
            index_item(conn, thread.as_str(), item, Entry::Newest)?;
        }
        // The index writes what it holds when a savepoint begins: what fails then fails here, and
        // not with the whole transaction at its end.
        Ok(conn.execute_batch("SAVEPOINT written; RELEASE written")?)
    }
}
