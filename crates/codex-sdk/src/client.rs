use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::error::{Error, RpcError};
use crate::frame::{Frame, Incoming, RequestId};
use agent_program::lines::{BoundedLines, Read};

/// Bounds of a connection.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a request may take. Codex 0.169.0 answers in milliseconds; under load in seconds.
    pub answer_within: Duration,
    /// The longest line that is read, in bytes. Codex cuts a command's output at 1 MiB, but repeats
    /// images and whole histories.
    pub max_line: usize,
    /// What the server says by itself that may wait to be read. When it is full the server waits.
    pub incoming: usize,
    /// The same by the length of its lines together, in KiB. A line that is longer waits alone.
    pub incoming_kib: u32,
    /// Lines that may wait to be written. Whoever writes another waits.
    pub outgoing: usize,
    /// The same by their length together, in KiB. A line that is longer waits alone.
    pub outgoing_kib: u32,
    /// Requests of ours that may wait for their answers.
    pub pending: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(30),
            max_line: 64 * 1024 * 1024,
            incoming: 1024,
            incoming_kib: 128 * 1024,
            outgoing: 256,
            outgoing_kib: 64 * 1024,
            pending: 1024,
        }
    }
}

/// Our requests, each with whoever waits for its answer.
type Pending = HashMap<u64, oneshot::Sender<Result<Value, RpcError>>>;

/// Something that waits, with the room it takes.
type Waiting<T> = (T, Option<OwnedSemaphorePermit>);

/// What the server says by itself, in the order in which it says it.
#[derive(Debug)]
pub struct Told(mpsc::Receiver<Waiting<(Incoming, usize)>>);

impl Told {
    /// The next; `None` once the server is gone.
    pub async fn recv(&mut self) -> Option<Incoming> {
        self.recv_sized().await.map(|(incoming, _)| incoming)
    }

    /// The next, with the length of its line in bytes.
    pub async fn recv_sized(&mut self) -> Option<(Incoming, usize)> {
        self.0.recv().await.map(|(told, _)| told)
    }
}

/// Room for lines, by their length.
#[derive(Debug)]
struct Room {
    free: Arc<Semaphore>,
    kib: u32,
}

impl Room {
    fn new(kib: u32) -> Self {
        let kib = kib.max(1);
        let free = Arc::new(Semaphore::new(usize::try_from(kib).unwrap_or(usize::MAX)));
        Self { free, kib }
    }

    /// Waits for room for a line.
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(self.kib);
        self.free.clone().acquire_many_owned(kib).await.ok()
    }
}

/// One side of the protocol. Cheap to clone; works until the server is gone.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Limits,
    next: AtomicU64,
    /// `None` once the server is gone.
    pending: Mutex<Option<Pending>>,
    /// `None` once it was closed.
    out: Mutex<Option<mpsc::Sender<Waiting<String>>>>,
    /// Room for lines that wait to be written.
    room: Room,
    /// Lines that were no messages, or too long.
    strange: AtomicU64,
}

impl Client {
    /// A client over a server's pipes. What the server says by itself comes over the channel,
    /// which ends with the server.
    pub fn new(
        stdin: impl AsyncWrite + Send + Unpin + 'static,
        stdout: impl AsyncRead + Send + Unpin + 'static,
        limits: Limits,
    ) -> (Self, Told) {
        let (out, outgoing) = mpsc::channel(limits.outgoing.max(1));
        let (told, incoming) = mpsc::channel(limits.incoming.max(1));
        let lines = BoundedLines::new(BufReader::with_capacity(64 * 1024, stdout), limits.max_line);
        let (room, told_room) = (Room::new(limits.outgoing_kib), Room::new(limits.incoming_kib));
        let shared = Arc::new(Shared {
            limits,
            room,
            next: AtomicU64::new(1),
            pending: Mutex::new(Some(HashMap::new())),
            out: Mutex::new(Some(out)),
            strange: AtomicU64::new(0),
        });
        tokio::spawn(write(stdin, outgoing));
        tokio::spawn(read(shared.clone(), lines, told, told_room));
        (Self(shared), Told(incoming))
    }

