//! Which session an event or a request belongs to: one process for all threads, one lane for each
//! thread that is open here. Sub-agents have threads of their own, whose events go to their root's
//! lane; Codex names them in an item, maybe after their first events, which are held until then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use codex_sdk::RequestId;
use codex_sdk::types::{Ask, Event, EventBody};
use domain::TurnError;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::mapper::children_of;
use super::session::{Control, Inner, MAX_CONTROL};

/// Events that may wait for one session; what comes when they do is dropped and read again.
const MAX_INBOUND: usize = 4096;
/// Requests that may wait for one session; further ones are refused, which for Codex is a no.
const MAX_ASKS: usize = 256;
/// What both may take together, in KiB of their lines. A longer one goes alone.
const MAX_INBOUND_KIB: u32 = 32 * 1024;
/// Sub-agents' threads that are remembered; of further ones nothing is shown.
const MAX_CHILDREN: usize = 10_000;
/// Threads without a root whose events are held, and how many of each.
const MAX_ORPHANS: usize = 64;
const MAX_HELD: usize = 256;
/// What is held for all of them together, in bytes of the lines.
const MAX_HELD_BYTES: usize = 32 << 20;

/// Numbers the processes in the order in which they were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Generation(u64);

/// A request of Codex on its way to its session.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) id: RequestId,
    pub(super) method: String,
    pub(super) ask: Ask,
}

/// What goes to a session.
#[derive(Debug)]
pub(super) enum Frame {
    /// Something happened.
    Event(Box<Event>),
    /// Something is wanted.
    Ask(Box<Asking>),
}

/// Something that waits for a session, with the room it takes until it is dropped.
#[derive(Debug)]
pub(super) struct Waits<T> {
    pub(super) what: T,
    _room: OwnedSemaphorePermit,
}

/// Why a session has no lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotJoined {
    /// It has one already: a session has one writer.
    Taken,
    /// The process it was opened on no longer serves.
    Ended,
}

/// An open in progress: until it is dropped, the process does not count as unused.
#[must_use]
pub(super) struct Hold {
    router: Arc<Router>,
    pub(super) generation: Generation,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut routes = self.router.routes();
        routes.holds = routes.holds.saturating_sub(1);
    }
}

/// The lanes of all open sessions.
#[derive(Default)]
pub(super) struct Router {
    routes: Mutex<Routes>,
}

#[derive(Default)]
struct Routes {
    /// The generation that serves.
    serving: Option<Generation>,
    /// How many processes there have been.
    started: u64,
    /// Opens in progress.
    holds: usize,
    roots: HashMap<String, Route>,
    /// Each sub-agent's thread with the root it belongs to.
    children: HashMap<String, String>,
    /// What came for threads whose root is not known yet.
    orphans: HashMap<String, Vec<(Frame, usize)>>,
}

struct Route {
    generation: Generation,
    session: Weak<Inner>,
    events: mpsc::Sender<Waits<Event>>,
    asks: mpsc::Sender<Waits<Asking>>,
    room: Arc<Semaphore>,
    control: mpsc::Sender<Control>,
    lost: watch::Sender<Option<TurnError>>,
    lagged: Arc<AtomicBool>,
}

/// What reaches one session.
pub(super) struct Lane {
    pub(super) events: mpsc::Receiver<Waits<Event>>,
    pub(super) asks: mpsc::Receiver<Waits<Asking>>,
    pub(super) control: mpsc::Receiver<Control>,
    /// Why the process behind it is gone, once it is.
    pub(super) lost: watch::Receiver<Option<TurnError>>,
    /// Events were dropped because too many waited.
    pub(super) lagged: Arc<AtomicBool>,
}

impl Router {
    fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a new process serve.
    pub(super) fn begin(&self) -> Generation {
        let mut routes = self.routes();
        routes.started += 1;
        let generation = Generation(routes.started);
        routes.serving = Some(generation);
        routes.children.clear();
        routes.orphans.clear();
        generation
    }

    /// Whether a process serves.
    pub(super) fn is_served(&self) -> bool {
        self.routes().serving.is_some()
    }

