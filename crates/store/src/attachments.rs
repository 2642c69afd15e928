//! Files that people attach to messages: kept beside the database, each once, under a name made of
//! what is in it, for its user's eyes only.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use domain::AttachmentId;
use sha2::{Digest as _, Sha256};

use crate::row::first;
use crate::{Store, StoreError};

/// The directory's name in the data directory.
pub(crate) const DIR: &str = "attachments";
/// How long a file stays that no message refers to: its message may still be being written.
const UNSENT: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Keeps a file. The same bytes again are the same file.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn keep_attachment(&self, bytes: Vec<u8>) -> Result<AttachmentId, StoreError> {
        let dir = self.attachments.clone();
        on_disk(move || keep(&dir, &bytes)).await
    }

    /// Reads a file, and keeps it from being deleted for a while. `None` when it is not there.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn attachment(&self, id: &AttachmentId) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.attachment_path(id);
        on_disk(move || match fs::read(&path) {
            Ok(bytes) => touch(&path).map(|()| Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        })
        .await
    }

    /// Where a file lies, if it is kept.
    #[must_use]
    pub fn attachment_path(&self, id: &AttachmentId) -> PathBuf {
        self.attachments.join(id.as_str())
    }

    /// Deletes the files that no message refers to and that were not looked at for a day; says how
    /// many.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn drop_attachments(&self) -> Result<usize, StoreError> {
        self.drop_attachments_older(UNSENT).await
    }

    pub(crate) async fn drop_attachments_older(&self, age: Duration) -> Result<usize, StoreError> {
        let dir = self.attachments.clone();
        let mut dropped = 0;
        for path in on_disk(move || old(&dir, age)).await? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let known = "SELECT 1 FROM attachments WHERE id = ? LIMIT 1";
            let refers = move |conn: &rusqlite::Connection| first(conn, known, [name], |_| Ok(()));
            if self.readers.call(refers).await?.is_none() {
                on_disk(move || fs::remove_file(&path).map_err(|e| failed(&e))).await?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}

fn keep(dir: &Path, bytes: &[u8]) -> Result<AttachmentId, StoreError> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let id = AttachmentId::of_hash(&Sha256::digest(bytes).into());
    let path = dir.join(id.as_str());
    if path.exists() {
        return touch(&path).map(|()| id);
    }
    let mut making = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut making, 0o700);
    making.recursive(true).create(dir).map_err(|e| failed(&e))?;
    // Whole or not at all under its name, also when two write the same.
    let nonce = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let part = dir.join(format!(".{}-{nonce}", std::process::id()));
    let written = write(&part, bytes).and_then(|()| fs::rename(&part, &path));
    if let Err(error) = written {
        let _ = fs::remove_file(&part);
        return Err(failed(&error));
    }
    Ok(id)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a file young again.
fn touch(path: &Path) -> Result<(), StoreError> {
    let file = File::options().append(true).open(path).map_err(|e| failed(&e))?;
    file.set_modified(SystemTime::now()).map_err(|e| failed(&e))
}

/// The files that were not touched for that long, half-written ones included.
fn old(dir: &Path, age: Duration) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| failed(&e))?;
        let modified = entry.metadata().and_then(|of| of.modified()).map_err(|e| failed(&e))?;
        if modified.elapsed().is_ok_and(|elapsed| elapsed >= age) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn failed(error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io { reason: error.to_string() },
    }
}
