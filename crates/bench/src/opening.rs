//! Opening a thread of 10,000 items.

use std::time::Instant;

use anyhow::{Result, bail};
use protocol::{ServerMessage, Topic};
use store::Store;

use crate::report::{Budget, Row};
use crate::rig::Stage;
use crate::stats::Samples;
use bench::history;
use bench::socket::Socket;

const ITEMS: u64 = 10_000;
const RUNS: usize = 30;

pub(crate) async fn opening() -> Result<Vec<Row>> {
    let data = tempfile::tempdir()?;
    let store = Store::open(data.path())?;
    let id = history::seed_long(&store, ITEMS).await?;
    store.close().await?;
    let served = Stage::start(data.path()).await?.serve(data.path()).await?;
    let mut reading = Samples::default();
    let mut opening = Samples::default();
    let (mut first, mut bytes, mut items) = (None, 0, 0);
    for _ in 0..RUNS {
        let mut socket = Socket::connect(&served.door).await?;
        let begun = Instant::now();
        socket.follow(Topic::Thread { id: id.clone() }).await?;
        let received = socket.next().await?;
        let took = received.at - begun;
        first.get_or_insert(took);
        opening.push_ms(took);
        let ServerMessage::ThreadGap { snapshot, .. } = received.message else {
            bail!("no snapshot");
        };
        (bytes, items) = (received.bytes, snapshot.items.len());
        let begun = Instant::now();
        served.stage.engine.window(&id, snapshot.older).await?;
        reading.push_ms(begun.elapsed());
    }
    served.stop().await?;
    let first = first.map_or(f64::NAN, |first| first.as_secs_f64() * 1e3);
    Ok(vec![
        Row::new("opening a thread of 10,000 items", opening.median(), "ms")
            .budget(Budget::AtMost(50.0))
            .detail(format!("the first time {first:.1} ms; {}", opening.spread())),
        Row::new("its first window on the wire", bytes as f64 / 1024.0, "KiB")
            .budget(Budget::AtMost(256.0))
            .detail(format!("{items} items, not compressed")),
        Row::new("reading its next older page", reading.median(), "ms").detail(reading.spread()),
    ])
}
