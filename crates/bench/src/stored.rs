//! What a delta costs on the disk.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::Connection;

use crate::puppet::Speech;
use crate::report::Row;
use crate::rig::Stage;
use bench::machine;

const THREADS: usize = 20;
/// How many deltas a thread says.
const DELTAS: usize = 500;
/// The time between two of them: fifty a second.
const PACE: Duration = Duration::from_millis(20);
/// What each says.
const PIECE: &str = "some twenty-four letters";

pub(crate) async fn stored() -> Result<Vec<Row>> {
    let data = tempfile::tempdir()?;
    let mut stage = Stage::start(data.path()).await?;
    let speeches = stage.speeches(THREADS).await?;
    let before = size(data.path())?;
    let written = machine::written()?;
    let mut speaking = tokio::task::JoinSet::new();
    for speech in speeches {
        speaking.spawn(speak(speech));
    }
    let spoken: Result<Vec<Speech>> = speaking.join_all().await.into_iter().collect();
    let last = spoken?;
    settle(&stage, &last).await?;
    let written = machine::written()?.saturating_sub(written);
    let streaming = size(data.path())?.saturating_sub(before);
    for speech in last {
        speech.end().await?;
    }
    stage.engine.shutdown().await;
    let folded = size(data.path())?.saturating_sub(before);
    let each = |bytes: u64| bytes as f64 / (THREADS * DELTAS) as f64;
    let text = PIECE.len();
    Ok(vec![
        Row::new("database per delta while it streams", each(streaming), "bytes")
            .detail(format!("of {text} bytes of text, 50 deltas a second in each of 20 threads")),
        Row::new("database per delta once its item is done", each(folded), "bytes"),
        Row::new("written to the disk per delta", each(written), "bytes")
            .detail("the log's pages while it streams, and what is checkpointed of them"),
    ])
}

async fn speak(mut speech: Speech) -> Result<Speech> {
    let mut beat = tokio::time::interval(PACE);
    for _ in 0..DELTAS {
        beat.tick().await;
        speech.say(PIECE.to_owned()).await?;
    }
    Ok(speech)
}

/// Waits until all text is stored: who begins to follow a thread finds everything in the store.
async fn settle(stage: &Stage, speeches: &[Speech]) -> Result<()> {
    for speech in speeches {
        stage.engine.follow_thread(&speech.thread, None).await?;
    }
    Ok(())
}

/// Bytes of the database that are in use, after its log was written into it.
fn size(data: &Path) -> Result<u64> {
    let db = Connection::open(data.join("baton.db"))?;
    db.busy_timeout(Duration::from_secs(10))?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    let number = |name: &str| {
        let number: i64 = db.pragma_query_value(None, name, |row| row.get(0))?;
        u64::try_from(number).context("a negative count of pages")
    };
    Ok((number("page_count")? - number("freelist_count")?) * number("page_size")?)
}
