//! Query plans: no statement may cost more as history grows. Every statement that runs in this
//! file is checked when it is prepared.

use std::slice::from_ref;
use std::sync::Arc;

use domain::{
    AgentEvent, Change, Input, Item, ItemContent, ItemId, ItemStatus, ItemUpdate, NewTurn, Project,
    ProjectId, ProviderId, ProviderSettings, Thread, ThreadId, ThreadState, Turn, TurnEvent,
    TurnId,
};
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use crate::{DeviceToken, SearchQuery, Store, StoreError, ThreadQuery};

/// Fails when a statement reads a whole table that grows with history.
pub(crate) fn check_plan(conn: &Connection, sql: &str) {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nulls = vec![rusqlite::types::Null; explain.parameter_count()];
    let plan: Vec<String> = explain
        .query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail"))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(is_bounded(&plan), "{sql}\n{plan:#?}");
}

/// A search is bounded by what is sought; so is a walk along an index of few rows, or one in a
/// table that has few. What is sorted was all read first, so only a table of few rows may be.
fn is_bounded(plan: &[String]) -> bool {
    let few = ["turns_open", "threads_pinned", "threads_busy", "threads_removed"];
    let small = |step: &String| step.contains(" projects") || step.contains(" tokens");
    plan.iter().all(|step| {
        if step.starts_with("SCAN ") {
            small(step) || is_text_search(step) || few.iter().any(|index| step.ends_with(index))
        } else {
            !step.starts_with("USE TEMP B-TREE") || plan.iter().any(small)
        }
    })
}

/// A walk along the entries that have a word, or one entry by its number.
fn is_text_search(step: &str) -> bool {
    let plan =
        step.strip_prefix("SCAN search VIRTUAL TABLE INDEX ").map(|plan| plan.split_once(':'));
    matches!(plan, Some(Some((_, how))) if how.contains('M') || how.contains('='))
}

#[test]
fn the_check_finds_what_grows() {
    let dir = tempfile::tempdir().unwrap();
    let fails = |sql: &str| {
        std::panic::catch_unwind(|| {
            let (conn, _) = crate::open::writer(dir.path()).unwrap();
            check_plan(&conn, sql);
        })
        .is_err()
    };
    assert!(fails("SELECT * FROM items WHERE json LIKE '%x%'"));
    assert!(fails("SELECT count(*) FROM turns"));
    assert!(fails("SELECT * FROM items WHERE thread = ? ORDER BY json"));
    assert!(!fails("SELECT * FROM items WHERE thread = ? ORDER BY position"));
    assert!(fails("SELECT rowid FROM search"));
}

fn id<T>(make: impl Fn(Uuid) -> T) -> T {
    make(Uuid::from_u128(1))
}

fn new_thread() -> Thread {
    let row = json!({
        "id": id(ThreadId::from_uuid), "project_id": id(ProjectId::from_uuid), "title": "",
        "titled_by_person": false, "provider": "kilo", "model": {"model": "kilo/auto"},
        "access": "supervised", "mode": "build", "workspace": "/code", "session": null,
        "status": "idle", "open_requests": 0, "queued": 0, "queue_held": false, "unread": false,
        "pinned": false, "archived": false, "created_at": 1, "active_at": 1, "seq": 0,
        "usage": domain::Usage::default(), "context": null,
    });
    serde_json::from_value(row).unwrap()
}

/// Makes a thread with a turn that runs and an item that grew since it was stored.
async fn fill(store: &Store) -> (Thread, Turn, Item) {
    let project_id = id(ProjectId::from_uuid);
    let (name, path) = ("p".to_owned(), "/code".to_owned());
    store
        .add_project(&Project {
            id: project_id,
            name,
            path,
            created_at: 1,
            trust: domain::Trust::Undecided,
            fingerprint: None,
        })
        .await
        .unwrap();
    let thread = new_thread();
    let mut state = ThreadState::new(thread.clone(), 0, 0);
    let mut changes = vec![Change::Thread { thread }];
    let submit = NewTurn::message(id(TurnId::from_uuid), &"hello ".repeat(20_000));
    let key = "k".to_owned();
    let events = [
        TurnEvent::Item(ItemUpdate {
            key: key.clone(),
            parent: None,
            status: ItemStatus::Running,
            content: ItemContent::AgentMessage,
            body: None,
            error: None,
        }),
        TurnEvent::Text { key, at: 0, text: "grown".to_owned() },
    ];
    let turn = submit.id.clone();
    let events = events.map(|event| Input::Agent(AgentEvent::Turn { turn: turn.clone(), event }));
    let prepared = Input::Prepared { turn: turn.clone(), prompt_key: "prompt".to_owned() };
    for input in [Input::Submit(submit), prepared].into_iter().chain(events) {
        changes.extend(state.apply(5, input).unwrap().changes);
    }
    let item = changes.iter().find_map(|change| match change {
        Change::Item { item } => Some(item.clone()),
        _ => None,
    });
    let row = state.thread().clone();
    store.commit(&row.id, row.seq, changes).await.unwrap();
    (row, state.running().unwrap().turn().clone(), item.unwrap())
}

#[tokio::test]
async fn no_statement_depends_on_history() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (thread, turn, item) = fill(&store).await;

    for before in [None, Some(1)] {
        let page = store.window(&thread.id, before).await.unwrap().unwrap();
        assert_eq!(page.turns.len(), 1);
    }
    assert_eq!(store.live(&thread.id).await.unwrap().unwrap().items[0].1, "grown");
    assert_eq!(store.unfinished_threads().await.unwrap(), from_ref(&thread.id));
    assert_eq!(store.shell().await.unwrap().threads, from_ref(&thread));
    for project in [None, Some(thread.project_id.clone())] {
        let query = ThreadQuery { archived: false, project, before: None, limit: 10 };
        assert_eq!(store.threads(query).await.unwrap().0, from_ref(&thread));
    }
    assert_eq!(store.thread(&thread.id).await.unwrap(), Some(thread.clone()));
    assert_eq!(store.turn(&turn.id).await.unwrap(), Some(turn.clone()));
    assert_eq!(store.turn_text(&turn.id).await.unwrap().unwrap().len(), 120_000);
    assert_eq!(store.item_body(&thread.id, &item.id).await.unwrap().as_deref(), Some("grown"));
    let words = SearchQuery { words: "hel".to_owned(), ..SearchQuery::default() };
    assert_eq!(store.search(words).await.unwrap().hits.len(), 1);

    let removed = vec![Change::ItemRemoved { id: ItemId::derive(&thread.id, "k") }];
    store.commit(&thread.id, thread.seq + 1, removed).await.unwrap();
    settings_and_tokens(&store).await;

    assert!(store.remove_project(&thread.project_id).await.unwrap());
    store.close().await.unwrap();
    drop(store);
    // Sweeping may be left to the next start; here it must end before the store does.
    let (conn, _) = crate::open::writer(dir.path()).unwrap();
    while crate::sweep::step(&conn).unwrap() {}
    for table in
        ["projects", "threads", "turns", "items", "bodies", "chunks", "requests", "search_rows"]
    {
        let rows: i64 =
            conn.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

async fn settings_and_tokens(store: &Store) {
    let kilo = ProviderId::known("kilo");
    assert_eq!(store.provider_settings(&kilo).await.unwrap(), None);
    let settings = ProviderSettings { enabled: false, ..ProviderSettings::default() };
    store.put_provider_settings(&kilo, &settings).await.unwrap();
    assert_eq!(store.provider_settings(&kilo).await.unwrap(), Some(settings));
    store.put_value("a", &vec![1, 2]).await.unwrap();
    assert_eq!(store.value::<Vec<u8>>("a").await.unwrap(), Some(vec![1, 2]));
    let token = DeviceToken {
        id: "tok".to_owned(),
        hash: [7; 32],
        label: "phone".to_owned(),
        created_at: 1,
        last_seen_at: None,
    };
    let other = DeviceToken { id: "other".to_owned(), hash: [8; 32], ..token.clone() };
    store.add_token(token.clone()).await.unwrap();
    store.add_token(other.clone()).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), [other.clone(), token]);
    store.see_token("other", 9).await.unwrap();
    let other = DeviceToken { last_seen_at: Some(9), ..other };
    assert_eq!(store.tokens().await.unwrap()[0], other);
    assert!(store.revoke_token("tok").await.unwrap());
    assert!(!store.revoke_token("tok").await.unwrap());
    assert_eq!(store.tokens().await.unwrap(), [other]);
}

