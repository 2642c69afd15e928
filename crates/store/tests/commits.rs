//! Committing: what fails takes nothing else with it, and every wait is bounded.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use common::{item, put_thread, side_door, thread, thread_id, turn, turn_id};
use domain::{Change, Founded, TurnState};
use store::{Store, StoreError};

fn with_item(position: u64) -> Vec<Change> {
    vec![Change::Item { item: item(1, 1, position, "text") }]
}

#[tokio::test]
async fn jobs_of_one_group_fail_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;

    // While someone else holds the database, everything queues behind the first job.
    let other = side_door(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let jobs: Vec<_> = (1..=60)
        .map(|n| {
            let to = if n % 3 == 0 { thread_id(99) } else { thread_id(1) };
            (n, tokio::spawn(store.commit(&to, n, with_item(n))))
        })
        .collect();
    other.execute_batch("ROLLBACK").unwrap();
    for (n, job) in jobs {
        let expected = if n % 3 == 0 { Err(StoreError::NoThread) } else { Ok(()) };
        assert_eq!(job.await.unwrap(), expected, "job {n}");
    }
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!(page.items.len(), 40);
    assert_eq!(page.thread.seq, 59);
    assert_eq!(*store.trouble().borrow(), None);
}

#[tokio::test]
async fn a_batch_is_stored_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    put_thread(&store, thread(2)).await;
    let first = turn(1, 1, TurnState::Queued);
    store.commit(&thread_id(1), 1, vec![Change::Turn { turn: first.clone() }]).await.unwrap();

    // A client that gives a turn the id of another thread's reaches nothing.
    let mut changes = with_item(1);
    changes.push(Change::TurnText { turn: turn_id(1), text: "taken over".to_owned() });
    changes.push(Change::Turn { turn: turn(2, 1, TurnState::Failed) });
    let refused = store.commit(&thread_id(2), 1, changes).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert_eq!(store.turn(&turn_id(1)).await.unwrap(), Some(first));
    assert_eq!(store.turn_text(&turn_id(1)).await.unwrap().as_deref(), Some("message 1"));
    let page = store.window(&thread_id(2), None).await.unwrap().unwrap();
    assert_eq!((page.items.len(), page.thread.seq), (0, 0));
}

#[tokio::test]
async fn a_full_queue_lets_commits_wait_in_order() {
    const JOBS: u64 = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let other = side_door(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // More than the queue holds, so that the last ones wait outside.
    let jobs: Vec<_> =
        (1..=JOBS).map(|n| tokio::spawn(store.commit(&thread_id(1), n, with_item(n)))).collect();
    other.execute_batch("ROLLBACK").unwrap();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!(page.items.last().unwrap().position, JOBS);
    assert_eq!(page.thread.seq, JOBS);
}

#[tokio::test]
async fn what_is_queued_is_stored_though_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    drop(store.commit(&thread_id(1), 1, with_item(1)));
    store.close().await.unwrap();

    let closed = store.commit(&thread_id(1), 2, with_item(2)).await;
    assert_eq!(closed, Err(StoreError::Closed));
    assert_eq!(store.window(&thread_id(1), None).await, Err(StoreError::Closed));
    store.close().await.unwrap();

    let store = Store::open(dir.path()).unwrap();
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!(page.items, [item(1, 1, 1, "text")]);
}

#[tokio::test]
async fn text_in_pieces_reads_back_whole_whatever_was_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let running = domain::Item {
        status: domain::ItemStatus::Running,
        ended_at: None,
        ..item(1, 1, 1, "a👍")
    };
    let id = running.id.clone();
    store.commit(&thread_id(1), 1, vec![Change::Item { item: running }]).await.unwrap();
    let piece = |at, text: &str| Change::Text { item: id.clone(), at, text: text.to_owned() };
    let batches = [
        vec![piece(3, "b"), piece(4, "漢"), piece(5, "c")],
        vec![piece(3, "b漢")],
        vec![piece(6, "👍"), piece(8, "d")],
        vec![piece(20, "after a hole")],
    ];
    for (seq, changes) in (2..).zip(batches) {
        store.commit(&thread_id(1), seq, changes).await.unwrap();
    }
    let body = store.item_body(&thread_id(1), &id).await.unwrap();
    assert_eq!(body.as_deref(), Some("a👍b漢c👍d"));
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!(page.items[0].body.head, "a👍b漢c👍d");
}

#[tokio::test]
async fn a_turn_that_ended_is_not_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let put = async |seq, state| {
        let turn = turn(1, 1, state);
        store.commit(&thread_id(1), seq, vec![Change::Turn { turn }]).await.unwrap();
        store.turn(&turn_id(1)).await.unwrap().unwrap().state
    };
    assert_eq!(put(1, TurnState::Running).await, TurnState::Running);
    assert_eq!(put(2, TurnState::Interrupted).await, TurnState::Interrupted);
    for (seq, late) in (3..).zip([TurnState::Queued, TurnState::Preparing, TurnState::Running]) {
        assert_eq!(put(seq, late).await, TurnState::Interrupted);
    }
    assert_eq!(store.unfinished_threads().await.unwrap(), []);
    // The rest of such a batch is stored all the same.
    let mut changes = vec![Change::Turn { turn: turn(1, 1, TurnState::Running) }];
    changes.extend(with_item(1));
    store.commit(&thread_id(1), 6, changes).await.unwrap();
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!((page.items.len(), page.thread.seq), (1, 6));
}

#[tokio::test]
async fn a_thread_that_another_founds_is_stored_with_it_or_not_at_all_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let founded = |title: &str| {
        let row = domain::Thread { title: title.to_owned(), seq: 2, ..thread(2) };
        let first = Change::Turn { turn: turn(2, 7, TurnState::Preparing) };
        let changes = vec![Change::Thread { thread: row.clone() }, first];
        Box::new(Founded { thread: row, changes })
    };
    // What goes wrong with one of them is wrong with both.
    let nowhere = store.commit_founding(&thread_id(99), 1, with_item(1), founded("Built")).await;
    assert_eq!(nowhere, Err(StoreError::NoThread));
    assert_eq!(store.thread(&thread_id(2)).await.unwrap(), None);

    store.commit_founding(&thread_id(1), 5, with_item(1), founded("Built")).await.unwrap();
    assert_eq!(store.thread(&thread_id(1)).await.unwrap().unwrap().seq, 5);
    assert_eq!(store.unfinished_threads().await.unwrap(), [thread_id(2)], "it begins at a start");
    // Once more, it is the same thread, as it is by now.
    let ended = vec![Change::Turn { turn: turn(2, 7, TurnState::Completed) }];
    store.commit(&thread_id(2), 3, ended).await.unwrap();
    store.commit_founding(&thread_id(1), 6, with_item(2), founded("Again")).await.unwrap();
    let row = store.thread(&thread_id(2)).await.unwrap().unwrap();
    assert_eq!((row.title.as_str(), row.seq), ("Built", 3));
    let turn = store.turn(&turn_id(7)).await.unwrap().unwrap();
    assert_eq!(turn.state, TurnState::Completed);
}

#[tokio::test]
async fn where_a_thread_goes_back_to_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let turns = domain::Span { first: 2, last: 3 };
    let back = domain::Back { turn: turn_id(1), key: "msg_1".to_owned(), turns };
    let row = domain::Thread {
        back: Some(back),
        taken_back: vec![domain::Span { first: 5, last: 5 }],
        seq: 1,
        ..thread(1)
    };
    let change = Change::Thread { thread: row.clone() };
    store.commit(&row.id, 1, vec![change]).await.unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.thread(&row.id).await.unwrap(), Some(row));
}
