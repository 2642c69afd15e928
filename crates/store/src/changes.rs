//! Storing the changes of a thread.

use std::borrow::Cow;

use domain::{
    Change, Founded, Item, Request, Thread, ThreadId, ThreadStatus, Turn, TurnState, Usage, units,
};
use rusqlite::Connection;

use crate::indexing::Said;
use crate::lists::thread_of_session;
use crate::row::{encode, execute, first, int};
use crate::writer::Order;
use crate::{Store, StoreError};

impl Store {
    /// Stores the changes of a thread, all or none, and `seq` as the thread's number with them.
    ///
    /// They are queued when this is called, if there is room, else when the future is polled; what
    /// is queued is stored even if the future is dropped. Batches of one thread are stored in the
    /// order of the calls, if each call is made after the one before it was queued.
    ///
    /// What a person or an agent will act upon (an accepted message, an answer, a turn about to be
    /// sent or ended) survives a loss of power once the future is ready; the rest (text, items)
    /// survives the end of Baton, and of the machine as of the next such batch.
    ///
    /// # Errors
    /// [`StoreError::NoThread`] when the thread is not stored and the batch does not bring it, or
    /// when it was removed. Else what the disk says.
    pub fn commit(
        &self,
        thread: &ThreadId,
        seq: u64,
        changes: Vec<Change>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let order = order(&changes);
        let thread = thread.clone();
        self.writer.call(order, move |conn| apply(conn, &thread, seq, &changes))
    }
}

impl Store {
    /// Stores the changes of a thread like [`Store::commit`] and, in the same transaction, another
    /// thread that they bring into being. One of that id that is there already is left as it is.
    ///
    /// # Errors
    /// As [`Store::commit`]; then neither is stored.
    pub fn commit_founding(
        &self,
        thread: &ThreadId,
        seq: u64,
        changes: Vec<Change>,
        founded: Box<Founded>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let mut order = order(&changes);
        order.durable = true;
        order.bytes += founded.changes.iter().map(bytes).sum::<usize>();
        let thread = thread.clone();
        self.writer.call(order, move |conn| {
            apply(conn, &thread, seq, &changes)?;
            let Founded { thread: row, changes } = &*founded;
            if first(conn, "SELECT 1 FROM threads WHERE id = ?1", [row.id.as_str()], |_| Ok(()))?
                .is_some()
            {
                return Ok(());
            }
            apply(conn, &row.id, row.seq, changes)
        })
    }
}

fn order(changes: &[Change]) -> Order {
    Order {
        durable: changes.iter().any(is_durable),
        bytes: changes.iter().map(bytes).sum(),
        ..Order::default()
    }
}

/// Whether a change must not be forgotten by a loss of power: an accepted message, a turn whose
/// message is about to be sent or which ended, a request with its answer. What happens within a
/// running turn can be read again from its session.
fn is_durable(change: &Change) -> bool {
    match change {
        Change::TurnText { .. } | Change::Request { .. } => true,
        Change::Turn { turn } => turn.state != TurnState::Running,
        // The agent is about to be told, and would forget with the next message.
        Change::Thread { thread } => thread.back.is_some(),
        Change::Item { .. }
        | Change::ItemRemoved { .. }
        | Change::Text { .. }
        | Change::ItemBody { .. } => false,
    }
}

/// How much memory a change holds while it waits, roughly.
fn bytes(change: &Change) -> usize {
    match change {
        Change::Text { text, .. }
        | Change::ItemBody { text, .. }
        | Change::TurnText { text, .. } => text.len(),
        Change::Item { item } => item.body.head.len() + item.body.tail.len(),
        Change::Turn { turn } => turn.input.text.head.len() + turn.input.text.tail.len(),
        Change::Thread { .. } | Change::ItemRemoved { .. } | Change::Request { .. } => 0,
    }
}

/// Stores a batch.
pub(crate) fn apply(
    conn: &Connection,
    thread: &ThreadId,
    seq: u64,
    changes: &[Change],
) -> Result<(), StoreError> {
    let (mut ordinal, mut position) = (0, 0);
    let mut said = Said::default();
    let mut rest = changes.iter().peekable();
    while let Some(change) = rest.next() {
        match change {
            Change::Thread { thread: row } => put_thread(conn, thread, row)?,
            Change::Turn { turn } => {
                ordinal = ordinal.max(turn.ordinal);
                put_turn(conn, thread, turn)?;
                said.turn(turn);
            }
            Change::Item { item } => {
                position = position.max(item.position);
                put_item(conn, thread, item)?;
                said.item(item);
            }
            Change::ItemRemoved { id } => {
                execute(conn, "DELETE FROM items WHERE id = ?", [id.as_str()])?;
                drop_text(conn, id.as_str())?;
                said.removed(id);
            }
            Change::Text { item, at, text } => {
                let mut piece = Cow::Borrowed(text.as_str());
                let mut end = at + units(text);
                while let Some(Change::Text { text: next, .. }) =
                    rest.next_if(|next| continues(next, item, end))
                {
                    piece.to_mut().push_str(next);
                    end += units(next);
                }
                put_chunk(conn, item.as_str(), *at, &piece)?;
            }
            Change::Request { request } => put_request(conn, thread, request)?,
            Change::ItemBody { item, text } => put_body(conn, item.as_str(), text)?,
            Change::TurnText { turn, text } => put_body(conn, turn.as_str(), text)?,
        }
    }
    said.index(conn, thread)?;
    let stored = execute(
        conn,
        "UPDATE threads SET seq = ?2, last_ordinal = max(last_ordinal, ?3),
             last_position = max(last_position, ?4)
         WHERE id = ?1 AND removed = 0",
        (thread.as_str(), int(seq), int(ordinal), int(position)),
    )?;
    if stored == 0 { Err(StoreError::NoThread) } else { Ok(()) }
}

