//! The directories in which an agent looks for a project's configuration, and bounded reading of
//! what is there.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// The largest file that is read.
const MAX_BYTES: u64 = 512 * 1024;
/// The most directories above one that are looked at.
const MAX_LEVELS: usize = 64;
/// The deepest folder of commands or agents.
const MAX_DEPTH: usize = 8;

/// Why something could not be looked at, in a sentence.
pub(crate) struct Broken(pub(crate) String);

/// Where an agent looks for a directory's configuration.
pub(crate) struct Roots {
    /// The directory and those above it that count, nearest first.
    pub(crate) levels: Vec<PathBuf>,
    /// Of a linked worktree: the same in the primary one.
    pub(crate) primary: Vec<PathBuf>,
}

impl Roots {
    pub(crate) fn of(directory: &Path) -> Self {
        let all: Vec<PathBuf> =
            directory.ancestors().take(MAX_LEVELS).map(Path::to_owned).collect();
        let git = all.iter().enumerate().find_map(|(at, level)| Some((at, git_dir(level)?)));
        let Some((at, git)) = git else { return Self { levels: all, primary: Vec::new() } };
        let levels: Vec<PathBuf> = all.into_iter().take(at + 1).collect();
        let primary = levels.last().and_then(|root| primary(root, &git, &levels));
        Self { primary: primary.unwrap_or_default(), levels }
    }
}

/// The git directory of a worktree whose root this is. What git itself would not take for one does
/// not count, or an empty folder could hide what lies above it.
fn git_dir(level: &Path) -> Option<PathBuf> {
    let dot = level.join(".git");
    let dir = if dot.is_dir() {
        dot
    } else {
        let text = read(&dot).ok().flatten()?;
        level.join(text.trim().strip_prefix("gitdir:")?.trim())
    };
    let head = read(&dir.join("HEAD")).ok().flatten()?;
    let head = head.trim();
    let detached = head.len() >= 40 && head.chars().all(|c| c.is_ascii_hexdigit());
    let common = common(&dir);
    let whole = common.join("objects").is_dir() && common.join("refs").is_dir();
    (whole && (detached || head.starts_with("ref:"))).then_some(dir)
}

fn common(git: &Path) -> PathBuf {
    match read(&git.join("commondir")) {
        Ok(Some(text)) => git.join(text.trim()),
        Ok(None) | Err(Broken(_)) => git.to_owned(),
    }
}

/// The places in the primary worktree that answer to `levels` in this one.
fn primary(root: &Path, git: &Path, levels: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let common = common(git).canonicalize().ok()?;
    if common == git.canonicalize().ok()? {
        return None;
    }
    let primary = common.parent()?;
    let places = levels.iter().filter_map(|level| level.strip_prefix(root).ok());
    Some(places.map(|below| primary.join(below)).collect())
}

/// Reads a file as text; `None` when there is none.
pub(crate) fn read(file: &Path) -> Result<Option<String>, Broken> {
    let broken = |error: &std::io::Error| Broken(format!("it cannot be read: {error}"));
    let kind = match file.metadata() {
        Ok(kind) => kind,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(broken(&error)),
    };
    // A pipe or a device could be read for ever.
    if !kind.is_file() {
        return Err(Broken("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|e| broken(&e))?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Broken(format!("it is larger than {} KiB", MAX_BYTES / 1024)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Broken("it is not text".to_owned())),
    }
}

/// The files of a folder with one of these endings, or all without any, by name; of the folders in
/// it too if `deep`.
pub(crate) fn list(
    dir: &Path,
    deep: bool,
    endings: &[&str],
    max: usize,
) -> Result<Vec<PathBuf>, Broken> {
    let mut found = Vec::new();
    let mut seen = 0usize;
    let mut open = vec![(dir.to_owned(), 0usize)];
    while let Some((dir, depth)) = open.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(Broken(format!("it cannot be read: {error}"))),
        };
        for entry in entries {
            let path = entry.map_err(|e| Broken(format!("it cannot be read: {e}")))?.path();
            seen += 1;
            if seen > max {
                return Err(Broken(format!("it holds more than {max} files")));
            }
            if path.is_dir() {
                if deep && depth >= MAX_DEPTH {
                    return Err(Broken(format!("it is deeper than {MAX_DEPTH} folders")));
                }
                if deep {
                    open.push((path, depth + 1));
                }
            } else if endings.is_empty()
                || path.extension().is_some_and(|e| endings.iter().any(|known| e == *known))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