    /// Notes an open in progress.
    pub(super) fn hold(self: &Arc<Self>, generation: Generation) -> Hold {
        self.routes().holds += 1;
        Hold { router: self.clone(), generation }
    }

    /// Whether no session is open or being opened.
    pub(super) fn is_unused(&self) -> bool {
        let routes = self.routes();
        routes.holds == 0 && routes.roots.values().all(|route| route.events.is_closed())
    }

    /// Opens a lane for a session that was opened on the process of this generation.
    pub(super) fn join(
        &self,
        generation: Generation,
        thread: &str,
    ) -> Result<(Lane, mpsc::Sender<Control>), NotJoined> {
        let mut routes = self.routes();
        if routes.serving != Some(generation) {
            return Err(NotJoined::Ended);
        }
        if routes.roots.get(thread).is_some_and(|route| !route.events.is_closed()) {
            return Err(NotJoined::Taken);
        }
        let (events, inbound) = mpsc::channel(MAX_INBOUND);
        let (asks, asked) = mpsc::channel(MAX_ASKS);
        let (control, wishes) = mpsc::channel(MAX_CONTROL);
        let (lost, is_lost) = watch::channel(None);
        let lagged = Arc::new(AtomicBool::new(false));
        let route = Route {
            generation,
            session: Weak::new(),
            events,
            asks,
            room: Arc::new(Semaphore::new(usize::try_from(MAX_INBOUND_KIB).unwrap_or(usize::MAX))),
            control: control.clone(),
            lost,
            lagged: lagged.clone(),
        };
        let held = routes.orphans.remove(thread).unwrap_or_default();
        routes.roots.insert(thread.to_owned(), route);
        for (ask, bytes) in held.into_iter().filter(|(frame, _)| matches!(frame, Frame::Ask(_))) {
            // Every one is answered, by the session if by nobody else. An empty lane has room.
            routes.put(thread, ask, bytes);
        }
        let lane = Lane { events: inbound, asks: asked, control: wishes, lost: is_lost, lagged };
        Ok((lane, control))
    }

    /// Notes whose lane it is.
    pub(super) fn attend(&self, thread: &str, session: &Arc<Inner>) {
        if let Some(route) = self.routes().roots.get_mut(thread) {
            route.session = Arc::downgrade(session);
        }
    }

    /// Takes a lane off whose session is closed, unless the thread has a new one already.
    pub(super) fn leave(&self, thread: &str, control: &mpsc::Sender<Control>) {
        let mut routes = self.routes();
        if routes.roots.get(thread).is_some_and(|route| route.control.same_channel(control)) {
            routes.remove(thread);
        }
    }

    /// Takes a lane off whose task has ended, unless the thread has a new one already.
    pub(super) fn ended(&self, thread: &str) {
        let mut routes = self.routes();
        if routes.roots.get(thread).is_some_and(|route| route.events.is_closed()) {
            routes.remove(thread);
        }
    }

    /// How many sessions are open.
    pub(super) fn sessions(&self) -> u32 {
        u32::try_from(self.routes().roots.len()).unwrap_or(u32::MAX)
    }

    /// Whether a session is open.
    pub(super) fn is_open(&self, thread: &str) -> bool {
        self.routes().roots.get(thread).is_some_and(|route| !route.events.is_closed())
    }

    /// Stops what runs in a session.
    pub(super) async fn abort(&self, thread: &str) {
        let open = self.routes().roots.get(thread).and_then(|route| route.session.upgrade());
        if let Some(session) = open {
            session.abort().await;
        }
    }

    /// How many turns run.
    pub(super) fn turns(&self) -> u32 {
        let open: Vec<_> = self.routes().roots.values().map(|r| r.session.clone()).collect();
        let running = open.iter().filter_map(Weak::upgrade).filter(|s| s.is_running());
        u32::try_from(running.count()).unwrap_or(u32::MAX)
    }

