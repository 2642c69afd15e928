//! A session before a server that notes what it is asked and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{
    Access, AgentEvent, Answer, Mode, Request, RequestId, RequestState, ThreadId, TurnEvent,
};
use kilo_sdk::{Client, Connection, Envelope, Limits, MessageId, SessionId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use super::super::super::baseline::Loose;
use super::super::super::mapper::Servers;
use super::super::super::router::{Frame, Generation, Lane, Router};
use super::super::{Inner, KiloSession, Known, run};
use super::turn;
use crate::{AnswerError, Inventory, Session as _};

pub(super) const ROOT: &str = "ses_root";
pub(super) const PROMPT: &str = "msg_1";

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// Method and path.
    pub(super) what: String,
    pub(super) directory: String,
    pub(super) body: Value,
}

/// What the server answers instead of `200 true`, for so many requests of this kind.
pub(super) type Answers = Arc<Mutex<VecDeque<(&'static str, u16, &'static str)>>>;

pub(super) struct World {
    pub(super) session: KiloSession,
    seen: Arc<Mutex<Vec<Seen>>>,
    pub(super) answers: Answers,
    holds: Holds,
    pub(super) router: Arc<Router>,
    pub(super) generation: Generation,
    /// What reaches the session, until its task has it.
    lane: Mutex<Option<Lane>>,
}

/// Requests whose answers wait until they are let go.
type Holds = Arc<Mutex<Vec<(&'static str, Arc<Notify>)>>>;

impl World {
    /// A supervised session in `/repo` whose message Kilo has taken.
    pub(super) async fn new() -> Self {
        let world = Self::known(Known::New((Access::Supervised, Mode::Build))).await;
        world.session.inner.mapper().begin(turn(), PROMPT.into(), domain::InputKind::Message, None);
        let info = json!({ "id": PROMPT, "sessionID": ROOT, "role": "user" });
        world.event("/repo", "message.updated", &json!({ "sessionID": ROOT, "info": info }));
        world
    }

    /// A session in which nothing was sent from here.
    pub(super) async fn known(known: Known) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (seen, answers, holds) = (Arc::default(), Answers::default(), Holds::default());
        tokio::spawn(serve(listener, Arc::clone(&seen), answers.clone(), holds.clone()));
        let client = Client::new(Connection::new(url, "secret"), Limits::default()).unwrap();
        let router = Arc::<Router>::default();
        let (generation, id) = (router.begin(), SessionId::from(ROOT));
        let (lane, control) = router.join(generation, &id).unwrap();
        let inner = Inner::new(
            id,
            "/repo".to_owned(),
            client.at("/repo"),
            router.clone(),
            (Loose::default(), Servers::default()),
            Access::Supervised,
            known,
        );
        let session = KiloSession {
            inner: Arc::new(inner),
            control,
            models: watch::channel(Inventory::default()).1,
        };
        router.attend(&session.inner.id, generation, &session.inner);
        let lane = Mutex::new(Some(lane));
        Self { session, seen, answers, holds, router, generation, lane }
    }

    /// Has the session's task read what comes.
    pub(super) fn run(&self) -> (JoinHandle<()>, mpsc::Receiver<AgentEvent>) {
        let lane = self.lane.lock().unwrap().take().unwrap();
        let (out, events) = mpsc::channel(64);
        (tokio::spawn(run(self.session.inner.clone(), lane, out)), events)
    }

    /// Lets Kilo tell something.
    pub(super) fn told(&self, kind: &str, properties: &Value) {
        let frame = json!({
            "directory": "/repo", "payload": { "type": kind, "properties": properties } });
        let envelope = Envelope::parse(frame.to_string().as_bytes()).unwrap().unwrap();
        assert!(self.router.route(self.generation, Frame::new(envelope, None, 0)));
    }

    /// Waits until the session's task has done what was wanted and told so far.
    pub(super) async fn caught_up(&self, events: &mut mpsc::Receiver<AgentEvent>) {
        let title = format!("title {}", MessageId::ascending());
        let info = json!({ "id": ROOT, "title": title });
        self.told("session.updated", &json!({ "sessionID": ROOT, "info": info }));
        let wait = async {
            while let Some(event) = events.recv().await {
                if event == AgentEvent::Title(title.clone()) {
                    return;
                }
            }
            panic!("the task has ended");
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the task goes on");
    }

    pub(super) fn event(&self, directory: &str, kind: &str, properties: &Value) -> Vec<AgentEvent> {
        let frame = json!({
            "directory": directory, "payload": { "type": kind, "properties": properties } });
        let envelope = Envelope::parse(frame.to_string().as_bytes()).unwrap().unwrap();
        self.session.inner.mapper().apply(envelope).events
    }

    /// Lets Kilo ask; gives the request a person would see.
    pub(super) fn asked(&self, directory: &str, kind: &str, ask: &Value) -> Request {
        let asked = self.event(directory, kind, ask).into_iter().find_map(|event| match event {
            AgentEvent::Turn { event: TurnEvent::Asked(new), .. } => Some(new),
            _ => None,
        });
        let new = asked.expect("it is asked");
        let thread_id = ThreadId::parse(&format!("thr_{:032x}", 1)).unwrap();
        Request {
            id: RequestId::derive(&thread_id, &new.key),
            thread_id,
            turn_id: turn(),
            item_id: None,
            key: new.key,
            from: new.from,
            body: new.body,
            state: RequestState::Open { problem: None },
            created_at: 0,
            closed_at: None,
        }
    }

    pub(super) fn permission(&self, directory: &str, id: &str, session: &str) -> Request {
        let ask = json!({ "id": id, "sessionID": session, "permission": "bash",
            "patterns": ["ls"], "always": ["ls *"], "metadata": { "command": "ls" } });
        self.asked(directory, "permission.asked", &ask)
    }

    pub(super) async fn answer(
        &self,
        request: &Request,
        answer: &Answer,
    ) -> Result<(), AnswerError> {
        self.session.answer(request, answer).await
    }

    pub(super) fn answer_next(&self, what: &'static str, status: u16, body: &'static str) {
        self.answers.lock().unwrap().push_back((what, status, body));
    }

    /// Has the next answer to such a request wait until it is let go.
    pub(super) fn hold(&self, what: &'static str) -> Arc<Notify> {
        let held = Arc::<Notify>::default();
        self.holds.lock().unwrap().push((what, held.clone()));
        held
    }

    /// Waits until the server was asked so many times for this.
    pub(super) async fn until(&self, what: &str, times: usize) {
        let asked = || {
            let seen = self.seen.lock().unwrap();
            seen.iter().filter(|seen| seen.what.starts_with(what)).count()
        };
        let wait = async {
            while asked() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect(what);
    }

    /// What was asked of the server since the last look.
    pub(super) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>, answers: Answers, holds: Holds) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (seen, answers, holds) = (Arc::clone(&seen), answers.clone(), holds.clone());
        tokio::spawn(one(socket, seen, answers, holds));
    }
}

