//! Full-text search: what is found, what is not, and what was stored before there was an index.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::time::{Duration, Instant};

use common::{item, project, project_id, put_thread, side_door, thread, thread_id, turn};
use domain::{
    Body, BodyLimits, Change, Item, ItemContent, ItemStatus, Span, Thread, Turn, TurnInput,
    TurnState,
};
use proptest::prelude::*;
use store::{MAX_HITS, SearchQuery, Store};

fn said(thread: u128, turn: u128, position: u64, text: &str) -> Item {
    Item { content: ItemContent::AgentMessage, ..item(thread, turn, position, text) }
}

fn asked(thread: u128, n: u128, text: &str) -> Turn {
    Turn { input: TurnInput::message(text), ..turn(thread, n, TurnState::Completed) }
}

async fn put(store: &Store, n: u128, changes: Vec<Change>) {
    store.commit(&thread_id(n), 1, changes).await.unwrap();
}

async fn put_item(store: &Store, n: u128, item: Item) {
    put(store, n, vec![Change::Item { item }]).await;
}

fn of(words: &str) -> SearchQuery {
    SearchQuery { words: words.to_owned(), limit: MAX_HITS, ..SearchQuery::default() }
}

/// What is found, each with what it is marked in.
async fn find(store: &Store, query: SearchQuery) -> Vec<String> {
    let found = store.search(query).await.unwrap();
    assert_eq!(found.before, None);
    let shown = |hit: store::Hit| hit.pieces.into_iter().map(|piece| piece.text).collect();
    found.hits.into_iter().map(shown).collect()
}

#[tokio::test]
async fn what_people_and_agents_said_is_found_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let plan = Item { content: ItemContent::Plan { path: None }, ..said(1, 1, 2, "apple plan") };
    let inner = Item { parent: Some(plan.id.clone()), ..said(1, 1, 5, "apple of a sub-agent") };
    let running = Item { status: ItemStatus::Running, ..said(1, 1, 6, "apple that grows") };
    let thought = Item { content: ItemContent::Reasoning, ..said(1, 1, 7, "apple thought") };
    let queued = Turn { state: TurnState::Queued, ..asked(1, 2, "apple that waits") };
    let turns = [asked(1, 1, "an Apple"), queued.clone()].map(|turn| Change::Turn { turn });
    let items = [said(1, 1, 1, "Äpple, apples"), plan, inner, item(1, 1, 4, "apple output")];
    let items = items.into_iter().chain([running.clone(), thought]);
    let items = items.map(|item| Change::Item { item });
    put(&store, 1, turns.into_iter().chain(items).collect()).await;
    assert_eq!(find(&store, of("apple")).await, ["apple plan", "Äpple, apples", "an Apple"]);
    assert_eq!(find(&store, of("PLAN app")).await, ["apple plan"]);
    assert_eq!(find(&store, of("apple pear")).await, [""; 0]);
    // Once they are closed they are found, by what they say then.
    let done = Item { status: ItemStatus::Done, ..running };
    put_item(&store, 1, done.clone()).await;
    put(&store, 1, vec![Change::Turn { turn: Turn { state: TurnState::Preparing, ..queued } }])
        .await;
    assert_eq!(find(&store, of("grows")).await, ["apple that grows"]);
    assert_eq!(find(&store, of("waits")).await, ["apple that waits"]);
    let body = Body::bounded("pear", BodyLimits::PROSE);
    put_item(&store, 1, Item { body, ..done.clone() }).await;
    assert_eq!(find(&store, of("grows")).await, [""; 0]);
    assert_eq!(find(&store, of("pear")).await, ["pear"]);
    put(&store, 1, vec![Change::ItemRemoved { id: done.id }]).await;
    assert_eq!(find(&store, of("pear")).await, [""; 0]);
}

#[tokio::test]
async fn the_whole_of_a_shortened_text_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let text = format!("{} needle {}", "hay ".repeat(30_000), "hay ".repeat(30_000));
    let mut long = said(1, 1, 1, "");
    long.body = Body::bounded(&text, BodyLimits::PROSE);
    assert!(long.body.is_shortened() && !long.body.head.contains("needle"));
    let body = Change::ItemBody { item: long.id.clone(), text };
    let turn = Change::Turn { turn: turn(1, 1, TurnState::Completed) };
    put(&store, 1, vec![turn, body, Change::Item { item: long }]).await;
    let found = store.search(of("needle")).await.unwrap();
    let marked: Vec<_> = found.hits[0].pieces.iter().filter(|piece| piece.hit).collect();
    assert_eq!(marked.len(), 1);
    assert_eq!(found.hits[0].position, Some(1));
}

