//! Deleting what removed projects and threads held, a small step at a time, so that nobody who
//! writes waits long.

use rusqlite::Connection;

use crate::StoreError;
use crate::changes::drop_text;
use crate::indexing::forget;
use crate::row::{all, execute, first, text};

/// Threads that are marked in one step.
const THREADS: u32 = 100;
/// Items or turns that are deleted in one step, each with its text.
const ROWS: u32 = 32;

/// Does one step; says whether there may be more to do.
pub(crate) fn step(conn: &Connection) -> Result<bool, StoreError> {
    let project = "SELECT id FROM projects WHERE removed = 1 LIMIT 1";
    if let Some(project) = first(conn, project, (), |row| text(row, "id"))? {
        mark_threads(conn, &project)?;
        return Ok(true);
    }
    let thread = "SELECT id FROM threads WHERE removed = 1 LIMIT 1";
    if let Some(thread) = first(conn, thread, (), |row| text(row, "id"))? {
        delete_some(conn, &thread)?;
        return Ok(true);
    }
    Ok(false)
}

/// Marks some threads of a removed project, or deletes it when there are none.
fn mark_threads(conn: &Connection, project: &str) -> Result<(), StoreError> {
    let marked = execute(
        conn,
        "UPDATE threads SET removed = 1 WHERE id IN
             (SELECT id FROM threads WHERE project = ?1 AND removed = 0 LIMIT ?2)",
        (project, THREADS),
    )?;
    if marked == 0 {
        execute(conn, "DELETE FROM projects WHERE id = ?", [project])?;
    }
    Ok(())
}

/// Deletes some items of a removed thread; when there are none some turns; then the thread.
fn delete_some(conn: &Connection, thread: &str) -> Result<(), StoreError> {
    let items = "SELECT id FROM items WHERE thread = ?1 LIMIT ?2";
    let items = all(conn, items, (thread, ROWS), |row| text(row, "id"))?;
    for id in &items {
        drop_text(conn, id)?;
        forget(conn, id)?;
        execute(conn, "DELETE FROM items WHERE id = ?", [id])?;
    }
    if !items.is_empty() {
        return Ok(());
    }
    let turns = "SELECT id FROM turns WHERE thread = ?1 LIMIT ?2";
    let turns = all(conn, turns, (thread, ROWS), |row| text(row, "id"))?;
    for id in &turns {
        execute(conn, "DELETE FROM bodies WHERE owner = ?", [id])?;
        forget(conn, id)?;
        execute(conn, "DELETE FROM requests WHERE turn = ?", [id])?;
        execute(conn, "DELETE FROM attachments WHERE turn = ?", [id])?;
        execute(conn, "DELETE FROM turns WHERE id = ?", [id])?;
    }
    if turns.is_empty() {
        execute(conn, "DELETE FROM threads WHERE id = ?", [thread])?;
    }
    Ok(())
}
