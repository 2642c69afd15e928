use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use process::{Exit, ExitWatch};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::Error;
use crate::event::{Envelope, Event};
use crate::json::mended;
use crate::sse::{Frame, MAX_FRAME, Parser};

/// What an [`EventStream`] yields.
#[derive(Debug)]
pub enum StreamItem {
    /// The stream is open. Whoever keeps state must now read it anew, after
    /// [`SETTLE`](StreamItem::SETTLE): nothing is replayed.
    Connected,
    /// Something happened. `server.connected` and `server.heartbeat` are not passed on.
    Event {
        /// What, where.
        envelope: Envelope,
        /// The frame as it came, if asked for with [`StreamOptions::raw`]; half characters, which
        /// are no JSON, are replaced in it.
        raw: Option<String>,
        /// The size of the frame.
        bytes: usize,
    },
    /// The stream is closed and will be opened again, unless [`Why::ended`] says otherwise.
    Disconnected(Why),
    /// A frame could not be read; it is skipped.
    Malformed {
        /// Its size.
        bytes: usize,
        /// Why.
        error: String,
    },
}

impl StreamItem {
    /// How long after [`StreamItem::Connected`] events may still be missed: 0.3 s were seen (Kilo
    /// 7.7.7, under load).
    pub const SETTLE: Duration = Duration::from_millis(500);
}

/// Why a stream was closed, or could not be opened.
#[derive(Debug)]
pub enum Why {
    /// The server ended it.
    Eof,
    /// Nothing came for [`StreamOptions::silence`], not even a heartbeat.
    Silent,
    /// The connection failed.
    Failed(Error),
    /// The server's process has ended. The stream ends with it.
    ServerEnded(Box<Exit>),
}

impl Why {
    /// Says whether the stream ends for good: the server is gone, or another one answers at its
    /// address and refuses the password.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self, Self::ServerEnded(_) | Self::Failed(Error::Unauthorized))
    }
}

/// Bytes of frames kept for a slow reader, in KiB; one frame may take all of them. Then the
/// connection is not read further, so that the sender waits.
const QUEUE_KIB: u32 = 64 * 1024;

/// How an [`EventStream`] behaves.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// How long nothing may come, before the first event too, until the connection counts as
    /// dead. Heartbeats come every 10 s. Default 30 s.
    pub silence: Duration,
    /// The first pause before it is opened again; doubled each time. Default 100 ms.
    pub backoff: Duration,
    /// The longest pause. Default 5 s.
    pub max_backoff: Duration,
    /// Items kept for a slow reader; then the connection is not read further, so that the sender
    /// waits. Default 256.
    pub queue: usize,
    /// Whether frames are also passed on as they came. Default no.
    pub raw: bool,
    /// Ends the stream with the server's process.
    pub exit: Option<ExitWatch>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            queue: 256,
            raw: false,
            exit: None,
        }
    }
}

/// The server's events in all directories, opened again whenever it breaks until it is dropped or
/// the server is gone.
#[derive(Debug)]
pub struct EventStream {
    items: mpsc::Receiver<Queued>,
    heard: watch::Receiver<Instant>,
    pump: JoinHandle<()>,
}

impl EventStream {
    /// Opens it, in the background.
    #[must_use]
    pub fn open(client: &Client, options: StreamOptions) -> Self {
        Self::start(client.clone(), options)
    }

    /// The next item; `None` after the last [`StreamItem::Disconnected`].
    pub async fn next(&mut self) -> Option<StreamItem> {
        self.items.recv().await.map(|queued| queued.item)
    }

    /// When bytes last came, heartbeats included; at first, when it was made.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<Instant> {
        self.heard.clone()
    }

    fn start(source: impl Source, options: StreamOptions) -> Self {
        let (sender, items) = mpsc::channel(options.queue.max(1));
        let (told, heard) = watch::channel(Instant::now());
        let room = Arc::new(Semaphore::new(QUEUE_KIB as usize));
        let pump = tokio::spawn(Pump { source, options, items: sender, room, told }.run());
        Self { items, heard, pump }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// Where the bytes come from.
pub(crate) trait Source: Send + Sync + 'static {
    fn open(&self) -> impl Future<Output = Result<ByteStream, Error>> + Send;
}

/// The reader of the stream is gone.
struct Dropped;

