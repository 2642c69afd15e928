//! How many deltas one core carries: agent, engine, store and one follower together on it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use domain::{Change, Window};
use engine::{Feed, FeedItem};
use futures_util::FutureExt as _;
use protocol::{Cursor, ServerMessage};

use crate::puppet::Speech;
use crate::report::{Budget, Row};
use crate::rig::Stage;
use crate::stats::Samples;
use bench::machine;

/// How many deltas all threads say together.
const DELTAS: usize = 500_000;
const RUNS: usize = 5;
/// How often the follower takes what there is, as a socket does.
const FRAME: Duration = Duration::from_millis(16);
/// What is said, over and over.
const PIECES: [&str; 4] = ["The quick ", "brown fox ", "— naïve — ", "jumps over it.\n"];

pub(crate) fn sustained() -> Result<Vec<Row>> {
    let twenty = measure(20)?;
    let one = measure(1)?;
    let by_the_clock = |measured: &Measured| {
        let rate = bench::document::number(measured.per_second.median());
        format!("by the clock, the core shared with others: {rate} per second")
    };
    let unit = "per CPU second";
    let budget = Budget::AtLeast(100_000.0);
    Ok(vec![
        Row::new("deltas on one core, 20 threads", twenty.per_cpu_second.median(), unit)
            .budget(budget)
            .detail(by_the_clock(&twenty)),
        Row::new("deltas on one core, 1 thread", one.per_cpu_second.median(), unit)
            .budget(budget)
            .detail(by_the_clock(&one)),
        Row::new("processor time of 10,000 deltas, 20 threads", twenty.cpu_ms.median(), "ms")
            .detail("agent, engine, store, and a follower that encodes frames"),
    ])
}

#[derive(Default)]
struct Measured {
    per_second: Samples,
    per_cpu_second: Samples,
    /// Of 10,000 deltas.
    cpu_ms: Samples,
}

fn measure(threads: usize) -> Result<Measured> {
    let run = move || {
        machine::stay_on_one_core()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run(threads))
    };
    let mut measured = Measured::default();
    for _ in 0..RUNS {
        // Every run on a new thread, whose children stay on its core as well.
        let ran = thread::spawn(run).join().map_err(|_| anyhow!("the run broke"))??;
        let deltas = DELTAS as f64;
        measured.per_second.push(deltas / ran.wall.as_secs_f64());
        measured.per_cpu_second.push(deltas / ran.cpu.as_secs_f64());
        measured.cpu_ms.push(ran.cpu.as_secs_f64() / deltas * 1e4 * 1e3);
    }
    Ok(measured)
}

struct Ran {
    wall: Duration,
    cpu: Duration,
}

async fn run(threads: usize) -> Result<Ran> {
    let data = tempfile::tempdir()?;
    let mut stage = Stage::start(data.path()).await?;
    let speeches = stage.speeches(threads).await?;
    let mut feeds = Vec::with_capacity(threads);
    for speech in &speeches {
        let mut feed = stage.engine.follow_thread(&speech.thread, None).await?;
        // The snapshot, which comes before all changes.
        feed.take().await?;
        feeds.push((speech.thread.clone(), feed));
    }
    let deltas = DELTAS / threads;
    let said: usize = PIECES.iter().cycle().take(deltas).map(|piece| piece.len()).sum();
    let (cpu, wall) = (machine::cpu_time()?, Instant::now());
    let mut speaking = tokio::task::JoinSet::new();
    for speech in speeches {
        speaking.spawn(speak(speech, deltas));
    }
    let mut taken = 0;
    while taken < said * threads {
        tokio::time::sleep(FRAME).await;
        for (id, feed) in &mut feeds {
            if feed.ready().now_or_never().is_none() {
                continue;
            }
            taken += take(id, feed).await?;
        }
    }
    for spoken in speaking.join_all().await {
        spoken?;
    }
    let ran = Ran { wall: wall.elapsed(), cpu: machine::cpu_time()?.saturating_sub(cpu) };
    stage.engine.shutdown().await;
    Ok(ran)
}

async fn speak(mut speech: Speech, deltas: usize) -> Result<()> {
    for piece in PIECES.iter().cycle().take(deltas) {
        speech.say((*piece).to_owned()).await?;
    }
    speech.end().await
}

/// Takes and encodes a frame; says how many bytes of text were in it.
async fn take(id: &domain::ThreadId, feed: &mut Feed<Window, Change>) -> Result<usize> {
    let (seq, changes) = match feed.take().await? {
        Some(FeedItem::Changes { seq, changes }) => (seq, changes),
        Some(FeedItem::Gap { .. } | FeedItem::Gone) => bail!("the follower did not keep up"),
        Some(FeedItem::Ok { .. }) | None => return Ok(0),
    };
    let text = |change: &Change| match change {
        Change::Text { text, .. } => text.len(),
        _ => 0,
    };
    let bytes = changes.iter().map(text).sum();
    let cursor = Cursor { epoch: "bench".to_owned(), seq };
    let message = ServerMessage::ThreadChanges { id: id.clone(), cursor, changes };
    let frame = serde_json::to_string(&message).context("a frame cannot be written")?;
    std::hint::black_box(frame);
    Ok(bytes)
}
