//! The HTTP face of the model: the protocols' routes, and a few for control.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::answer::{Answer, Kind, answer};
use super::conn::{ConnHandle, CountingListener, Counts};
use super::emit::{ops, usage};
use super::log::{Call, CallLog, OpenCall, Outcome};
use super::protocol::Protocol;
use super::request::Request;
use super::run::Run;
use super::script::{Action, Script, Step};
use super::told::{self, MOST_TOLD, Told};

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
pub(crate) struct Shared {
    log: CallLog,
    counts: Arc<Counts>,
    /// Gates that are open, for good. Their names come from tests, which end.
    pub(crate) released: watch::Sender<BTreeSet<String>>,
    /// Gates that an answer has come to.
    pub(crate) reached: watch::Sender<BTreeSet<String>>,
    /// How often a step with `times` refused, by session and [`Answer::key`].
    refusals: Mutex<BTreeMap<String, u32>>,
    /// What requests for titles are answered with, instead of a title.
    titles: Mutex<Option<Step>>,
    /// Scripts of messages that do not carry them.
    told: Mutex<Told>,
}

/// What a step may be asked to refuse in all: beyond, the counts are forgotten.
const KEPT_REFUSALS: usize = 10_000;

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
            told: Mutex::default(),
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

    /// Returns the base URL without `/v1`, as Claude Code is configured: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
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

    /// Plays this script from now on to messages that have a line of just these words. At most a
    /// thousand are kept; further ones are dropped, which is told by `false`.
    #[must_use]
    pub fn answer_to(&self, words: &str, script: Script) -> bool {
        answer_to(&self.shared, words, script)
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
        .route("/v1/responses", post(responses))
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        // Claude Code 2.1.197 asks for nothing there, to have a connection.
        .route("/", get(|| async {}))
        .route("/v1/models", get(models))
        .route("/control/release/{gate}", post(control_release))
        .route("/control/script", post(control_script))
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

#[derive(Deserialize)]
struct Tell {
    words: String,
    script: Value,
}

async fn control_script(
    State(shared): State<Arc<Shared>>,
    Json(tell): Json<Tell>,
) -> Result<(), (StatusCode, String)> {
    let refuse = |why: String| (StatusCode::BAD_REQUEST, why);
    let script = Script::from_value(tell.script).map_err(|error| refuse(error.to_string()))?;
    if answer_to(&shared, &tell.words, script) {
        return Ok(());
    }
    Err(refuse(format!("no more than {MOST_TOLD} scripts are kept")))
}

async fn control_calls(State(shared): State<Arc<Shared>>) -> Json<Vec<Call>> {
    Json(shared.log.all())
}

async fn control_connections(State(shared): State<Arc<Shared>>) -> Json<Connections> {
    Json(connections(&shared))
}

async fn chat(state: State<Arc<Shared>>, asked: Asked) -> Response {
    play(Protocol::Chat, state, asked).await
}

async fn responses(state: State<Arc<Shared>>, asked: Asked) -> Response {
    play(Protocol::Responses, state, asked).await
}

async fn messages(state: State<Arc<Shared>>, asked: Asked) -> Response {
    play(Protocol::Messages, state, asked).await
}

/// Counts the tokens of what would be a request of Anthropic's, as roughly as the answers do.
async fn count_tokens(Json(body): Json<Value>) -> Json<Value> {
    Json(json!({ "input_tokens": Protocol::Messages.read(&body).estimated_tokens() }))
}

/// What a handler of a call is given.
type Asked = (ConnectInfo<ConnHandle>, HeaderMap, String);

async fn play(
    protocol: Protocol,
    State(shared): State<Arc<Shared>>,
    (ConnectInfo(conn), headers, body): Asked,
) -> Response {
    conn.carries_call();
    let value: Value = match serde_json::from_str(&body) {
        Ok(value) => value,
        Err(error) => {
            let told = json!({ "error": { "message": error.to_string() } });
            return refusal(protocol, 400, &told);
        }
    };
    let mut request = protocol.read(&value);
    told::put_in(&mut request, &shared.told.lock().unwrap_or_else(PoisonError::into_inner));
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
    let key = format!("{}#{}", protocol.session(&headers), answer.key);
    let step = match refused(&shared, &answer, &key) {
        Judged::Refuse(status, body, headers) => {
            return refuse(call, protocol, status, &body, &headers);
        }
        Judged::Play(step) => step,
    };
    let usage = usage(&step, request.estimated_tokens());
    let writer = protocol.writer(&request, call.number);
    let ops = ops(&step);
    let run = Run { ops, call, conn, shared, protocol, writer, usage, opened: false };
    if request.stream { run.streamed().await } else { run.whole().await }
}

fn note(request: &Request, answer: &Answer, body: Value, headers: &HeaderMap) -> Call {
    let shown = headers.iter().filter(|(name, _)| !CREDENTIALS.contains(&name.as_str()));
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Call {
        number: 0,
        protocol: request.protocol,
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

/// The headers that are not kept.
const CREDENTIALS: &[&str] = &["authorization", "x-api-key"];

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

pub(crate) fn refuse(
    mut call: OpenCall,
    protocol: Protocol,
    status: u16,
    body: &Value,
    headers: &BTreeMap<String, String>,
) -> Response {
    call.set(Outcome::Refused);
    let mut response = refusal(protocol, status, body);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), value.try_into()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refusal(protocol: Protocol, status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Value::String(page) = body {
        return (status, Html(page.clone())).into_response();
    }
    let reason = status.canonical_reason().unwrap_or("refused");
    (status, Json(protocol.refusal(status.as_u16(), reason, body))).into_response()
}

fn release(shared: &Shared, gate: &str) {
    shared.released.send_modify(|gates| {
        gates.insert(gate.to_owned());
    });
}

fn answer_to(shared: &Shared, words: &str, script: Script) -> bool {
    let mut told = shared.told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() >= MOST_TOLD && !told.contains_key(words) {
        return false;
    }
    told.insert(words.to_owned(), script);
    true
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
