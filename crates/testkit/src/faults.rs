//! A bad link to a real `kilo serve`: a proxy that cuts, stalls, delays and lies.
//!
//! Nothing in the product knows of it. [`FaultProxy::program`] is a program to use in Kilo's place:
//! it becomes the real Kilo, and only the line that tells where the server listens is replaced, so
//! that all requests go through the proxy. Processes, signals and exits are Kilo's own.
//!
//! What goes wrong is either said by a test, for the next requests of a route and for the event
//! streams that are open ([`FaultProxy::next`], [`FaultProxy::cut_streams`]), or it is drawn from a
//! seed ([`FaultProxy::weather`]).

mod program;
mod stream;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::dice::Dice;
use crate::model::conn::{ConnHandle, CountingListener, Counts};

/// A running proxy. It stops when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    program: PathBuf,
    shared: Arc<Shared>,
    task: JoinHandle<io::Result<()>>,
}

/// What is done to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset before Kilo has the request.
    Refuse,
    /// Kilo does what is asked, and the connection is reset in place of its answer.
    Lose,
    /// Kilo does not get the request: this page with this status is the answer.
    Page(u16),
    /// Kilo does what is asked; this page with this status is told in place of its answer.
    PageInstead(u16),
    /// Kilo gets the request later.
    Delay(Duration),
    /// Kilo does not get the request, and nothing is answered until the client gives up.
    Hang,
}

/// What goes wrong by chance.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Decides.
    pub dice: Dice,
    /// How many of a thousand requests meet a fault.
    pub requests: u64,
    /// Between how many and how many bytes after its start an event stream is cut, if it is.
    pub stream_bytes: Option<std::ops::Range<u64>>,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its method.
    pub method: String,
    /// Its path, without parameters.
    pub path: String,
    /// What was done to it.
    pub fault: Option<Fault>,
    /// What Kilo answered, if it had the request and answered.
    pub status: Option<u16>,
}

impl Seen {
    /// Says whether Kilo did get it.
    #[must_use]
    pub fn arrived(&self) -> bool {
        self.status.is_some()
    }
}

/// Requests that are remembered; the oldest are forgotten beyond.
const KEPT: usize = 5000;
/// The largest request and answer that is passed on; Kilo's list of providers has 6.3 MB.
const MAX_BODY: usize = 64 << 20;

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    planned: Mutex<Vec<Planned>>,
    weather: Mutex<Option<Weather>>,
    seen: Mutex<VecDeque<Seen>>,
    streams: watch::Sender<stream::Order>,
}

#[derive(Debug)]
struct Planned {
    method: &'static str,
    ends_with: String,
    times: u32,
    fault: Fault,
}