/// A store whose database can grow by so many pages only, as on a disk that is nearly full.
fn nearly_full(dir: &std::path::Path, pages: u32) -> Store {
    let (conn, path) = crate::open::writer(dir).unwrap();
    let used: u32 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = format!("PRAGMA max_page_count = {}", used + pages);
    conn.query_row(&limit, (), |_| Ok(())).unwrap();
    let writer = crate::writer::Writer::start(conn).unwrap();
    let attachments = path.with_file_name(crate::attachments::DIR).into();
    let readers = Arc::new(crate::readers::Readers::new(path));
    Store { writer: Arc::new(writer), readers, attachments }
}

#[tokio::test]
async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = nearly_full(dir.path(), 20);
    let thread = new_thread();
    let row = vec![Change::Thread { thread: thread.clone() }];
    store.commit(&thread.id, 0, row).await.unwrap();

    let text = |size: usize| {
        let text = "x".repeat(size);
        vec![Change::Text { item: ItemId::derive(&thread.id, "k"), at: size as u64, text }]
    };
    // Queued while someone else writes, so that all three are of one group.
    let other = rusqlite::Connection::open(dir.path().join("baton.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = store.commit(&thread.id, 1, text(1));
    let jobs = [(2, 10), (3, 500_000), (4, 20)];
    let jobs = jobs.map(|(seq, size)| tokio::spawn(store.commit(&thread.id, seq, text(size))));
    other.execute_batch("ROLLBACK").unwrap();
    first.await.unwrap();
    let [small, large, last] = jobs;
    assert_eq!(small.await.unwrap(), Ok(()));
    assert_eq!(large.await.unwrap(), Err(StoreError::Full));
    assert_eq!(last.await.unwrap(), Ok(()));
    assert_eq!(store.thread(&thread.id).await.unwrap().map(|thread| thread.seq), Some(4));

    // Alone it is told to whoever watches, until something can be written again.
    let mut trouble = store.trouble();
    assert_eq!(store.commit(&thread.id, 5, text(500_000)).await, Err(StoreError::Full));
    assert_eq!(*trouble.wait_for(Option::is_some).await.unwrap(), Some(StoreError::Full));
    assert_eq!(store.thread(&thread.id).await.unwrap().map(|thread| thread.seq), Some(4));
    store.commit(&thread.id, 5, text(30)).await.unwrap();
    assert_eq!(*trouble.wait_for(Option::is_none).await.unwrap(), None);
}

#[tokio::test]
async fn a_cost_that_is_no_number_does_not_make_a_row_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut thread = new_thread();
    thread.usage.cost = f64::NAN;
    store.commit(&thread.id, 0, vec![Change::Thread { thread: thread.clone() }]).await.unwrap();
    let stored = store.thread(&thread.id).await.unwrap().unwrap();
    assert!(stored.usage.cost.abs() < f64::EPSILON);
}