/// An item that waits for the reader, with the room it takes.
#[derive(Debug)]
struct Queued {
    item: StreamItem,
    _room: OwnedSemaphorePermit,
}

struct Pump<S> {
    source: S,
    options: StreamOptions,
    items: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    told: watch::Sender<Instant>,
}

impl<S: Source> Pump<S> {
    async fn run(self) {
        let mut pause = self.options.backoff;
        loop {
            let mut connected = false;
            let why = tokio::select! {
                read = self.read(&mut connected) => match read {
                    Ok(why) => why,
                    Err(Dropped) => return,
                },
                exit = ended(self.options.exit.clone()) => Why::ServerEnded(Box::new(exit)),
            };
            if connected {
                pause = self.options.backoff;
            }
            let last = why.ended();
            if self.send(StreamItem::Disconnected(why)).await.is_err() || last {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(jittered(pause)) => {}
                () = self.items.closed() => return,
                exit = ended(self.options.exit.clone()) => {
                    let why = Why::ServerEnded(Box::new(exit));
                    let _ = self.send(StreamItem::Disconnected(why)).await;
                    return;
                }
            }
            pause = (pause * 2).min(self.options.max_backoff);
        }
    }

    /// Opens the stream once and reads it until it breaks.
    async fn read(&self, connected: &mut bool) -> Result<Why, Dropped> {
        let silence = self.options.silence;
        let mut bytes = match tokio::time::timeout(silence, self.source.open()).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Ok(Why::Failed(error)),
            Err(_) => return Ok(Why::Silent),
        };
        let (mut parser, mut frames) = (Parser::new(MAX_FRAME), Vec::new());
        loop {
            // Only the wait for bytes is on the clock, not the wait for a slow reader.
            let chunk = match tokio::time::timeout(silence, bytes.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(error))) => return Ok(Why::Failed(error)),
                Ok(None) => return Ok(Why::Eof),
                Err(_) => return Ok(Why::Silent),
            };
            self.told.send_replace(Instant::now());
            parser.push(&chunk, &mut frames);
            for frame in frames.drain(..) {
                if !*connected {
                    *connected = true;
                    self.send(StreamItem::Connected).await?;
                }
                if let Some(item) = self.item(frame) {
                    self.send(item).await?;
                }
            }
        }
    }

    fn item(&self, frame: Frame) -> Option<StreamItem> {
        let data = match frame {
            Frame::Data(data) => data,
            Frame::TooLarge(bytes) => {
                let error = format!("larger than {MAX_FRAME} bytes");
                return Some(StreamItem::Malformed { bytes, error });
            }
        };
        match Envelope::parse(&data) {
            Ok(None) => None,
            Ok(Some(e)) if matches!(e.event, Event::ServerConnected | Event::Heartbeat) => None,
            Ok(Some(envelope)) => {
                let raw =
                    self.options.raw.then(|| String::from_utf8_lossy(&mended(&data)).into_owned());
                Some(StreamItem::Event { envelope, raw, bytes: data.len() })
            }
            Err(error) => {
                Some(StreamItem::Malformed { bytes: data.len(), error: error.to_string() })
            }
        }
    }

    async fn send(&self, item: StreamItem) -> Result<(), Dropped> {
        let bytes = match &item {
            StreamItem::Event { bytes, .. } => *bytes,
            StreamItem::Connected | StreamItem::Disconnected(_) | StreamItem::Malformed { .. } => 0,
        };
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(QUEUE_KIB).min(QUEUE_KIB);
        let room = tokio::select! {
            room = self.room.clone().acquire_many_owned(kib) => room.map_err(|_| Dropped)?,
            () = self.items.closed() => return Err(Dropped),
        };
        self.items.send(Queued { item, _room: room }).await.map_err(|_| Dropped)
    }
}

/// Waits for the server's end; for ever, if its process is not known.
async fn ended(exit: Option<ExitWatch>) -> Exit {
    if let Some(mut exit) = exit
        && let Some(exit) = exit.wait().await
    {
        return exit;
    }
    std::future::pending().await
}

/// A quarter more or less, so that many clients do not come back at the same moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [128_u8];
    // Without randomness the pause is as it is.
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    pause.mul_f64(0.75 + f64::from(byte) / 510.0)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
