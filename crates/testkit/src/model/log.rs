//! What the server was asked, kept for assertions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::answer::Kind;
use super::protocol::Protocol;

/// One call of the model.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Counts from 0 in order of arrival.
    pub number: u64,
    /// The protocol it came in.
    pub protocol: Protocol,
    /// What the request was taken for.
    pub kind: Kind,
    /// The model's id.
    pub model: String,
    /// How hard the model is to think, when the client says so.
    pub reasoning_effort: Option<String>,
    /// The names of the tools the client offered.
    pub tools: Vec<String>,
    /// Whether the answer was to be streamed.
    pub stream: bool,
    /// The request as it came, images and all. `null` in place of a body of more than 1 MiB.
    pub body: Value,
    /// The request's headers without the credential.
    pub headers: Vec<(String, String)>,
    /// How the answer went.
    pub outcome: Outcome,
}

/// How an answer went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not over yet.
    Running,
    /// Sent to its end.
    Completed,
    /// Refused with a status by the script.
    Refused,
    /// Reset by the script.
    Cut,
    /// The client closed the connection before the end.
    Abandoned,
}

impl Call {
    /// Returns the messages of the request as they came, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Value] {
        let name = self.protocol.conversation();
        self.body[name].as_array().map_or(&[], Vec::as_slice)
    }

    /// Tells whether the request's text holds `words` anywhere.
    #[must_use]
    pub fn mentions(&self, words: &str) -> bool {
        self.protocol.read(&self.body).messages.iter().any(|message| message.text.contains(words))
    }
}

/// Calls kept; the oldest are dropped beyond that.
const KEPT_CALLS: usize = 1000;

/// Named scripts whose beginnings are counted; more are not.
const KEPT_PLAYS: usize = 100_000;

/// Larger bodies are not kept: a thousand of them would not fit.
const KEPT_BODY_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, Default)]
pub(crate) struct CallLog(Arc<Mutex<Calls>>);

#[derive(Debug)]
struct Calls {
    next: u64,
    most: usize,
    kept: VecDeque<Call>,
    /// How often each named script was begun.
    plays: BTreeMap<String, u32>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { next: 0, most: KEPT_CALLS, kept: VecDeque::new(), plays: BTreeMap::new() }
    }
}

impl CallLog {
    /// Notes a call; the guard closes it, as abandoned unless told otherwise.
    pub(crate) fn open(&self, mut call: Call, body_bytes: usize) -> OpenCall {
        if body_bytes > KEPT_BODY_BYTES {
            call.body = Value::Null;
        }
        let mut calls = self.lock();
        call.number = calls.next;
        let number = call.number;
        calls.next += 1;
        while calls.kept.len() >= calls.most {
            calls.kept.pop_front();
        }
        calls.kept.push_back(call);
        OpenCall { log: self.clone(), number, outcome: Outcome::Abandoned }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.lock().kept.iter().cloned().collect()
    }

    /// Keeps fewer calls, for runs that make very many.
    pub(crate) fn keep(&self, most: usize) {
        self.lock().most = most.clamp(1, KEPT_CALLS);
    }

    /// Notes that a named script was begun.
    pub(crate) fn play(&self, id: &str) {
        let mut calls = self.lock();
        if calls.plays.len() < KEPT_PLAYS || calls.plays.contains_key(id) {
            *calls.plays.entry(id.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn plays(&self, id: &str) -> u32 {
        self.lock().plays.get(id).copied().unwrap_or_default()
    }

    fn close(&self, number: u64, outcome: Outcome) {
        let mut calls = self.lock();
        if let Some(call) = calls.kept.iter_mut().find(|call| call.number == number) {
            call.outcome = outcome;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is being answered.
pub(crate) struct OpenCall {
    log: CallLog,
    pub(crate) number: u64,
    outcome: Outcome,
}

impl OpenCall {
    /// Says how the answer goes; it counts when the guard is dropped.
    pub(crate) fn set(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.log.close(self.number, self.outcome);
    }
}
