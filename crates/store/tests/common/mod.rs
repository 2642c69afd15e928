//! Makes things to store.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::Path;
use std::time::Duration;

use domain::{
    Access, Body, Change, Input, Item, ItemContent, ItemId, ItemStatus, Mode, ModelSelection,
    NewTurn, Outcome, Project, ProjectId, ProviderId, Thread, ThreadId, ThreadState, Turn, TurnId,
    TurnInput, TurnOrigin, TurnState, Usage,
};
use store::Store;
use uuid::Uuid;

pub(crate) fn project_id(n: u128) -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn project(n: u128) -> Project {
    let path = format!("/code/project-{n}");
    Project {
        id: project_id(n),
        name: format!("project-{n}"),
        path,
        created_at: 1,
        trust: domain::Trust::Undecided,
        fingerprint: None,
    }
}

pub(crate) fn thread_id(n: u128) -> ThreadId {
    ThreadId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn turn_id(n: u128) -> TurnId {
    TurnId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn thread(n: u128) -> Thread {
    Thread {
        model: Some(ModelSelection { model: "kilo/auto".to_owned(), option: None }),
        ..Thread::new(
            thread_id(n),
            project_id(1),
            "/code/project-1".to_owned(),
            ProviderId::known("kilo"),
            1,
        )
    }
}

pub(crate) fn message(n: u128, text: &str) -> NewTurn {
    NewTurn::message(turn_id(n), text)
}

/// A thread with its store, as its one writer has them.
pub(crate) struct Driver {
    pub(crate) store: Store,
    pub(crate) state: ThreadState,
    pub(crate) now: i64,
}

impl Driver {
    pub(crate) async fn new(store: &Store, n: u128) -> Self {
        let row = thread(n);
        let created = vec![domain::Change::Thread { thread: row.clone() }];
        store.commit(&row.id, 0, created).await.unwrap();
        Self { store: store.clone(), state: ThreadState::new(row, 0, 0), now: 1000 }
    }

    pub(crate) fn id(&self) -> ThreadId {
        self.state.thread().id.clone()
    }

    /// Applies an input and stores what came of it. What is refused changes nothing.
    pub(crate) async fn apply(&mut self, input: Input) -> Outcome {
        self.now += 1;
        let Ok(outcome) = self.state.apply(self.now, input) else { return Outcome::default() };
        if !outcome.changes.is_empty() {
            let seq = self.state.thread().seq;
            self.store.commit(&self.id(), seq, outcome.changes.clone()).await.unwrap();
        }
        outcome
    }
}

/// A turn as it is stored, made without the machine.
pub(crate) fn turn(thread: u128, n: u128, state: TurnState) -> Turn {
    Turn {
        id: turn_id(n),
        thread_id: thread_id(thread),
        ordinal: u64::try_from(n).unwrap(),
        input: TurnInput::message(&format!("message {n}")),
        origin: TurnOrigin::Here,
        delivery: domain::Delivery::Queue,
        model: None,
        access: Access::Supervised,
        mode: Mode::Build,
        state,
        phase: None,
        stopping: false,
        error: None,
        untaken: false,
        prompt_key: None,
        usage: Usage::default(),
        created_at: 1,
        started_at: None,
        ended_at: None,
    }
}

/// An item as it is stored, made without the machine.
pub(crate) fn item(thread: u128, turn: u128, position: u64, text: &str) -> Item {
    let content = ItemContent::Tool { name: "x".to_owned(), title: None, input: String::new() };
    Item {
        id: ItemId::derive(&thread_id(thread), &format!("item-{position}")),
        turn_id: turn_id(turn),
        parent: None,
        position,
        status: ItemStatus::Done,
        body: Body::bounded(text, content.limits()),
        content,
        error: None,
        started_at: 1,
        ended_at: Some(2),
    }
}

/// A connection of someone else to the same database.
pub(crate) fn side_door(dir: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(dir.join("baton.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(5)).unwrap();
    conn
}

/// Stores a thread's row.
pub(crate) async fn put_thread(store: &Store, thread: Thread) {
    let changes = vec![Change::Thread { thread: thread.clone() }];
    store.commit(&thread.id, thread.seq, changes).await.unwrap();
}
