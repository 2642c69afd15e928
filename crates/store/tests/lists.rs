//! Lists, projects, and removing them.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{item, project, project_id, put_thread, side_door, thread, thread_id, turn, turn_id};
use domain::{Change, Thread, ThreadStatus, TurnState};
use store::{MAX_SHELL_THREADS, Store, StoreError, ThreadQuery};

fn active(n: u128, active_at: i64) -> Thread {
    Thread { active_at, ..thread(n) }
}

#[tokio::test]
async fn the_shell_keeps_what_is_pinned_or_at_work_and_the_newest_of_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.add_project(&project(1)).await.unwrap();
    put_thread(&store, Thread { pinned: true, ..active(1, 1) }).await;
    put_thread(&store, Thread { status: ThreadStatus::NeedsYou, ..active(2, 2) }).await;
    put_thread(&store, Thread { archived: true, pinned: true, ..active(3, 9000) }).await;
    for n in 10..600 {
        put_thread(&store, active(n, i64::try_from(n).unwrap())).await;
    }
    let shell = store.shell().await.unwrap();
    assert_eq!(shell.projects, [project(1)]);
    assert_eq!(shell.threads.len(), MAX_SHELL_THREADS);
    assert!(shell.more_threads);
    let ids: Vec<_> = shell.threads.iter().map(|thread| thread.id.clone()).collect();
    let newest = (102..600).rev();
    let expected: Vec<_> = newest.chain([2, 1]).map(thread_id).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn listing_visits_each_thread_once_though_many_were_active_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for n in 1..=50 {
        let archived = n % 5 == 0;
        let project_id = project_id(n % 2);
        put_thread(&store, Thread { archived, project_id, ..active(n, 7) }).await;
    }
    let wanted: [(bool, Option<u128>); 4] =
        [(false, None), (true, None), (false, Some(1)), (true, Some(0))];
    for (archived, of) in wanted {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let project = of.map(project_id);
            let query = ThreadQuery { archived, project, before: before.take(), limit: 7 };
            let (page, more) = store.threads(query).await.unwrap();
            before = page.last().map(|last| (last.active_at, last.id.clone()));
            seen.extend(page.into_iter().map(|thread| thread.id));
            if !more {
                break;
            }
        }
        let matching =
            |n: &u128| n.is_multiple_of(5) == archived && of.is_none_or(|of| n % 2 == of);
        let expected: Vec<_> = (1..=50).rev().filter(matching).map(thread_id).collect();
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_path_is_one_project_until_it_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.add_project(&project(1)).await.unwrap(), project(1));
    let again = domain::Project { path: project(1).path, ..project(2) };
    assert_eq!(store.add_project(&again).await.unwrap(), project(1));
    assert!(store.remove_project(&project_id(1)).await.unwrap());
    assert!(!store.remove_project(&project_id(1)).await.unwrap());
    assert_eq!(store.add_project(&again).await.unwrap(), again);
    assert_eq!(store.projects().await.unwrap(), [again]);
}

/// Waits until nothing is left in the tables that threads fill.
fn wait_until_swept(dir: &Path) {
    let (conn, deadline) = (side_door(dir), Instant::now() + Duration::from_secs(30));
    let left = "SELECT (SELECT count(*) FROM threads) + (SELECT count(*) FROM turns)
        + (SELECT count(*) FROM items) + (SELECT count(*) FROM bodies)
        + (SELECT count(*) FROM chunks) + (SELECT count(*) FROM requests)";
    while conn.query_row::<i64, _, _>(left, (), |row| row.get(0)).unwrap() > 0 {
        assert!(Instant::now() < deadline, "removed threads leave rows behind");
        std::thread::yield_now();
    }
}

async fn fill(store: &Store, n: u128) {
    put_thread(store, thread(n)).await;
    let mut changes = vec![
        Change::TurnText { turn: turn_id(n), text: "long".repeat(50_000) },
        Change::Turn { turn: turn(n, n, TurnState::Running) },
    ];
    changes.extend((1..=100).map(|p| Change::Item { item: item(n, n, p, "text") }));
    let grown = item(n, n, 1, "").id;
    changes.push(Change::Text { item: grown, at: 4, text: " and more".to_owned() });
    store.commit(&thread_id(n), 1, changes).await.unwrap();
}

