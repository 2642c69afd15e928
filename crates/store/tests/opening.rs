//! Opening: after any end, and what must not be touched.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{Driver, item, message, put_thread, side_door, thread, thread_id};
use domain::{AgentEvent, Change, Input, ItemContent, ItemStatus, ItemUpdate, TurnEvent};
use store::{OpenError, Store};
use tempfile::TempDir;

/// What the disk holds at this moment, as after the process was killed.
fn image(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["baton.db", "baton.db-wal"] {
        fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut driver = Driver::new(&store, 1).await;
    driver.apply(Input::Submit(message(1, "hello"))).await;
    let turn = driver.state.running().unwrap().turn().id.clone();
    let prompt_key = "prompt".to_owned();
    driver.apply(Input::Prepared { turn: turn.clone(), prompt_key }).await;
    let said = |event| Input::Agent(AgentEvent::Turn { turn: turn.clone(), event });
    let mut inputs = vec![said(TurnEvent::Item(ItemUpdate {
        key: "a".to_owned(),
        parent: None,
        status: ItemStatus::Running,
        content: ItemContent::AgentMessage,
        body: None,
        error: None,
    }))];
    for at in 0..8 {
        inputs.push(said(TurnEvent::Text { key: "a".to_owned(), at, text: "x".to_owned() }));
    }
    inputs.push(Input::Submit(message(2, &"later ".repeat(20_000))));
    inputs.push(Input::Stop);
    for input in inputs {
        driver.apply(input).await;
        let killed = image(dir.path());
        let reopened = Store::open(killed.path()).unwrap();
        let live = reopened.live(&driver.id()).await.unwrap().unwrap();
        assert_eq!(live.into_state(), driver.state);
    }
}

#[tokio::test]
async fn a_store_that_was_only_dropped_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    for n in 1..=5 {
        let store = Store::open(dir.path()).unwrap();
        put_thread(&store, thread(n)).await;
        assert_eq!(store.shell().await.unwrap().threads.len(), usize::try_from(n).unwrap());
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    side_door(dir.path()).pragma_update(None, "user_version", 999).unwrap();
    // Once with its newest pages still in the log, as a newer Baton that was killed leaves it.
    let killed = image(dir.path());
    store.close().await.unwrap();
    for dir in [killed.path(), dir.path()] {
        let files = || -> Vec<(String, Vec<u8>)> {
            let mut files: Vec<_> = fs::read_dir(dir)
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap()))
                .filter(|(name, bytes)| !name.ends_with("-shm") && !bytes.is_empty())
                .collect();
            files.sort();
            files
        };
        let before = files();
        let error = Store::open(dir).unwrap_err();
        assert!(matches!(error, OpenError::NewerDatabase { found: 999, .. }), "{error}");
        let sizes = |files: &[(String, Vec<u8>)]| -> Vec<(String, usize)> {
            files.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect()
        };
        let after = files();
        assert!(after == before, "{:?} became {:?}", sizes(&before), sizes(&after));
    }
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_not_touched() {
    let check = |bytes: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("baton.db");
        fs::write(&path, bytes).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        error
    };
    let garbage = check("not a database. ".repeat(500).as_bytes());
    assert!(matches!(garbage, OpenError::NotADatabase { .. }), "{garbage}");

    let dir = tempfile::tempdir().unwrap();
    side_door(dir.path()).execute_batch("CREATE TABLE theirs (x)").unwrap();
    let theirs = check(&fs::read(dir.path().join("baton.db")).unwrap());
    assert!(matches!(theirs, OpenError::NotADatabase { .. }), "{theirs}");
}

#[tokio::test]
async fn a_damaged_database_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).unwrap().close().await.unwrap();
    let path = dir.path().join("baton.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4000].fill(0xEE);
    fs::write(&path, &bytes).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("backup"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("data")).unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_damaged_page_of_one_thread_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for n in [1, 2] {
        put_thread(&store, thread(n)).await;
        let items = (1..=40).map(|p| Change::Item { item: item(n, n, p, &"y".repeat(3000)) });
        store.commit(&thread_id(n), 1, items.collect()).await.unwrap();
    }
    store.close().await.unwrap();
    // The rows of the second thread are the last ones in the file.
    let path = dir.path().join("baton.db");
    let mut bytes = fs::read(&path).unwrap();
    let from = bytes.len() - 3 * 4096;
    bytes[from..].fill(0xEE);
    fs::write(&path, &bytes).unwrap();

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.shell().await.unwrap().threads.len(), 2);
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!(page.items.len(), 40);
    let damaged = store.window(&thread_id(2), None).await;
    assert!(matches!(damaged, Err(store::StoreError::Corrupt { .. })));
    put_thread(&store, thread(3)).await;
}
