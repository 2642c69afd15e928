use std::sync::{Arc, Mutex};

use futures_util::stream;
use tokio::time::Instant;

use super::*;

/// What one opening of the stream gives: bytes, then its end or silence.
enum Opening {
    /// Not even the answer's head comes.
    Hangs,
    Refused,
    Unauthorized,
    Ends(Vec<&'static str>),
    FallsSilent(Vec<&'static str>),
}

#[derive(Clone, Default)]
struct Script {
    openings: Arc<Mutex<std::collections::VecDeque<Opening>>>,
    opened_at: Arc<Mutex<Vec<Instant>>>,
}

impl Source for Script {
    async fn open(&self) -> Result<ByteStream, Error> {
        self.opened_at.lock().unwrap().push(Instant::now());
        let opening = self.openings.lock().unwrap().pop_front();
        let bytes = |chunks: Vec<&'static str>| {
            stream::iter(chunks.into_iter().map(|c| Ok(Bytes::from_static(c.as_bytes()))))
        };
        match opening {
            Some(Opening::Ends(chunks)) => Ok(Box::pin(bytes(chunks))),
            Some(Opening::FallsSilent(chunks)) => {
                Ok(Box::pin(bytes(chunks).chain(stream::pending())))
            }
            Some(Opening::Hangs) => std::future::pending().await,
            Some(Opening::Unauthorized) => Err(Error::Unauthorized),
            Some(Opening::Refused) | None => Err(Error::Unusable("refused".into())),
        }
    }
}

fn stream_of(openings: impl IntoIterator<Item = Opening>) -> (EventStream, Script) {
    let script = Script::default();
    script.openings.lock().unwrap().extend(openings);
    (EventStream::start(script.clone(), StreamOptions::default()), script)
}

const CONNECTED: &str = "data: {\"payload\":{\"type\":\"server.connected\",\"properties\":{}}}\n\n";
const HEARTBEAT: &str = "data: {\"payload\":{\"type\":\"server.heartbeat\",\"properties\":{}}}\n\n";
const IDLE: &str = "data: {\"directory\":\"/repo\",\"payload\":{\"id\":\"evt_1\",\"type\":\"session.idle\",\"properties\":{\"sessionID\":\"ses_1\"}}}\n\n";

async fn next(stream: &mut EventStream) -> String {
    match stream.next().await {
        Some(StreamItem::Connected) => "connected".into(),
        Some(StreamItem::Event { envelope, .. }) => format!(
            "{} in {}",
            envelope.event.session_id().unwrap_or_default(),
            envelope.directory.unwrap_or_default()
        ),
        Some(StreamItem::Disconnected(Why::Eof)) => "eof".into(),
        Some(StreamItem::Disconnected(Why::Silent)) => "silent".into(),
        Some(StreamItem::Disconnected(Why::Failed(_))) => "failed".into(),
        Some(StreamItem::Disconnected(Why::ServerEnded(_))) => "server ended".into(),
        Some(StreamItem::Malformed { bytes, .. }) => format!("malformed {bytes}"),
        None => "end".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_opened_again_after_its_end() {
    let (mut stream, _) = stream_of([
        Opening::Ends(vec![CONNECTED, IDLE]),
        Opening::FallsSilent(vec![CONNECTED, HEARTBEAT, IDLE]),
    ]);
    for expected in ["connected", "ses_1 in /repo", "eof", "connected", "ses_1 in /repo"] {
        assert_eq!(next(&mut stream).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_counts_as_death_before_the_first_event_too() {
    let (mut stream, script) = stream_of([
        Opening::Hangs,
        Opening::FallsSilent(vec![]),
        Opening::FallsSilent(vec![CONNECTED]),
        Opening::FallsSilent(vec![CONNECTED]),
    ]);
    for expected in ["silent", "silent", "connected", "silent", "connected"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    let at = script.opened_at.lock().unwrap();
    for pair in at.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= Duration::from_secs(30) && apart < Duration::from_secs(31), "{apart:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_to_a_bound_and_shrink_after_success() {
    let refused = (0..12).map(|_| Opening::Refused);
    let (mut stream, script) =
        stream_of(refused.chain([Opening::Ends(vec![CONNECTED]), Opening::Refused]));
    for _ in 0..12 {
        assert_eq!(next(&mut stream).await, "failed");
    }
    for expected in ["connected", "eof", "failed"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    let at = script.opened_at.lock().unwrap().clone();
    let pauses: Vec<f64> = at.windows(2).map(|p| (p[1] - p[0]).as_secs_f64()).collect();
    for (n, pause) in pauses.iter().enumerate() {
        let base =
            if n < 12 { (0.1 * 2_f64.powi(i32::try_from(n).unwrap())).min(5.0) } else { 0.1 };
        assert!((base * 0.74..base * 1.26 + 0.002).contains(pause), "pause {n}: {pause}, {base}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_server_at_the_address_ends_it() {
    let (mut stream, _) = stream_of([Opening::Ends(vec![CONNECTED]), Opening::Unauthorized]);
    for expected in ["connected", "eof", "failed", "end"] {
        assert_eq!(next(&mut stream).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_frame_is_reported_and_the_next_is_read() {
    let (mut stream, _) =
        stream_of([Opening::FallsSilent(vec![CONNECTED, "data: {oops\n\n", IDLE])]);
    for expected in ["connected", "malformed 5", "ses_1 in /repo"] {
        assert_eq!(next(&mut stream).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_stream_up_and_loses_nothing() {
    let many = std::iter::once(CONNECTED).chain(std::iter::repeat_n(IDLE, 1000)).collect();
    let (mut stream, script) = stream_of([Opening::FallsSilent(many)]);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(stream.items.len(), 256);
    assert_eq!(next(&mut stream).await, "connected");
    for _ in 0..1000 {
        assert_eq!(next(&mut stream).await, "ses_1 in /repo");
    }
    assert_eq!(script.opened_at.lock().unwrap().len(), 1, "the wait for the reader is not silence");
}

#[tokio::test]
async fn it_ends_with_the_server_s_process() {
    let host = process::Host::default();
    let child = host.spawn(process::Spec::new("sleep").arg("600")).await.unwrap();
    let script = Script::default();
    script.openings.lock().unwrap().push_back(Opening::FallsSilent(vec![CONNECTED]));
    let options = StreamOptions { exit: Some(child.exit()), ..StreamOptions::default() };
    let mut stream = EventStream::start(script, options);
    assert_eq!(next(&mut stream).await, "connected");
    child.stop("test", Duration::ZERO).await;
    assert_eq!(next(&mut stream).await, "server ended");
    assert_eq!(next(&mut stream).await, "end");
}
