//! Pages of a conversation that stay small however long it is.

use std::collections::HashMap;

use domain::{Body, BodyLimits, Item, Request, Thread, ThreadId, Turn, TurnId, Window, units};
use rusqlite::{Connection, Row};

use crate::row::{self, MAX_ROW_BYTES, all, count, decode, encode, first, int, limit, prepare};
use crate::{Store, StoreError};

/// How much JSON the items of a page and their turns have together, in bytes; a page with a single
/// item may have more.
pub const WINDOW_BYTES: usize = 190 * 1024;
/// The most items of a page.
pub const WINDOW_ITEMS: usize = 200;
/// The most terminal turns without items that a page shows, the newest ones.
const BARE_TURNS: usize = 100;
/// How many turns that are not terminal a page shows; more than a queue holds.
const OPEN_TURNS: usize = 100;
/// How many open requests a page shows; as many as the domain keeps of a turn.
const OPEN_REQUESTS: usize = domain::MAX_TURN_REQUESTS;

/// How much of a message a page shows: less than elsewhere, since the turn comes with every page
/// that has one of its items.
const MESSAGE: BodyLimits = BodyLimits { head: 8 * 1024, tail: 2 * 1024 };
/// How much of a message a page shows of a turn that has no items on it, unless there is room.
const MESSAGE_SHORT: BodyLimits = BodyLimits { head: 160, tail: 32 };
/// What turns without items on the page may take beside [`WINDOW_BYTES`], in bytes of JSON. A full
/// queue fits.
const EXTRA_BYTES: usize = 56 * 1024;

impl Store {
    /// Reads a page of a thread: the newest items, or the newest below the position `before`,
    /// with their turns, every turn that is not terminal, turns without items that lie between,
    /// and the requests that are open. `None` when there is no such thread.
    ///
    /// Everything is of one moment: `thread.seq` is the number of the last batch that is in it.
    /// Messages longer than 10 Ki units are shortened; [`Store::turn_text`] has the whole.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the thread's own row cannot be read; an item or turn that
    /// cannot be read is stood for by a notice or a failed turn.
    pub async fn window(
        &self,
        thread: &ThreadId,
        before: Option<u64>,
    ) -> Result<Option<Window>, StoreError> {
        let thread = thread.clone();
        self.readers.call(move |conn| window(conn, &thread, before)).await
    }
}

fn window(
    conn: &Connection,
    id: &ThreadId,
    before: Option<u64>,
) -> Result<Option<Window>, StoreError> {
    let Some(thread) = thread_row(conn, id)? else { return Ok(None) };
    let mut page =
        Page { conn, thread: id, turns: HashMap::new(), items: Vec::new(), left: WINDOW_BYTES };
    let older = page.add_items(before)?;
    page.left += EXTRA_BYTES;
    page.add_open_turns()?;
    page.add_bare_turns(before, older.is_some())?;
    let Page { mut items, turns, .. } = page;
    items.reverse();
    let mut turns: Vec<Turn> = turns.into_values().collect();
    turns.sort_by_key(|turn| turn.ordinal);
    Ok(Some(Window { thread, turns, items, requests: open_requests(conn, id)?, older }))
}

/// Reads a thread's row.
pub(crate) fn thread_row(conn: &Connection, id: &ThreadId) -> Result<Option<Thread>, StoreError> {
    let sql = "SELECT id, seq, json FROM threads WHERE id = ? AND removed = 0";
    first(conn, sql, [id.as_str()], thread_of)?
        .map(|thread| thread.ok_or_else(|| StoreError::Damaged { what: format!("thread {id}") }))
        .transpose()
}

/// Reads a thread from `id, seq, json`.
pub(crate) fn thread_of(row: &Row<'_>) -> rusqlite::Result<Option<Thread>> {
    let seq = count(row, "seq")?;
    Ok(decode::<Thread>(row, "json", "thread")?.map(|thread| Thread { seq, ..thread }))
}

fn open_requests(conn: &Connection, thread: &ThreadId) -> Result<Vec<Request>, StoreError> {
    let found = all(
        conn,
        "SELECT id, json FROM requests WHERE thread = ?1 AND open = 1 ORDER BY created_at LIMIT ?2",
        (thread.as_str(), limit(OPEN_REQUESTS)),
        |row| decode(row, "json", "request"),
    )?;
    Ok(found.into_iter().flatten().collect())
}

/// A page in the making, newest item first.
struct Page<'a> {
    conn: &'a Connection,
    thread: &'a ThreadId,
    turns: HashMap<TurnId, Turn>,
    items: Vec<Item>,
    /// Bytes of JSON that still fit.
    left: usize,
}

