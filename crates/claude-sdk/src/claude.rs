//! One running `claude` and what is said to it and by it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_program::lines::{BoundedLines, Read};
use process::{Child, ChildStdin, ChildStdout, Exit, ExitWatch, Stream, Usage};
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::frame::Frame;

/// Longest line that is read, in bytes; a longer one is skipped and counted. Lines of several MB
/// happen: pictures that were read come as base64.
pub const MAX_LINE: usize = 64 * 1024 * 1024;
/// What is read from the pipe at once, in bytes.
const BUFFER: usize = 64 * 1024;
/// Lines that may wait to be written. Whoever writes another waits.
const MAX_WRITES: usize = 64;
/// Frames that may wait to be read. When there are more nothing is read, and the agent waits.
const MAX_FRAMES: usize = 256;
/// Memory that frames which wait may take together, in KiB of their lines.
const MAX_FRAMES_KIB: u32 = 128 * 1024;
/// Control requests that may wait for their answers.
const MAX_WAITING: usize = 64;
/// How much of a line that is no JSON is told.
const MAX_ODD: usize = 300;
/// How long an idle agent has to end by itself once its input is closed (30 to 70 ms are usual).
const AT_END_OF_INPUT: Duration = Duration::from_millis(800);

/// A running agent with one conversation. Dropping it stops it.
#[derive(Debug)]
pub struct Claude {
    child: Child,
    input: Mutex<Option<mpsc::Sender<Write>>>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
}

/// What is told by a running agent, in the order it is told: frames, and among them what it asks.
#[derive(Debug)]
pub struct Frames(mpsc::Receiver<(Incoming, Option<OwnedSemaphorePermit>)>);

/// Something an agent wrote.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A line.
    Frame(Frame),
    /// A line that is no JSON.
    Malformed {
        /// The beginning of it.
        line: String,
        /// How many bytes it had.
        bytes: usize,
        /// Why it is none.
        error: String,
    },
    /// A line longer than [`MAX_LINE`], which was skipped.
    TooLong {
        /// How long it was.
        bytes: u64,
    },
}

/// A message to the agent.
#[derive(Debug, Clone, PartialEq)]
pub struct UserMessage {
    /// Its name: a random UUID, under which it is in the session and is told to be taken up.
    pub uuid: String,
    /// What it says: text, or blocks as the model's interface has them.
    pub content: Value,
}

/// Why a control request has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The agent refused it.
    #[error("Claude Code refused: {0}")]
    Refused(String),
    /// The agent ended, or its input is closed.
    #[error("Claude Code has ended")]
    Ended,
    /// It was not answered in time.
    #[error("Claude Code did not answer within {0:?}")]
    TimedOut(Duration),
    /// Too many wait for their answers.
    #[error("too much is asked of Claude Code at once")]
    Busy,
}

/// The agent ended, or its input is closed: nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Claude Code has ended")]
pub struct Ended;

impl Claude {
    /// Takes charge of a process that was just started. Must be called inside a runtime.
    pub(crate) fn new(child: Child, stdin: ChildStdin, stdout: ChildStdout) -> (Self, Frames) {
        let (input, writes) = mpsc::channel(MAX_WRITES);
        let (told, frames) = mpsc::channel(MAX_FRAMES);
        let waiting = Arc::new(Waiting::default());
        tokio::spawn(write(stdin, writes));
        tokio::spawn(read(stdout, waiting.clone(), told));
        let input = Mutex::new(Some(input));
        (Self { child, input, waiting, next: AtomicU64::new(1) }, Frames(frames))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// A watch of its end.
    #[must_use]
    pub fn exit(&self) -> ExitWatch {
        self.child.exit()
    }

    /// What it and the tools it runs use; blocks for some milliseconds.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.child.usage()
    }

