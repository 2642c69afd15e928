//! Which session an event belongs to: one stream of Kilo's for all sessions, one lane for each.
//!
//! Servers follow one another and two may serve side by side, one for the trusted projects and one
//! for the others: each has a [`Generation`], every lane belongs to one, and what is left of an old
//! server touches no other's.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use domain::TurnError;
use kilo_sdk::{Envelope, Event, SessionId};
use tokio::sync::{mpsc, watch};

use super::session::{Control, Inner, MAX_CONTROL, MAX_INBOUND, MAX_INBOUND_BYTES};

/// Sub-agents' sessions that are remembered; the oldest are forgotten with their roots.
const MAX_CHILDREN: usize = 10_000;

/// Numbers the servers in the order in which they were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Generation(u64);

/// How the link to a server is. Sessions look at the newest state, so that none is lost on them
/// however much else waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// The stream of events is broken.
    broken: bool,
    /// The server does not answer.
    silent: bool,
    /// How often something was missed, which it was whenever the link was down.
    pub(super) missed: u64,
}

/// Why a link is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The stream of events is broken.
    Broken,
    /// The server does not answer.
    Silent,
}

/// Why a session has no lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotJoined {
    /// It has one already: a session has one writer.
    Taken,
    /// The server it was opened on no longer serves.
    Ended,
}

/// An open in progress, from having a server to having a lane on it: until it is dropped, that
/// server does not count as unused.
#[must_use]
pub(super) struct Hold {
    router: Arc<Router>,
    pub(super) generation: Generation,
}

/// The lanes of all open sessions.
#[derive(Default)]
pub(super) struct Router {
    routes: Mutex<Routes>,
}

#[derive(Default)]
struct Routes {
    /// The generations that serve.
    serving: HashMap<Generation, Serving>,
    /// How many servers there have been.
    started: u64,
    roots: HashMap<SessionId, Route>,
    /// Each sub-agent's session with the root it belongs to.
    children: HashMap<SessionId, SessionId>,
}

/// A server that serves.
struct Serving {
    /// Opens in progress on it.
    holds: usize,
    link: watch::Sender<Link>,
}

struct Route {
    generation: Generation,
    /// The session; nothing for the moment between its lane and it.
    session: Weak<Inner>,
    events: mpsc::Sender<Frame>,
    control: mpsc::Sender<Control>,
    lagged: Arc<AtomicBool>,
    /// Bytes of the events that wait.
    waiting: Arc<AtomicUsize>,
}

/// An event on its way to its session.
pub(super) struct Frame {
    pub(super) envelope: Envelope,
    /// As it came, while native logs are written.
    pub(super) raw: Option<String>,
    /// Its size as it came.
    bytes: usize,
    /// The room it takes in its lane until it is dropped.
    room: Option<Room>,
}

impl Frame {
    /// An event of this many bytes.
    pub(super) fn new(envelope: Envelope, raw: Option<String>, bytes: usize) -> Self {
        Self { envelope, raw, bytes, room: None }
    }
}

/// Bytes that wait in a lane.
struct Room {
    waiting: Arc<AtomicUsize>,
    bytes: usize,
}

