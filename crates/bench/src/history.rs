//! Threads of the past, as months of use leave them.

use domain::{
    Access, Body, Change, Delivery, Item, ItemContent, ItemId, ItemStatus, Mode, ModelSelection,
    Project, ProjectId, ProviderId, Thread, ThreadId, Timestamp, Turn, TurnId, TurnInput,
    TurnOrigin, TurnState, Usage,
};
use store::{Store, StoreError};
use uuid::Uuid;

/// Turns of an ordinary thread.
const TURNS: u64 = 4;
/// Items of an ordinary turn.
const ITEMS: u64 = 6;
/// Items of a turn of the long thread.
const LONG_ITEMS: u64 = 40;
/// A moment in the past; later things happened later.
const BEGIN: Timestamp = 1_760_000_000_000;

/// The number of a thread that is newer than all that are seeded by number.
const NEWEST: u64 = 10_000;

const PROSE: &str = "The parser now keeps the position of every token, so that an error can point \
    at the place it comes from. I ran the tests of the module, and all of them pass. What is \
    left is the printing of ranges that go over several lines.\n\n";
const OUTPUT: &str = "test parser::tests::keeps_positions ... ok\n";

/// Stores `threads` ordinary threads.
///
/// # Errors
///
/// The store cannot be written.
pub async fn seed(store: &Store, threads: u64) -> Result<(), StoreError> {
    let project = project();
    store.add_project(&project).await?;
    for number in 0..threads {
        store_thread(store, thread(&project, number), TURNS, ITEMS).await?;
    }
    Ok(())
}

/// Stores a thread of so many items.
///
/// # Errors
///
/// The store cannot be written.
pub async fn seed_long(store: &Store, items: u64) -> Result<ThreadId, StoreError> {
    let project = project();
    store.add_project(&project).await?;
    let thread = thread(&project, 0);
    store_thread(store, thread, items.div_ceil(LONG_ITEMS), LONG_ITEMS).await
}

/// Stores a thread of so many items in a project at `path`, and so many short ones of the time
/// before. No agent has a session of them, so that a real one can go on with them in a new one.
///
/// # Errors
///
/// The store cannot be written.
pub async fn seed_at(
    store: &Store,
    path: &str,
    items: u64,
    others: u64,
) -> Result<ThreadId, StoreError> {
    let project = Project { name: "tally".to_owned(), path: path.to_owned(), ..project() };
    store.add_project(&project).await?;
    for number in 0..others {
        let thread = Thread { session: None, ..thread(&project, number) };
        store_thread(store, thread, 1, 1).await?;
    }
    let thread = Thread { session: None, ..thread(&project, others) };
    store_thread(store, thread, items.div_ceil(LONG_ITEMS), LONG_ITEMS).await
}

/// Stores a thread of so many items in a project that is stored, for an agent that has no session
/// of it and can go on with it in a new one.
///
/// # Errors
///
/// The store cannot be written.
pub async fn seed_for(
    store: &Store,
    project: &Project,
    provider: ProviderId,
    model: Option<ModelSelection>,
    items: u64,
) -> Result<ThreadId, StoreError> {
    let thread = Thread { session: None, provider, model, ..thread(project, NEWEST) };
    let each = items.min(LONG_ITEMS);
    store_thread(store, thread, items.div_ceil(each), each).await
}

async fn store_thread(
    store: &Store,
    thread: Thread,
    turns: u64,
    items: u64,
) -> Result<ThreadId, StoreError> {
    let id = thread.id.clone();
    store.commit(&id, 1, vec![Change::Thread { thread }]).await?;
    for ordinal in 1..=turns {
        let turn = turn(&id, ordinal);
        let first = (ordinal - 1) * items;
        let mut changes: Vec<Change> =
            (first..first + items).map(|place| item(&id, &turn, place)).collect();
        changes.push(Change::Turn { turn });
        store.commit(&id, 1 + ordinal, changes).await?;
    }
    Ok(id)
}

/// A project that is stored nowhere yet, with an id of its own.
#[must_use]
pub fn project() -> Project {
    let id = ProjectId::from_uuid(Uuid::now_v7());
    Project {
        name: "parser".to_owned(),
        path: format!("/home/someone/projects/{id}"),
        id,
        created_at: BEGIN,
        trust: domain::Trust::Undecided,
        fingerprint: None,
    }
}

fn thread(project: &Project, number: u64) -> Thread {
    let at = BEGIN + i64::try_from(number).unwrap_or(0) * 60_000;
    Thread {
        title: format!("Keep the position of every token ({number})"),
        model: Some(model()),
        session: Some(format!("ses_{}", Uuid::now_v7().simple())),
        seq: 1,
        ..Thread::new(
            ThreadId::from_uuid(Uuid::now_v7()),
            project.id.clone(),
            project.path.clone(),
            ProviderId::known("kilo"),
            at,
        )
    }
}

fn model() -> ModelSelection {
    ModelSelection { model: "kilo/some-lab/some-model".to_owned(), option: None }
}

fn turn(thread: &ThreadId, ordinal: u64) -> Turn {
    let text = "Please let errors point at the place they come from, and add a test for it.";
    Turn {
        id: TurnId::from_uuid(Uuid::now_v7()),
        thread_id: thread.clone(),
        ordinal,
        input: TurnInput::message(text),
        origin: TurnOrigin::Here,
        delivery: Delivery::Queue,
        model: Some(model()),
        access: Access::Supervised,
        mode: Mode::Build,
        state: TurnState::Completed,
        phase: None,
        stopping: false,
        error: None,
        untaken: false,
        prompt_key: Some(format!("msg_{}", Uuid::now_v7().simple())),
        usage: Usage::default(),
        created_at: BEGIN,
        started_at: Some(BEGIN),
        ended_at: Some(BEGIN),
    }
}

/// Prose, commands, changes and reads in turn; every eighth output is a long one.
fn item(thread: &ThreadId, turn: &Turn, place: u64) -> Change {
    let long = if place % 8 == 1 { 150 } else { 6 };
    let (content, body) = match place % 4 {
        0 => (ItemContent::AgentMessage, PROSE.repeat(2)),
        1 => (
            ItemContent::Command {
                command: "cargo test -p parser".to_owned(),
                description: Some("Runs the parser's tests".to_owned()),
                cwd: None,
                exit_code: Some(0),
            },
            OUTPUT.repeat(long),
        ),
        2 => (
            ItemContent::FileChange {
                path: "crates/parser/src/lexer.rs".to_owned(),
                change: domain::FileChangeKind::Edited,
                additions: 12,
                deletions: 3,
            },
            "+    position: usize,\n-    at: u32,\n".repeat(12),
        ),
        _ => (
            ItemContent::Read { path: "crates/parser/src/lib.rs".to_owned() },
            "1\tpub mod lexer;\n".repeat(30),
        ),
    };
    let item = Item {
        id: ItemId::derive(thread, &format!("prt_{place}")),
        turn_id: turn.id.clone(),
        parent: None,
        position: place + 1,
        status: ItemStatus::Done,
        body: Body::bounded(&body, content.limits()),
        content,
        error: None,
        started_at: BEGIN,
        ended_at: Some(BEGIN),
    };
    Change::Item { item }
}