async fn one(mut socket: TcpStream, seen: Arc<Mutex<Vec<Seen>>>, answers: Answers, holds: Holds) {
    let mut raw = Vec::new();
    let (head, body) = loop {
        let mut bytes = [0; 4096];
        let n = socket.read(&mut bytes).await.unwrap();
        if n == 0 {
            return;
        }
        raw.extend_from_slice(&bytes[..n]);
        let text = String::from_utf8_lossy(&raw).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = header(head, "content-length").parse().unwrap_or(0);
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    let what: Vec<&str> = head.split(' ').take(2).collect();
    let request = Seen {
        what: what.join(" "),
        directory: header(&head, "x-kilo-directory").replace("%2F", "/"),
        body: serde_json::from_str(&body).unwrap_or_default(),
    };
    let told = {
        let mut answers = answers.lock().unwrap();
        let at = answers.iter().position(|(what, _, _)| request.what.starts_with(what));
        at.and_then(|at| answers.remove(at))
    };
    let usual = match request.what.as_str() {
        "GET /session/status" => "{}",
        what if what.starts_with("PATCH") => "{}",
        what if what.starts_with("GET") => "[]",
        _ => "true",
    };
    let (status, body) = told.map_or((200, usual), |(_, status, body)| (status, body));
    let held = {
        let mut holds = holds.lock().unwrap();
        let at = holds.iter().position(|(what, _)| request.what.starts_with(what));
        at.map(|at| holds.remove(at).1)
    };
    seen.lock().unwrap().push(request);
    if let Some(held) = held {
        held.notified().await;
    }
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    // Whoever asked may have given up.
    let _ = socket.write_all(answer.as_bytes()).await;
}

fn header(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or(String::new(), |(_, v)| v.to_owned())
}
