//! A client of the live socket that comes and goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use bench::socket::Socket;
use domain::{ShellChange, ThreadId};
use protocol::{ServerMessage, Topic};
use testkit::dice::Dice;
use tokio::sync::watch;

use crate::World;
use crate::view::View;

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It stays as long as it can.
    Steady,
    /// It goes away and comes back, with its cursors or without.
    Restless,
    /// It reads so slowly that it cannot keep up.
    Slow,
}

/// A client and what it has.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) name: String,
    known: Arc<Mutex<Known>>,
    version: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    /// The one thread it follows; `None`: the sidebar, and every thread in it.
    only: Option<ThreadId>,
    views: BTreeMap<ThreadId, View>,
    threads: BTreeSet<ThreadId>,
    /// Snapshots it was given.
    gaps: u64,
    /// Cursors that could be continued.
    continued: u64,
    connects: u64,
}

/// Threads one client follows at most: a socket takes 64 topics, and people look at fewer.
const MAX_FOLLOWED: usize = 24;

impl Follower {
    /// Starts a client of one thread, or of all.
    pub(crate) fn start(
        world: World,
        name: String,
        manner: Manner,
        only: Option<ThreadId>,
    ) -> Self {
        let known = Known { only, ..Known::default() };
        let this =
            Self { name, known: Arc::new(Mutex::new(known)), version: watch::Sender::new(0) };
        tokio::spawn(this.clone().follow(world, manner));
        this
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells that something may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// What it has of a thread.
    pub(crate) fn view(&self, thread: &ThreadId) -> Option<View> {
        self.known().views.get(thread).cloned()
    }

    /// Goes over to another thread.
    pub(crate) fn turn_to(&self, thread: ThreadId) {
        let mut known = self.known();
        known.views.clear();
        known.threads = BTreeSet::from([thread.clone()]);
        known.only = Some(thread);
        drop(known);
        self.version.send_modify(|version| *version += 1);
    }

    /// The threads it follows.
    pub(crate) fn followed(&self) -> Vec<ThreadId> {
        self.known().views.keys().cloned().collect()
    }

    /// How often it connected, was given a snapshot, could go on.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let known = self.known();
        (known.connects, known.gaps, known.continued)
    }

    async fn follow(self, world: World, manner: Manner) {
        let mut dice = Dice::of(world.seed, &self.name);
        while !world.is_closed() {
            if let Err(error) = self.stay(&world, manner, &mut dice).await {
                world.accounts.event("socket", format!("{}: {error:#}", self.name));
            }
            tokio::time::sleep(dice.millis(50..1500)).await;
        }
    }

    /// One connection.
    async fn stay(&self, world: &World, manner: Manner, dice: &mut Dice) -> Result<()> {
        let Some(door) = world.baton.door() else { return Ok(()) };
        let mut socket = Socket::connect(&door).await?;
        let restless = manner == Manner::Restless || (manner != Manner::Slow && dice.happens(200));
        let until = restless.then(|| Instant::now() + dice.millis(500..40_000));
        if self.known().only.is_none() {
            socket.follow(Topic::Shell).await?;
        }
        let mut asked: BTreeSet<ThreadId> = BTreeSet::new();
        let wanted = self.wanted();
        {
            let mut known = self.known();
            known.connects += 1;
            // What it does not follow any more gets no changes.
            known.views.retain(|id, _| wanted.contains(id));
            if dice.happens(300) {
                // As a page that was reloaded.
                known.views.clear();
            }
        }
        let mut changed = self.version.subscribe();
        loop {
            let wanted = self.wanted();
            for thread in asked.extract_if(.., |asked| !wanted.contains(asked)) {
                self.known().views.remove(&thread);
                socket.leave(Topic::Thread { id: thread }).await?;
            }
            for thread in wanted {
                if asked.insert(thread.clone()) {
                    let cursor = self.view(&thread).map(|view| view.cursor);
                    socket.follow_from(Topic::Thread { id: thread }, cursor).await?;
                }
            }
            let over = world.is_over();
            if until.is_some_and(|until| Instant::now() > until && !over) || world.is_closed() {
                return Ok(());
            }
            let received = tokio::select! {
                received = socket.next() => received?,
                _ = changed.changed() => continue,
                () = tokio::time::sleep(Duration::from_secs(1)) => continue,
            };
            if let ServerMessage::ThreadGap { id, .. } = &received.message
                && !asked.contains(id)
            {
                // It was on its way when the thread was left, and nothing more of it follows.
                continue;
            }
            let again = self.take(world, received.message);
            if let Some(thread) = again {
                asked.remove(&thread);
            }
            if manner == Manner::Slow && !over {
                tokio::time::sleep(dice.millis(50..800)).await;
            }
        }
    }

    fn wanted(&self) -> Vec<ThreadId> {
        let known = self.known();
        match &known.only {
            Some(only) => vec![only.clone()],
            None => known.threads.iter().rev().take(MAX_FOLLOWED).cloned().collect(),
        }
    }

    /// Takes a message; gives a thread that has to be followed afresh.
    fn take(&self, world: &World, message: ServerMessage) -> Option<ThreadId> {
        let mut known = self.known();
        let mut again = None;
        match message {
            ServerMessage::Ok { topic: Topic::Thread { .. }, .. } => known.continued += 1,
            ServerMessage::ShellGap { snapshot, .. } => {
                known.threads.extend(snapshot.threads.into_iter().map(|thread| thread.id));
            }
            ServerMessage::ShellChanges { changes, .. } => {
                for change in changes {
                    match change {
                        ShellChange::Thread { thread } if !thread.archived => {
                            known.threads.insert(thread.id);
                        }
                        ShellChange::ThreadRemoved { id } => {
                            known.threads.remove(&id);
                            known.views.remove(&id);
                        }
                        _ => {}
                    }
                }
            }
            ServerMessage::ThreadGap { id, cursor, snapshot } => {
                known.gaps += 1;
                see_ends(world, snapshot.turns.iter());
                known.views.insert(id, View::new(cursor, *snapshot));
            }
            ServerMessage::ThreadChanges { id, cursor, changes } => {
                let turns = changes.iter().filter_map(|change| match change {
                    domain::Change::Turn { turn } => Some(turn),
                    _ => None,
                });
                see_ends(world, turns);
                let applied = known.views.get_mut(&id).map(|view| view.apply(cursor, changes));
                if let Some(Err(problem)) = applied {
                    world.accounts.blame(format!("{}: {id}: {problem}", self.name));
                    known.views.remove(&id);
                    again = Some(id);
                }
            }
            ServerMessage::Gone { topic: Topic::Thread { id }, .. } => {
                known.views.remove(&id);
                known.threads.remove(&id);
            }
            ServerMessage::Refused { problem } => {
                world.accounts.blame(format!("{}: refused: {problem:?}", self.name));
            }
            _ => {}
        }
        drop(known);
        self.version.send_modify(|version| *version += 1);
        again
    }
}

fn see_ends<'a>(world: &World, turns: impl Iterator<Item = &'a domain::Turn>) {
    for turn in turns.filter(|turn| turn.state.is_terminal()) {
        world.accounts.see_end(&turn.id.to_string(), &format!("{:?}", turn.state));
    }
}
