//! The directories that threads work in: which paths may become a project, how a typed path is
//! completed, which files there are and which of them a few typed letters mean, which git branch is
//! checked out, and writing a file below one of them.
//!
//! Everything here reads the file system of this machine and blocks while it does, so callers in
//! async code use a blocking thread. The home directory is passed in; nothing is read from the
//! environment and no process is started. The crate knows nothing of threads' conversations.

mod complete;
mod fuzzy;
mod git;
mod index;
mod path;
mod write;

pub use complete::{Completion, Entry, MAX_ENTRIES, complete};
pub use fuzzy::MAX_QUERY_CHARS;
pub use git::head;
pub use index::{FileIndex, FoundFile, FoundFiles, IndexLimits};
pub use path::{MAX_PATH_BYTES, PathError, project_directory};
pub use write::{WriteError, write_below};
