//! Bodies of what is asked about a project's files.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// `GET /api/projects/{id}/files`: the files that a few typed letters may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct FileMatches {
    /// The best, best first.
    pub files: Vec<FileMatch>,
    /// How many fit.
    pub total: u32,
    /// Whether the directory has more files than are held, so that some are not found.
    pub cut: bool,
    /// Whether the directory is being looked through for the first time and has to be asked for
    /// again in a moment.
    pub indexing: bool,
}

/// The longest text that is written to a file, in bytes.
pub const MAX_WRITTEN: usize = 1024 * 1024;

/// `POST /api/threads/{id}/files`: writes a text to a file of the thread's workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Where, below the workspace, with `/` between the parts. Directories on the way are made.
    pub path: String,
    /// What is written; at most [`MAX_WRITTEN`] bytes.
    pub text: String,
    /// Whether a file that is there is replaced.
    #[serde(default)]
    pub replace: bool,
}

/// A file or directory of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct FileMatch {
    /// Its path below the workspace, with `/` between the parts; a directory's ends with one.
    pub path: String,
    /// Where the typed characters stand in it, in UTF-16 units.
    pub at: Vec<u32>,
}
