//! What Baton keeps: one SQLite database with projects, threads, turns, items, requests, settings
//! and device tokens.
//!
//! It owns the schema and its migrations, the one thread that writes (waiting jobs are joined into
//! one transaction), a few connections that read, and the rules by which a page of a long
//! conversation stays small. It deliberately does not know what the rows mean to a provider or a
//! browser, takes no decision on a thread's state (it stores the [`domain::Change`]s it is given)
//! and shows no SQL to its callers. Nothing it does at start, for a list or for a page depends on
//! how much is stored.
//!
//! Start with [`Store::open`]; the handle is cheap to clone. The waiting methods need a Tokio
//! runtime with its timer.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

mod attachments;
mod changes;
mod error;
mod indexing;
mod kv;
mod lists;
mod live;
mod open;
mod projects;
mod readers;
mod row;
mod search;
mod snippet;
mod sweep;
mod tokens;
mod window;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{OpenError, StoreError};
pub use lists::{MAX_SHELL_THREADS, MAX_THREADS, Shell, ThreadQuery};
pub use live::Live;
pub use search::{Hit, MAX_HITS, MAX_QUESTION_CHARS, SearchQuery, SearchResult};
pub use snippet::Piece;
pub use tokens::DeviceToken;
pub use window::{WINDOW_BYTES, WINDOW_ITEMS};

use readers::Readers;
use writer::Writer;

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    attachments: Arc<Path>,
}

impl Store {
    /// Opens the database in a directory, making both where they are missing, and brings it up to
    /// this version. Blocks for some milliseconds, whatever is stored.
    ///
    /// That no other Baton uses the directory is the caller's to see to.
    ///
    /// # Errors
    /// [`OpenError`], in words for the person who started Baton. A database that is damaged, of a
    /// newer Baton or of another program is not changed.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let (conn, path) = open::writer(dir)?;
        let writer = Writer::start(conn).map_err(|e| OpenError::io(&path, &e))?;
        let attachments = dir.join(attachments::DIR).into();
        let readers = Arc::new(Readers::new(path));
        Ok(Self { writer: Arc::new(writer), readers, attachments })
    }

    /// Stores what is queued, brings everything into the database file and closes it. Whatever is
    /// asked afterwards, by any clone, fails with [`StoreError::Closed`].
    ///
    /// A store that is dropped instead does the same on its own time.
    ///
    /// # Errors
    /// What the disk says about bringing it into the file; then it is still in the write-ahead
    /// log, and nothing is lost.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        self.writer.close().await
    }

    /// How much waits to be stored, in slots of the queue; 0 when all that was asked is done.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.writer.backlog()
    }

    /// What stands in the way of storing, e.g. a full disk; `None` while all is well. It is brought
    /// up to date with every write.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<StoreError>> {
        self.writer.trouble()
    }
}