#[tokio::test]
async fn a_removed_thread_is_gone_at_once_and_takes_no_changes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    fill(&store, 1).await;
    assert!(store.delete_thread(&thread_id(1)).await.unwrap());
    assert!(!store.delete_thread(&thread_id(1)).await.unwrap());
    assert_eq!(store.window(&thread_id(1), None).await, Ok(None));
    assert_eq!(store.live(&thread_id(1)).await, Ok(None));
    assert_eq!(store.unfinished_threads().await.unwrap(), []);
    let late = vec![Change::Item { item: item(1, 1, 101, "late") }];
    assert_eq!(store.commit(&thread_id(1), 2, late).await, Err(StoreError::NoThread));
    wait_until_swept(dir.path());
}

#[tokio::test]
async fn a_removed_project_takes_its_threads_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.add_project(&project(1)).await.unwrap();
    for n in 1..=5 {
        fill(&store, n).await;
    }
    assert!(store.remove_project(&project_id(1)).await.unwrap());
    let shell = store.shell().await.unwrap();
    assert!(shell.projects.is_empty() && shell.threads.is_empty());
    let query = ThreadQuery { archived: false, project: None, before: None, limit: 10 };
    assert_eq!(store.threads(query).await.unwrap(), (Vec::new(), false));
    // Closing does not wait for what is left to sweep; the next start goes on with it.
    store.close().await.unwrap();
    let _store = Store::open(dir.path()).unwrap();
    wait_until_swept(dir.path());
}

#[tokio::test]
async fn a_session_is_behind_one_thread_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let with = |n: u128, session: &str| Thread { session: Some(session.to_owned()), ..thread(n) };
    let kilo = thread(1).provider;
    put_thread(&store, with(1, "ses_1")).await;
    put_thread(&store, with(1, "ses_1")).await;
    put_thread(&store, with(2, "ses_2")).await;
    put_thread(&store, thread(3)).await;
    let found = store.thread_of_session(&kilo, "ses_1").await.unwrap();
    assert_eq!(found, Some(thread_id(1)));
    // Whether it is new or changes: nothing of the batch is stored.
    for n in [2, 4] {
        let row = with(n, "ses_1");
        let batch = vec![Change::Thread { thread: row.clone() }];
        let refused = store.commit(&row.id, 9, batch).await;
        assert_eq!(refused, Err(StoreError::SessionTaken { thread: thread_id(1) }), "{n}");
    }
    assert_eq!(store.thread(&thread_id(4)).await.unwrap(), None);
    assert_eq!(
        store.thread(&thread_id(2)).await.unwrap().unwrap().session.as_deref(),
        Some("ses_2")
    );
    store.delete_thread(&thread_id(1)).await.unwrap();
    assert_eq!(store.thread_of_session(&kilo, "ses_1").await.unwrap(), None);
    put_thread(&store, with(4, "ses_1")).await;
}

#[tokio::test]
async fn sessions_of_an_earlier_version_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for (n, at) in [(1, 5), (2, 7), (3, 6)] {
        put_thread(&store, Thread { active_at: at, ..thread(n) }).await;
    }
    store.close().await.unwrap();
    // As the second version left it: what later ones made is taken back.
    let door = side_door(dir.path());
    door.execute_batch(
        "DROP TABLE search; DROP TABLE search_rows; DELETE FROM kv; DROP TABLE attachments;
         DROP INDEX threads_session; ALTER TABLE threads DROP COLUMN session;
         ALTER TABLE threads DROP COLUMN provider; PRAGMA user_version = 2;
         UPDATE threads SET json = json_set(json, '$.session', 'ses_1');",
    )
    .unwrap();
    drop(door);
    let store = Store::open(dir.path()).unwrap();
    let found = store.thread_of_session(&thread(1).provider, "ses_1").await.unwrap();
    assert_eq!(found, Some(thread_id(2)), "the last active of them");
    assert_eq!(store.shell().await.unwrap().threads.len(), 3);
}
