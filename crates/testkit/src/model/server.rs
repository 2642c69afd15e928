//! The HTTP face of the model: OpenAI's chat completions, and a few control routes.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::answer::{Answer, Kind, answer};
use super::conn::{ConnHandle, CountingListener, Counts};
use super::emit::{Op, Ops, ops};
use super::log::{Call, CallLog, OpenCall, Outcome};
use super::request::ChatRequest;
use super::script::{Action, Script, Step};

/// A running model server. It stops when dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<io::Result<()>>,
}

/// How many connections and answers there were and are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// Connections so far that carried a call of the model.
    pub opened: usize,
    /// Of these, how many are closed.
    pub closed: usize,
    /// Answers under way.
    pub running: usize,
    /// Answers that a client gave up.
    pub abandoned: usize,
}

#[derive(Debug)]
struct Shared {
    log: CallLog,
    counts: Arc<Counts>,
    /// Gates that are open, for good. Their names come from tests, which end.
    released: watch::Sender<BTreeSet<String>>,
    /// Gates that an answer has come to.
    reached: watch::Sender<BTreeSet<String>>,
    /// How often a step with `times` refused, by session and [`Answer::key`].
    refusals: Mutex<BTreeMap<String, u32>>,
    /// What requests for titles are answered with, instead of a title.
    titles: Mutex<Option<Step>>,
}

/// What a step may be asked to refuse in all: beyond, the counts are forgotten.
const KEPT_REFUSALS: usize = 10_000;

/// The header in which Kilo 7.7.7 names its session, so that equal scripts do not share a count.
const SESSION: &str = "x-session-id";

/// Histories with images in them are megabytes; one beyond this is a mistake.
const BODY_LIMIT_BYTES: usize = 64 << 20;

impl ModelServer {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts a server on a port of the loopback interface.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            log: CallLog::default(),
            counts: Arc::default(),
            released: watch::Sender::default(),
            reached: watch::Sender::default(),
            refusals: Mutex::default(),
            titles: Mutex::default(),
        });
        let app = router(shared.clone()).into_make_service_with_connect_info::<ConnHandle>();
        let listener = CountingListener::new(listener, shared.counts.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { address, shared, task })
    }

    /// Returns the base URL clients are configured with: `http://127.0.0.1:<port>/v1`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Returns where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a gate, for good: every answer that waits for it, or ever will, goes on.
    pub fn release(&self, gate: &str) {
        release(&self.shared, gate);
    }

    /// Waits until an answer has come to a gate. What it sent before is then on its way.
    pub async fn reached(&self, gate: &str) {
        // The sender lives in `shared`, so the channel cannot be closed here.
        let _ = self.shared.reached.subscribe().wait_for(|gates| gates.contains(gate)).await;
    }

    /// Returns the calls so far, oldest first; the last thousand of them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.log.all()
    }

    /// Remembers only so many calls from now on, for runs that make very many with long histories.
    pub fn keep_calls(&self, most: usize) {
        self.shared.log.keep(most);
    }

    /// Answers requests for titles with the first step of this script from now on.
    pub fn answer_titles(&self, script: &Script) {
        let step = script.steps.first().cloned();
        *self.shared.titles.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    /// Returns how often the model was called for the first step of the script of this name.
    #[must_use]
    pub fn plays(&self, id: &str) -> u32 {
        self.shared.log.plays(id)
    }

    /// Returns the calls so far whose request holds `words`, without those for a title: when Kilo
    /// 7.7.7 asks for one, and with how many of a person's messages in it, is a matter of chance.
    #[must_use]
    pub fn calls_with(&self, words: &str) -> Vec<Call> {
        let for_words = |call: &Call| call.kind != Kind::Title && call.mentions(words);
        self.calls().into_iter().filter(for_words).collect()
    }

    /// Returns how many connections and answers there were and are.
    #[must_use]
    pub fn connections(&self) -> Connections {
        connections(&self.shared)
    }

    /// Serves until it fails, for a program that does nothing else.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.task).await.map_err(io::Error::other)?
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models", get(models))
        .route("/control/release/{gate}", post(control_release))
        .route("/control/calls", get(control_calls))
        .route("/control/connections", get(control_connections))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .with_state(shared)
}

async fn models() -> Json<Value> {
    let model = |id: &str| json!({ "id": id, "object": "model", "owned_by": "testkit" });
    let all: Vec<Value> =
        ["m1", "m2", "vendor/name:free", "m-vision"].into_iter().map(model).collect();
    Json(json!({ "object": "list", "data": all }))
}

