//! Pages of conversations that are long, large or damaged.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::collections::BTreeSet;

use common::{item, put_thread, side_door, thread, thread_id, turn, turn_id};
use domain::{Body, Change, Item, ItemContent, ItemStatus, TurnInput, TurnState, Window};
use store::{Store, StoreError, WINDOW_ITEMS};

/// Bytes of the first page on the wire, as the budget has it.
const BUDGET: usize = 256 * 1024;

async fn pages(store: &Store, n: u128) -> Vec<Window> {
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = store.window(&thread_id(n), before).await.unwrap().unwrap();
        before = page.older;
        pages.push(page);
        if before.is_none() {
            return pages;
        }
    }
}

fn size(page: &Window) -> usize {
    serde_json::to_vec(page).unwrap().len()
}

/// Stores items 1 to `last` in turns of ten, each with this much text.
async fn fill(store: &Store, last: u64, text: &str) {
    put_thread(store, thread(1)).await;
    let mut changes = Vec::new();
    for position in 1..=last {
        let turn_number = u128::from(position.div_ceil(10));
        if position % 10 == 1 {
            changes.push(Change::Turn { turn: turn(1, turn_number, TurnState::Completed) });
        }
        changes.push(Change::Item { item: item(1, turn_number, position, text) });
    }
    store.commit(&thread_id(1), 1, changes).await.unwrap();
}

#[tokio::test]
async fn a_long_thread_is_read_in_small_pages_each_item_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    fill(&store, 10_000, &"output ".repeat(100)).await;
    let pages = pages(&store, 1).await;
    let mut expected = 10_000;
    for page in &pages {
        assert!(size(page) <= BUDGET, "{}", size(page));
        assert!(page.items.len() <= WINDOW_ITEMS);
        let shown: BTreeSet<_> = page.turns.iter().map(|turn| &turn.id).collect();
        assert!(page.items.iter().all(|item| shown.contains(&item.turn_id)));
        for item in page.items.iter().rev() {
            assert_eq!(item.position, expected);
            expected -= 1;
        }
    }
    assert_eq!(expected, 0);
    assert!(pages.len() < 100);
}

#[tokio::test]
async fn a_message_that_fills_a_page_does_not_crowd_out_its_items() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let text = "漢".repeat(100_000);
    let input = TurnInput::message(&text);
    let long = |n, state| domain::Turn { input: input.clone(), ..turn(1, n, state) };
    let mut changes = Vec::new();
    // One turn with many items, and a full queue of such messages behind it.
    for n in 1..=51 {
        let state = if n == 1 { TurnState::Running } else { TurnState::Queued };
        changes.push(Change::TurnText { turn: turn_id(n), text: text.clone() });
        changes.push(Change::Turn { turn: long(n, state) });
    }
    changes.extend((1..=300).map(|p| Change::Item { item: item(1, 1, p, "out") }));
    store.commit(&thread_id(1), 1, changes).await.unwrap();
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!((page.items.len(), page.turns.len()), (200, 51));
    assert!(size(&page) <= BUDGET, "{}", size(&page));
    assert!(page.turns.iter().all(|turn| turn.input.text.len() == 100_000));
    assert_eq!(store.turn_text(&turn_id(51)).await.unwrap(), Some(text));
}

#[tokio::test]
async fn turns_without_items_are_on_the_page_they_lie_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let mut changes = Vec::new();
    for n in 1..=9 {
        let state = if n == 9 { TurnState::Queued } else { TurnState::Failed };
        changes.push(Change::Turn { turn: turn(1, n, state) });
    }
    // Turns 3 and 6 have items, a page full each; the others failed before they began.
    let of = |turn, first| (first..first + 200).map(move |p| item(1, turn, p, "out"));
    changes.extend(of(3, 1).chain(of(6, 201)).map(|item| Change::Item { item }));
    store.commit(&thread_id(1), 1, changes).await.unwrap();
    let ordinals: Vec<Vec<u64>> = pages(&store, 1)
        .await
        .iter()
        .map(|page| page.turns.iter().map(|turn| turn.ordinal).collect())
        .collect();
    assert_eq!(ordinals, [vec![6, 7, 8, 9], vec![1, 2, 3, 4, 5, 9]]);
}

#[tokio::test]
async fn a_thread_of_failed_turns_alone_shows_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let turns = (1..=2000).map(|n| Change::Turn { turn: turn(1, n, TurnState::Failed) });
    store.commit(&thread_id(1), 1, turns.collect()).await.unwrap();
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert_eq!(page.turns.last().unwrap().ordinal, 2000);
    assert!(page.turns.len() >= 50 && size(&page) <= BUDGET);
}

