//! Writing a text file below a directory, and nowhere else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::MAX_PATH_BYTES;

/// Why a file was not written. What was there is unchanged then; directories that were made on the
/// way to it may be there.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path names no file below the directory.
    #[error("`{0}` is not the path of a file below the workspace")]
    Outside(String),
    /// There is something of that name, and it was not to be replaced.
    #[error("there is a `{0}` already")]
    Exists(String),
    /// The system refused.
    #[error("`{path}` could not be written: {source}")]
    Refused {
        /// The path as it was given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a text to a path below a directory, whole or not at all; directories on the way are made.
/// Something that is there is replaced only with `replace`, and never when it is a directory; who may
/// read, write and run a file that is replaced stays.
///
/// When the machine goes down meanwhile, a file `.baton-PID-N.new` may be left beside it. Links are
/// looked for before anything is written: who can write there, such as the agent, can put one in the
/// place of a directory between the two.
///
/// # Errors
/// [`WriteError`] says why nothing was written. A path that leaves the directory, by its parts or by
/// a symbolic link, or that leads into `.git`, is [`WriteError::Outside`].
pub fn write_below(
    directory: &Path,
    path: &str,
    text: &str,
    replace: bool,
) -> Result<(), WriteError> {
    let outside = || WriteError::Outside(path.to_owned());
    let refused = |source| WriteError::Refused { path: path.to_owned(), source };
    let parts = parts(path).ok_or_else(outside)?;
    let (name, parents) = parts.split_last().ok_or_else(outside)?;
    let root = directory.canonicalize().map_err(refused)?;
    let folder = make_folders(&root, parents).map_err(refused)?.ok_or_else(outside)?;
    let target = folder.join(name);
    let exists = || WriteError::Exists(path.to_owned());
    let kept = match fs::symlink_metadata(&target) {
        Ok(_) if !replace => return Err(exists()),
        Ok(there) if there.is_dir() => return Err(exists()),
        // A link is replaced itself, not what it leads to.
        Ok(there) => there.is_file().then(|| there.permissions()),
        Err(_) => None,
    };
    let (new, mut file) = draft(&folder).map_err(refused)?;
    let allowed = kept.map_or(Ok(()), |kept| file.set_permissions(kept));
    let written = allowed.and_then(|()| file.write_all(text.as_bytes()));
    let written = written.and_then(|()| file.sync_all());
    drop(file);
    let put = written.and_then(|()| put(&new, &target, replace));
    if let Err(error) = put {
        // What is left of it is nobody's.
        let _ = fs::remove_file(&new);
        return Err(if error.kind() == io::ErrorKind::AlreadyExists {
            exists()
        } else {
            refused(error)
        });
    }
    Ok(())
}

/// The parts of a relative path that stays below where it begins.
fn parts(path: &str) -> Option<Vec<&str>> {
    if path.len() > MAX_PATH_BYTES || path.ends_with('/') || path.chars().any(char::is_control) {
        return None;
    }
    let named = Path::new(path).components().filter(|part| *part != Component::CurDir);
    let parts = named.map(|part| match part {
        Component::Normal(name) => name.to_str().filter(|name| !name.eq_ignore_ascii_case(".git")),
        _ => None,
    });
    parts.collect()
}

/// Makes the directories below a root, and gives the last one; nothing when one of them is a link
/// that leads out of it.
fn make_folders(root: &Path, parts: &[&str]) -> io::Result<Option<PathBuf>> {
    let mut folder = root.to_owned();
    for part in parts {
        folder.push(part);
        match fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        folder = folder.canonicalize()?;
        let inside = folder.strip_prefix(root).ok();
        if inside.is_none_or(|inside| inside.components().any(|c| c.as_os_str() == ".git")) {
            return Ok(None);
        }
    }
    Ok(Some(folder))
}

/// How many names are tried for what is being written.
const TRIES: u32 = 16;

/// A new file beside where the text will be, under a name that nothing has.
fn draft(folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut tried = 0;
    loop {
        let path = folder.join(format!(".baton-{}-{tried}.new", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < TRIES => {
                tried += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Gives what was written its name.
fn put(new: &Path, target: &Path, replace: bool) -> io::Result<()> {
    if replace {
        return fs::rename(new, target);
    }
    // Unlike a renaming, a link never takes the place of what came there meanwhile.
    match fs::hard_link(new, target) {
        Ok(()) => fs::remove_file(new),
        // Some file systems know no links: then nothing is replaced as far as one look can tell.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !target.exists() => {
            fs::rename(new, target)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("work/docs")).unwrap();
        fs::create_dir(dir.path().join("else")).unwrap();
        dir
    }

    fn names(of: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(of)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_and_replaced_only_when_that_is_said() {
        let dir = tree();
        let work = dir.path().join("work");
        write_below(&work, "plans/first/a.md", "one", false).unwrap();
        let again = write_below(&work, "plans/first/a.md", "two", false);
        assert!(matches!(again, Err(WriteError::Exists(_))), "{again:?}");
        assert_eq!(fs::read_to_string(work.join("plans/first/a.md")).unwrap(), "one");
        write_below(&work, "./plans/first/a.md", "two", true).unwrap();
        assert_eq!(fs::read_to_string(work.join("plans/first/a.md")).unwrap(), "two");
        assert_eq!(names(&work.join("plans/first")), ["a.md"]);
    }

    #[test]
    fn who_may_use_a_file_that_is_replaced_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tree();
        let file = dir.path().join("work/run.sh");
        for mode in [0o755, 0o600] {
            fs::write(&file, "one").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            write_below(&dir.path().join("work"), "run.sh", "two", true).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, mode);
        }
    }

    #[test]
    fn nothing_is_written_outside_of_the_directory() {
        let dir = tree();
        let work = dir.path().join("work");
        std::os::unix::fs::symlink(dir.path().join("else"), work.join("out")).unwrap();
        fs::create_dir(work.join(".git")).unwrap();
        std::os::unix::fs::symlink(work.join(".git"), work.join("git")).unwrap();
        let long = "a/".repeat(MAX_PATH_BYTES);
        for path in [
            "",
            "/etc/x",
            "../x",
            "docs/../../x",
            "docs/",
            ".",
            "..",
            "out/x",
            ".git/hooks/x",
            ".GIT/x",
            "git/hooks/x",
            "a\0b",
            "a\nb",
            &long,
        ] {
            let written = write_below(&work, path, "x", true);
            assert!(matches!(written, Err(WriteError::Outside(_))), "{path:?}: {written:?}");
        }
        assert_eq!(names(&dir.path().join("else")), [""; 0]);
        assert_eq!(names(dir.path()), ["else", "work"]);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed_and_a_directory_is_left() {
        let dir = tree();
        let work = dir.path().join("work");
        let other = dir.path().join("else/secret");
        fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, work.join("a.md")).unwrap();
        let refused = write_below(&work, "a.md", "x", false);
        assert!(matches!(refused, Err(WriteError::Exists(_))), "{refused:?}");
        write_below(&work, "a.md", "mine", true).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
        assert_eq!(fs::read_to_string(work.join("a.md")).unwrap(), "mine");
        let directory = write_below(&work, "docs", "x", true);
        assert!(matches!(directory, Err(WriteError::Exists(_))), "{directory:?}");
        let below_a_file = write_below(&work, "a.md/b", "x", false);
        assert!(matches!(below_a_file, Err(WriteError::Refused { .. })), "{below_a_file:?}");
        assert_eq!(names(&work), ["a.md", "docs"]);
    }
}
