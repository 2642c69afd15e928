//! Where Kilo unpacks the native libraries in its program: Bun makes a file of each for every process,
//! under another name in the folder for temporary files, and leaves it there (Kilo 7.7.7: 5.6 MB once a
//! directory is used, 0.6 MB more with a terminal). Each server is given a folder of its own for that,
//! which goes when the server has ended.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use process::ExitWatch;

/// By which Bun, and nothing else, is told another folder than `TMPDIR`, which stays as it is: the
/// person's own commands use that.
pub(super) const VARIABLE: &str = "BUN_TMPDIR";

/// The folder of one server. Removed when dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one in `root`.
    pub(super) fn new(root: &Path) -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let folder = root.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps it until the server has ended.
    pub(super) fn until(self, mut exit: ExitWatch) {
        tokio::spawn(async move {
            exit.wait().await;
            drop(self);
        });
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes a folder with all in it, if it is there.
pub(super) fn remove(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(%error, folder = %folder.display(), "Kilo's files could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_folder_of_its_own_that_goes_with_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("unpacked");
        let (one, other) = (Scratch::new(&root).unwrap(), Scratch::new(&root).unwrap());
        std::fs::write(one.path().join("a.so"), "x").unwrap();
        std::fs::write(other.path().join("b.so"), "x").unwrap();
        drop(one);
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        assert!(other.path().join("b.so").exists());
        remove(&root);
        remove(&root);
        // It may be gone before its server has ended.
        drop(other);
        assert!(!root.exists());
    }
}
