use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::instance::Instance;
use crate::json::mended;
use crate::stream::{ByteStream, EventStream, Source, StreamOptions};

/// Where a server is and how to get in.
#[derive(Clone)]
pub struct Connection {
    /// Its base URL, `http://127.0.0.1:4096`.
    pub url: String,
    /// The user name; `kilo` unless `KILO_SERVER_USERNAME` was set for the server.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Connection {
    /// A connection as user `kilo`.
    pub fn new(url: impl Into<String>, password: impl Into<String>) -> Self {
        Self { url: url.into(), username: "kilo".into(), password: password.into() }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("url", &self.url)
            .field("username", &self.username)
            .field("password", &"…")
            .finish()
    }
}

/// Bounds of requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Time for most requests. Default 15 s.
    pub quick: Duration,
    /// Time for those that may start an instance, read megabytes or tidy up. Default 60 s.
    pub slow: Duration,
    /// Time for those that wait for a model. Default 10 min.
    pub model: Duration,
    /// Largest answer in bytes. Default 64 MiB; `GET /provider` takes 6.3 MB (Kilo 7.7.7), the
    /// history of a session as much as its attachments.
    pub max_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quick: Duration::from_secs(15),
            slow: Duration::from_secs(60),
            model: Duration::from_secs(600),
            max_body: 64 * 1024 * 1024,
        }
    }
}

/// What a server says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Whether it works.
    pub healthy: bool,
    /// Its version.
    pub version: String,
}

/// A client of one server. Cheap to clone.
///
/// What concerns one directory is asked through [`Client::at`].
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    connection: Connection,
    limits: Limits,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("connection", &self.inner.connection).finish()
    }
}

impl Client {
    /// A client of the server at `connection`; nothing is sent yet.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(connection: Connection, limits: Limits) -> Result<Self, Error> {
        const CONNECT: Duration = Duration::from_secs(5);
        let http = reqwest::Client::builder()
            // The server is on this machine, whatever proxy the environment names.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .build()
            .map_err(|e| Error::Unusable(e.to_string()))?;
        Ok(Self { inner: Arc::new(Inner { http, connection, limits }) })
    }

    /// The server as seen from one directory, given as an absolute path. The first request about
    /// a directory makes the server start an *instance* for it: it reads the project's
    /// configuration and starts the MCP servers named there.
    #[must_use]
    pub fn at(&self, directory: &str) -> Instance {
        Instance::new(self.clone(), Some(directory))
    }

    /// The server as seen from the directory it was started in.
    #[must_use]
    pub fn at_home(&self) -> Instance {
        Instance::new(self.clone(), None)
    }

    /// Asks whether the server works. Starts no instance.
    ///
    /// # Errors
    /// If it does not answer properly.
    pub async fn health(&self) -> Result<Health, Error> {
        self.get("/global/health").await
    }

    /// The server's description of itself, an OpenAPI document (0.8 MB; Kilo 7.7.7); for
    /// [`drift::compare`](crate::drift::compare).
    ///
    /// # Errors
    /// If it does not answer properly.
    pub async fn description(&self) -> Result<Value, Error> {
        self.call(Call::get("/doc").timeout(self.limits().slow)).await
    }

    /// Opens the event stream of all directories.
    #[must_use]
    pub fn events(&self, options: StreamOptions) -> EventStream {
        EventStream::open(self, options)
    }

    /// Disposes of all instances. Every running turn is aborted.
    ///
    /// # Errors
    /// If the server refuses or fails.
    pub async fn dispose_all(&self) -> Result<(), Error> {
        let timeout = self.limits().slow;
        self.call(Call::post("/global/dispose").timeout(timeout)).await.map(|_: Value| ())
    }

    /// The URL of the server.
    #[must_use]
    pub fn url(&self) -> &str {
        self.inner.connection.url.trim_end_matches('/')
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.call(Call::get(path)).await
    }

    /// Sends a request and decodes its JSON answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let (body, _) = self.answer(&call).await?;
        decode(&call.path, &body)
    }

    /// Sends a request and gives its successful answer's body and headers.
    pub(crate) async fn answer(&self, call: &Call) -> Result<(Vec<u8>, HeaderMap), Error> {
        let timeout = call.timeout.unwrap_or(self.limits().quick);
        let response = self.send(call, Some(timeout)).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.body(response, timeout).await?;
        if status.is_success() {
            Ok((body, headers))
        } else {
            let kind = content_type(&headers);
            Err(Error::from_answer(&call.path, status.as_u16(), kind, &body))
        }
    }

    async fn send(&self, call: &Call, timeout: Option<Duration>) -> Result<Response, Error> {
        let url = format!("{}{}", self.url(), call.path);
        let connection = &self.inner.connection;
        let mut request = self
            .inner
            .http
            .request(call.method.clone(), url)
            .basic_auth(&connection.username, Some(&connection.password));
        if let Some(directory) = &call.directory {
            request = request.header("x-kilo-directory", directory.clone());
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        request.send().await.map_err(|e| Error::transport(e, timeout.unwrap_or_default()))
    }

    async fn body(&self, response: Response, timeout: Duration) -> Result<Vec<u8>, Error> {
        let max = self.limits().max_body;
        let expected = response.content_length().and_then(|n| usize::try_from(n).ok());
        if expected.is_some_and(|n| n > max) {
            return Err(Error::TooLarge(max));
        }
        let mut body = Vec::with_capacity(expected.unwrap_or_default());
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|e| Error::transport(e, timeout))?;
            if body.len() + chunk.len() > max {
                return Err(Error::TooLarge(max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Source for Client {
    async fn open(&self) -> Result<ByteStream, Error> {
        let call = Call::get("/global/event");
        // No timeout for the whole: the watchdog of the stream is on the clock.
        let response = self.send(&call, None).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            let body = self.body(response, self.limits().quick).await?;
            let kind = content_type(&headers);
            return Err(Error::from_answer(&call.path, status.as_u16(), kind, &body));
        }
        let kind = content_type(&headers);
        if !kind.starts_with("text/event-stream") {
            return Err(Error::not_json(status.as_u16(), kind, b""));
        }
        let bytes = response.bytes_stream();
        Ok(Box::pin(bytes.map(|chunk| chunk.map_err(|e| Error::transport(e, Duration::ZERO)))))
    }
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    timeout: Option<Duration>,
    directory: Option<HeaderValue>,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None, timeout: None, directory: None }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(crate) fn directory(mut self, directory: Option<HeaderValue>) -> Self {
        self.directory = directory;
        self
    }

    /// Adds a parameter to the query.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{mark}{name}={}", self.path, encode(value));
        self
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// Percent-encodes one segment of a path, a parameter or a header's value.
pub(crate) fn encode(text: &str) -> String {
    const PLAIN: AsciiSet =
        NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    utf8_percent_encode(text, &PLAIN).to_string()
}

pub(crate) fn decode<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(&mended(body)).map_err(|source| {
        // What does not even begin as JSON is another thing than JSON of another shape.
        let json = body.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| {
            matches!(b, b'{' | b'[' | b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9')
        });
        if json {
            Error::Decode { path: path.to_owned(), source }
        } else {
            Error::not_json(200, "", body)
        }
    })
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default()
}
