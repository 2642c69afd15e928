//! A client of the live socket.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{ClientMessage, Cursor, ServerMessage, Topic};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long the next message may take before a bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct Door {
    /// Its address, `http://127.0.0.1:4777`.
    pub url: String,
    /// The secret of command lines.
    pub token: String,
}

/// A client's connection.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

/// A message, with the moment it was there and how long it is.
#[derive(Debug)]
pub struct Received {
    /// When it was there.
    pub at: Instant,
    /// How long it is.
    pub bytes: usize,
    /// What it says.
    pub message: ServerMessage,
}

impl Socket {
    /// Connects and takes the welcome.
    ///
    /// # Errors
    /// When the server cannot be reached or does not greet.
    pub async fn connect(door: &Door) -> Result<Self> {
        let url = format!("{}/api/live", door.url.replace("http://", "ws://"));
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {}", door.token).parse()?);
        headers.insert("origin", door.url.parse()?);
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        let mut socket = Self(socket);
        match socket.next().await?.message {
            ServerMessage::Welcome { .. } => Ok(socket),
            other => bail!("no welcome but {other:?}"),
        }
    }

    /// Follows a topic afresh.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn follow(&mut self, topic: Topic) -> Result<()> {
        self.follow_from(topic, None).await
    }

    /// Follows a topic, from a cursor if there is one.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn follow_from(&mut self, topic: Topic, cursor: Option<Cursor>) -> Result<()> {
        let message = ClientMessage::Subscribe { topic, cursor };
        Ok(self.0.send(Message::text(serde_json::to_string(&message)?)).await?)
    }

    /// No longer follows a topic.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn leave(&mut self, topic: Topic) -> Result<()> {
        let message = ClientMessage::Unsubscribe { topic };
        Ok(self.0.send(Message::text(serde_json::to_string(&message)?)).await?)
    }

    /// The next message of the server.
    ///
    /// # Errors
    /// When none comes in time or the connection is broken.
    pub async fn next(&mut self) -> Result<Received> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let message =
                next.context("no message in time")?.context("the socket was closed")??;
            let at = Instant::now();
            if let Message::Text(text) = message {
                let message = serde_json::from_str(&text)?;
                return Ok(Received { at, bytes: text.len(), message });
            }
        }
    }
}
