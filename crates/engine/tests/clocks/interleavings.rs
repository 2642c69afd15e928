//! Stop, then send, at any moments, with an agent whose every call takes any time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Change, ThreadId, Turn, TurnId, TurnState};
use engine::{Engine, FeedItem};
use store::Store;
use testkit::dice::Dice;
use uuid::Uuid;

use crate::chaos::Chaos;
use crate::kit::{keep_pace, make_thread, say};

const ROUNDS: u32 = 1_000;
/// Set to the seed of a run that failed to see it again.
const SEED: Option<u64> = None;

type Told = Arc<Mutex<BTreeMap<TurnId, TurnState>>>;

async fn ended(store: &Store, told: &Told, turn: &TurnId) -> Turn {
    // More than all clocks of a turn together.
    for _ in 0..40_000 {
        if told.lock().unwrap().contains_key(turn) {
            return store.turn(turn).await.unwrap().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never ends: {:#?}", store.turn(turn).await);
}

/// Notes each terminal state that a client is told.
async fn note(engine: Engine, thread: ThreadId, told: Told) {
    let mut feed = engine.follow_thread(&thread, None).await.unwrap();
    loop {
        feed.ready().await;
        let turns: Vec<Turn> = match feed.take().await.unwrap() {
            Some(FeedItem::Changes { changes, .. }) => changes
                .into_iter()
                .filter_map(|change| match change {
                    Change::Turn { turn } => Some(turn),
                    _ => None,
                })
                .collect(),
            Some(FeedItem::Gap { snapshot, .. }) => snapshot.turns,
            Some(FeedItem::Ok { .. }) | None => continue,
            Some(FeedItem::Gone) => return,
        };
        for turn in turns.into_iter().filter(|turn| turn.state.is_terminal()) {
            let known = told.lock().unwrap().insert(turn.id.clone(), turn.state);
            assert!(known.is_none_or(|known| known == turn.state), "ended twice: {turn:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stop_then_send_a_thousand_times_never_hits_the_new_turn() {
    let seed = SEED.unwrap_or_else(|| Uuid::now_v7().as_u64_pair().1);
    println!("the seed is {seed}");
    let mut dice = Dice::of(seed, "people");
    let data = tempfile::tempdir().unwrap();
    let (store, agent) = (Store::open(data.path()).unwrap(), Chaos::new(seed));
    keep_pace(&store, Duration::from_millis(25));
    let engine = Engine::start(store.clone(), vec![Arc::new(agent.clone())]).await.unwrap();
    let thread = make_thread(&engine, data.path()).await;
    let told = Told::default();
    let follower = tokio::spawn(note(engine.clone(), thread.clone(), told.clone()));

    let (mut interrupted, mut completed, mut sent) = (0, 0, Vec::new());
    for round in 0..ROUNDS {
        let first = say(&engine, &thread, "first").await.unwrap();
        let moment = [1, 20, 400, 3_000][usize::try_from(dice.within(0..4)).unwrap()];
        tokio::time::sleep(dice.millis(0..moment)).await;
        engine.stop(&thread).await.unwrap();
        if dice.happens(250) {
            engine.stop(&thread).await.unwrap();
        }
        if dice.happens(500) {
            tokio::time::sleep(dice.millis(0..2_000)).await;
        }
        let next = say(&engine, &thread, "next").await.unwrap();
        let row = ended(&store, &told, &first).await;
        match row.state {
            TurnState::Interrupted => interrupted += 1,
            // It ended by itself, or was refused, before the stop came.
            TurnState::Completed | TurnState::Failed => {}
            other => panic!("round {round}: {other:?}"),
        }
        let row = ended(&store, &told, &next).await;
        match (row.state, row.error) {
            (TurnState::Completed, None) => completed += 1,
            // Refused or lost by the agent; nobody stopped it.
            (TurnState::Failed, Some(error)) => {
                let code = error.code;
                let refused = error.message == "not today" || error.message == "try again";
                assert!(refused || code == domain::ErrorCode::NotAccepted, "{round}: {error:?}");
            }
            other => panic!("round {round}: the new turn was hit: {other:?}, {:?}", agent.hit()),
        }
        assert_eq!(agent.hit(), [], "round {round}");
        sent.extend([first, next]);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!follower.is_finished(), "a turn was told to end in two ways");
    for turn in &sent {
        assert!(agent.handed(turn) <= 1, "{turn} was handed over twice");
        assert!(told.lock().unwrap().contains_key(turn), "{turn} never ended for a client");
    }
    println!("{interrupted} were stopped, {completed} of the new ones completed");
    assert!(interrupted > ROUNDS / 2 && completed > ROUNDS * 9 / 10);
}
