//! The names of a directory's files, held in memory to be found by what is typed of them.

use std::fs::read_dir;
use std::path::Path;
use std::time::{Duration, Instant};

use ignore::{DirEntry, WalkBuilder};

use crate::fuzzy::{Candidate, Query, Scratch, fold, mask, score};
use crate::path::{PathError, unreachable_path};

/// How much of a directory is held.
#[derive(Debug, Clone, Copy)]
pub struct IndexLimits {
    /// Files and directories.
    pub entries: usize,
    /// Bytes of their paths together.
    pub bytes: usize,
    /// How long may be looked.
    pub time: Duration,
}

impl Default for IndexLimits {
    fn default() -> Self {
        Self { entries: 300_000, bytes: 24 * 1024 * 1024, time: Duration::from_secs(20) }
    }
}

/// How deep directories are looked into.
const MAX_DEPTH: usize = 64;

/// The files and directories below a directory that its ignore files do not leave out.
#[derive(Debug)]
pub struct FileIndex {
    /// All paths, one behind the other.
    paths: String,
    /// The same in lower case.
    folded: String,
    /// Where each path ends.
    ends: Vec<u32>,
    /// What characters each has.
    masks: Vec<u64>,
    cut: bool,
}

/// A file or directory that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path below the directory, with `/` between the parts; a directory's ends with one.
    pub path: String,
    /// Where the characters that were typed stand in it, in UTF-16 units.
    pub at: Vec<u32>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFiles {
    /// The best, best first.
    pub files: Vec<FoundFile>,
    /// How many fit.
    pub total: usize,
}

impl FileIndex {
    /// Looks through a directory. Files that `.gitignore`, `.ignore` or `.git/info/exclude` leave
    /// out are left out, and so is `.git`; links are named and not followed; what cannot be read,
    /// or has a name that is not UTF-8, is passed over. It ends early once `ended` says so.
    ///
    /// # Errors
    /// [`PathError`] when the directory itself cannot be read.
    pub fn build(
        directory: &Path,
        limits: IndexLimits,
        ended: &dyn Fn() -> bool,
    ) -> Result<Self, PathError> {
        let typed = directory.to_string_lossy();
        read_dir(directory).map_err(|error| unreachable_path(&typed, error))?;
        let begun = Instant::now();
        let walk = WalkBuilder::new(directory)
            .hidden(false)
            .follow_links(false)
            .require_git(false)
            // A person's own ignore file is named by the environment, which is not read here.
            .git_global(false)
            .max_depth(Some(MAX_DEPTH))
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        let mut found: Vec<Box<str>> = Vec::new();
        let (mut bytes, mut cut) = (0_usize, false);
        for entry in walk {
            let Some(path) = entry.ok().and_then(|entry| below(directory, &entry)) else {
                continue;
            };
            let full = found.len() >= limits.entries || bytes + path.len() > limits.bytes;
            if full || begun.elapsed() > limits.time || ended() {
                cut = true;
                break;
            }
            bytes += path.len();
            found.push(path);
        }
        // What lies near the top comes first among equals.
        found.sort_by_cached_key(|path| (depth(path), path.clone()));
        Ok(Self::of(&found, cut))
    }

    fn of(found: &[Box<str>], cut: bool) -> Self {
        let bytes = found.iter().map(|path| path.len()).sum();
        let mut index = Self {
            paths: String::with_capacity(bytes),
            folded: String::with_capacity(bytes),
            ends: Vec::with_capacity(found.len()),
            masks: Vec::with_capacity(found.len()),
            cut,
        };
        for path in found {
            let from = index.folded.len();
            index.paths.push_str(path);
            fold(path, &mut index.folded);
            index.masks.push(mask(index.folded.as_bytes().get(from..).unwrap_or_default()));
            index.ends.push(u32::try_from(index.paths.len()).unwrap_or(u32::MAX));
        }
        index
    }

    /// How many files and directories are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether there are more than are held.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Finds at most `limit` that fit what was typed. When nothing was typed, all fit, and those
    /// near the top come first.
    #[must_use]
    pub fn find(&self, typed: &str, limit: usize) -> FoundFiles {
        let query = Query::new(typed);
        let mut scratch = Scratch::default();
        let mut fitting: Vec<(i32, u32)> = Vec::new();
        if query.is_empty() {
            let last = self.len().min(limit);
            let files =
                (0..last).map(|at| FoundFile { path: self.path(at).to_owned(), at: Vec::new() });
            return FoundFiles { files: files.collect(), total: self.len() };
        }
        let mut from = 0;
        for (at, (&end, &mask)) in self.ends.iter().zip(&self.masks).enumerate() {
            let end = end as usize;
            if query.may_fit(mask)
                && let Some(candidate) = self.candidate(from, end)
                && let Some(points) = score(&query, candidate, &mut scratch)
            {
                fitting.push((-points, u32::try_from(at).unwrap_or(u32::MAX)));
            }
            from = end;
        }
        let total = fitting.len();
        if limit < total {
            fitting.select_nth_unstable(limit);
            fitting.truncate(limit);
        }
        fitting.sort_unstable();
        let files =
            fitting.into_iter().map(|(_, at)| self.found(&query, at as usize, &mut scratch));
        FoundFiles { files: files.collect(), total }
    }

    fn found(&self, query: &Query, at: usize, scratch: &mut Scratch) -> FoundFile {
        let path = self.path(at);
        let (from, end) = self.span(at);
        if let Some(candidate) = self.candidate(from, end) {
            score(query, candidate, scratch);
        }
        let mut units = 0;
        let mut sought = scratch.best.iter().peekable();
        let mut places = Vec::with_capacity(scratch.best.len());
        for (byte, c) in path.char_indices() {
            if sought.peek() == Some(&&byte) {
                sought.next();
                places.push(units);
            }
            units += u32::from(c.len_utf16() == 2) + 1;
        }
        FoundFile { path: path.to_owned(), at: places }
    }

    fn span(&self, at: usize) -> (usize, usize) {
        let end = |at: usize| self.ends.get(at).map_or(0, |&end| end as usize);
        (at.checked_sub(1).map_or(0, end), end(at))
    }

    fn path(&self, at: usize) -> &str {
        let (from, end) = self.span(at);
        self.paths.get(from..end).unwrap_or_default()
    }

    fn candidate(&self, from: usize, end: usize) -> Option<Candidate<'_>> {
        let path = self.paths.as_bytes().get(from..end)?;
        Some(Candidate { path, folded: self.folded.as_bytes().get(from..end)? })
    }
}

/// The path of an entry below the directory; nothing for the directory itself and for what cannot
/// be named in a message.
fn below(directory: &Path, entry: &DirEntry) -> Option<Box<str>> {
    let kind = entry.file_type()?;
    let path = entry.path().strip_prefix(directory).ok()?.to_str()?;
    // A name with line ends would not be read as one name.
    if path.is_empty() || path.contains(char::is_control) {
        return None;
    }
    if kind.is_dir() {
        return Some(format!("{path}/").into());
    }
    (kind.is_file() || kind.is_symlink()).then(|| path.into())
}

fn depth(path: &str) -> usize {
    path.trim_end_matches('/').matches('/').count()
}
