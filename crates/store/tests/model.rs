//! The store against the turn machine: whatever happens in a thread reads back as it is.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::collections::BTreeMap;

use common::{Driver, message, turn_id};
use domain::{
    AgentEvent, Answer, Approval, ApprovalKind, Body, Change, Choice, Decision, FullText, Input,
    Item, ItemContent, ItemId, ItemStatus, ItemUpdate, NewRequest, Request, RequestBody, RequestId,
    RequestOutcome, Turn, TurnError, TurnEvent, TurnId, TurnOutcome, Usage, units,
};
use proptest::prelude::*;
use store::Store;

/// What a reader should see, kept from the same changes with plain maps.
#[derive(Default)]
struct Model {
    items: BTreeMap<ItemId, (Item, FullText)>,
    turns: BTreeMap<TurnId, (Turn, String)>,
    requests: BTreeMap<RequestId, Request>,
    pending: Option<String>,
}

impl Model {
    fn take(&mut self, change: &Change) {
        match change {
            Change::Thread { .. } => {}
            Change::TurnText { turn: _, text } | Change::ItemBody { item: _, text } => {
                self.pending = Some(text.clone());
            }
            Change::Turn { turn } => {
                let known = self.turns.get(&turn.id).map(|(_, text)| text.clone());
                let text = self.pending.take().or(known).unwrap();
                self.turns.insert(turn.id.clone(), (turn.clone(), text));
            }
            Change::Item { item } => {
                let text = match (self.pending.take(), item.body.is_shortened()) {
                    (Some(text), _) => FullText::new(text),
                    (None, false) => FullText::new(item.body.head.clone()),
                    (None, true) => self.items[&item.id].1.clone(),
                };
                self.items.insert(item.id.clone(), (item.clone(), text));
            }
            Change::ItemRemoved { id } => drop(self.items.remove(id)),
            Change::Text { item, at, text } => {
                let (_, full) = self.items.get_mut(item).unwrap();
                assert_eq!(full.len(), *at);
                full.splice(*at, text);
            }
            Change::Request { request } => {
                self.requests.insert(request.id.clone(), request.clone());
            }
        }
    }
}

/// What may happen, with small numbers for names so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Submit { size: usize },
    Withdraw { turn: u8 },
    Prepared,
    Item { key: u8, status: ItemStatus, kind: u8, body: Option<usize> },
    Grow { key: u8, piece: String, times: usize },
    Remove { key: u8 },
    Ask { key: u8 },
    Answer { key: u8 },
    AskClosed { key: u8 },
    Usage { quarters: u32 },
    Stop,
    Release,
    End { how: u8 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0u8..6;
    let status = prop_oneof![
        3 => Just(ItemStatus::Running),
        1 => Just(ItemStatus::Done),
        1 => Just(ItemStatus::Failed),
    ];
    let size = prop_oneof![4 => 1usize..40, 1 => 60_000usize..90_000];
    let piece = prop_oneof![3 => "\\PC{1,12}", 1 => "[a-z👍é漢]{1,20}"];
    prop_oneof![
        2 => size.clone().prop_map(|size| Step::Submit { size }),
        1 => (0u8..12).prop_map(|turn| Step::Withdraw { turn }),
        2 => Just(Step::Prepared),
        6 => (key.clone(), status, 0u8..3, prop::option::of(size))
            .prop_map(|(key, status, kind, body)| Step::Item { key, status, kind, body }),
        12 => (key.clone(), piece, prop_oneof![5 => 1usize..4, 1 => 2000usize..4000])
            .prop_map(|(key, piece, times)| Step::Grow { key, piece, times }),
        1 => key.clone().prop_map(|key| Step::Remove { key }),
        2 => key.clone().prop_map(|key| Step::Ask { key }),
        2 => key.clone().prop_map(|key| Step::Answer { key }),
        1 => key.prop_map(|key| Step::AskClosed { key }),
        1 => (0u32..900).prop_map(|quarters| Step::Usage { quarters }),
        1 => Just(Step::Stop),
        1 => Just(Step::Release),
        2 => (0u8..3).prop_map(|how| Step::End { how }),
        2 => Just(Step::Restart),
    ]
}

/// Turns a step into what the machine takes, in the thread as it stands.
fn input(driver: &Driver, model: &Model, step: Step, made: &mut u8) -> Option<Input> {
    let name = |key: u8| format!("key-{key}");
    if let Step::Submit { size } = step {
        *made += 1;
        let text = format!("message {made} {}", "ä".repeat(size));
        return Some(Input::Submit(message(u128::from(*made), &text)));
    }
    let running = driver.state.running().map(|running| running.turn().id.clone());
    let event = match step {
        Step::Submit { .. } | Step::Restart => return None,
        Step::Withdraw { turn } => return Some(Input::Withdraw(turn_id(u128::from(turn)))),
        Step::Stop => return Some(Input::Stop),
        Step::Release => return Some(Input::Release),
        Step::Prepared => {
            let prompt_key = "prompt".to_owned();
            return Some(Input::Prepared { turn: running?, prompt_key });
        }
        Step::Answer { key } => {
            let request = RequestId::derive(&driver.id(), &name(key));
            let answer = Answer::Approval { decision: Decision::Once, message: None };
            return Some(Input::Answer { request, answer });
        }
        Step::Item { key, status, kind, body } => TurnEvent::Item(ItemUpdate {
            key: name(key),
            parent: None,
            status: settled(driver, model, &name(key)).unwrap_or(status),
            content: match kind {
                0 => ItemContent::AgentMessage,
                1 => ItemContent::Reasoning,
                _ => ItemContent::Tool { name: "x".to_owned(), title: None, input: String::new() },
            },
            body: body.map(|size| FullText::new("body ✓ ".repeat(size.div_ceil(7)))),
            error: None,
        }),
        Step::Grow { key, piece, times } => {
            let id = ItemId::derive(&driver.id(), &name(key));
            let at = model.items.get(&id).map_or(0, |(_, text)| text.len());
            TurnEvent::Text { key: name(key), at, text: piece.repeat(times) }
        }
        Step::Remove { key } => TurnEvent::ItemRemoved { key: name(key) },
        Step::Ask { key } => TurnEvent::Asked(NewRequest {
            key: name(key),
            item: None,
            from: None,
            body: RequestBody::Approval(approval()),
        }),
        Step::AskClosed { key } => {
            TurnEvent::AskClosed { key: name(key), outcome: RequestOutcome::Answered }
        }
        Step::Usage { quarters } => {
            // Sums of quarters are exact; JSON may lose the last bit of others.
            let cost = f64::from(quarters) / 4.0;
            TurnEvent::Usage(Usage { cost, input: 7, ..Usage::default() })
        }
        Step::End { how: 0 } => TurnEvent::Ended(TurnOutcome::Completed),
        Step::End { how: 1 } => TurnEvent::Ended(TurnOutcome::Interrupted),
        Step::End { .. } => TurnEvent::Ended(TurnOutcome::Failed(TurnError {
            code: domain::ErrorCode::Network,
            message: "no network".to_owned(),
            hint: None,
            retryable: true,
        })),
    };
    Some(Input::Agent(AgentEvent::Turn { turn: running?, event }))
}