async fn control_release(State(shared): State<Arc<Shared>>, Path(gate): Path<String>) {
    release(&shared, &gate);
}

async fn control_calls(State(shared): State<Arc<Shared>>) -> Json<Vec<Call>> {
    Json(shared.log.all())
}

async fn control_connections(State(shared): State<Arc<Shared>>) -> Json<Connections> {
    Json(connections(&shared))
}

async fn chat(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(conn): ConnectInfo<ConnHandle>,
    headers: HeaderMap,
    body: String,
) -> Response {
    conn.carries_call();
    let value: Value = match serde_json::from_str(&body) {
        Ok(value) => value,
        Err(error) => return refusal(400, &json!({ "error": { "message": error.to_string() } })),
    };
    let request = ChatRequest::read(&value);
    let mut answer = answer(&request);
    if answer.kind == Kind::Title
        && let Some(step) = &*shared.titles.lock().unwrap_or_else(PoisonError::into_inner)
    {
        answer.step.clone_from(step);
    }
    let call = shared.log.open(note(&request, &answer, value, &headers), body.len());
    if let Some(id) = &answer.begins {
        shared.log.play(id);
    }
    let session = headers.get(SESSION).map(|id| String::from_utf8_lossy(id.as_bytes()));
    let key = format!("{}#{}", session.unwrap_or_default(), answer.key);
    let step = match refused(&shared, &answer, &key) {
        Judged::Refuse(status, body, headers) => {
            return refuse(call, status, &body, &headers);
        }
        Judged::Play(step) => step,
    };
    let ops = ops(&step, &call.number.to_string(), request.estimated_tokens());
    let run = Run { ops, call, conn, shared, model: request.model, opened: false };
    if request.stream { run.streamed().await } else { run.whole().await }
}

fn note(request: &ChatRequest, answer: &Answer, body: Value, headers: &HeaderMap) -> Call {
    let shown = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Call {
        number: 0,
        kind: answer.kind.clone(),
        model: request.model.clone(),
        reasoning_effort: request.reasoning_effort.clone(),
        tools: request.tools.clone(),
        stream: request.stream,
        body,
        headers: shown.map(|(name, value)| (name.to_string(), text(value))).collect(),
        outcome: Outcome::Running,
    }
}

enum Judged {
    Refuse(u16, Value, BTreeMap<String, String>),
    Play(Step),
}

/// Takes a leading refusal off a step, and applies it unless its `times` are used up.
fn refused(shared: &Shared, answer: &Answer, key: &str) -> Judged {
    for action in &answer.step {
        let Action::Status { status, body, headers, times } = action else {
            continue;
        };
        if times.is_none_or(|times| count_refusal(shared, key) <= times) {
            return Judged::Refuse(*status, body.clone(), headers.clone());
        }
    }
    Judged::Play(answer.step.clone())
}

fn count_refusal(shared: &Shared, key: &str) -> u32 {
    let mut refusals = shared.refusals.lock().unwrap_or_else(PoisonError::into_inner);
    if refusals.len() >= KEPT_REFUSALS {
        refusals.clear();
    }
    let count = refusals.entry(key.to_owned()).or_default();
    *count += 1;
    *count
}

fn refuse(
    mut call: OpenCall,
    status: u16,
    body: &Value,
    headers: &BTreeMap<String, String>,
) -> Response {
    call.set(Outcome::Refused);
    let mut response = refusal(status, body);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), value.try_into()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refusal(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Value::String(page) = body {
        return (status, Html(page.clone())).into_response();
    }
    let said = status.canonical_reason().unwrap_or("refused");
    let default = json!({ "error": { "message": said, "type": "error", "code": status.as_u16() } });
    (status, Json(if body.is_null() { &default } else { body })).into_response()
}

fn release(shared: &Shared, gate: &str) {
    shared.released.send_modify(|gates| {
        gates.insert(gate.to_owned());
    });
}

fn connections(shared: &Shared) -> Connections {
    let calls = shared.log.all();
    let count = |outcome| calls.iter().filter(|call| call.outcome == outcome).count();
    Connections {
        opened: shared.counts.opened.load(Ordering::SeqCst),
        closed: shared.counts.closed.load(Ordering::SeqCst),
        running: count(Outcome::Running),
        abandoned: count(Outcome::Abandoned),
    }
}

/// One answer under way. Dropping it, which is what a client's going away does, closes its call.
struct Run {
    ops: Ops,
    call: OpenCall,
    conn: ConnHandle,
    shared: Arc<Shared>,
    model: String,
    opened: bool,
}

