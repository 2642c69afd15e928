//! The way of a delta: from the agent's event to the message at a socket's other end.
//!
//! Every delta is stamped right before it is handed to the engine, and again when the WebSocket
//! message that holds it has arrived in a client on a thread of its own, before it is decoded.
//! The frame of 16 ms, which is no latency but a choice, is taken out by what the client saw: a
//! delta could not leave before 16 ms had passed since the last message of the frame before it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use domain::{Change, ThreadId};
use protocol::{ServerMessage, Topic};
use tokio::sync::oneshot;

use crate::puppet::Speech;
use crate::report::{Budget, Row};
use bench::socket::Door;

use crate::rig::Stage;
use crate::stats::Times;
use bench::socket::Socket;

/// The time between two deltas of a thread: fifty a second, as quick models write.
const PACE: Duration = Duration::from_millis(20);
/// How many deltas a thread says.
const DELTAS: usize = 750;
/// How many of them come before anything is counted.
const WARM_UP: usize = 50;
/// The server's frame.
const FRAME: Duration = Duration::from_millis(16);
/// Messages that are closer together than this are of one frame.
const SAME_FRAME: Duration = Duration::from_millis(8);
/// What every delta says, in as many units as bytes.
const PIECE: &str = "some twenty-four letters";

/// How the threads are watched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tabs {
    /// Each from a socket of its own.
    Each,
    /// All from one.
    One,
}

pub(crate) async fn latency() -> Result<Vec<Row>> {
    let one = follow(1, Tabs::Each).await?;
    let each = follow(20, Tabs::Each).await?;
    let all = follow(20, Tabs::One).await?;
    let row = |what: &str, times: &Times, share: f64| {
        let (name, most) = if share > 0.9 { ("p99", 3.0) } else { ("p50", 0.5) };
        let what = format!("latency added to a delta, {what}, {name}");
        Row::new(what, times.ms(share), "ms").budget(Budget::AtMost(most))
    };
    let raw = |times: &Times| {
        format!(
            "p90 {:.2} ms, highest {:.1} ms, {} deltas",
            times.ms(0.9),
            times.ms(1.0),
            times.count()
        )
    };
    let framed =
        format!("with the frame: p50 {:.1} ms, p99 {:.1} ms", all.raw.ms(0.5), all.raw.ms(0.99));
    Ok(vec![
        row("1 thread", &one.beyond, 0.5).detail(raw(&one.beyond)),
        row("1 thread", &one.beyond, 0.99),
        row("20 threads, a socket each", &each.beyond, 0.5).detail(raw(&each.beyond)),
        row("20 threads, a socket each", &each.beyond, 0.99),
        row("20 threads, one socket", &all.beyond, 0.5).detail(raw(&all.beyond)),
        row("20 threads, one socket", &all.beyond, 0.99).detail(framed),
    ])
}

/// When each delta of each thread was said, in nanoseconds since `zero`.
struct Stamps {
    zero: Instant,
    said: HashMap<ThreadId, Vec<AtomicU64>>,
}

impl Stamps {
    fn of(threads: impl Iterator<Item = ThreadId>) -> Self {
        let empty = || (0..DELTAS).map(|_| AtomicU64::new(0)).collect();
        Self { zero: Instant::now(), said: threads.map(|id| (id, empty())).collect() }
    }

    fn stamp(&self, thread: &ThreadId, delta: usize) {
        if let Some(stamp) = self.said.get(thread).and_then(|stamps| stamps.get(delta)) {
            let nanos = u64::try_from(self.zero.elapsed().as_nanos()).unwrap_or(u64::MAX);
            stamp.store(nanos, Ordering::Release);
        }
    }

    fn said(&self, thread: &ThreadId, delta: usize) -> Option<Instant> {
        let nanos = self.said.get(thread)?.get(delta)?.load(Ordering::Acquire);
        Some(self.zero + Duration::from_nanos(nanos))
    }
}

/// The times of all deltas.
struct Seen {
    raw: Times,
    /// Without the wait for the end of the frame.
    beyond: Times,
}

