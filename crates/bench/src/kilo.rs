//! Reading what Kilo sends: one frame of its event stream, and the stream as a whole.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use kilo_sdk::{Client, Connection, Envelope, Event, Limits, StreamItem, StreamOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::report::Row;
use crate::stats::Samples;
use bench::machine;

/// Conversations recorded of the real Kilo.
const RECORDED: &str = "crates/testkit/fixtures/kilo-7.7.7";
/// A delta as Kilo 7.7.7 sends it.
const DELTA: &str = r#"{"directory":"/repo","project":"99740884ed09c29263baf758483fb705991f0c0b","payload":{"id":"evt_2044f6103001e6x0k7SV3d2xg0","type":"message.part.delta","properties":{"sessionID":"ses_dfbb09efdffesoxfvOO7wNPJRc","messageID":"msg_2044f6108000HB670V0y96L6A9","partID":"prt_2044f612a001AiYpOVJLLE1d3E","field":"text","delta":"some twenty-four letters"}}}"#;
const RUNS: usize = 7;
/// Frames parsed in one run.
const PARSED: u32 = 100_000;
/// Frames sent over a connection in one run.
const STREAMED: usize = 100_000;

pub(crate) async fn kilo() -> Result<Vec<Row>> {
    let recorded = recorded()?;
    let bytes: usize = recorded.iter().map(Vec::len).sum();
    let delta = [DELTA.as_bytes().to_vec()];
    let (mut deltas, mut all) = (Samples::default(), Samples::default());
    for _ in 0..RUNS {
        deltas.push(parse(&delta)?);
        all.push(parse(&recorded)?);
    }
    let mut streamed = Samples::default();
    for _ in 0..RUNS {
        streamed.push(stream().await?);
    }
    Ok(vec![
        Row::new("Kilo's deltas decoded", deltas.median(), "per CPU second")
            .detail("one frame's JSON to a typed event; not the mapping to a thread's events"),
        Row::new("Kilo's recorded frames decoded", all.median(), "per CPU second").detail(format!(
            "{} frames of 27 conversations, {} bytes each on average",
            recorded.len(),
            bytes / recorded.len().max(1)
        )),
        Row::new("Kilo's deltas off the wire", streamed.median(), "per CPU second")
            .detail("HTTP, event stream, decoding; the sender's share is in it too"),
    ])
}

fn recorded() -> Result<Vec<Vec<u8>>> {
    let directory = machine::root().join(RECORDED);
    let mut frames = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let text = fs::read_to_string(&path)?;
            frames.extend(text.lines().map(|line| line.as_bytes().to_vec()));
        }
    }
    Ok(frames)
}

/// Parses frames over and over; says how many in a second of processor time.
fn parse(frames: &[Vec<u8>]) -> Result<f64> {
    let before = machine::cpu_time()?;
    for frame in frames.iter().cycle().take(PARSED as usize) {
        std::hint::black_box(Envelope::parse(std::hint::black_box(frame))?);
    }
    Ok(f64::from(PARSED) / machine::cpu_time()?.saturating_sub(before).as_secs_f64())
}

/// Sends frames over a connection and reads them with the client.
async fn stream() -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let client = Client::new(Connection::new(url, "none"), Limits::default())?;
    let before = machine::cpu_time()?;
    let sending = tokio::spawn(send(listener));
    let mut events = client.events(StreamOptions::default());
    let mut left = STREAMED;
    let begun = Instant::now();
    while left > 0 {
        match events.next().await {
            Some(StreamItem::Event { envelope, .. }) => {
                left -= usize::from(matches!(envelope.event, Event::PartDelta { .. }));
            }
            Some(StreamItem::Connected) => {}
            other => bail!("the stream broke: {other:?}"),
        }
        if begun.elapsed() > Duration::from_secs(60) {
            bail!("the stream is too slow");
        }
    }
    let cpu = machine::cpu_time()?.saturating_sub(before);
    sending.abort();
    Ok(STREAMED as f64 / cpu.as_secs_f64())
}

/// Answers one request with a stream of deltas.
async fn send(listener: TcpListener) -> Result<()> {
    let (mut connection, _) = listener.accept().await?;
    let mut request = [0; 4096];
    let _ = connection.read(&mut request).await?;
    connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await?;
    let frame = format!("data: {DELTA}\n\n");
    // A few at a time, as they come together when several sessions stream.
    let several = frame.repeat(4);
    for _ in 0..STREAMED / 4 {
        connection.write_all(several.as_bytes()).await?;
    }
    std::future::pending().await
}
