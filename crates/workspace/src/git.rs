//! What git says about a directory, read from its own files: no process is started.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use domain::Head;

/// The most read of one of git's small files, in bytes.
const MAX_SMALL_FILE: u64 = 8 * 1024;

/// Reads what is checked out in the git checkout that `directory` lies in, if it does.
#[must_use]
pub fn head(directory: &Path) -> Option<Head> {
    let git = directory.ancestors().find_map(git_directory)?;
    let text = read_small(&git.join("HEAD"))?;
    let text = text.trim();
    match text.strip_prefix("ref:") {
        Some(reference) => {
            let reference = reference.trim();
            let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            Some(Head::Branch { name: branch.to_owned() })
        }
        None if text.len() >= 40 && text.chars().all(|c| c.is_ascii_hexdigit()) => {
            text.get(..12).map(|short| Head::Detached { commit: short.to_owned() })
        }
        None => None,
    }
}

/// The git directory of a checkout's root. In worktrees and submodules `.git` is a file that
/// names it.
fn git_directory(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = read_small(&git)?;
    let named = text.strip_prefix("gitdir:")?.trim();
    let named = root.join(named);
    named.is_dir().then_some(named)
}

fn read_small(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_SMALL_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}