#[tokio::test]
async fn oversized_and_damaged_records_break_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    fill(&store, 40, "fine").await;
    put_thread(&store, thread(2)).await;

    // A body of 50 MB, a row of 5 MB, rows that are not JSON, of the future, and no text at all.
    let whole = "0123456789".repeat(5_000_000);
    let (head, tail) = ("0123456789".to_owned(), "0123456789".to_owned());
    let body = Body { head, omitted: 50_000_000 - 20, tail };
    let big_body = Item { body, ..item(1, 4, 31, "") };
    let mut big_row = item(1, 4, 32, "fine");
    let input = "x".repeat(5_000_000);
    big_row.content = ItemContent::Tool { name: "x".to_owned(), title: None, input };
    let changes = vec![
        Change::ItemBody { item: big_body.id.clone(), text: whole.clone() },
        Change::Item { item: big_body.clone() },
        Change::Item { item: big_row },
    ];
    store.commit(&thread_id(1), 2, changes).await.unwrap();
    let other = side_door(dir.path());
    let spoil = |sql: &str| assert_eq!(other.execute(sql, ()).unwrap(), 1, "{sql}");
    spoil("UPDATE items SET json = '{garbage' WHERE position = 33");
    spoil(
        r#"UPDATE items SET json = json_set(json, '$.content.kind', 'hologram') WHERE position = 34"#,
    );
    spoil("UPDATE items SET json = CAST(x'ff00fe' AS TEXT) WHERE position = 35");
    spoil("UPDATE items SET id = 'nonsense', json = '' WHERE position = 36");
    spoil("UPDATE turns SET json = '' WHERE ordinal = 3");
    spoil("UPDATE threads SET json = '[]' WHERE id LIKE '%2'");
    store.close().await.unwrap();

    let store = Store::open(dir.path()).unwrap();
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    assert!(size(&page) <= BUDGET);
    let positions: Vec<u64> = page.items.iter().map(|item| item.position).collect();
    let all_but_nameless: Vec<u64> = (1..=40).filter(|p| *p != 36).collect();
    assert_eq!(positions, all_but_nameless);
    let stands_in = |item: &&Item| matches!(item.content, ItemContent::Notice { .. });
    let replaced: Vec<u64> = page.items.iter().filter(stands_in).map(|i| i.position).collect();
    assert_eq!(replaced, [32, 33, 34, 35]);
    let states: Vec<TurnState> = page.turns.iter().map(|turn| turn.state).collect();
    use TurnState::{Completed, Failed};
    assert_eq!(states, [Completed, Completed, Failed, Completed]);
    assert_eq!(store.item_body(&thread_id(1), &big_body.id).await.unwrap(), Some(whole));

    assert_eq!(store.shell().await.unwrap().threads.len(), 1);
    let damaged = store.window(&thread_id(2), None).await;
    assert!(matches!(damaged, Err(StoreError::Damaged { .. })), "{damaged:?}");
    assert_eq!(store.window(&thread_id(3), None).await, Ok(None));
}

#[tokio::test]
async fn an_unreadable_turn_under_way_does_not_come_alive() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put_thread(&store, thread(1)).await;
    let changes = vec![
        Change::Turn { turn: turn(1, 1, TurnState::Running) },
        Change::Item { item: Item { status: ItemStatus::Running, ..item(1, 1, 1, "x") } },
        Change::Turn { turn: turn(1, 2, TurnState::Queued) },
    ];
    store.commit(&thread_id(1), 1, changes).await.unwrap();
    side_door(dir.path()).execute("UPDATE turns SET json = '{}' WHERE ordinal = 1", ()).unwrap();
    let live = store.live(&thread_id(1)).await.unwrap().unwrap();
    assert_eq!(live.turns, [turn(1, 2, TurnState::Queued)]);
    assert_eq!((live.last_ordinal, live.last_position), (2, 1));
    assert!(live.items.is_empty());
    let page = store.window(&thread_id(1), None).await.unwrap().unwrap();
    let states: Vec<TurnState> = page.turns.iter().map(|turn| turn.state).collect();
    assert_eq!(states, [TurnState::Failed, TurnState::Queued]);
}

#[tokio::test]
async fn values_and_settings_of_another_shape_count_as_absent() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Cached {
        models: Vec<String>,
        added_later: u32,
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let kilo = domain::ProviderId::known("kilo");
    store.put_value("cached", &serde_json::json!({ "models": ["a"] })).await.unwrap();
    store.put_provider_settings(&kilo, &domain::ProviderSettings::default()).await.unwrap();
    side_door(dir.path()).execute("UPDATE provider_settings SET json = '[1]'", ()).unwrap();
    assert_eq!(store.value::<Cached>("cached").await, Ok(None));
    assert_eq!(store.provider_settings(&kilo).await, Ok(None));

    // What is stored anew takes the place of the old.
    let cached = Cached { models: Vec::new(), added_later: 1 };
    store.put_value("cached", &cached).await.unwrap();
    assert_eq!(store.value("cached").await, Ok(Some(cached)));
}
