//! What is left when everything has settled.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use domain::{Item, Thread, ThreadId, Turn, TurnId, Window};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::follower::Follower;
use crate::{World, processes};

/// How long it may take until nothing goes on any more.
const SETTLE: Duration = Duration::from_secs(180);
/// How long clients may take to have everything.
const CATCH_UP: Duration = Duration::from_secs(90);
/// How long what was started may take to end.
const GONE: Duration = Duration::from_secs(15);

/// What was counted.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) accepted: usize,
    /// How many ended how.
    pub(crate) states: BTreeMap<String, usize>,
    pub(crate) missing: usize,
    pub(crate) unended: usize,
    pub(crate) open_requests: usize,
    /// Messages whose script the model began more often than once.
    pub(crate) repeated: usize,
    pub(crate) compared: usize,
    pub(crate) differing: usize,
    pub(crate) gaps_of_slow: u64,
    pub(crate) connects: u64,
    pub(crate) servers: usize,
    pub(crate) threads: Vec<Whole>,
}

/// A thread with all of its turns and items.
pub(crate) struct Whole {
    pub(crate) thread: Thread,
    pub(crate) turns: BTreeMap<TurnId, Turn>,
    pub(crate) items: Vec<Item>,
}

/// Waits until nothing goes on, and counts.
pub(crate) async fn settle(world: &World, lookers: &[Follower]) -> Result<Counted> {
    let ids = threads(world).await?;
    let begun = Instant::now();
    loop {
        let mut busy = Vec::new();
        for id in &ids {
            let row: Thread =
                serde_json::from_value(read(world, &format!("/api/threads/{id}")).await?)?;
            if row.status != domain::ThreadStatus::Idle
                && row.status != domain::ThreadStatus::Failed
                || row.queued > 0
            {
                busy.push(row);
            }
        }
        if busy.is_empty() {
            break;
        }
        if begun.elapsed() > SETTLE {
            for row in busy {
                let (id, status) = (&row.id, row.status);
                world
                    .accounts
                    .blame(format!("{id} does not settle: {status:?}, {} queued", row.queued));
            }
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut counted = Counted::default();
    for id in &ids {
        counted.threads.push(whole(world, id).await?);
    }
    turns(world, &mut counted);
    clients(world, lookers, &mut counted).await?;
    let kilos = processes::of_home(world.sandbox.home.path());
    counted.servers = kilos.iter().filter(|process| process.is_kilo()).count();
    Ok(counted)
}

async fn read(world: &World, path: &str) -> Result<Value> {
    world.baton.read(path).await
}

/// Every thread there is, those put away included.
async fn threads(world: &World) -> Result<Vec<ThreadId>> {
    let mut ids: Vec<ThreadId> = Vec::new();
    let accepted = world.accounts.accepted();
    for one in accepted.values() {
        let id = ThreadId::parse(&one.thread).context("an odd id of a thread")?;
        if !ids.contains(&id) && !world.accounts.is_deleted(&one.thread) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Reads a thread by pages, from the newest to the oldest.
async fn whole(world: &World, id: &ThreadId) -> Result<Whole> {
    let mut before = String::new();
    let mut whole: Option<Whole> = None;
    loop {
        let path = format!("/api/threads/{id}/window{before}");
        let window: Window = serde_json::from_value(read(world, &path).await?)?;
        let (turns, items) = (window.turns, window.items);
        let whole = whole.get_or_insert_with(|| Whole {
            thread: window.thread,
            turns: BTreeMap::new(),
            items: Vec::new(),
        });
        whole.turns.extend(turns.into_iter().map(|turn| (turn.id.clone(), turn)));
        whole.items.extend(items);
        match window.older {
            Some(position) => before = format!("?before={position}"),
            None => break,
        }
    }
    let mut whole = whole.context("no window")?;
    whole.items.sort_by_key(|item| item.position);
    Ok(whole)
}

fn turns(world: &World, counted: &mut Counted) {
    let accounts = &world.accounts;
    let mut found: BTreeMap<String, (&Turn, &Thread)> = BTreeMap::new();
    for whole in &counted.threads {
        for turn in whole.turns.values() {
            found.insert(turn.id.to_string(), (turn, &whole.thread));
        }
        counted.open_requests += usize::try_from(whole.thread.open_requests).unwrap_or(1);
    }
    let (mut missing, mut unended) = (0, 0);
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for (id, accepted) in accounts.accepted() {
        if accounts.is_deleted(&accepted.thread) {
            continue;
        }
        counted.accepted += 1;
        let plays = world.sandbox.model.plays(&accepted.mark);
        if plays > accepted.plays {
            counted.repeated += 1;
            accounts.blame(format!("{id} ({}) was begun {plays} times", accepted.mark));
        }
        match found.get(&id) {
            Some((turn, _)) if turn.state.is_terminal() => {
                *states.entry(format!("{:?}", turn.state)).or_default() += 1;
                accounts.see_end(&id, &format!("{:?}", turn.state));
            }
            Some((turn, thread)) => {
                unended += 1;
                accounts.blame(format!("{id} of {} is still {:?}", thread.id, turn.state));
            }
            None if accounts.is_withdrawn(&id) => {
                *states.entry("Withdrawn".to_owned()).or_default() += 1;
            }
            None => {
                missing += 1;
                accounts.blame(format!("{id} of {} was accepted and is gone", accepted.thread));
            }
        }
    }
    (counted.missing, counted.unended, counted.states) = (missing, unended, states);
}

/// Compares what each client has with what the server has.
async fn clients(world: &World, lookers: &[Follower], counted: &mut Counted) -> Result<()> {
    let mut windows: BTreeMap<ThreadId, Window> = BTreeMap::new();
    for looker in lookers {
        for id in looker.followed() {
            if !windows.contains_key(&id) && !world.accounts.is_deleted(&id.to_string()) {
                let value = read(world, &format!("/api/threads/{id}/window")).await?;
                windows.insert(id.clone(), serde_json::from_value(value)?);
            }
        }
    }
    let begun = Instant::now();
    for looker in lookers {
        for id in looker.followed() {
            let Some(window) = windows.get(&id) else { continue };
            counted.compared += 1;
            while let Some(differs) = looker.view(&id).and_then(|view| view.differs(window)) {
                if begun.elapsed() > CATCH_UP {
                    counted.differing += 1;
                    world.accounts.blame(format!("{} has of {id} {differs}", looker.name));
                    break;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        let (connects, gaps, _) = looker.counts();
        counted.connects += connects;
        if looker.name == "Slow" {
            counted.gaps_of_slow = gaps;
        }
    }
    Ok(())
}

/// What is left after Baton has ended.
pub(crate) struct Ended {
    pub(crate) orphans: usize,
    pub(crate) seconds: f64,
}

/// Ends Baton in order, and looks for what it left.
pub(crate) async fn end(world: &World) -> Result<Ended> {
    let begun = Instant::now();
    world.baton.end(Signal::SIGTERM).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let home = world.sandbox.home.path();
    let mut left = processes::of_home(home);
    let begun = Instant::now();
    while !left.is_empty() && begun.elapsed() < GONE {
        tokio::time::sleep(Duration::from_millis(100)).await;
        left = processes::of_home(home);
    }
    for process in &left {
        world.accounts.blame(format!("left behind: {process:?}"));
    }
    Ok(Ended { orphans: left.len(), seconds })
}
