use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Finds an executable file called `name` in the directories of `path` (the value of a `PATH`
/// variable). Starts nothing. A `name` with a slash in it is only checked, not searched.
#[must_use]
pub fn which(name: impl AsRef<Path>, path: &OsStr) -> Option<PathBuf> {
    let name = name.as_ref();
    if name.components().count() > 1 {
        return executable(name).then(|| name.to_owned());
    }
    // Relative entries would make the answer depend on the current directory.
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|candidate| executable(candidate))
}

fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
