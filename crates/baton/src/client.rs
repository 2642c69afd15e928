//! A client of a server: commands over HTTP, changes over the live socket.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{ClientMessage, Cursor, Health, Problem, ServerMessage, Topic};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::data::ServerFile;

/// How long a command may take; looking at a provider is the slowest.
const COMMAND_TIME: Duration = Duration::from_secs(90);
/// How long a server may take to say that it lives.
const HEALTH_TIME: Duration = Duration::from_secs(2);

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// A refusal or failure that the server told.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Problem);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.title)?;
        match &self.0.detail {
            Some(detail) => write!(f, " {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refused {}

impl Client {
    pub(crate) fn new(server: &ServerFile) -> Result<Self> {
        // Not by a proxy of the environment's: the server is on this machine.
        let http = reqwest::Client::builder().no_proxy().timeout(COMMAND_TIME).build()?;
        let url = server.url.trim_end_matches('/').to_owned();
        Ok(Self { http, url, token: server.token.clone() })
    }

    /// Where people reach the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether the server answers.
    pub(crate) async fn is_healthy(&self) -> bool {
        let asked = self.http.get(format!("{}/api/health", self.url)).timeout(HEALTH_TIME).send();
        match asked.await {
            Ok(response) => response.json::<Health>().await.is_ok_and(|health| health.ok),
            Err(_) => false,
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        Ok(self.ask(Method::GET, path, None::<&()>).await?.json().await?)
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        Ok(self.ask(Method::POST, path, Some(body)).await?.json().await?)
    }

    /// Sends a command that has neither a body nor an answer worth reading.
    pub(crate) async fn poke(&self, path: &str) -> Result<()> {
        self.ask(Method::POST, path, None::<&()>).await.map(drop)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Response> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let lost = || format!("the server at {} does not answer", self.url);
        let response = request.send().await.with_context(lost)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        match response.json::<Problem>().await {
            Ok(problem) => Err(Refused(problem).into()),
            Err(_) => Err(anyhow!("the server at {} answers {status}", self.url)),
        }
    }

    /// Opens the live socket and follows a topic.
    pub(crate) async fn follow(&self, topic: Topic, cursor: Option<Cursor>) -> Result<Live> {
        let address = self.url.replacen("http", "ws", 1);
        let mut request = format!("{address}/api/live").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, HeaderValue::from_str(&self.url)?);
        let bearer = format!("Bearer {}", self.token);
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&bearer)?);
        let lost = || format!("the server at {} opens no live socket", self.url);
        let (socket, _) = tokio_tungstenite::connect_async(request).await.with_context(lost)?;
        let mut live = Live(socket);
        let message = serde_json::to_string(&ClientMessage::Subscribe { topic, cursor })?;
        live.0.send(Message::text(message)).await?;
        Ok(live)
    }
}

/// An open live socket.
pub(crate) struct Live(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Live {
    /// The next message; `None` when the socket is closed or broken.
    pub(crate) async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(message) => return Some(message),
                    // A newer server may say more than is known here.
                    Err(error) => tracing::warn!(%error, "a message was not understood"),
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}