impl Page<'_> {
    /// Adds items until the page is full; says where the next older page begins.
    fn add_items(&mut self, before: Option<u64>) -> Result<Option<u64>, StoreError> {
        let mut statement = prepare(
            self.conn,
            "SELECT id, turn, position, running,
                 CASE WHEN octet_length(json) <= ?3 THEN json END AS json
             FROM items WHERE thread = ?1 AND position < ?2 ORDER BY position DESC LIMIT ?4",
        )?;
        let before = before.map_or(i64::MAX, int);
        let mut rows = statement.query((
            self.thread.as_str(),
            before,
            MAX_ROW_BYTES,
            limit(WINDOW_ITEMS + 1),
        ))?;
        let (mut seen, mut oldest) = (0, None);
        while let Some(row) = rows.next()? {
            if seen == WINDOW_ITEMS {
                return Ok(oldest);
            }
            if let Some((item, bytes)) = self.read_item(row)?
                && !self.add_item(item, bytes)?
            {
                return Ok(oldest);
            }
            seen += 1;
            oldest = Some(count(row, "position")?);
        }
        Ok(None)
    }

    /// Reads an item as it stands, with the size of its JSON.
    fn read_item(&self, row: &Row<'_>) -> Result<Option<(Item, usize)>, StoreError> {
        let Some(mut item) = row::item(row)? else { return Ok(None) };
        if row.get::<_, bool>("running")?
            && let Some(text) = row::grown_text(self.conn, &item)?
        {
            item.body = Body::bounded(text.as_str(), item.content.limits());
        }
        let bytes = encode(&item)?.len();
        Ok(Some((item, bytes)))
    }

    /// Adds an item and its turn if they fit.
    fn add_item(&mut self, item: Item, bytes: usize) -> Result<bool, StoreError> {
        let turn = match self.turns.contains_key(&item.turn_id) {
            true => None,
            false => self.read_turn(&item.turn_id)?,
        };
        let turn = turn.map(|turn| shortened(turn, MESSAGE)).transpose()?;
        let cost = bytes + turn.as_ref().map_or(0, |(_, bytes)| *bytes);
        if cost > self.left && !self.items.is_empty() {
            return Ok(false);
        }
        self.left = self.left.saturating_sub(cost);
        self.items.push(item);
        if let Some((turn, _)) = turn {
            self.turns.insert(turn.id.clone(), turn);
        }
        Ok(true)
    }

    fn read_turn(&self, id: &TurnId) -> Result<Option<Turn>, StoreError> {
        let turn = first(
            self.conn,
            "SELECT id, ordinal, CASE WHEN octet_length(json) <= ?2 THEN json END AS json
             FROM turns WHERE id = ?1",
            (id.as_str(), MAX_ROW_BYTES),
            |row| row::turn(self.thread, row),
        )?;
        Ok(turn.flatten())
    }

    /// Adds turns that have no items here, between the page's oldest turn and the first turn of
    /// the next newer page.
    fn add_bare_turns(&mut self, before: Option<u64>, has_older: bool) -> Result<(), StoreError> {
        let end = match before {
            Some(before) => self.ordinal_at(before)?,
            None => i64::MAX,
        };
        let oldest = self.turns.values().map(|turn| int(turn.ordinal)).min();
        let begin = if has_older { oldest.unwrap_or(end) } else { 0 };
        let found = all(
            self.conn,
            "SELECT id, ordinal, CASE WHEN octet_length(json) <= ?4 THEN json END AS json
             FROM turns WHERE thread = ?1 AND ordinal >= ?2 AND ordinal < ?3
             ORDER BY ordinal DESC LIMIT ?5",
            (self.thread.as_str(), begin, end, MAX_ROW_BYTES, limit(WINDOW_ITEMS + BARE_TURNS)),
            |row| row::turn(self.thread, row),
        )?;
        let known = |turn: &Turn| self.turns.contains_key(&turn.id);
        let bare = found.into_iter().flatten().filter(|turn| !known(turn)).take(BARE_TURNS);
        for turn in bare.collect::<Vec<_>>() {
            if self.left == 0 {
                break;
            }
            self.add_turn(turn)?;
        }
        Ok(())
    }

    /// The ordinal of the turn of the first item from a position on.
    fn ordinal_at(&self, position: u64) -> Result<i64, StoreError> {
        let ordinal = first(
            self.conn,
            "SELECT ordinal FROM turns WHERE id =
                 (SELECT turn FROM items WHERE thread = ?1 AND position >= ?2
                  ORDER BY position LIMIT 1)",
            (self.thread.as_str(), int(position)),
            |row| row.get("ordinal"),
        )?;
        Ok(ordinal.unwrap_or(i64::MAX))
    }

    fn add_open_turns(&mut self) -> Result<(), StoreError> {
        let found = all(
            self.conn,
            "SELECT id, ordinal, CASE WHEN octet_length(json) <= ?2 THEN json END AS json
             FROM turns WHERE thread = ?1 AND open = 1 ORDER BY ordinal LIMIT ?3",
            (self.thread.as_str(), MAX_ROW_BYTES, limit(OPEN_TURNS)),
            |row| row::turn(self.thread, row),
        )?;
        found.into_iter().flatten().try_for_each(|turn| self.add_turn(turn))
    }

    /// Adds a turn, its message shortened to what still fits.
    fn add_turn(&mut self, turn: Turn) -> Result<(), StoreError> {
        if self.turns.contains_key(&turn.id) {
            return Ok(());
        }
        let (mut turn, mut bytes) = shortened(turn, MESSAGE)?;
        if bytes > self.left / 8 {
            (turn, bytes) = shortened(turn, MESSAGE_SHORT)?;
        }
        self.left = self.left.saturating_sub(bytes);
        self.turns.insert(turn.id.clone(), turn);
        Ok(())
    }
}

/// Shortens a turn's message; says how much JSON the turn then has.
fn shortened(mut turn: Turn, limits: BodyLimits) -> Result<(Turn, usize), StoreError> {
    turn.input.text = shorter(turn.input.text, limits);
    let bytes = encode(&turn)?.len();
    Ok((turn, bytes))
}

/// Shortens a body that may be shortened already.
fn shorter(body: Body, limits: BodyLimits) -> Body {
    let len = body.len();
    if len <= limits.head + limits.tail {
        return body;
    }
    if !body.is_shortened() {
        return Body::bounded(&body.head, limits);
    }
    let head = Body::bounded(&body.head, BodyLimits { head: limits.head, tail: 0 }).head;
    let end = Body::bounded(&body.tail, BodyLimits { head: 0, tail: limits.tail });
    let tail = if end.is_shortened() { end.tail } else { end.head };
    let omitted = len.saturating_sub(units(&head) + units(&tail));
    Body { head, omitted, tail }
}
