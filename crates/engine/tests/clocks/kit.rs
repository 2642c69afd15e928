//! An engine on a store of its own, with the agent a test plays, on time that passes only while
//! nothing else does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, Answer, Approval, ApprovalKind, Choice, Decision, FullText, ItemContent, ItemStatus,
    ItemUpdate, Mode, ModelSelection, NewRequest, NewTurn, Phase, ProviderId, Request, RequestBody,
    ThreadId, Turn, TurnEvent, TurnId, TurnOutcome, TurnState,
};
use engine::{Engine, EngineError, NewThread};
use store::Store;
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

use crate::agent::{Agent, Call, What};

/// How far time may run ahead while the store writes: paused time runs on whenever the runtime has
/// nothing to do, and it does not see the store's own thread.
const PACE: Duration = Duration::from_millis(50);

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) agent: Agent,
    pub(crate) thread: ThreadId,
    store: Store,
    data: TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (store, agent) = (Store::open(data.path()).unwrap(), Agent::new());
        let engine = engine(&store, &agent).await;
        let thread = make_thread(&engine, data.path()).await;
        Self { engine, agent, thread, store, data }
    }

    /// Another Baton that finds what this one has stored by now, as after `kill -9`, with an agent
    /// of its own, whose session reads like this.
    pub(crate) async fn again(&self, reading: Vec<TurnEvent>, hangs: &[What]) -> Self {
        let data = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.data.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), data.path().join(entry.file_name())).unwrap();
        }
        let (store, agent) = (Store::open(data.path()).unwrap(), Agent::new());
        for turn in self.window().await.turns {
            agent.knows(&turn.prompt_key.unwrap_or_default());
        }
        agent.on_reading(reading);
        agent.hang(hangs);
        let engine = engine(&store, &agent).await;
        Self { engine, agent, thread: self.thread.clone(), store, data }
    }

    pub(crate) async fn send(&self, text: &str) -> TurnId {
        self.try_send(text).await.unwrap()
    }

    pub(crate) async fn try_send(&self, text: &str) -> Result<TurnId, EngineError> {
        say(&self.engine, &self.thread, text).await
    }

    /// Another program writes into the database, for as long as this lives.
    pub(crate) fn hold_disk(&self) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(self.data.path().join("baton.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    /// From now on the database takes no item that has this word in it.
    pub(crate) fn refuse_items(&self, word: &str) {
        let other = rusqlite::Connection::open(self.data.path().join("baton.db")).unwrap();
        let refuse = |when: &str| {
            format!(
                "CREATE TRIGGER refuse_{when} BEFORE {when} ON items
                 WHEN new.json LIKE '%{word}%' BEGIN SELECT RAISE(ABORT, '{word}'); END;"
            )
        };
        other.execute_batch(&(refuse("INSERT") + &refuse("UPDATE"))).unwrap();
    }

    /// Where the bench keeps its data, with the project's directory.
    pub(crate) fn directory(&self) -> &Path {
        self.data.path()
    }

    pub(crate) async fn stop(&self) {
        self.engine.stop(&self.thread).await.unwrap();
    }

    pub(crate) async fn window(&self) -> domain::Window {
        self.engine.window(&self.thread, None).await.unwrap()
    }

    pub(crate) async fn turn(&self, id: &TurnId) -> Turn {
        self.store.turn(id).await.unwrap().unwrap()
    }

    pub(crate) async fn request(&self) -> Request {
        let mut requests = self.window().await.requests;
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    pub(crate) async fn answer(&self) {
        let request = self.request().await;
        let answer = Answer::Approval { decision: Decision::Once, message: None };
        self.engine.answer(&self.thread, &request.id, answer).await.unwrap();
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits until a turn is as wanted and says how long that took.
    pub(crate) async fn until(
        &self,
        id: &TurnId,
        within: Duration,
        wanted: impl Fn(&Turn) -> bool,
    ) -> (Turn, Duration) {
        let start = Instant::now();
        loop {
            let turn = self.turn(id).await;
            if wanted(&turn) {
                return (turn, start.elapsed());
            }
            assert!(start.elapsed() < within, "not within {within:?}: {turn:#?}");
            tokio::time::sleep(PACE).await;
        }
    }

    /// Waits for the end of a turn, for as long as no clock of the engine is.
    pub(crate) async fn ended(&self, id: &TurnId) -> (Turn, Duration) {
        self.until(id, Duration::from_secs(3600), |turn| turn.state.is_terminal()).await
    }

    /// Waits until the message of a turn was handed over.
    pub(crate) async fn handed(&self, id: &TurnId) {
        while self.agent.count(&Call::Send(id.clone())) == 0 {
            let turn = self.turn(id).await;
            assert!(!turn.state.is_terminal(), "it ended before it was handed over: {turn:#?}");
            tokio::time::sleep(PACE).await;
        }
    }

    pub(crate) async fn tell(&self, turn: &TurnId, event: TurnEvent) {
        self.agent.tell(turn, event).await;
    }

    /// Sends a message that the agent has taken and begun to answer.
    pub(crate) async fn running(&self) -> TurnId {
        let turn = self.send("work").await;
        self.handed(&turn).await;
        self.tell(&turn, TurnEvent::Started).await;
        self.tell(&turn, TurnEvent::Item(words("so far", ItemStatus::Running))).await;
        self.until(&turn, Duration::from_secs(1), |t| t.state == TurnState::Running).await;
        turn
    }

    /// A whole turn, to show that the thread works.
    pub(crate) async fn runs(&self) {
        let turn = self.send("and now").await;
        self.finishes(&turn).await;
    }

    /// A turn that was accepted runs to its end.
    pub(crate) async fn finishes(&self, turn: &TurnId) {
        self.handed(turn).await;
        self.tell(turn, TurnEvent::Started).await;
        self.tell(turn, TurnEvent::Ended(TurnOutcome::Completed)).await;
        assert_eq!(self.ended(turn).await.0.state, TurnState::Completed);
        assert_eq!(self.agent.count(&Call::Send(turn.clone())), 1, "sent more than once");
    }
}

async fn engine(store: &Store, agent: &Agent) -> Engine {
    keep_pace(store, PACE);
    Engine::start(store.clone(), vec![Arc::new(agent.clone())]).await.unwrap()
}

/// Sends a message.
pub(crate) async fn say(
    engine: &Engine,
    thread: &ThreadId,
    text: &str,
) -> Result<TurnId, EngineError> {
    let new = NewTurn::message(TurnId::from_uuid(Uuid::now_v7()), text);
    Ok(engine.send(thread, new).await?.id)
}

/// A thread in a project of its own.
pub(crate) async fn make_thread(engine: &Engine, data: &Path) -> ThreadId {
    let path = data.join("project");
    let project = engine.add_project(path, "project".to_owned()).await.unwrap();
    let new = NewThread {
        id: ThreadId::from_uuid(Uuid::now_v7()),
        project_id: project.id,
        provider: ProviderId::known("fake"),
        model: Some(ModelSelection { model: "fake/model".to_owned(), option: None }),
        access: Access::Supervised,
        mode: Mode::Build,
        title: None,
    };
    engine.create_thread(new).await.unwrap().id
}

/// Holds time while the store writes, but for `pace`.
pub(crate) fn keep_pace(store: &Store, pace: Duration) {
    let store = store.clone();
    tokio::spawn(async move {
        loop {
            while store.backlog() > 0 {
                std::thread::sleep(Duration::from_micros(50));
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(pace).await;
        }
    });
}

fn item(key: &str, status: ItemStatus, content: ItemContent, body: &str) -> ItemUpdate {
    let body = Some(FullText::new(body.to_owned()));
    ItemUpdate { key: key.to_owned(), parent: None, status, content, body, error: None }
}

pub(crate) fn words(text: &str, status: ItemStatus) -> ItemUpdate {
    item("words", status, ItemContent::AgentMessage, text)
}

pub(crate) fn command(status: ItemStatus) -> ItemUpdate {
    let content = ItemContent::Command {
        command: "make".to_owned(),
        description: None,
        cwd: None,
        exit_code: None,
    };
    item("command", status, content, "")
}

pub(crate) fn sub_agent() -> ItemUpdate {
    let content = ItemContent::SubAgent {
        agent: "explore".to_owned(),
        task: "look".to_owned(),
        session: None,
        steps: 0,
        usage: domain::Usage::default(),
        waiting: false,
        phase: None,
    };
    item("sub-agent", ItemStatus::Running, content, "")
}

pub(crate) fn retrying(next_at: i64) -> TurnEvent {
    let message = "too many requests".to_owned();
    TurnEvent::Phase(Some(Phase::Retrying { attempt: 1, next_at: Some(next_at), message }))
}

pub(crate) fn ask() -> NewRequest {
    NewRequest {
        key: "ask".to_owned(),
        item: None,
        from: None,
        body: RequestBody::Approval(Approval {
            what: ApprovalKind::Command,
            permission: "bash".to_owned(),
            title: "run a command".to_owned(),
            command: Some("make".to_owned()),
            diff: None,
            path: None,
            url: None,
            details: Vec::new(),
            choices: vec![Choice {
                decision: Decision::Once,
                covers: Vec::new(),
                scope: "just this once".to_owned(),
            }],
        }),
    }
}
