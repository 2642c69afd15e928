//! Paths as people type them, and the directories they stand for.

use std::io;
use std::path::{Path, PathBuf};

/// The longest path that is looked at, in bytes; Linux accepts no longer one.
pub const MAX_PATH_BYTES: usize = 4096;

/// Why a path is not a directory that can be worked in. The path is the one that was typed.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// Nothing was typed.
    #[error("the path is empty")]
    Empty,
    /// It is longer than any path can be.
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// It does not begin at the root or at home.
    #[error("`{0}` is not an absolute path")]
    NotAbsolute(String),
    /// Nothing is there.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// Something else is there.
    #[error("`{0}` is not a directory")]
    NotADirectory(String),
    /// It may not be read.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its real name is not UTF-8, so that it could not be stored and shown truthfully.
    #[error("the real name of `{0}` is not UTF-8")]
    NotText(String),
}

/// Finds the directory that a typed path stands for: absolute, symbolic links resolved, readable.
///
/// # Errors
/// [`PathError`] says what is there instead.
pub fn project_directory(typed: &str, home: &Path) -> Result<PathBuf, PathError> {
    let path = expand(typed.trim(), home)?;
    let real = path.canonicalize().map_err(|error| unreachable_path(typed, error))?;
    if !real.is_dir() {
        return Err(PathError::NotADirectory(typed.to_owned()));
    }
    // Opening is the only honest test: permission bits say nothing to root or under ACLs.
    std::fs::read_dir(&real).map_err(|error| unreachable_path(typed, error))?;
    if real.to_str().is_none() {
        return Err(PathError::NotText(typed.to_owned()));
    }
    Ok(real)
}

/// Makes a typed path absolute; `~` is home.
pub(crate) fn expand(typed: &str, home: &Path) -> Result<PathBuf, PathError> {
    if typed.is_empty() {
        return Err(PathError::Empty);
    }
    if typed.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    if typed.contains('\0') {
        return Err(PathError::Missing(typed.replace('\0', "\u{fffd}")));
    }
    if typed == "~" {
        return Ok(home.to_owned());
    }
    if let Some(below) = typed.strip_prefix("~/") {
        return Ok(home.join(below.trim_start_matches('/')));
    }
    let path = PathBuf::from(typed);
    if path.is_absolute() { Ok(path) } else { Err(PathError::NotAbsolute(typed.to_owned())) }
}

/// Tells apart what the system says about a path that cannot be reached.
pub(crate) fn unreachable_path(typed: &str, error: io::Error) -> PathError {
    let typed = typed.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => PathError::Missing(typed),
        io::ErrorKind::NotADirectory => PathError::NotADirectory(typed),
        _ => PathError::Unreadable { path: typed, source: error },
    }
}