#[tokio::test]
async fn hits_are_of_wanted_threads_that_are_there_and_of_turns_that_count() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.add_project(&project(1)).await.unwrap();
    store.add_project(&project(2)).await.unwrap();
    put_thread(&store, thread(1)).await;
    put_thread(&store, Thread { archived: true, ..thread(2) }).await;
    put_thread(&store, Thread { project_id: project_id(2), ..thread(3) }).await;
    let back = Thread { taken_back: vec![Span { first: 40, last: 40 }], ..thread(4) };
    put_thread(&store, back).await;
    for n in 1..=4 {
        put(&store, n, vec![Change::Turn { turn: asked(n, n * 10, &format!("word {n}")) }]).await;
    }
    assert_eq!(find(&store, of("word")).await, ["word 3", "word 1"]);
    let archived = SearchQuery { archived: true, ..of("word") };
    assert_eq!(find(&store, archived).await, ["word 3", "word 2", "word 1"]);
    let project = SearchQuery { project: Some(project_id(1)), ..of("word") };
    assert_eq!(find(&store, project).await, ["word 1"]);
    store.remove_project(&project_id(2)).await.unwrap();
    assert_eq!(find(&store, of("word")).await, ["word 1"]);
    store.delete_thread(&thread_id(1)).await.unwrap();
    assert_eq!(find(&store, of("word")).await, [""; 0]);
}

#[tokio::test]
async fn pages_show_each_hit_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let items = (1..=100).map(|n| Change::Item { item: said(1, 1, n, &format!("word {n}")) });
    let turn = Change::Turn { turn: turn(1, 1, TurnState::Completed) };
    put(&store, 1, [turn].into_iter().chain(items).collect()).await;
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.search(SearchQuery { before, limit: 30, ..of("word") }).await.unwrap();
        assert!(page.hits.len() <= 30);
        seen.extend(page.hits.into_iter().filter_map(|hit| hit.position));
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=100).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_an_earlier_version_stored_is_read_in_and_what_is_new_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for n in 1..=3 {
        put_thread(&store, thread(n)).await;
        let items =
            (1..=70).map(|at| Change::Item { item: said(n, n, at, &format!("old {n} {at}")) });
        let turn = Change::Turn { turn: asked(n, n, &format!("old {n}")) };
        put(&store, n, [turn].into_iter().chain(items).collect()).await;
    }
    store.close().await.unwrap();
    let door = side_door(dir.path());
    door.execute_batch(
        "DROP TABLE search; DROP TABLE search_rows; DELETE FROM kv; PRAGMA user_version = 4;",
    )
    .unwrap();
    drop(door);
    let store = Store::open(dir.path()).unwrap();
    // One that is stored while the rest is read in.
    put_item(&store, 1, said(1, 1, 71, "old but new")).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !store.search(of("old")).await.unwrap().whole {
        assert!(Instant::now() < deadline, "it is not read in");
        tokio::task::yield_now().await;
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.search(SearchQuery { before, ..of("old") }).await.unwrap();
        seen.extend(page.hits.into_iter().map(|hit| (hit.thread.id, hit.position)));
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    let older = (1..=3).rev().flat_map(|n| {
        let items = (1..=70).rev().map(Some);
        items.chain([None]).map(move |position| (thread_id(n), position))
    });
    let expected: Vec<_> = [(thread_id(1), Some(71))].into_iter().chain(older).collect();
    assert_eq!(seen, expected);
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.search(of("old")).await.unwrap().whole, "it is read in once");
}

#[tokio::test]
async fn an_index_that_is_damaged_stands_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    put(&store, 1, vec![Change::Turn { turn: asked(1, 1, "word") }]).await;
    side_door(dir.path()).execute_batch("UPDATE search_data SET block = x'00'").unwrap();
    put(&store, 1, vec![Change::Turn { turn: asked(1, 2, "word") }]).await;
    put_item(&store, 1, said(1, 2, 1, "word")).await;
    assert_eq!(store.window(&thread_id(1), None).await.unwrap().unwrap().turns.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is asked, there are hits or none; every word that was said finds what it is in.
    #[test]
    fn no_question_fails(
        wild in prop_oneof![any::<String>(), "[\"'*()^:{}+\\-, ANDORTNEA]{0,40}"],
        text in "[a-zäé]{1,8}( [a-zäé]{1,8}){0,4}",
        pick in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            put_thread(&store, thread(1)).await;
            put(&store, 1, vec![Change::Turn { turn: asked(1, 1, &text) }]).await;
            for words in [wild.clone(), wild.repeat(500), format!("{wild}\"")] {
                store.search(of(&words)).await.unwrap();
            }
            let words: Vec<&str> = text.split(' ').collect();
            let word = words[pick.index(words.len())];
            for word in [word.to_owned(), word.to_uppercase(), format!("\"{word}\" 😀 \0 ***")] {
                let found = store.search(of(&word)).await.unwrap();
                prop_assert_eq!(found.hits.len(), 1, "{}", word);
                prop_assert!(found.hits[0].pieces.iter().any(|piece| piece.hit), "{}", word);
            }
            Ok(())
        })?;
    }
}