/// The status of an item of the running turn that is done. The machine has only a digest of its text left, so what it
/// would do with one that runs again is not what is compared here.
fn settled(driver: &Driver, model: &Model, key: &str) -> Option<ItemStatus> {
    let (item, _) = model.items.get(&ItemId::derive(&driver.id(), key))?;
    let here = driver.state.running().is_some_and(|running| running.turn().id == item.turn_id);
    (here && item.status != ItemStatus::Running).then_some(item.status)
}

fn approval() -> Approval {
    let choice = Choice { decision: Decision::Once, covers: Vec::new(), scope: String::new() };
    Approval {
        what: ApprovalKind::Command,
        permission: "bash".to_owned(),
        title: "ls".to_owned(),
        command: Some("ls".to_owned()),
        diff: None,
        path: None,
        url: None,
        details: Vec::new(),
        choices: vec![choice],
    }
}

/// Compares everything that can be read with what the machine and the model have.
async fn compare(driver: &Driver, model: &Model) {
    let (store, id) = (&driver.store, driver.id());
    let live = store.live(&id).await.unwrap().unwrap();
    let (restored, state) = (live.into_state(), &driver.state);
    assert_eq!(&restored, state);
    let unfinished = driver.state.running().is_some() || driver.state.queue().next().is_some();
    assert_eq!(store.unfinished_threads().await.unwrap().contains(&id), unfinished);

    for (item, (_, text)) in &model.items {
        let body = store.item_body(&id, item).await.unwrap();
        assert_eq!(body.as_deref(), Some(text.as_str()));
    }
    for (turn, (row, text)) in &model.turns {
        assert_eq!(store.turn(turn).await.unwrap().as_ref(), Some(row));
        assert_eq!(store.turn_text(turn).await.unwrap().as_ref(), Some(text));
    }
    compare_windows(driver, model).await;
}

/// Pages through the thread: every item once, every turn at least once.
async fn compare_windows(driver: &Driver, model: &Model) {
    let (mut items, mut turns, mut before) = (Vec::new(), BTreeMap::new(), None);
    loop {
        let page = driver.store.window(&driver.id(), before).await.unwrap().unwrap();
        assert_eq!(&page.thread, driver.state.thread());
        assert!(page.items.is_sorted_by_key(|item| item.position));
        assert!(page.turns.is_sorted_by_key(|turn| turn.ordinal));
        let open = model.requests.values().filter(|request| request.state.is_open());
        assert!(open.clone().all(|request| page.requests.contains(request)));
        assert_eq!(page.requests.len(), open.count());
        for turn in page.turns {
            assert_eq!(turn.input.text.len(), units(&model.turns[&turn.id].1));
            turns.insert(turn.id.clone(), turn.state);
        }
        items.extend(page.items.into_iter().rev());
        let Some(older) = page.older else { break };
        assert!(before.is_none_or(|before| older < before));
        before = Some(older);
    }
    let known = model.turns.iter().map(|(id, (turn, _))| (id.clone(), turn.state));
    assert_eq!(turns, known.collect());
    let mut expected: Vec<Item> = model
        .items
        .values()
        .map(|(item, text)| {
            let running = item.status == ItemStatus::Running;
            let now = || Body::bounded(text.as_str(), item.content.limits());
            Item { body: if running { now() } else { item.body.clone() }, ..item.clone() }
        })
        .collect();
    expected.sort_by_key(|item| std::cmp::Reverse(item.position));
    assert_eq!(items, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_happened_reads_back(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            let mut driver = Driver::new(&store, 1).await;
            let (mut model, mut made) = (Model::default(), 0);
            for step in steps {
                if matches!(step, Step::Restart) {
                    compare(&driver, &model).await;
                    let live = driver.store.live(&driver.id()).await.unwrap().unwrap();
                    driver.store.close().await.unwrap();
                    driver.store = Store::open(dir.path()).unwrap();
                    driver.state = live.into_state();
                    continue;
                }
                let Some(input) = input(&driver, &model, step, &mut made) else { continue };
                let outcome = driver.apply(input).await;
                outcome.changes.iter().for_each(|change| model.take(change));
            }
            compare(&driver, &model).await;
        });
    }
}