impl Seen {
    fn new() -> Result<Self> {
        Ok(Self { raw: Times::new()?, beyond: Times::new()? })
    }
}

async fn follow(threads: usize, tabs: Tabs) -> Result<Seen> {
    let data = tempfile::tempdir()?;
    let mut stage = Stage::start(data.path()).await?;
    let speeches = stage.speeches(threads).await?;
    let served = stage.serve(data.path()).await?;
    let ids: Vec<ThreadId> = speeches.iter().map(|speech| speech.thread.clone()).collect();
    let stamps = Arc::new(Stamps::of(ids.iter().cloned()));
    let groups: Vec<Vec<ThreadId>> = match tabs {
        Tabs::Each => ids.into_iter().map(|id| vec![id]).collect(),
        Tabs::One => vec![ids],
    };
    let (ready, go) = oneshot::channel();
    let (door, known) = (served.door.clone(), stamps.clone());
    let clients = thread::spawn(move || watch(&door, groups, &known, ready));
    go.await.context("the clients could not connect")?;
    let mut speaking = tokio::task::JoinSet::new();
    for (index, speech) in (0_u32..).zip(speeches) {
        // Threads do not speak in step.
        let begin = PACE * index / u32::try_from(threads)?;
        speaking.spawn(speak(speech, stamps.clone(), begin));
    }
    for spoken in speaking.join_all().await {
        spoken?;
    }
    let seen = tokio::task::spawn_blocking(move || clients.join());
    let seen = seen.await?.map_err(|_| anyhow!("the clients broke"))??;
    served.stop().await?;
    Ok(seen)
}

async fn speak(mut speech: Speech, stamps: Arc<Stamps>, begin: Duration) -> Result<()> {
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + begin, PACE);
    for delta in 0..DELTAS {
        beat.tick().await;
        let text = PIECE.to_owned();
        stamps.stamp(&speech.thread, delta);
        speech.say(text).await?;
    }
    speech.end().await
}

/// Follows the groups of threads from a socket for each group, on this thread.
fn watch(
    door: &Door,
    groups: Vec<Vec<ThreadId>>,
    stamps: &Arc<Stamps>,
    ready: oneshot::Sender<()>,
) -> Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut watching = tokio::task::JoinSet::new();
        for group in groups {
            let mut socket = Socket::connect(door).await?;
            for id in &group {
                socket.follow(Topic::Thread { id: id.clone() }).await?;
            }
            for _ in &group {
                socket.next().await?;
            }
            watching.spawn(tab(socket, group.len(), stamps.clone()));
        }
        // The bench that waits for it may have given up.
        let _ = ready.send(());
        let mut all = Seen::new()?;
        for seen in watching.join_all().await {
            let seen = seen?;
            all.raw.add(&seen.raw)?;
            all.beyond.add(&seen.beyond)?;
        }
        Ok(all)
    })
}

async fn tab(mut socket: Socket, threads: usize, stamps: Arc<Stamps>) -> Result<Seen> {
    let mut seen = Seen::new()?;
    let mut left = threads * DELTAS;
    let mut last = stamps.zero;
    // When the frame before the present one was over.
    let mut before = stamps.zero;
    while left > 0 {
        let received = socket.next().await?;
        if received.at.saturating_duration_since(last) > SAME_FRAME {
            before = last;
        }
        last = received.at;
        let ServerMessage::ThreadChanges { id, changes, .. } = received.message else { continue };
        for change in &changes {
            let Change::Text { at, text, .. } = change else { continue };
            let first = usize::try_from(*at)? / PIECE.len();
            for delta in first..first + text.len() / PIECE.len() {
                left = left.saturating_sub(1);
                let said = stamps.said(&id, delta).context("a delta that was not said")?;
                if delta >= WARM_UP {
                    let free = said.max(before + FRAME);
                    seen.raw.record(received.at.saturating_duration_since(said));
                    seen.beyond.record(received.at.saturating_duration_since(free));
                }
            }
        }
    }
    Ok(seen)
}
