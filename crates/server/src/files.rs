//! The file indexes of the directories that were asked about last.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workspace::{FileIndex, IndexLimits, PathError};

/// Directories whose index is kept; of more, the one not asked about for longest goes.
const MAX_KEPT: usize = 4;
/// How long an index is kept that nobody asks for; it may hold tens of megabytes.
const KEPT: Duration = Duration::from_secs(600);
/// Directories looked through at once; further ones wait.
const MAX_BUILDS: usize = 2;
/// How long the first to ask about a directory waits for its index.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// An index older than this is made anew while the old one answers.
const FRESH: Duration = Duration::from_secs(3);
/// Of a directory that takes long to look through, the index is fresh for so many times as long.
const FRESH_PER_BUILD: u32 = 20;

/// The indexes.
#[derive(Debug)]
pub(crate) struct Files {
    /// The one asked about last is the last.
    kept: Arc<Mutex<Vec<Kept>>>,
    builds: Arc<Semaphore>,
    ending: CancellationToken,
}

#[derive(Debug)]
struct Kept {
    directory: PathBuf,
    known: watch::Sender<Known>,
    asked: Instant,
    /// Cancelled when nobody can ask for it any more.
    unwanted: CancellationToken,
}

/// What is known of a directory.
#[derive(Debug, Default)]
struct Known {
    index: Option<Result<Arc<FileIndex>, Arc<PathError>>>,
    building: bool,
    /// Until when nothing newer is needed.
    fresh_until: Option<Instant>,
}

impl Files {
    /// No index yet. What is being built ends with `ending`.
    pub(crate) fn new(ending: CancellationToken) -> Self {
        Self { kept: Arc::default(), builds: Arc::new(Semaphore::new(MAX_BUILDS)), ending }
    }

    /// The index of a directory as it is known now; nothing when there is none for a while yet.
    ///
    /// # Errors
    /// [`PathError`] when the directory cannot be read.
    pub(crate) async fn index(
        &self,
        directory: &Path,
    ) -> Result<Option<Arc<FileIndex>>, Arc<PathError>> {
        let mut known = self.known(directory);
        let ready = known.wait_for(|known| known.index.is_some() || !known.building);
        match tokio::time::timeout(FIRST_WAIT, ready).await {
            Ok(Ok(known)) => known.index.clone().transpose(),
            Ok(Err(_)) | Err(_) => Ok(None),
        }
    }

    /// What is known of a directory, which is now the one asked about last, and is looked through
    /// when what is known is nothing, a failure or old.
    fn known(&self, directory: &Path) -> watch::Receiver<Known> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|kept| kept.directory == directory);
        let mut this = match found {
            Some(at) => kept.remove(at),
            None => {
                let unwanted = self.ending.child_token();
                let all = Arc::clone(&self.kept);
                tokio::spawn(expire(all, directory.to_owned(), unwanted.clone()));
                let known = watch::Sender::default();
                Kept { directory: directory.to_owned(), known, asked: Instant::now(), unwanted }
            }
        };
        this.asked = Instant::now();
        let receiver = this.known.subscribe();
        if this.known.send_if_modified(Known::begin) {
            let builds = Arc::clone(&self.builds);
            let (known, unwanted) = (this.known.clone(), this.unwanted.clone());
            tokio::spawn(build(this.directory.clone(), builds, known, unwanted));
        }
        kept.push(this);
        if kept.len() > MAX_KEPT {
            kept.remove(0).unwanted.cancel();
        }
        receiver
    }
}

impl Known {
    /// Notes that it is being built, if it should be.
    fn begin(&mut self) -> bool {
        let stale = self.fresh_until.is_none_or(|until| until <= Instant::now());
        let failed = matches!(self.index, Some(Err(_)));
        if self.building || !(stale || failed) {
            return false;
        }
        self.building = true;
        if failed {
            self.index = None;
        }
        true
    }
}

/// Forgets a directory once nobody has asked about it for a while.
async fn expire(all: Arc<Mutex<Vec<Kept>>>, directory: PathBuf, unwanted: CancellationToken) {
    loop {
        let asked = {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(at) = all.iter().position(|kept| kept.directory == directory) else { return };
            let asked = all.get(at).map(|kept| kept.asked);
            match asked {
                Some(asked) if asked.elapsed() < KEPT => asked,
                Some(_) | None => {
                    all.remove(at).unwanted.cancel();
                    return;
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(asked + KEPT) => {}
            () = unwanted.cancelled() => return,
        }
    }
}

async fn build(
    directory: PathBuf,
    builds: Arc<Semaphore>,
    known: watch::Sender<Known>,
    unwanted: CancellationToken,
) {
    let permit = tokio::select! {
        permit = builds.acquire_owned() => permit.ok(),
        () = unwanted.cancelled() => None,
    };
    let begun = Instant::now();
    let built = match permit {
        None => None,
        Some(_permit) => tokio::task::spawn_blocking(move || {
            FileIndex::build(&directory, IndexLimits::default(), &|| unwanted.is_cancelled())
        })
        .await
        .ok(),
    };
    let fresh = FRESH.max(begun.elapsed().saturating_mul(FRESH_PER_BUILD));
    known.send_modify(|known| {
        known.building = false;
        known.fresh_until = Some(Instant::now() + fresh);
        if let Some(built) = built {
            known.index = Some(built.map(Arc::new).map_err(Arc::new));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        root
    }

    #[tokio::test]
    async fn an_index_is_kept_and_what_is_old_answers_while_it_is_made_anew() {
        let root = project(&["one"]);
        let files = Files::new(CancellationToken::new());
        let first = files.index(root.path()).await.unwrap().unwrap();
        let again = files.index(root.path()).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        std::fs::write(root.path().join("two"), "").unwrap();
        // As if it had been built long ago.
        let mut known = {
            let kept = files.kept.lock().unwrap();
            kept[0].known.send_modify(|known| known.fresh_until = None);
            kept[0].known.subscribe()
        };
        let old = files.index(root.path()).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &old));
        known.wait_for(|known| !known.building).await.unwrap();
        assert_eq!(files.index(root.path()).await.unwrap().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn only_the_directories_asked_about_last_are_kept() {
        let files = Files::new(CancellationToken::new());
        let roots: Vec<_> = (0..=MAX_KEPT).map(|_| project(&["file"])).collect();
        let first = files.index(roots[0].path()).await.unwrap().unwrap();
        for root in &roots {
            files.index(root.path()).await.unwrap().unwrap();
        }
        assert_eq!(files.kept.lock().unwrap().len(), MAX_KEPT);
        let anew = files.index(roots[0].path()).await.unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &anew));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_about_is_forgotten() {
        let root = project(&["one"]);
        let files = Files::new(CancellationToken::new());
        files.index(root.path()).await.unwrap().unwrap();
        tokio::time::sleep(KEPT / 2).await;
        files.index(root.path()).await.unwrap().unwrap();
        tokio::time::sleep(KEPT * 3 / 4).await;
        assert_eq!(files.kept.lock().unwrap().len(), 1);
        tokio::time::sleep(KEPT / 2).await;
        assert!(files.kept.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_failure_is_told_and_not_kept() {
        let root = project(&[]);
        let place = root.path().join("later");
        let files = Files::new(CancellationToken::new());
        for _ in 0..2 {
            let error = files.index(&place).await.unwrap_err();
            assert!(matches!(*error, PathError::Missing(_)), "{error}");
        }
        std::fs::create_dir(&place).unwrap();
        assert!(files.index(&place).await.unwrap().unwrap().is_empty());
    }
}
