//! Lists of threads, and single records by name.

use std::collections::HashSet;

use domain::{
    Item, ItemId, Project, ProjectId, ProviderId, Request, RequestId, Thread, ThreadId, Timestamp,
    Turn, TurnId,
};
use rusqlite::Connection;

use crate::projects::projects;
use crate::row::{self, MAX_ROW_BYTES, all, decode, first};
use crate::window::{thread_of, thread_row};
use crate::{Store, StoreError};

/// The most threads of the shell.
pub const MAX_SHELL_THREADS: usize = 500;
/// The most threads of one list.
pub const MAX_THREADS: usize = 200;

/// The stored part of [`domain::ShellSnapshot`].
#[derive(Debug, Clone, PartialEq)]
pub struct Shell {
    /// Every project, by name.
    pub projects: Vec<Project>,
    /// Threads that are not archived, last active first: all that are pinned or at work and the
    /// last active of the rest, at most [`MAX_SHELL_THREADS`].
    pub threads: Vec<Thread>,
    /// Whether older threads are left out.
    pub more_threads: bool,
}

/// Which threads to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadQuery {
    /// Those that are archived, or those that are not.
    pub archived: bool,
    /// Of this project only.
    pub project: Option<ProjectId>,
    /// Those after this one in the list, by its `active_at` and id.
    pub before: Option<(Timestamp, ThreadId)>,
    /// How many at most; at most [`MAX_THREADS`].
    pub limit: usize,
}

impl Store {
    /// Reads the shell. Threads that cannot be read are left out.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn shell(&self) -> Result<Shell, StoreError> {
        self.readers.call(shell).await
    }

    /// Lists threads, last active first, and says whether there are more after them. Those that
    /// cannot be read are left out.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn threads(&self, query: ThreadQuery) -> Result<(Vec<Thread>, bool), StoreError> {
        self.readers.call(move |conn| threads(conn, &query)).await
    }

    /// Reads a thread's row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be read.
    pub async fn thread(&self, id: &ThreadId) -> Result<Option<Thread>, StoreError> {
        let id = id.clone();
        self.readers.call(move |conn| thread_row(conn, &id)).await
    }

    /// Finds the thread that a session is behind.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn thread_of_session(
        &self,
        provider: &ProviderId,
        session: &str,
    ) -> Result<Option<ThreadId>, StoreError> {
        let (provider, session) = (provider.clone(), session.to_owned());
        self.readers.call(move |conn| thread_of_session(conn, &provider, &session)).await
    }

    /// The newest turns of a thread, newest first, at most so many.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn last_turns(&self, id: &ThreadId, most: usize) -> Result<Vec<Turn>, StoreError> {
        let id = id.clone();
        self.readers.call(move |conn| last_turns(conn, &id, most)).await
    }

    /// The turns of a thread after an ordinal, in order, at most so many.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn turns_after(
        &self,
        id: &ThreadId,
        ordinal: u64,
        most: usize,
    ) -> Result<Vec<Turn>, StoreError> {
        let id = id.clone();
        self.readers.call(move |conn| turns_after(conn, &id, ordinal, most)).await
    }

    /// Reads a turn.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be read.
    pub async fn turn(&self, id: &TurnId) -> Result<Option<Turn>, StoreError> {
        let id = id.clone();
        self.readers.call(move |conn| turn(conn, &id)).await
    }

    /// Reads a request, open or closed.
    ///
    /// # Errors
    /// What the disk says. One that cannot be read is none.
    pub async fn request(&self, id: &RequestId) -> Result<Option<Request>, StoreError> {
        let id = id.clone();
        let sql = "SELECT id, json FROM requests WHERE id = ?";
        self.readers
            .call(move |conn| first(conn, sql, [id.as_str()], |row| decode(row, "json", "request")))
            .await
            .map(Option::flatten)
    }

    /// Reads the whole message of a turn.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be read.
    pub async fn turn_text(&self, id: &TurnId) -> Result<Option<String>, StoreError> {
        let id = id.clone();
        self.readers
            .call(move |conn| {
                let turn = turn(conn, &id)?;
                turn.map(|turn| row::whole(conn, id.as_str(), &turn.input.text)).transpose()
            })
            .await
    }

    /// Reads those items of a thread that there are, each with its whole text.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one cannot be read.
    pub async fn items(
        &self,
        thread: &ThreadId,
        ids: Vec<ItemId>,
    ) -> Result<Vec<(Item, String)>, StoreError> {
        let thread = thread.clone();
        self.readers
            .call(move |conn| {
                let mut read = Vec::new();
                for id in &ids {
                    if let Some(item) = item(conn, &thread, id)? {
                        let text = row::item_text(conn, &item)?;
                        read.push((item, text));
                    }
                }
                Ok(read)
            })
            .await
    }

    /// Reads the whole text of an item of a thread, with all it grew by so far.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be read.
    pub async fn item_body(
        &self,
        thread: &ThreadId,
        item: &ItemId,
    ) -> Result<Option<String>, StoreError> {
        let (thread, item) = (thread.clone(), item.clone());
        self.readers.call(move |conn| item_body(conn, &thread, &item)).await
    }
}