    /// Asks something, and reads the answer as `T`.
    ///
    /// # Errors
    /// As [`Error`] says. When this is dropped the answer is passed over.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, Error> {
        let answer = self.ask(method, params).await?;
        serde_json::from_value(answer)
            .map_err(|error| Error::Decode { method, reason: error.to_string() })
    }

    /// Asks something, and gives the answer as it is.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub async fn ask(&self, method: &'static str, params: Value) -> Result<Value, Error> {
        let shared = &self.0;
        let within = shared.limits.answer_within;
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        {
            let mut pending = shared.pending();
            let Some(pending) = pending.as_mut() else { return Err(Error::Gone) };
            if pending.len() >= shared.limits.pending {
                return Err(Error::Refused(RpcError {
                    code: 0,
                    message: "too many requests wait for their answers".to_owned(),
                }));
            }
            pending.insert(id, reply);
        }
        let _forget = Forget { shared, id };
        let asked = async {
            shared.write(json!({ "id": id, "method": method, "params": params })).await?;
            match answer.await {
                Ok(result) => result.map_err(Error::Refused),
                Err(_) => Err(Error::Gone),
            }
        };
        tokio::time::timeout(within, asked).await.unwrap_or(Err(Error::Timeout(within)))
    }

    /// Tells the server something.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub async fn notify(&self, method: &'static str) -> Result<(), Error> {
        self.0.write(json!({ "method": method })).await
    }

    /// Answers a request of the server. Whether it still waits is not told.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub async fn answer(&self, id: &RequestId, result: Value) -> Result<(), Error> {
        self.0.write(json!({ "id": id.value(), "result": result })).await
    }

    /// Answers a request of the server with an error, which for Codex is a no.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub async fn refuse(&self, id: &RequestId, message: &str) -> Result<(), Error> {
        let error = json!({ "code": -32601, "message": message });
        self.0.write(json!({ "id": id.value(), "error": error })).await
    }

    /// Closes the server's input, upon which it ends.
    pub fn close(&self) {
        self.0.out().take();
    }

    /// How many of its lines were no messages, or too long.
    #[must_use]
    pub fn strange_lines(&self) -> u64 {
        self.0.strange.load(Ordering::Relaxed)
    }
}

/// Takes a request off the table once nobody waits for it.
struct Forget<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(pending) = self.shared.pending().as_mut() {
            pending.remove(&self.id);
        }
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, Option<mpsc::Sender<Waiting<String>>>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, message: Value) -> Result<(), Error> {
        let out = self.out().clone().ok_or(Error::Gone)?;
        let line = message.to_string();
        let room = self.room.take(line.len()).await;
        out.send((line, room)).await.map_err(|_| Error::Gone)
    }
}

