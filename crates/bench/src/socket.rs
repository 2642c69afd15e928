//! A client of the live socket.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{ClientMessage, ServerMessage, Topic};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::rig::Door;

/// How long the next message may take before a bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

/// A message, with the moment it was there and how long it is.
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) bytes: usize,
    pub(crate) message: ServerMessage,
}

impl Socket {
    /// Connects and takes the welcome.
    pub(crate) async fn connect(door: &Door) -> Result<Self> {
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
    pub(crate) async fn follow(&mut self, topic: Topic) -> Result<()> {
        let message = ClientMessage::Subscribe { topic, cursor: None };
        Ok(self.0.send(Message::text(serde_json::to_string(&message)?)).await?)
    }

    /// The next message of the server.
    pub(crate) async fn next(&mut self) -> Result<Received> {
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