fn shell(conn: &Connection) -> Result<Shell, StoreError> {
    let pinned = "SELECT id, seq, json FROM threads
        WHERE removed = 0 AND archived = 0 AND pinned = 1 AND octet_length(json) <= ?2
        ORDER BY active_at DESC LIMIT ?1";
    let busy = "SELECT id, seq, json FROM threads
        WHERE removed = 0 AND archived = 0 AND busy = 1 AND octet_length(json) <= ?2
        ORDER BY active_at DESC LIMIT ?1";
    let recent = "SELECT id, seq, json FROM threads
        WHERE removed = 0 AND archived = 0 AND octet_length(json) <= ?2
        ORDER BY active_at DESC, id DESC LIMIT ?1";
    let going = going(conn)?;
    let mut known = HashSet::new();
    let mut threads = Vec::new();
    for sql in [pinned, busy, recent] {
        let found = all(conn, sql, (row::limit(MAX_SHELL_THREADS + 1), MAX_ROW_BYTES), thread_of)?;
        threads.extend(
            found
                .into_iter()
                .flatten()
                .filter(|t| !going.contains(t.project_id.as_str()) && known.insert(t.id.clone())),
        );
    }
    let more_threads = threads.len() > MAX_SHELL_THREADS;
    threads.truncate(MAX_SHELL_THREADS);
    threads.sort_by(|a, b| (b.active_at, &b.id).cmp(&(a.active_at, &a.id)));
    Ok(Shell { projects: projects(conn)?, threads, more_threads })
}

/// The projects whose threads are being removed.
pub(crate) fn going(conn: &Connection) -> Result<HashSet<String>, StoreError> {
    let found = all(conn, "SELECT id FROM projects WHERE removed = 1", (), |row| row.get("id"))?;
    Ok(found.into_iter().collect())
}

fn threads(conn: &Connection, query: &ThreadQuery) -> Result<(Vec<Thread>, bool), StoreError> {
    let wanted = query.limit.min(MAX_THREADS);
    let limit = row::limit(wanted + 1);
    // `~` sorts after every id.
    let (at, id) = query.before.as_ref().map_or((i64::MAX, "~"), |(at, id)| (*at, id.as_str()));
    let mut found = match &query.project {
        None => all(
            conn,
            "SELECT id, seq, json FROM threads
             WHERE removed = 0 AND archived = ?1 AND (active_at, id) < (?2, ?3)
                 AND octet_length(json) <= ?5
             ORDER BY active_at DESC, id DESC LIMIT ?4",
            (query.archived, at, id, limit, MAX_ROW_BYTES),
            thread_of,
        )?,
        Some(project) => all(
            conn,
            "SELECT id, seq, json FROM threads
             WHERE removed = 0 AND archived = ?1 AND (active_at, id) < (?2, ?3)
                 AND octet_length(json) <= ?5 AND project = ?6
             ORDER BY active_at DESC, id DESC LIMIT ?4",
            (query.archived, at, id, limit, MAX_ROW_BYTES, project.as_str()),
            thread_of,
        )?,
    };
    let more = found.len() > wanted;
    found.truncate(wanted);
    let going = going(conn)?;
    let found = found.into_iter().flatten();
    Ok((found.filter(|t| !going.contains(t.project_id.as_str())).collect(), more))
}

fn turn(conn: &Connection, id: &TurnId) -> Result<Option<Turn>, StoreError> {
    first(conn, "SELECT id, json FROM turns WHERE id = ?", [id.as_str()], |row| {
        decode(row, "json", "turn")
    })?
    .map(|turn| turn.ok_or_else(|| StoreError::Damaged { what: format!("turn {id}") }))
    .transpose()
}

/// The thread that a session is behind, if it is not removed.
pub(crate) fn thread_of_session(
    conn: &Connection,
    provider: &ProviderId,
    session: &str,
) -> Result<Option<ThreadId>, StoreError> {
    let sql = "SELECT id FROM threads WHERE provider = ?1 AND session = ?2 AND removed = 0";
    let found = first(conn, sql, (provider.as_str(), session), |row| row::text(row, "id"))?;
    Ok(found.and_then(|id| ThreadId::parse(&id).ok()))
}

fn last_turns(conn: &Connection, id: &ThreadId, most: usize) -> Result<Vec<Turn>, StoreError> {
    let found = all(
        conn,
        "SELECT id, json FROM turns WHERE thread = ?1 AND octet_length(json) <= ?3
         ORDER BY ordinal DESC LIMIT ?2",
        (id.as_str(), row::limit(most), MAX_ROW_BYTES),
        |row| decode::<Turn>(row, "json", "turn"),
    )?;
    Ok(found.into_iter().flatten().collect())
}

fn turns_after(
    conn: &Connection,
    id: &ThreadId,
    ordinal: u64,
    most: usize,
) -> Result<Vec<Turn>, StoreError> {
    let found = all(
        conn,
        "SELECT id, json FROM turns WHERE thread = ?1 AND ordinal > ?2 AND octet_length(json) <= ?4
         ORDER BY ordinal LIMIT ?3",
        (id.as_str(), row::int(ordinal), row::limit(most), MAX_ROW_BYTES),
        |row| decode::<Turn>(row, "json", "turn"),
    )?;
    Ok(found.into_iter().flatten().collect())
}

fn item_body(
    conn: &Connection,
    thread: &ThreadId,
    id: &ItemId,
) -> Result<Option<String>, StoreError> {
    item(conn, thread, id)?.map(|item| row::item_text(conn, &item)).transpose()
}

fn item(conn: &Connection, thread: &ThreadId, id: &ItemId) -> Result<Option<Item>, StoreError> {
    first(
        conn,
        "SELECT id, json FROM items WHERE id = ?1 AND thread = ?2",
        (id.as_str(), thread.as_str()),
        |row| decode::<Item>(row, "json", "item"),
    )?
    .map(|item| item.ok_or_else(|| StoreError::Damaged { what: format!("item {id}") }))
    .transpose()
}
