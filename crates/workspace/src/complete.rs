//! Completion of a path that is being typed.

use std::fs::{DirEntry, read_dir};
use std::path::{Path, PathBuf};

use crate::path::{PathError, expand, unreachable_path};

/// The most entries one completion gives; the first by name.
pub const MAX_ENTRIES: usize = 100;

/// The most names read from one directory; what lies behind them is not offered.
const MAX_NAMES: usize = 20_000;

/// The directories that continue a typed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The directory that was listed.
    pub base: PathBuf,
    /// What is in it and fits, by name, at most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
}

/// A directory that continues a typed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its absolute path.
    pub path: PathBuf,
    /// Whether it is the root of a git checkout.
    pub git: bool,
}

/// Lists the directories that continue `typed`: those in the part before the last slash whose
/// names begin with the part after it, upper and lower case alike. Hidden ones are listed only
/// when that part begins with a dot. Nothing typed means home.
///
/// # Errors
/// [`PathError`] when the directory cannot be listed; that is not the same as an empty list.
pub fn complete(typed: &str, home: &Path) -> Result<Completion, PathError> {
    let typed = typed.trim_start();
    let (base, prefix) = match typed.rfind('/') {
        Some(slash) => typed.split_at(slash + 1),
        None if typed.is_empty() || typed == "~" => ("~/", ""),
        None => return Err(PathError::NotAbsolute(typed.to_owned())),
    };
    let directory = expand(base, home)?;
    let listing = read_dir(&directory).map_err(|error| unreachable_path(base, error))?;
    let mut names: Vec<String> = listing
        .take(MAX_NAMES)
        .filter_map(Result::ok)
        .filter_map(|entry| fitting_directory(&entry, prefix))
        .collect();
    names.sort_unstable_by_key(|name| (name.to_lowercase(), name.clone()));
    names.truncate(MAX_ENTRIES);
    let entries = names.into_iter().map(|name| {
        let path = directory.join(&name);
        Entry { git: path.join(".git").exists(), name, path }
    });
    Ok(Completion { entries: entries.collect(), base: directory.clone() })
}

fn fitting_directory(entry: &DirEntry, prefix: &str) -> Option<String> {
    // A name that is not UTF-8 cannot be sent back by a client, so it is not offered.
    let name = entry.file_name().into_string().ok()?;
    let hidden = name.starts_with('.') && !prefix.starts_with('.');
    if hidden || !name.to_lowercase().starts_with(&prefix.to_lowercase()) {
        return None;
    }
    // The type in the listing spares a look at each plain file; a link has to be followed.
    let kind = entry.file_type().ok()?;
    (kind.is_dir() || kind.is_symlink() && entry.path().is_dir()).then_some(name)
}
