//! Between rows and domain types, with what stands in for a row that cannot be read.

use domain::{
    Access, Body, Delivery, ErrorCode, FullText, Item, ItemContent, ItemId, ItemStatus, Mode,
    NoticeLevel, ThreadId, Turn, TurnError, TurnId, TurnInput, TurnOrigin, TurnState, Usage,
};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// A row of a list or window with more JSON than this, in bytes, is not read; something short
/// stands for it. The largest rows that the domain makes by itself stay below.
pub(crate) const MAX_ROW_BYTES: u32 = 1024 * 1024;

const UNREADABLE: &str =
    "this entry cannot be shown: its record is damaged, too large, or from a newer Baton";

/// Prepares a statement. In tests, one whose cost grows with history fails.
pub(crate) fn prepare<'c>(
    conn: &'c Connection,
    sql: &str,
) -> Result<CachedStatement<'c>, StoreError> {
    #[cfg(test)]
    crate::tests::check_plan(conn, sql);
    Ok(conn.prepare_cached(sql)?)
}

/// Runs a statement that changes something; says how many rows it changed.
pub(crate) fn execute(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    Ok(prepare(conn, sql)?.execute(params)?)
}

/// Reads the first row, if there is one.
pub(crate) fn first<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(prepare(conn, sql)?.query_row(params, read).optional()?)
}

/// Reads all rows.
pub(crate) fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = prepare(conn, sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Numbers of the domain fit: they are counts.
pub(crate) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A bound as SQLite takes it.
pub(crate) fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The count a column holds.
pub(crate) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

/// Writes a value as JSON.
pub(crate) fn encode(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Refused { reason: e.to_string() })
}

/// Reads a value from a column with JSON; says in the log why it cannot.
pub(crate) fn decode<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
    what: &str,
) -> rusqlite::Result<Option<T>> {
    let bytes = match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            tracing::warn!(what, id = id_of(row), "a stored record is too large to read here");
            return Ok(None);
        }
    };
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            tracing::warn!(what, id = id_of(row), %error, "a stored record cannot be read");
            Ok(None)
        }
    }
}

fn id_of(row: &Row<'_>) -> String {
    row.get_ref("id").ok().and_then(|id| id.as_str().ok()).unwrap_or("?").to_owned()
}

/// Reads a text, whatever bytes it has.
pub(crate) fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => String::new(),
    })
}

/// Reads a turn from `id, ordinal, json`; a failed turn stands for one that cannot be read, so that
/// its items still have a place. `None` when not even its id can be read.
pub(crate) fn turn(thread: &ThreadId, row: &Row<'_>) -> rusqlite::Result<Option<Turn>> {
    if let Some(turn) = decode::<Turn>(row, "json", "turn")? {
        return Ok(Some(turn));
    }
    let Ok(id) = TurnId::parse(&text(row, "id")?) else { return Ok(None) };
    Ok(Some(Turn {
        id,
        thread_id: thread.clone(),
        ordinal: count(row, "ordinal")?,
        input: TurnInput::message(UNREADABLE),
        origin: TurnOrigin::Here,
        delivery: Delivery::default(),
        model: None,
        access: Access::default(),
        mode: Mode::default(),
        state: TurnState::Failed,
        phase: None,
        stopping: false,
        error: Some(TurnError {
            code: ErrorCode::Internal,
            message: UNREADABLE.to_owned(),
            hint: None,
            retryable: false,
        }),
        untaken: false,
        prompt_key: None,
        usage: Usage::default(),
        created_at: 0,
        started_at: None,
        ended_at: Some(0),
    }))
}

/// Reads an item from `id, turn, position, json`; a notice stands for one that cannot be read.
/// `None` when not even its id and its turn's can be read.
pub(crate) fn item(row: &Row<'_>) -> rusqlite::Result<Option<Item>> {
    if let Some(item) = decode::<Item>(row, "json", "item")? {
        return Ok(Some(item));
    }
    let id = ItemId::parse(&text(row, "id")?);
    let turn_id = TurnId::parse(&text(row, "turn")?);
    let (Ok(id), Ok(turn_id)) = (id, turn_id) else { return Ok(None) };
    let content = ItemContent::Notice { level: NoticeLevel::Warning };
    Ok(Some(Item {
        id,
        turn_id,
        parent: None,
        position: count(row, "position")?,
        status: ItemStatus::Done,
        body: Body::bounded(UNREADABLE, content.limits()),
        content,
        error: None,
        started_at: 0,
        ended_at: Some(0),
    }))
}

/// The whole text of an item as it stands: its row's, or the one kept apart, and what it grew by.
pub(crate) fn item_text(conn: &Connection, item: &Item) -> Result<String, StoreError> {
    match grown_text(conn, item)? {
        Some(text) => Ok(text.as_str().to_owned()),
        None => whole(conn, item.id.as_str(), &item.body),
    }
}

/// The whole text of an item that grew since its row was written; `None` when it did not.
pub(crate) fn grown_text(conn: &Connection, item: &Item) -> Result<Option<FullText>, StoreError> {
    let chunks = all(
        conn,
        "SELECT at, text FROM chunks WHERE item = ? ORDER BY at",
        [item.id.as_str()],
        |row| Ok((count(row, "at")?, text(row, "text")?)),
    )?;
    if chunks.is_empty() {
        return Ok(None);
    }
    let mut full = FullText::new(whole(conn, item.id.as_str(), &item.body)?);
    for (at, piece) in chunks {
        full.splice(at, &piece);
    }
    Ok(Some(full))
}

/// The whole of a body. When it is not there any more, what is left of it.
pub(crate) fn whole(conn: &Connection, owner: &str, body: &Body) -> Result<String, StoreError> {
    if !body.is_shortened() {
        return Ok(body.head.clone());
    }
    let kept =
        first(conn, "SELECT text FROM bodies WHERE owner = ?", [owner], |row| text(row, "text"))?;
    Ok(kept.unwrap_or_else(|| {
        tracing::warn!(owner, "the whole of a shortened text is missing");
        format!("{}\n[…]\n{}", body.head, body.tail)
    }))
}
