//! What can go wrong, in words for a person.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the database could not be opened. Nothing was changed, unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or a file in it cannot be made, read or written.
    #[error(
        "{path} cannot be written ({reason}): give this user the right to write there, or choose \
         another data directory"
    )]
    Unwritable {
        /// The directory or file.
        path: PathBuf,
        /// The reason as the operating system words it.
        reason: String,
    },
    /// There is no room left.
    #[error("there is no room left on the disk of {path}: free some space and start again")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The file is something else.
    #[error(
        "{path} is not a Baton database: move it away, or choose another data directory; it was \
         not changed"
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "the database {path} is damaged ({reason}): put a backup in its place, or repair a copy \
         with `sqlite3 baton.db .recover`, or move it and its `-wal` file away to start afresh"
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The database was written by a newer Baton.
    #[error(
        "the database {path} was written by a newer Baton (its version is {found}, this Baton \
         knows up to {known}): run the newer Baton, or choose another data directory; it was not \
         changed"
    )]
    NewerDatabase {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version this Baton knows.
        known: u32,
    },
    /// Another program holds the database.
    #[error("the database {path} is in use by another program: end that program and start again")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// Anything else.
    #[error("the database {path} could not be opened: {reason}")]
    Other {
        /// The database.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Unwritable { path, reason: error.to_string() },
        }
    }

    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, reason },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure,
            ) => Self::Unwritable { path, reason },
            _ => Self::Other { path, reason },
        }
    }
}

/// Why something could not be stored or read. What was to be stored together is not there in part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room left.
    #[error("the disk of the data directory is full: free some space, then try again")]
    Full,
    /// The operating system failed to read or write.
    #[error("the data directory cannot be read or written: {reason}")]
    Io {
        /// What SQLite says.
        reason: String,
    },
    /// The database file is damaged.
    #[error("the database is damaged ({reason}): stop Baton and restore a backup")]
    Corrupt {
        /// What SQLite says.
        reason: String,
    },
    /// Too much waits already, or another program holds the database.
    #[error("the database is busy: try again in a moment")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Changes came for a thread that is not there, or no longer.
    #[error("the thread is not stored")]
    NoThread,
    /// The session is another thread's.
    #[error("the session is another thread's")]
    SessionTaken {
        /// That thread.
        thread: domain::ThreadId,
    },
    /// A record was asked for by name and cannot be read.
    #[error("the record of {what} is damaged, or from a newer Baton")]
    Damaged {
        /// Which record.
        what: String,
    },
    /// Something that cannot be stored as it is.
    #[error("{reason}")]
    Refused {
        /// What SQLite or the encoder says.
        reason: String,
    },
}

impl StoreError {
    /// Whether the fault lies with the disk or the database rather than with what was asked, so
    /// that whoever else asks meets it too.
    #[must_use]
    pub fn is_general(&self) -> bool {
        match self {
            Self::Full | Self::Io { .. } | Self::Corrupt { .. } | Self::Busy | Self::Closed => true,
            Self::NoThread
            | Self::SessionTaken { .. }
            | Self::Damaged { .. }
            | Self::Refused { .. } => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { reason },
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => Self::Io { reason },
            _ => Self::Refused { reason },
        }
    }
}
