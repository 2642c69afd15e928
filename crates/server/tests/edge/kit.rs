//! A server on a port of its own, and clients of it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Thread, ThreadId};
use engine::Engine;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{ClientMessage, Problem, ProblemCode, ServerMessage};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use server::{App, Asset, Assets, Config, Hosts, RecentLog, Token};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

use crate::fake::Fake;

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

const PAGE: &[Asset] = &[
    Asset { path: "index.html", bytes: b"<!doctype html>page", gzip: None, tag: "1" },
    Asset { path: "assets/a-1.js", bytes: b"plain", gzip: Some(b"zipped"), tag: "2" },
];

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) app: App,
    pub(crate) token: Token,
    pub(crate) recent: RecentLog,
    pub(crate) home: Arc<tempfile::TempDir>,
    pub(crate) client: Client,
    end: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::at(Arc::new(tempfile::tempdir().unwrap()), Token::random().unwrap()).await
    }

    /// Another server on the same data, beside this one, as after a new start.
    pub(crate) async fn again(&self) -> Self {
        Self::at(self.home.clone(), self.token.clone()).await
    }

    async fn at(home: Arc<tempfile::TempDir>, token: Token) -> Self {
        let store = Store::open(&home.path().join("data")).unwrap();
        let engine = Engine::start(store.clone(), vec![Arc::new(Fake::new())]).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let recent = RecentLog::default();
        let config = Config {
            version: "1.2.3".to_owned(),
            url: format!("http://{address}"),
            bound: address,
            machine: "box".to_owned(),
            home: home.path().to_owned(),
            data_dir: home.path().join("data"),
            hosts: Hosts::new(address.ip(), ["box.example".to_owned()]),
            token: token.clone(),
            recent: recent.clone(),
        };
        let app = App::new(config, engine, store, Assets(PAGE)).await.unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let shutdown = async move {
            let _ = ended.await;
        };
        let running = tokio::spawn(server::run(listener, app.clone(), shutdown));
        let url = format!("http://{address}");
        let end = Some(end);
        Self { url, app, token, recent, home, client: Client::new(), end, running }
    }

    /// Ends the server and waits for it.
    pub(crate) async fn stop(&mut self) {
        let _ = self.end.take().unwrap().send(());
        tokio::time::timeout(DEADLINE, &mut self.running).await.unwrap().unwrap();
    }

    /// A request without a credential.
    pub(crate) fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A request with the bearer token.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(self.token.reveal())
    }

    pub(crate) async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let response = self.request("get", path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.request("post", path).json(body).send().await.unwrap()
    }

    /// A project and an empty thread in it.
    pub(crate) async fn thread(&self) -> Thread {
        let path = self.home.path().join("project");
        std::fs::create_dir_all(&path).unwrap();
        let project: domain::Project =
            self.post("/api/projects", &json!({ "path": path })).await.json().await.unwrap();
        let new = json!({
            "id": ThreadId::from_uuid(Uuid::now_v7()),
            "project_id": project.id,
            "provider": "fake",
            "model": { "model": "fake/echo" },
        });
        let response = self.post("/api/threads", &new).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// Pairs a browser; gives its cookie as it is sent back.
    pub(crate) async fn pair(&self) -> String {
        let code = self.app.pairing_code().unwrap();
        let body = json!({ "code": code.as_str() });
        let response = self.bare("post", "/api/pair").json(&body).send().await.unwrap();
        assert_eq!(response.status(), 204);
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    }

    /// A live socket with the given further headers.
    pub(crate) async fn socket(
        &self,
        headers: &[(&str, &str)],
    ) -> Result<Socket, tokio_tungstenite::tungstenite::Error> {
        let url = format!("{}/api/live", self.url.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name = name.parse::<reqwest::header::HeaderName>().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Socket(socket))
    }

    /// A live socket with the bearer token, welcomed.
    pub(crate) async fn live(&self) -> Socket {
        let token = format!("Bearer {}", self.token.reveal());
        let headers = [("authorization", token.as_str()), ("origin", &self.url)];
        let mut socket = self.socket(&headers).await.unwrap();
        assert!(matches!(socket.next().await, ServerMessage::Welcome { .. }));
        socket
    }
}

/// Reads a refusal, and checks that it is one as it should be.
pub(crate) async fn problem(response: Response, status: u16, code: ProblemCode) -> Problem {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let found = response.status().as_u16();
    let problem: Problem = response.json().await.unwrap();
    assert_eq!((found, problem.status, problem.code), (status, status, code), "{problem:?}");
    assert!(problem.title.ends_with(['.', '?', '!']), "{problem:?}");
    problem
}

pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.text(&serde_json::to_string(message).unwrap()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next message; `None` when the socket was closed.
    pub(crate) async fn try_next(&mut self) -> Option<ServerMessage> {
        loop {
            match tokio::time::timeout(DEADLINE, self.0.next()).await.expect("a message in time") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn next(&mut self) -> ServerMessage {
        self.try_next().await.expect("an open socket")
    }
}
