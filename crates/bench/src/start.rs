//! Cold start and idle memory of the real program.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use protocol::{ServerMessage, Topic};
use store::Store;

use crate::program::{Program, Running};
use crate::report::{Budget, Row};
use crate::stats::Samples;
use bench::history;
use bench::machine;
use bench::socket::Socket;

/// How often it is started.
const RUNS: usize = 15;
/// Threads of history.
const THREADS: u64 = 1000;
/// Items of one more thread.
const LONG: u64 = 10_000;
/// How long it is left alone before its memory is read.
const REST: Duration = Duration::from_secs(5);
/// For how long its processor time is counted while nobody asks anything.
const IDLE: Duration = Duration::from_secs(60);

pub(crate) async fn start(program: &Program) -> Result<Vec<Row>> {
    let new = tempfile::tempdir()?;
    let old = tempfile::tempdir()?;
    let store = Store::open(old.path())?;
    history::seed(&store, THREADS).await?;
    history::seed_long(&store, LONG).await?;
    store.close().await?;
    let mut rows = Vec::new();
    for (data, history) in [(new.path(), "no history"), (old.path(), "1,000 threads")] {
        rows.extend(measure(program, data, history).await?);
    }
    // Times first, memory after them.
    rows.sort_by_key(Row::is_memory);
    Ok(rows)
}

async fn measure(program: &Program, data: &Path, history: &str) -> Result<Vec<Row>> {
    let (mut answered, mut shown) = (Samples::default(), Samples::default());
    // The first start makes the database or reads it from the disk; it counts like the others.
    for _ in 0..RUNS {
        let begun = Instant::now();
        let running = program.start(data).await?;
        running.get("/api/health", "").await?;
        answered.push_ms(begun.elapsed());
        rows_of_the_sidebar(&running).await?;
        shown.push_ms(begun.elapsed());
        running.stop().await?;
    }
    let ((resident, share), idle) = idle(program, data).await?;
    Ok(vec![
        Row::new(format!("start to first answer, {history}"), answered.median(), "ms")
            .budget(Budget::AtMost(100.0))
            .detail(answered.spread()),
        Row::new(format!("start to the sidebar's rows, {history}"), shown.median(), "ms")
            .detail(shown.spread()),
        Row::new(format!("idle memory, {history}"), resident, "MB")
            .budget(Budget::AtMost(30.0))
            .detail(format!("resident; proportional share {share:.1} MB")),
        Row::new(format!("idle processor time, {history}"), idle, "% of a core")
            .budget(Budget::AtMost(1.0))
            .detail(format!("over {} s, a socket open", IDLE.as_secs())),
    ])
}

/// Memory of a server whose page was opened and closed again, and what it takes of a core while one
/// socket is open and nothing happens.
async fn idle(program: &Program, data: &Path) -> Result<((f64, f64), f64)> {
    let running = program.start(data).await?;
    running.get("/", "").await?;
    rows_of_the_sidebar(&running).await?;
    tokio::time::sleep(REST).await;
    let memory = machine::memory_mb(running.pid())?;
    let mut socket = Socket::connect(&running.door).await?;
    socket.follow(Topic::Shell).await?;
    let before = machine::cpu_time_of(running.pid())?;
    tokio::time::sleep(IDLE).await;
    let used = machine::cpu_time_of(running.pid())?.saturating_sub(before);
    drop(socket);
    running.stop().await?;
    Ok((memory, 100.0 * used.as_secs_f64() / IDLE.as_secs_f64()))
}

async fn rows_of_the_sidebar(running: &Running) -> Result<()> {
    let mut socket = Socket::connect(&running.door).await?;
    socket.follow(Topic::Shell).await?;
    match socket.next().await?.message {
        ServerMessage::ShellGap { .. } => Ok(()),
        other => bail!("no rows but {other:?}"),
    }
}