fn continues(change: &Change, of: &domain::ItemId, end: u64) -> bool {
    matches!(change, Change::Text { item, at, .. } if item == of && *at == end)
}

fn put_thread(conn: &Connection, id: &ThreadId, row: &Thread) -> Result<(), StoreError> {
    let mut row = Cow::Borrowed(row);
    if !row.usage.cost.is_finite() {
        row.to_mut().usage = finite(row.usage);
    }
    if let Some(session) = &row.session
        && let Some(other) = thread_of_session(conn, &row.provider, session)?
        && other != *id
    {
        return Err(StoreError::SessionTaken { thread: other });
    }
    let busy = match row.status {
        ThreadStatus::Working | ThreadStatus::NeedsYou => true,
        ThreadStatus::Idle | ThreadStatus::Failed => false,
    };
    execute(
        conn,
        "INSERT INTO threads
             (id, project, archived, pinned, busy, active_at, seq, json, provider, session)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET project = ?2, archived = ?3, pinned = ?4, busy = ?5,
             active_at = ?6, json = ?8, provider = ?9, session = ?10",
        (
            id.as_str(),
            row.project_id.as_str(),
            row.archived,
            row.pinned,
            busy,
            row.active_at,
            int(row.seq),
            encode(&*row)?,
            row.provider.as_str(),
            row.session.as_deref(),
        ),
    )?;
    Ok(())
}

fn put_turn(conn: &Connection, thread: &ThreadId, turn: &Turn) -> Result<(), StoreError> {
    let mut turn = Cow::Borrowed(turn);
    if !turn.usage.cost.is_finite() {
        turn.to_mut().usage = finite(turn.usage);
    }
    let id = turn.id.as_str();
    // A turn that ended has ended: whoever comes late with an older state does not open it again.
    let stored = execute(
        conn,
        "INSERT INTO turns (id, thread, ordinal, open, json) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET ordinal = ?3, open = ?4, json = ?5
         WHERE thread = ?2 AND NOT (open = 0 AND ?4 = 1)",
        (id, thread.as_str(), int(turn.ordinal), !turn.state.is_terminal(), encode(&*turn)?),
    )?;
    if stored == 0 {
        let known = "SELECT id FROM turns WHERE id = ?1 AND thread = ?2";
        let ours = first(conn, known, (id, thread.as_str()), |_| Ok(()))?.is_some();
        if !ours {
            // Clients choose these ids; one must not reach into another thread with them.
            return Err(StoreError::Refused {
                reason: format!("{id} is a turn of another thread"),
            });
        }
        tracing::error!(id, state = ?turn.state, "a turn that ended is not opened again");
        return Ok(());
    }
    for file in &turn.input.attachments {
        let refers = "INSERT INTO attachments (id, turn) VALUES (?, ?) ON CONFLICT DO NOTHING";
        execute(conn, refers, (file.id.as_str(), id))?;
    }
    if !turn.input.text.is_shortened() {
        execute(conn, "DELETE FROM bodies WHERE owner = ?", [id])?;
    }
    Ok(())
}

/// JSON has no word for what is not a number; it would make the row unreadable.
fn finite(usage: Usage) -> Usage {
    Usage { cost: if usage.cost.is_finite() { usage.cost } else { 0.0 }, ..usage }
}

fn put_item(conn: &Connection, thread: &ThreadId, item: &Item) -> Result<(), StoreError> {
    let id = item.id.as_str();
    execute(
        conn,
        "INSERT INTO items (id, thread, turn, position, running, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET turn = ?3, position = ?4, running = ?5, json = ?6",
        (
            id,
            thread.as_str(),
            item.turn_id.as_str(),
            int(item.position),
            item.status.is_open(),
            encode(item)?,
        ),
    )?;
    // The row, or the body stored just before it, has all the text there is.
    execute(conn, "DELETE FROM chunks WHERE item = ?", [id])?;
    if !item.body.is_shortened() {
        execute(conn, "DELETE FROM bodies WHERE owner = ?", [id])?;
    }
    Ok(())
}

fn put_chunk(conn: &Connection, item: &str, at: u64, text: &str) -> Result<(), StoreError> {
    execute(
        conn,
        "INSERT INTO chunks (item, at, text) VALUES (?1, ?2, ?3)
         ON CONFLICT (item, at) DO UPDATE SET text = ?3 WHERE length(?3) > length(text)",
        (item, int(at), text),
    )?;
    Ok(())
}

fn put_body(conn: &Connection, owner: &str, text: &str) -> Result<(), StoreError> {
    execute(
        conn,
        "INSERT INTO bodies (owner, text) VALUES (?1, ?2)
         ON CONFLICT (owner) DO UPDATE SET text = ?2",
        (owner, text),
    )?;
    Ok(())
}

/// Deletes the text of an item that is stored apart from its row.
pub(crate) fn drop_text(conn: &Connection, item: &str) -> Result<(), StoreError> {
    execute(conn, "DELETE FROM chunks WHERE item = ?", [item])?;
    execute(conn, "DELETE FROM bodies WHERE owner = ?", [item])?;
    Ok(())
}

fn put_request(conn: &Connection, thread: &ThreadId, request: &Request) -> Result<(), StoreError> {
    execute(
        conn,
        "INSERT INTO requests (id, thread, turn, open, created_at, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET turn = ?3, open = ?4, created_at = ?5, json = ?6",
        (
            request.id.as_str(),
            thread.as_str(),
            request.turn_id.as_str(),
            request.state.is_open(),
            request.created_at,
            encode(request)?,
        ),
    )?;
    Ok(())
}