    /// The last lines it wrote to standard error.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.child.tail(Stream::Stderr)
    }

    /// Gives it a message. Returns when it is written, not when it is taken up; that is told by a
    /// `user` frame of the same name.
    ///
    /// # Errors
    /// [`Ended`] when it certainly was not written as a whole.
    pub async fn send(&self, message: &UserMessage) -> Result<(), Ended> {
        self.write(&json!({
            "type": "user",
            "message": { "role": "user", "content": message.content },
            "parent_tool_use_id": null,
            "session_id": "",
            "uuid": message.uuid,
        }))
        .await
    }

    /// Answers what it asked. An answer to what it no longer waits for is ignored by it.
    ///
    /// # Errors
    /// [`Ended`] when it certainly was not written as a whole.
    pub async fn answer(&self, request_id: &str, response: &Value) -> Result<(), Ended> {
        self.write(&json!({ "type": "control_response", "response": {
            "subtype": "success", "request_id": request_id, "response": response } }))
            .await
    }

    /// Says that what it asked cannot be done, which it takes as a no.
    ///
    /// # Errors
    /// [`Ended`] when it certainly was not written as a whole.
    pub async fn refuse(&self, request_id: &str, why: &str) -> Result<(), Ended> {
        self.write(&json!({ "type": "control_response", "response": {
            "subtype": "error", "request_id": request_id, "error": why } }))
            .await
    }

    /// Makes a control request, e.g. `{"subtype": "interrupt"}`, and waits for its answer.
    ///
    /// # Errors
    /// As [`ControlError`] says. When it timed out it may have been done all the same.
    pub async fn control(&self, request: Value, timeout: Duration) -> Result<Value, ControlError> {
        let (mut answer, line) = self.asking(&request)?;
        let asked = async {
            self.write(&line).await.map_err(|Ended| ControlError::Ended)?;
            answer.given().await
        };
        tokio::time::timeout(timeout, asked).await.unwrap_or(Err(ControlError::TimedOut(timeout)))
    }

    /// Makes a control request ahead of all that is written to the agent from now on, and waits for
    /// nothing: its answer is waited for apart.
    ///
    /// # Errors
    /// [`ControlError::Busy`] when it cannot be put in line at once, [`ControlError::Ended`] when the
    /// agent has ended.
    pub fn request(&self, request: &Value) -> Result<Asked, ControlError> {
        let (answer, line) = self.asking(request)?;
        let (done, _) = oneshot::channel();
        let input = self.input().clone().ok_or(ControlError::Ended)?;
        match input.try_send(Write { bytes: bytes(&line), done }) {
            Ok(()) => Ok(Asked(answer)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(ControlError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ControlError::Ended),
        }
    }

    /// A control request, and the place of its answer.
    fn asking(&self, request: &Value) -> Result<(Awaited, Value), ControlError> {
        let id = format!("req_{}", self.next.fetch_add(1, Ordering::Relaxed));
        let answer = self.waiting.wait_for(&id)?;
        let line = json!({ "type": "control_request", "request_id": id, "request": request });
        Ok((answer, line))
    }

    /// Closes its input: an idle agent ends. One that works goes on.
    pub fn close_input(&self) {
        self.input().take();
    }

    /// Stops it: its input is closed, which ends it when idle; then it is asked to end and given
    /// `grace`; then it is killed. Its tools, which have sessions of their own and outlive its end
    /// by any signal (2.1.197), are ended with it. What it works on should be interrupted before.
    pub async fn stop(&self, reason: &'static str, grace: Duration) -> Option<Exit> {
        self.close_input();
        let mut exit = self.exit();
        if let Ok(exit) = tokio::time::timeout(AT_END_OF_INPUT, exit.wait()).await {
            return exit;
        }
        self.child.stop(reason, grace).await
    }

    async fn write(&self, line: &Value) -> Result<(), Ended> {
        let (done, written) = oneshot::channel();
        let input = self.input().clone().ok_or(Ended)?;
        input.send(Write { bytes: bytes(line), done }).await.map_err(|_| Ended)?;
        written.await.map_err(|_| Ended)
    }

    fn input(&self) -> MutexGuard<'_, Option<mpsc::Sender<Write>>> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A control request that was made, and whose answer is still to come. Forgotten when dropped.
#[derive(Debug)]
pub struct Asked(Awaited);

impl Asked {
    /// Waits for its answer.
    ///
    /// # Errors
    /// As [`ControlError`] says. When it timed out it may have been done all the same.
    pub async fn answer(mut self, timeout: Duration) -> Result<Value, ControlError> {
        let answer = tokio::time::timeout(timeout, self.0.given()).await;
        answer.unwrap_or(Err(ControlError::TimedOut(timeout)))
    }
}

impl Frames {
    /// The next; `None` once the agent's output has ended.
    pub async fn next(&mut self) -> Option<Incoming> {
        self.0.recv().await.map(|(incoming, _)| incoming)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line on its way.
#[derive(Debug)]
struct Write {
    bytes: Vec<u8>,
    done: oneshot::Sender<()>,
}

fn bytes(line: &Value) -> Vec<u8> {
    // A line break within it would be an end: JSON has none.
    let mut bytes = line.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// Writes lines one after the other. A task of its own, since half a line kills the agent: whoever
/// gives up waiting does not cut one off.
async fn write(mut stdin: ChildStdin, mut writes: mpsc::Receiver<Write>) {
    while let Some(Write { bytes, done }) = writes.recv().await {
        let written = async {
            stdin.write_all(&bytes).await?;
            stdin.flush().await
        };
        if written.await.is_err() {
            return;
        }
        let _ = done.send(());
    }
}

async fn read(
    stdout: ChildStdout,
    waiting: Arc<Waiting>,
    told: mpsc::Sender<(Incoming, Option<OwnedSemaphorePermit>)>,
) {
    let mut lines = BoundedLines::new(BufReader::with_capacity(BUFFER, stdout), MAX_LINE);
    let room = Arc::new(Semaphore::new(usize::try_from(MAX_FRAMES_KIB).unwrap_or(usize::MAX)));
    loop {
        let (incoming, bytes) = match lines.next().await {
            Ok(Read::End) => break,
            Err(error) => {
                tracing::warn!(%error, "the output of Claude Code could not be read");
                break;
            }
            Ok(Read::TooLong(bytes)) => (Incoming::TooLong { bytes }, 0),
            Ok(Read::Line(line)) if line.trim_ascii().is_empty() => continue,
            Ok(Read::Line(line)) => match Frame::parse(line) {
                Ok(Frame::Answer { request_id, answer }) => {
                    // The repetition of an own answer answers nothing.
                    waiting.answered(&request_id, answer);
                    continue;
                }
                Ok(frame) => (Incoming::Frame(frame), line.len()),
                Err(error) => {
                    let text = String::from_utf8_lossy(line).chars().take(MAX_ODD).collect();
                    let (bytes, error) = (line.len(), error.to_string());
                    (Incoming::Malformed { line: text, bytes, error }, 0)
                }
            },
        };
        let size = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(MAX_FRAMES_KIB);
        let permit = room.clone().acquire_many_owned(size).await.ok();
        // Nobody reads any more: the pipe is drained all the same, for the answers in it.
        let _ = told.send((incoming, permit)).await;
    }
    waiting.end();
}

/// The control requests that wait for their answers.
#[derive(Debug, Default)]
struct Waiting(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    ended: bool,
    asked: HashMap<String, oneshot::Sender<Result<Value, String>>>,
}

/// An answer that is waited for; forgotten when dropped.
#[derive(Debug)]
struct Awaited {
    id: String,
    waiting: Arc<Waiting>,
    answer: oneshot::Receiver<Result<Value, String>>,
}

impl Waiting {
    fn wait_for(self: &Arc<Self>, id: &str) -> Result<Awaited, ControlError> {
        let mut open = self.open();
        if open.ended {
            return Err(ControlError::Ended);
        }
        if open.asked.len() >= MAX_WAITING {
            return Err(ControlError::Busy);
        }
        let (told, answer) = oneshot::channel();
        open.asked.insert(id.to_owned(), told);
        Ok(Awaited { id: id.to_owned(), waiting: self.clone(), answer })
    }

    fn answered(&self, id: &str, answer: Result<Value, String>) {
        if let Some(asked) = self.open().asked.remove(id) {
            let _ = asked.send(answer);
        }
    }

    fn end(&self) {
        let mut open = self.open();
        open.ended = true;
        open.asked.clear();
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited {
    async fn given(&mut self) -> Result<Value, ControlError> {
        match (&mut self.answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refusal)) => Err(ControlError::Refused(refusal)),
            Err(_) => Err(ControlError::Ended),
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.waiting.open().asked.remove(&self.id);
    }
}