impl Room {
    /// Takes room, if there is enough of it; a single event finds it always.
    fn take(waiting: &Arc<AtomicUsize>, bytes: usize) -> Option<Self> {
        let before = waiting.fetch_add(bytes, Ordering::Relaxed);
        let room = Self { waiting: waiting.clone(), bytes };
        (before == 0 || before.saturating_add(bytes) <= MAX_INBOUND_BYTES).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What reaches one session.
pub(super) struct Lane {
    pub(super) events: mpsc::Receiver<Frame>,
    pub(super) control: mpsc::Receiver<Control>,
    pub(super) link: watch::Receiver<Link>,
    /// Events were dropped because too many waited.
    pub(super) lagged: Arc<AtomicBool>,
}

impl Router {
    fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a new server serve.
    pub(super) fn begin(&self) -> Generation {
        let mut routes = self.routes();
        routes.started += 1;
        let generation = Generation(routes.started);
        let link = watch::Sender::new(Link::default());
        routes.serving.insert(generation, Serving { holds: 0, link });
        generation
    }

    /// Whether the server of this generation serves.
    pub(super) fn serves(&self, generation: Generation) -> bool {
        self.routes().serving.contains_key(&generation)
    }

    /// Whether any server serves.
    pub(super) fn is_served(&self) -> bool {
        !self.routes().serving.is_empty()
    }

    /// Notes an open in progress.
    pub(super) fn hold(self: &Arc<Self>, generation: Generation) -> Hold {
        if let Some(serving) = self.routes().serving.get_mut(&generation) {
            serving.holds += 1;
        }
        Hold { router: self.clone(), generation }
    }

    /// Whether no session is open or being opened on this server.
    pub(super) fn is_unused(&self, generation: Generation) -> bool {
        let routes = self.routes();
        routes.serving.get(&generation).is_none_or(|serving| serving.holds == 0)
            && routes.of(generation).next().is_none()
    }

    /// Opens a lane for a session that was opened on a server of this generation.
    pub(super) fn join(
        &self,
        generation: Generation,
        session: &SessionId,
    ) -> Result<(Lane, mpsc::Sender<Control>), NotJoined> {
        let mut routes = self.routes();
        let Some(serving) = routes.serving.get(&generation) else {
            return Err(NotJoined::Ended);
        };
        let mut link = serving.link.subscribe();
        if link.borrow().is_down() {
            link.mark_changed();
        }
        // On the other server as well: the two share Kilo's database.
        if routes.roots.get(session).is_some_and(|route| !route.events.is_closed()) {
            return Err(NotJoined::Taken);
        }
        let (events, inbound) = mpsc::channel(MAX_INBOUND);
        let (control, wishes) = mpsc::channel(MAX_CONTROL);
        let lagged = Arc::new(AtomicBool::new(false));
        let route = Route {
            generation,
            session: Weak::new(),
            events,
            control: control.clone(),
            lagged: lagged.clone(),
            waiting: Arc::default(),
        };
        routes.roots.insert(session.clone(), route);
        Ok((Lane { events: inbound, control: wishes, link, lagged }, control))
    }

    /// Notes whose lane it is.
    pub(super) fn attend(&self, id: &SessionId, generation: Generation, session: &Arc<Inner>) {
        let mut routes = self.routes();
        if let Some(route) = routes.roots.get_mut(id).filter(|r| r.generation == generation) {
            route.session = Arc::downgrade(session);
        }
    }

    /// How many sessions are open on a server.
    pub(super) fn sessions(&self, generation: Generation) -> usize {
        self.routes().of(generation).count()
    }

    /// Whether a session is being opened on a server.
    pub(super) fn is_opening(&self, generation: Generation) -> bool {
        self.routes().serving.get(&generation).is_some_and(|serving| serving.holds > 0)
    }

    /// How many turns run on a server.
    pub(super) fn turns(&self, generation: Generation) -> u32 {
        let open: Vec<_> = self.routes().of(generation).map(|r| r.session.clone()).collect();
        running(&open)
    }

    /// Stops what runs on a server.
    pub(super) async fn abort_all(&self, generation: Generation) {
        let open: Vec<_> = self.routes().of(generation).map(|r| r.session.clone()).collect();
        for session in open.iter().filter_map(Weak::upgrade).filter(|s| s.is_running()) {
            if let Err(error) = session.instance.abort(&session.id).await {
                tracing::warn!(session = %session.id, %error, "a turn was not stopped");
            }
        }
    }

    /// The sessions that are open in a directory of a server.
    pub(super) fn sessions_in(&self, generation: Generation, directory: &str) -> Vec<Arc<Inner>> {
        let open: Vec<_> = self.routes().of(generation).map(|r| r.session.clone()).collect();
        let mut open: Vec<_> = open.iter().filter_map(Weak::upgrade).collect();
        open.retain(|session| session.directory == directory);
        open
    }

    /// How many turns run on all servers.
    pub(super) fn all_turns(&self) -> u32 {
        let open: Vec<_> = self.routes().roots.values().map(|r| r.session.clone()).collect();
        running(&open)
    }

    /// The directories of a server in which a session is open.
    pub(super) fn directories(&self, generation: Generation) -> HashSet<String> {
        let open: Vec<_> = self.routes().of(generation).map(|r| r.session.clone()).collect();
        open.iter().filter_map(Weak::upgrade).map(|session| session.directory.clone()).collect()
    }

    /// Closes the lane that was opened with this control; a later one of the same session stays.
    pub(super) fn leave(&self, session: &SessionId, control: &mpsc::Sender<Control>) {
        let mut routes = self.routes();
        if routes.roots.get(session).is_some_and(|route| route.control.same_channel(control)) {
            routes.remove(session);
        }
    }

    /// Takes a lane off whose task has ended, unless the session has a new one already.
    pub(super) fn ended(&self, session: &SessionId) {
        let mut routes = self.routes();
        if routes.roots.get(session).is_some_and(|route| route.events.is_closed()) {
            routes.remove(session);
        }
    }

    /// Notes that a sub-agent's session belongs to a root.
    pub(super) fn adopt(&self, child: &SessionId, root: &SessionId) {
        let mut routes = self.routes();
        if routes.children.len() < MAX_CHILDREN {
            routes.children.insert(child.clone(), root.clone());
        }
    }

    pub(super) fn is_child(&self, session: &SessionId, root: &SessionId) -> bool {
        self.routes().children.get(session) == Some(root)
    }

    /// Puts an event into its session's lane, if one is open; without waiting, so that one session
    /// never holds up another.
    pub(super) fn route(&self, generation: Generation, mut frame: Frame) -> bool {
        let envelope = &frame.envelope;
        let Some(session) = envelope.event.session_id() else { return false };
        let mut routes = self.routes();
        if let Event::SessionCreated(created) = &envelope.event
            && let Some(parent) = &created.parent_id
            && let Some(root) = routes.root_of(parent)
            && routes.children.len() < MAX_CHILDREN
        {
            routes.children.insert(session.clone(), root);
        }
        let Some(root) = routes.root_of(&session) else { return false };
        let Some(route) = routes.roots.get(&root) else { return false };
        if route.generation != generation {
            return false;
        }
        frame.room = Room::take(&route.waiting, frame.bytes);
        let full = || route.lagged.store(true, Ordering::Relaxed);
        if frame.room.is_none() {
            full();
        } else if let Err(mpsc::error::TrySendError::Full(_)) = route.events.try_send(frame) {
            full();
        }
        true
    }

    /// Tells a server's sessions that the link is down or up again; up means: read again.
    pub(super) fn link(&self, generation: Generation, fault: Fault, down: bool) {
        self.note(generation, |link| {
            let before = link.is_down();
            match fault {
                Fault::Broken => link.broken = down,
                Fault::Silent => link.silent = down,
            }
            link.missed += u64::from(!before && link.is_down());
            link.is_down() != before
        });
    }

    /// Tells a server's sessions that something was missed that may have been of any of them.
    pub(super) fn missed(&self, generation: Generation) {
        self.note(generation, |link| {
            link.missed += 1;
            true
        });
    }

    fn note(&self, generation: Generation, change: impl FnOnce(&mut Link) -> bool) {
        if let Some(serving) = self.routes().serving.get(&generation) {
            serving.link.send_if_modified(change);
        }
    }

    /// Has a session read again.
    pub(super) fn resync(&self, session: &SessionId) {
        if let Some(route) = self.routes().roots.get(session) {
            // When the lane is full the session is being read already.
            let _ = route.control.try_send(Control::Resync);
        }
    }

    /// Closes the sessions of a server in which no turn runs.
    pub(super) fn rest(&self, generation: Generation) {
        for route in self.routes().of(generation) {
            let _ = route.control.try_send(Control::Rest);
        }
    }

    /// Closes the sessions of a directory of a server in which no turn runs.
    pub(super) fn rest_in(&self, generation: Generation, directory: &str) {
        for route in self.routes().of(generation) {
            if route.session.upgrade().is_some_and(|session| session.directory == directory) {
                let _ = route.control.try_send(Control::Rest);
            }
        }
    }

    /// Closes the sessions of all servers in which no turn runs.
    pub(super) fn rest_all(&self) {
        for route in self.routes().roots.values() {
            let _ = route.control.try_send(Control::Rest);
        }
    }

    /// Ends all sessions of a generation because its server is gone or about to be, and lets none
    /// join it any more. Does nothing when it does not serve.
    pub(super) fn lost(&self, generation: Generation, error: &TurnError) {
        let mut routes = self.routes();
        if routes.serving.remove(&generation).is_none() {
            return;
        }
        let Routes { roots, children, .. } = &mut *routes;
        roots.retain(|_, route| {
            let stays = route.generation != generation;
            if !stays {
                // Should the lane be full, its end alone says the same.
                let _ = route.control.try_send(Control::Lost(error.clone()));
            }
            stays
        });
        children.retain(|_, root| roots.contains_key(root));
    }
}

impl Link {
    pub(super) fn is_down(self) -> bool {
        self.broken || self.silent
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Of a server that serves no more, it is not among those that are counted.
        if let Some(serving) = self.router.routes().serving.get_mut(&self.generation) {
            serving.holds = serving.holds.saturating_sub(1);
        }
    }
}

/// How many of these sessions run a turn or are given a message; asked without the lock of the routes.
fn running(sessions: &[Weak<Inner>]) -> u32 {
    let running = sessions.iter().filter_map(Weak::upgrade).filter(|session| session.is_running());
    u32::try_from(running.count()).unwrap_or(u32::MAX)
}

impl Routes {
    fn remove(&mut self, session: &SessionId) {
        self.roots.remove(session);
        self.children.retain(|_, root| root != session);
    }

    fn of(&self, generation: Generation) -> impl Iterator<Item = &Route> {
        self.roots.values().filter(move |route| route.generation == generation)
    }

    fn root_of(&self, session: &SessionId) -> Option<SessionId> {
        if self.roots.contains_key(session) {
            return Some(session.clone());
        }
        self.children.get(session).cloned()
    }
}

#[cfg(test)]
mod tests;
