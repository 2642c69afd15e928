//! The one thread that writes, and the queue in front of it.
//!
//! Jobs that wait are joined into one transaction (group commit), each in a savepoint of its own,
//! so a job that fails by its own fault takes no other with it.

use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot, watch};

use crate::{StoreError, indexing, sweep};

/// How many slots the queue has. A job takes one for every [`SLOT_BYTES`] it carries, so at most
/// this many jobs and 64 MiB wait; who comes then waits outside, in order.
const SLOTS: u32 = 1024;
/// Bytes that one slot stands for.
const SLOT_BYTES: usize = 64 * 1024;
/// A transaction takes in no further job once its jobs have this many slots.
const GROUP_SLOTS: u32 = 256;

/// The handle to the writing thread.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` once closed.
    queue: Mutex<Option<Sender<Message>>>,
    slots: Arc<Semaphore>,
    trouble: watch::Receiver<Option<StoreError>>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

/// What a job needs beside its own work.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    /// It must survive a loss of power once it is done.
    pub(crate) durable: bool,
    /// It leaves something to be swept.
    pub(crate) sweep: bool,
    /// Bytes it carries, roughly.
    pub(crate) bytes: usize,
}

impl Order {
    /// A small job of a person, kept whatever happens next.
    pub(crate) const DURABLE: Self = Self { durable: true, sweep: false, bytes: 0 };

    fn slots(self) -> u32 {
        u32::try_from(self.bytes / SLOT_BYTES).unwrap_or(SLOTS).saturating_add(1).min(SLOTS)
    }
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(conn: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let (tell, trouble) = watch::channel(None);
        let state = Loop { conn, jobs, tell, full_sync: None, sweeping: true, indexing: true };
        let thread = thread::Builder::new().name("baton-store".to_owned()).spawn(|| state.run())?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            slots: Arc::new(Semaphore::new(SLOTS as usize)),
            trouble,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What stands in the way of writing now, if anything does.
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<StoreError>> {
        self.trouble.clone()
    }

    /// Slots that are taken.
    pub(crate) fn backlog(&self) -> usize {
        (SLOTS as usize).saturating_sub(self.slots.available_permits())
    }

    /// Runs work in a transaction. The work may be run twice: again alone, after a group failed.
    ///
    /// The job is queued at once when there is room, else when the future is polled; a job that is
    /// queued is done even if the future is dropped.
    pub(crate) fn call<T, F>(
        &self,
        order: Order,
        work: F,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Box::new(Call { work, value: None, reply });
        let queued = match self.room(order) {
            Ok(Some(room)) => Queued::Done(self.send(call, room)),
            Ok(None) => match lock(&self.queue).clone() {
                Some(queue) => Queued::Waits { call, queue, slots: Arc::clone(&self.slots) },
                None => Queued::Done(Err(StoreError::Closed)),
            },
            Err(error) => Queued::Done(Err(error)),
        };
        async move {
            match queued {
                Queued::Done(result) => result?,
                Queued::Waits { call, queue, slots } => {
                    let permit = slots.acquire_many_owned(order.slots()).await?;
                    enqueue(&queue, call, Room { order, permit })?;
                }
            }
            answer.await.unwrap_or(Err(StoreError::Closed))
        }
    }

    /// Takes room in the queue, if there is some now.
    fn room(&self, order: Order) -> Result<Option<Room>, StoreError> {
        match Arc::clone(&self.slots).try_acquire_many_owned(order.slots()) {
            Ok(permit) => Ok(Some(Room { order, permit })),
            Err(TryAcquireError::NoPermits) => Ok(None),
            Err(TryAcquireError::Closed) => Err(StoreError::Closed),
        }
    }

    /// Refuses new jobs, does those that are queued, brings everything into the database file and
    /// ends the thread.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.slots.close();
        drop(lock(&self.queue).take());
        let Some(thread) = lock(&self.thread).take() else { return Ok(()) };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        joined.unwrap_or(Ok(Err(StoreError::Closed))).unwrap_or(Err(StoreError::Closed))
    }

    fn send(&self, task: Box<dyn Task>, room: Room) -> Result<(), StoreError> {
        let queue = lock(&self.queue);
        queue.as_ref().map_or(Err(StoreError::Closed), |queue| enqueue(queue, task, room))
    }
}

/// Room in the queue for one job.
#[derive(Debug)]
struct Room {
    order: Order,
    permit: OwnedSemaphorePermit,
}

/// How far a job got when it was called for. One that waits has a sender of its own, so that its
/// future borrows nothing.
enum Queued<C> {
    Done(Result<(), StoreError>),
    Waits { call: C, queue: Sender<Message>, slots: Arc<Semaphore> },
}

impl From<AcquireError> for StoreError {
    fn from(_: AcquireError) -> Self {
        Self::Closed
    }
}

/// Nothing is left half changed under our locks, so a holder's panic does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn enqueue(queue: &Sender<Message>, task: Box<dyn Task>, room: Room) -> Result<(), StoreError> {
    let Room { order, permit } = room;
    queue.send(Message { task, order, _permit: permit }).map_err(|_| StoreError::Closed)
}

