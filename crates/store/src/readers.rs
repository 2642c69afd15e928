//! A few connections that read, and the queue in front of them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{StoreError, open};

/// How many reads run at once. Reads are short; more would only cost memory.
const READERS: usize = 3;
/// How many reads may wait; the next is refused.
const WAITING: usize = 512;
/// How long a read waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pool. Connections are opened when first needed.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    admitted: Semaphore,
    running: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Arc::default(),
            admitted: Semaphore::new(READERS + WAITING),
            running: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Runs a read in one transaction, so that everything it sees is of one moment.
    pub(crate) async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        if self.running.is_closed() {
            return Err(StoreError::Closed);
        }
        let _admitted = self.admitted.try_acquire().map_err(|_| StoreError::Busy)?;
        let running = tokio::time::timeout(PATIENCE, Arc::clone(&self.running).acquire_owned())
            .await
            .map_err(|_| StoreError::Busy)??;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let read = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that goes away frees nothing that is still in use.
            let _running = running;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let conn = kept.map_or_else(|| open::reader(&path), Ok)?;
            let result = in_transaction(&conn, work);
            if conn.is_autocommit() {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            }
            result
        });
        read.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Refuses new reads, waits for those that run and closes the connections.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        let idle = self.running.acquire_many(all).await;
        self.running.close();
        drop(idle);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn in_transaction<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // It only reads, so it ends by being rolled back when dropped.
    let _tx = conn.unchecked_transaction()?;
    work(conn)
}