async fn write(mut stdin: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<Waiting<String>>) {
    while let Some((mut line, _room)) = lines.recv().await {
        line.push('\n');
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn read<R: AsyncRead + Unpin>(
    shared: Arc<Shared>,
    mut lines: BoundedLines<BufReader<R>>,
    told: mpsc::Sender<Waiting<(Incoming, usize)>>,
    room: Room,
) {
    loop {
        let mut bytes = 0;
        let frame = match lines.next().await {
            Ok(Read::Line(line)) => {
                bytes = line.len();
                let frame = Frame::parse(line);
                if frame.is_none() {
                    tracing::debug!(bytes, "a line of codex app-server is no message");
                }
                frame
            }
            Ok(Read::TooLong(bytes)) => {
                tracing::warn!(bytes, "a line of codex app-server is too long and passed over");
                None
            }
            Ok(Read::End) => break,
            Err(error) => {
                tracing::debug!(%error, "codex app-server cannot be read any more");
                break;
            }
        };
        match frame {
            Some(Frame::Response { id, result }) => {
                let waits = shared.pending().as_mut().and_then(|pending| pending.remove(&id));
                if let Some(waits) = waits {
                    let _ = waits.send(result);
                }
            }
            // When nobody listens any more, answers are still wanted.
            Some(Frame::Incoming(incoming)) => {
                let room = room.take(bytes).await;
                let _ = told.send(((incoming, bytes), room)).await;
            }
            None => {
                shared.strange.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    // Whoever waits is told so.
    shared.pending().take();
    shared.out().take();
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, DuplexStream};

    use super::*;

    struct Played {
        client: Client,
        incoming: Told,
        input: tokio::io::Lines<BufReader<DuplexStream>>,
        output: DuplexStream,
    }

    fn play() -> Played {
        play_within(Limits::default())
    }

    fn play_within(limits: Limits) -> Played {
        let (stdin, input) = tokio::io::duplex(1 << 16);
        let (output, stdout) = tokio::io::duplex(1 << 16);
        let (client, incoming) = Client::new(stdin, stdout, limits);
        Played { client, incoming, input: BufReader::new(input).lines(), output }
    }

    impl Played {
        async fn line(&mut self) -> Value {
            let line = self.input.next_line().await.unwrap().unwrap();
            serde_json::from_str(&line).unwrap()
        }

        async fn say(&mut self, line: &str) {
            self.output.write_all(line.as_bytes()).await.unwrap();
            self.output.write_all(b"\n").await.unwrap();
        }
    }

    #[tokio::test]
    async fn answers_find_their_requests_in_any_order_and_the_server_s_ids_are_its_own() {
        let mut played = play();
        let (one, two) = (played.client.clone(), played.client.clone());
        let one = tokio::spawn(async move { one.ask("one", json!({})).await });
        let first = played.line().await;
        let two = tokio::spawn(async move { two.ask("two", json!({})).await });
        let second = played.line().await;
        // A request of the server with an id that one of ours has.
        played
            .say(&json!({"id": first["id"], "method": "ask", "params": {"x": 1}}).to_string())
            .await;
        played.say("this is no message").await;
        played.say(&json!({"id": second["id"], "result": 2}).to_string()).await;
        played
            .say(&json!({"id": first["id"], "error": {"code": -1, "message": "no"}}).to_string())
            .await;
        assert_eq!(two.await.unwrap(), Ok(json!(2)));
        let no = RpcError { code: -1, message: "no".to_owned() };
        assert_eq!(one.await.unwrap(), Err(Error::Refused(no)));
        let Some(Incoming::Request { id, method, .. }) = played.incoming.recv().await else {
            panic!("no request")
        };
        assert_eq!(method, "ask");
        played.client.answer(&id, json!({"ok": true})).await.unwrap();
        assert_eq!(played.line().await, json!({"id": first["id"], "result": {"ok": true}}));
        assert_eq!(played.client.strange_lines(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_ends_in_time_and_is_forgotten() {
        let mut played = play();
        let failed = played.client.ask("one", json!({})).await;
        assert_eq!(failed, Err(Error::Timeout(Limits::default().answer_within)));
        let late = played.line().await;
        played.say(&json!({"id": late["id"], "result": 2}).to_string()).await;
        assert!(played.client.0.pending().as_ref().unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_end_of_the_server_ends_what_waits_and_what_comes_later() {
        let mut played = play();
        let client = played.client.clone();
        let waits = tokio::spawn(async move { client.ask("one", json!({})).await });
        played.line().await;
        drop(played.output);
        assert_eq!(waits.await.unwrap(), Err(Error::Gone));
        assert_eq!(played.incoming.recv().await, None);
        assert_eq!(played.client.ask("two", json!({})).await, Err(Error::Gone));
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_bounded_by_its_length_and_the_server_waits() {
        let limits = Limits { incoming_kib: 64, ..Limits::default() };
        let mut played = play_within(limits);
        let long = "x".repeat(40 << 10);
        let line = json!({"method": "item/completed", "params": {"text": long}}).to_string();
        let mut said = 0;
        // The first waits, and the next for its room; what is said then fills the pipe.
        while tokio::time::timeout(Duration::from_secs(1), played.say(&line)).await.is_ok() {
            said += 1;
            assert!(said < 10, "the server is not held up");
        }
        for _ in 0..said {
            let (_, bytes) = played.incoming.recv_sized().await.unwrap();
            assert_eq!(bytes, line.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_to_be_written_is_bounded_by_its_length() {
        let limits = Limits { outgoing_kib: 64, ..Limits::default() };
        let within = limits.answer_within;
        let mut played = play_within(limits);
        let long = "x".repeat(200 << 10);
        // Longer than all the room, it goes alone, and the pipe does not take it whole.
        let client = played.client.clone();
        let first = tokio::spawn(async move { client.ask("one", json!({ "x": long })).await });
        tokio::task::yield_now().await;
        let second = played.client.ask("two", json!({})).await;
        assert_eq!(second, Err(Error::Timeout(within)), "it found no room");
        assert_eq!(played.line().await["method"], "one");
        played.client.notify("three").await.unwrap();
        assert_eq!(played.line().await["method"], "three", "the second was never written");
        assert_eq!(first.await.unwrap(), Err(Error::Timeout(within)));
    }

    #[tokio::test]
    async fn a_line_of_several_megabytes_is_read() {
        let mut played = play();
        let long = "x".repeat(8 << 20);
        let line = json!({"method": "item/completed", "params": {"text": long}}).to_string();
        let saying = tokio::spawn(async move {
            played.say(&line).await;
            played
        });
        let mut played = saying.await.unwrap();
        let told = played.incoming.recv().await.unwrap();
        assert_eq!(told.params()["text"].as_str().map(str::len), Some(8 << 20));
    }
}