/// What the next output is, once pauses and gates are behind it.
enum Output {
    Open,
    Delta(Value),
    Error(Value),
    Finish { reason: String, usage: Value },
    End,
}

/// Lets what was written before a reset leave first: it would be thrown away with the connection.
const BEFORE_CUT: Duration = Duration::from_millis(20);

impl Run {
    async fn next(&mut self) -> Output {
        loop {
            match self.ops.next() {
                Some(Op::Open) => return Output::Open,
                Some(Op::Delta(delta)) => return Output::Delta(delta),
                Some(Op::Error(error)) => return Output::Error(error),
                Some(Op::Finish { reason, usage }) => return Output::Finish { reason, usage },
                Some(Op::End) | None => return Output::End,
                Some(Op::Sleep(time)) => tokio::time::sleep(time).await,
                Some(Op::Wait(gate)) => self.wait(gate).await,
                Some(Op::Hang) => std::future::pending::<()>().await,
                Some(Op::Cut) => {
                    tokio::time::sleep(BEFORE_CUT).await;
                    self.call.set(Outcome::Cut);
                    self.conn.cut();
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    async fn wait(&mut self, gate: String) {
        let mut released = self.shared.released.subscribe();
        self.shared.reached.send_modify(|gates| {
            gates.insert(gate.clone());
        });
        let _ = released.wait_for(|gates| gates.contains(&gate)).await;
    }

    /// Answers as server-sent events. Headers go with the first output.
    async fn streamed(mut self) -> Response {
        let first = self.next().await;
        let first = self.frame(first);
        let rest = stream::unfold(Some((self, Some(first))), |state| async move {
            let (mut run, held) = state?;
            let (frame, last) = match held {
                Some(held) => held,
                None => {
                    let output = run.next().await;
                    run.frame(output)
                }
            };
            let frame = Ok::<_, Infallible>(frame);
            if last {
                run.call.set(Outcome::Completed);
                return Some((frame, None));
            }
            Some((frame, Some((run, None))))
        });
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(rest)).into_response()
    }

    /// Writes an output as events, and tells whether it is the last.
    fn frame(&mut self, output: Output) -> (String, bool) {
        let mut text = String::new();
        if !std::mem::replace(&mut self.opened, true) && !matches!(output, Output::End) {
            text += &self.event(&json!({ "role": "assistant", "content": "" }), None);
        }
        match output {
            Output::Open => (text, false),
            Output::Delta(delta) => (text + &self.event(&delta, None), false),
            Output::Error(error) => {
                (format!("{text}data: {}\n\n", json!({ "error": error })), false)
            }
            Output::End => (text, true),
            Output::Finish { reason, usage } => {
                text += &self.event(&json!({}), Some(&reason));
                let mut last = self.chunk(&json!([]));
                last["usage"] = usage;
                (format!("{text}data: {last}\n\ndata: [DONE]\n\n"), true)
            }
        }
    }

    fn event(&self, delta: &Value, reason: Option<&str>) -> String {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        format!("data: {}\n\n", self.chunk(&json!([choice])))
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": self.id(),
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": choices,
        })
    }

    fn id(&self) -> String {
        format!("chatcmpl-{}", self.call.number)
    }

    /// Answers with one body.
    async fn whole(mut self) -> Response {
        let mut message = json!({ "role": "assistant", "content": "" });
        let (reason, usage) = loop {
            match self.next().await {
                Output::Open => {}
                Output::Delta(delta) => merge(&mut message, &delta),
                Output::Error(error) => return refuse_late(self.call, &error),
                Output::End => break (Value::Null, Value::Null),
                Output::Finish { reason, usage } => break (json!(reason), usage),
            }
        };
        self.call.set(Outcome::Completed);
        Json(json!({
            "id": self.id(),
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
            "usage": usage,
        }))
        .into_response()
    }
}

fn refuse_late(call: OpenCall, error: &Value) -> Response {
    refuse(call, 500, &json!({ "error": error }), &BTreeMap::new())
}

/// Adds a delta to a message: texts are appended, tool calls listed.
fn merge(message: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => {
                let before = message[name].as_str().unwrap_or_default();
                message[name] = json!(format!("{before}{text}"));
            }
            Value::Array(calls) => {
                let mut all = message[name].as_array().cloned().unwrap_or_default();
                all.extend(calls.iter().cloned());
                message[name] = json!(all);
            }
            other => message[name] = other.clone(),
        }
    }
}