    /// Tells all sessions of a process that it is gone.
    pub(super) fn lost(&self, generation: Generation, error: &TurnError) {
        let mut routes = self.routes();
        if routes.serving == Some(generation) {
            routes.serving = None;
            routes.orphans.clear();
        }
        for route in routes.roots.values().filter(|route| route.generation == generation) {
            route.lost.send_replace(Some(error.clone()));
        }
    }

    /// Has every session without a turn end, so that it is opened anew when it is next needed.
    pub(super) fn rest_all(&self) {
        for route in self.routes().roots.values() {
            let _ = route.control.try_send(Control::Rest);
        }
    }

    /// Puts what came for a thread into its lane, in a line of so many bytes; gives what nobody is
    /// there for, or has room for.
    pub(super) fn route(&self, thread: &str, frame: Frame, bytes: usize) -> Vec<Frame> {
        let mut routes = self.routes();
        let Some(root) = routes.root_of(thread) else {
            return routes.hold_back(thread, frame, bytes).into_iter().collect();
        };
        let named = match &frame {
            Frame::Event(event) => match &event.body {
                EventBody::ItemStarted(item) | EventBody::ItemCompleted(item) => children_of(item),
                _ => Vec::new(),
            },
            Frame::Ask(_) => Vec::new(),
        };
        let mut refused: Vec<Frame> = routes.put(&root, frame, bytes).into_iter().collect();
        for child in named {
            refused.extend(routes.adopt(&child, &root));
        }
        refused
    }

    /// Notes that a thread is a sub-agent's below another thread; gives what nobody is there for, or
    /// has room for.
    pub(super) fn adopt(&self, child: &str, parent: Option<&str>) -> Vec<Frame> {
        let mut routes = self.routes();
        match parent.and_then(|parent| routes.root_of(parent)) {
            Some(root) => routes.adopt(child, &root),
            None => {
                let held = routes.orphans.remove(child).unwrap_or_default();
                held.into_iter().map(|(frame, _)| frame).collect()
            }
        }
    }
}

impl Routes {
    fn root_of(&self, thread: &str) -> Option<String> {
        if self.roots.contains_key(thread) {
            return Some(thread.to_owned());
        }
        self.children.get(thread).filter(|root| self.roots.contains_key(*root)).cloned()
    }

    fn hold_back(&mut self, thread: &str, frame: Frame, bytes: usize) -> Option<Frame> {
        let taken: usize = self.orphans.values().flatten().map(|(_, bytes)| bytes).sum();
        if taken.saturating_add(bytes) > MAX_HELD_BYTES {
            return Some(frame);
        }
        let known = self.orphans.contains_key(thread);
        if !known && self.orphans.len() >= MAX_ORPHANS {
            return Some(frame);
        }
        let held = self.orphans.entry(thread.to_owned()).or_default();
        if held.len() >= MAX_HELD {
            return Some(frame);
        }
        held.push((frame, bytes));
        None
    }

    fn put(&mut self, root: &str, frame: Frame, bytes: usize) -> Option<Frame> {
        let Some(route) = self.roots.get(root) else { return Some(frame) };
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(MAX_INBOUND_KIB);
        let room = route.room.clone().try_acquire_many_owned(kib).ok();
        match frame {
            Frame::Event(event) => {
                let waits = room.map(|room| Waits { what: *event, _room: room });
                if waits.is_none_or(|waits| route.events.try_send(waits).is_err()) {
                    route.lagged.store(true, Ordering::Relaxed);
                }
                None
            }
            Frame::Ask(asking) => {
                let Some(room) = room else { return Some(Frame::Ask(asking)) };
                match route.asks.try_send(Waits { what: *asking, _room: room }) {
                    Ok(()) => None,
                    Err(TrySendError::Full(waits) | TrySendError::Closed(waits)) => {
                        Some(Frame::Ask(Box::new(waits.what)))
                    }
                }
            }
        }
    }

    fn adopt(&mut self, child: &str, root: &str) -> Vec<Frame> {
        if child == root {
            return Vec::new();
        }
        let held = self.orphans.remove(child).unwrap_or_default();
        if self.children.len() >= MAX_CHILDREN && !self.children.contains_key(child) {
            return held.into_iter().map(|(frame, _)| frame).collect();
        }
        self.children.insert(child.to_owned(), root.to_owned());
        // A session that has no room for events reads itself again.
        held.into_iter().filter_map(|(frame, bytes)| self.put(root, frame, bytes)).collect()
    }