impl FaultProxy {
    /// Starts a proxy, and writes the program that stands for the Kilo at `kilo` into `dir`.
    ///
    /// # Errors
    /// When it cannot listen or the program cannot be written.
    pub async fn start(dir: &Path, kilo: &Path) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let program = program::write(dir, kilo, address)
            .with_context(|| format!("no program can be written into {}", dir.display()))?;
        let http = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
        let shared = Arc::new(Shared {
            http,
            planned: Mutex::default(),
            weather: Mutex::default(),
            seen: Mutex::default(),
            streams: watch::Sender::default(),
        });
        let app = Router::new().fallback(pass).with_state(shared.clone());
        let app = app.into_make_service_with_connect_info::<ConnHandle>();
        let listener = CountingListener::new(listener, Arc::<Counts>::default());
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { program, shared, task })
    }

    /// The program that stands for Kilo.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Does `fault` to the next `times` requests of a method whose path has this end.
    pub fn next(
        &self,
        method: &'static str,
        ends_with: impl Into<String>,
        times: u32,
        fault: Fault,
    ) {
        let planned = Planned { method, ends_with: ends_with.into(), times, fault };
        lock(&self.shared.planned).push(planned);
    }

    /// Lets the requests of a route through again.
    pub fn mend(&self, method: &str, ends_with: &str) {
        let planned = &mut *lock(&self.shared.planned);
        planned.retain(|p| p.method != method || p.ends_with != ends_with);
    }

    /// Lets things go wrong by chance from now on, or no longer.
    pub fn weather(&self, weather: Option<Weather>) {
        *lock(&self.shared.weather) = weather;
    }

    /// Cuts the event streams that are open.
    pub fn cut_streams(&self) {
        self.shared.streams.send_modify(|order| order.cuts += 1);
    }

    /// Cuts each event stream that is open after so many more bytes.
    pub fn cut_streams_after(&self, bytes: u64) {
        self.shared.streams.send_modify(|order| {
            order.limits += 1;
            order.limit = bytes;
        });
    }

    /// Lets nothing more through the event streams, open and new ones; or again.
    pub fn stall_streams(&self, stall: bool) {
        self.shared.streams.send_modify(|order| order.stalled = stall);
    }

    /// Has the event streams that are open tell this too, between two of Kilo's own events.
    pub fn tell(&self, event: &serde_json::Value) {
        self.shared.streams.send_modify(|order| {
            order.insertions += 1;
            order.inserted = format!("data: {event}\n\n");
        });
    }

    /// How many event streams were opened so far.
    #[must_use]
    pub fn streams_opened(&self) -> usize {
        self.seen().iter().filter(|seen| seen.path.ends_with(EVENTS) && seen.arrived()).count()
    }

    /// The requests that came, oldest first; the last few thousand of them.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).iter().cloned().collect()
    }

    /// How often Kilo got a request of this method whose path has this end.
    #[must_use]
    pub fn arrived(&self, method: &str, ends_with: &str) -> usize {
        let wanted = |s: &&Seen| s.method == method && s.path.ends_with(ends_with) && s.arrived();
        lock(&self.shared.seen).iter().filter(wanted).count()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The route of the event stream.
const EVENTS: &str = "/global/event";

/// How long what was sent before a reset is given to leave.
const BEFORE_CUT: Duration = Duration::from_millis(20);

async fn pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(conn): ConnectInfo<ConnHandle>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some((upstream, path, query)) = target(&parts.uri) else {
        return (StatusCode::BAD_GATEWAY, "no server of Kilo is named").into_response();
    };
    let mut seen = Seen {
        method: parts.method.to_string(),
        path: path.clone(),
        fault: shared.fault(&parts.method, &path),
        status: None,
    };
    match &seen.fault {
        Some(Fault::Refuse) => return shared.cut(seen, &conn).await,
        Some(Fault::Page(status)) => {
            let status = *status;
            shared.note(seen);
            return page(status);
        }
        Some(Fault::Hang) => {
            shared.note(seen);
            return std::future::pending().await;
        }
        Some(Fault::Delay(time)) => tokio::time::sleep(*time).await,
        Some(Fault::Lose | Fault::PageInstead(_)) | None => {}
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return shared.cut(seen, &conn).await;
    };
    let url = format!("{upstream}{path}{query}");
    let request = shared.http.request(parts.method, url).headers(end_to_end(&parts.headers));
    let Ok(answer) = request.body(body).send().await else {
        return shared.cut(seen, &conn).await;
    };
    let (status, headers) = (answer.status(), end_to_end(answer.headers()));
    seen.status = Some(status.as_u16());
    let body = if path == EVENTS {
        let limit = shared.stream_limit();
        stream::pass(answer, shared.streams.subscribe(), limit)
    } else {
        let Ok(body) = answer.bytes().await else { return shared.cut(seen, &conn).await };
        Body::from(body)
    };
    match seen.fault {
        Some(Fault::Lose) => shared.cut(seen, &conn).await,
        Some(Fault::PageInstead(status)) => {
            shared.note(seen);
            page(status)
        }
        _ => {
            shared.note(seen);
            (status, headers, body).into_response()
        }
    }
}

/// The server, the path and the parameters behind an address of ours: its first segment is the
/// server's port.
fn target(uri: &axum::http::Uri) -> Option<(String, String, String)> {
    let (port, path) = uri.path().trim_start_matches('/').split_once('/')?;
    let port: u16 = port.parse().ok()?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Some((format!("http://{upstream}"), format!("/{path}"), query))
}

/// The headers that are not about one connection alone.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in
        [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
    {
        kept.remove(name);
    }
    kept
}

fn page(status: u16) -> Response {
    const PAGE: &str = "<!doctype html><title>Bad gateway</title><h1>It is not Kilo who answers";
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, "text/html")], PAGE).into_response()
}

impl Shared {
    /// What is to be done to a request.
    fn fault(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut planned = lock(&self.planned);
        let found = planned
            .iter_mut()
            .find(|p| p.times > 0 && p.method == method.as_str() && path.ends_with(&p.ends_with));
        if let Some(found) = found {
            found.times -= 1;
            return Some(found.fault.clone());
        }
        planned.retain(|planned| planned.times > 0);
        drop(planned);
        let mut weather = lock(&self.weather);
        let weather = weather.as_mut()?;
        if !weather.dice.happens(weather.requests) {
            return None;
        }
        Some(match weather.dice.within(0..6) {
            0 => Fault::Refuse,
            1 => Fault::Lose,
            2 => Fault::Page(502),
            3 => Fault::PageInstead(500),
            4 => Fault::PageInstead(200),
            _ => Fault::Delay(weather.dice.millis(50..3000)),
        })
    }

    fn stream_limit(&self) -> Option<u64> {
        let mut weather = lock(&self.weather);
        let weather = weather.as_mut()?;
        let range = weather.stream_bytes.clone()?;
        Some(weather.dice.within(range))
    }

    async fn cut(&self, seen: Seen, conn: &ConnHandle) -> Response {
        self.note(seen);
        tokio::time::sleep(BEFORE_CUT).await;
        conn.cut();
        std::future::pending().await
    }

    fn note(&self, seen: Seen) {
        let mut all = lock(&self.seen);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(seen);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