/// A job in the queue; its slots are free again when it is done.
struct Message {
    task: Box<dyn Task>,
    order: Order,
    _permit: OwnedSemaphorePermit,
}

trait Task: Send {
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError>;
    fn done(self: Box<Self>, result: Result<(), StoreError>);
}

struct Call<T, F> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Task for Call<T, F>
where
    T: Send,
    F: FnMut(&Connection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError> {
        self.value = Some((self.work)(conn)?);
        Ok(())
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { value, reply, .. } = *self;
        // The one who asked may have gone; the work is done all the same.
        let _ = reply.send(result.and_then(|()| value.ok_or(StoreError::Closed)));
    }
}

struct Loop {
    conn: Connection,
    jobs: Receiver<Message>,
    tell: watch::Sender<Option<StoreError>>,
    full_sync: Option<bool>,
    /// Whether there may be rows of removed threads left; true at the start, for what an earlier
    /// run did not finish.
    sweeping: bool,
    /// Whether there may be texts of an earlier version that are not in the full-text index.
    indexing: bool,
}

impl Loop {
    fn run(mut self) -> Result<(), StoreError> {
        while let Some(group) = self.next_group() {
            self.sweeping |= group.iter().any(|job| job.order.sweep);
            self.write(group);
        }
        Ok(self.conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    /// The next jobs to write together; tidies a step at a time while there is none. `None` when
    /// the store is closed and everything is done.
    fn next_group(&mut self) -> Option<Vec<Message>> {
        let first = loop {
            if !self.sweeping && !self.indexing {
                break self.jobs.recv().ok()?;
            }
            match self.jobs.try_recv() {
                Ok(job) => break job,
                Err(TryRecvError::Empty) if self.sweeping => self.sweep(),
                Err(TryRecvError::Empty) => self.backfill(),
                Err(TryRecvError::Disconnected) => return None,
            }
        };
        let mut slots = first.order.slots();
        let mut group = vec![first];
        while slots < GROUP_SLOTS
            && let Ok(job) = self.jobs.try_recv()
        {
            slots += job.order.slots();
            group.push(job);
        }
        Some(group)
    }

    fn sweep(&mut self) {
        let swept = self.transaction(false, sweep::step);
        self.sweeping = swept.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was removed is cleared away later");
            false
        });
    }

    fn backfill(&mut self) {
        let more = self.transaction(false, indexing::backfill);
        self.indexing = more.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was said before is read into the index at the next start");
            false
        });
    }

    fn write(&mut self, mut group: Vec<Message>) {
        let results = match self.together(&mut group) {
            // What one job cannot have (room for a large text), the others may.
            Err(error) if group.len() > 1 && error != StoreError::Busy => group
                .iter_mut()
                .map(|job| self.together(std::slice::from_mut(job)))
                .map(one)
                .collect(),
            Err(error) => vec![Err(error); group.len()],
            Ok(results) => results,
        };
        let trouble = results.iter().find_map(|r| r.as_ref().err().filter(|e| e.is_general()));
        self.tell.send_if_modified(|known| {
            let changed = known.as_ref() != trouble;
            *known = trouble.cloned();
            changed
        });
        for (job, result) in group.into_iter().zip(results) {
            job.task.done(result);
        }
    }

    /// Runs jobs in one transaction; an error says that none of them is stored.
    fn together(
        &mut self,
        group: &mut [Message],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let durable = group.iter().any(|job| job.order.durable);
        self.transaction(durable, |conn| group.iter_mut().map(|job| isolated(conn, job)).collect())
    }

    fn transaction<T>(
        &mut self,
        durable: bool,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // `FULL` waits for the disk at the end of the transaction, `NORMAL` only when the log is
        // written into the database. The setting can only change between transactions.
        if self.full_sync != Some(durable) {
            self.conn.pragma_update(
                None,
                "synchronous",
                if durable { "FULL" } else { "NORMAL" },
            )?;
            self.full_sync = Some(durable);
        }
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let result = work(&self.conn).and_then(|value| {
            self.conn.execute_batch("COMMIT").map(|()| value).map_err(Into::into)
        });
        if result.is_err() && !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        result
    }
}

fn one(result: Result<Vec<Result<(), StoreError>>, StoreError>) -> Result<(), StoreError> {
    result.and_then(|results| results.into_iter().collect())
}

/// Runs one job of a group. The outer error is one that spoils the whole transaction.
fn isolated(conn: &Connection, job: &mut Message) -> Result<Result<(), StoreError>, StoreError> {
    conn.execute_batch("SAVEPOINT job")?;
    let result = job.task.run(conn);
    match &result {
        Err(error) if error.is_general() || conn.is_autocommit() => return Err(error.clone()),
        Err(_) => conn.execute_batch("ROLLBACK TO job; RELEASE job")?,
        Ok(()) => conn.execute_batch("RELEASE job")?,
    }
    Ok(result)
}