    fn remove(&mut self, thread: &str) {
        self.roots.remove(thread);
        self.children.retain(|_, root| root != thread);
    }
}

#[cfg(test)]
mod tests {
    use codex_sdk::types::Ask;
    use serde_json::json;

    use super::*;

    fn ask(thread: &str, id: u64) -> Frame {
        let method = "item/commandExecution/requestApproval";
        let ask = Ask::read(method, &json!({ "threadId": thread, "turnId": "u", "command": "ls" }));
        Frame::Ask(Box::new(Asking { id: json!(id).into(), method: method.to_owned(), ask }))
    }

    /// An item of the root that names a sub-agent.
    fn names(root: &str, child: &str) -> Frame {
        let item = json!({ "type": "subAgentActivity", "id": "i", "kind": "started",
            "agentThreadId": child });
        let params = json!({ "threadId": root, "turnId": "u", "item": item });
        Frame::Event(Box::new(Event::read("item/started", params)))
    }

    fn ids(frames: &[Frame]) -> Vec<String> {
        let id = |frame: &Frame| match frame {
            Frame::Ask(asking) => asking.id.to_string(),
            Frame::Event(_) => "an event".to_owned(),
        };
        frames.iter().map(id).collect()
    }

    #[test]
    fn what_a_sub_agent_asks_reaches_its_root_or_is_given_back() {
        let router = Router::default();
        let generation = router.begin();
        let (mut lane, _control) = router.join(generation, "root").ok().unwrap();
        assert!(router.route("child", ask("child", 0), 1).is_empty());
        for id in 1..=MAX_ASKS as u64 {
            assert!(router.route("root", ask("root", id), 1).is_empty(), "there is room");
        }
        // The lane is full when the item names the sub-agent.
        assert_eq!(ids(&router.route("root", names("root", "child"), 1)), ["0"]);
        lane.asks.try_recv().unwrap();
        assert!(router.route("child", ask("child", 1000), 1).is_empty());
        // The same when it is found out otherwise.
        assert!(router.route("other", ask("other", 1001), 1).is_empty());
        assert_eq!(ids(&router.adopt("other", Some("root"))), ["1001"]);
        assert!(router.route("third", ask("third", 1002), 1).is_empty());
        assert_eq!(ids(&router.adopt("third", None)), ["1002"]);
    }

    #[test]
    fn what_was_asked_before_a_session_had_its_lane_is_in_it() {
        let router = Router::default();
        let generation = router.begin();
        assert!(router.route("root", ask("root", 7), 1).is_empty());
        let (mut lane, _control) = router.join(generation, "root").ok().unwrap();
        assert_eq!(lane.asks.try_recv().unwrap().what.id.to_string(), "7");
    }

    #[test]
    fn what_waits_is_bounded_by_its_length_too() {
        let router = Router::default();
        let generation = router.begin();
        let (mut lane, _control) = router.join(generation, "root").ok().unwrap();
        // The longest line there is finds room alone.
        assert!(router.route("root", names("root", "child"), 64 << 20).is_empty());
        assert!(!lane.lagged.load(Ordering::Relaxed));
        assert!(router.route("root", names("root", "child"), 1).is_empty());
        assert!(lane.lagged.load(Ordering::Relaxed), "the session is read instead");
        assert_eq!(ids(&router.route("root", ask("root", 1), 1)), ["1"]);
        drop(lane.events.try_recv().unwrap());
        assert!(router.route("root", ask("root", 2), 1).is_empty());
        // And so is what is held for whoever is not known yet.
        assert!(router.route("new", ask("new", 3), MAX_HELD_BYTES).is_empty());
        assert_eq!(ids(&router.route("new", ask("new", 4), 1)), ["4"]);
        assert_eq!(ids(&router.adopt("new", None)), ["3"]);
        assert!(router.route("new", ask("new", 5), 1).is_empty());
    }
}
