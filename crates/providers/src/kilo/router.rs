//! Which session an event belongs to: one stream of Kilo's for all sessions, one lane for each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::TurnError;
use kilo_sdk::{Envelope, Event, SessionId};
use tokio::sync::mpsc;

use super::session::{Control, MAX_CONTROL, MAX_INBOUND};

/// Sub-agents' sessions that are remembered; the oldest are forgotten with their roots.
const MAX_CHILDREN: usize = 10_000;

/// The lanes of all open sessions.
#[derive(Default)]
pub(super) struct Router {
    routes: Mutex<Routes>,
}

#[derive(Default)]
struct Routes {
    roots: HashMap<SessionId, Route>,
    /// Each sub-agent's session with the root it belongs to.
    children: HashMap<SessionId, SessionId>,
}

struct Route {
    events: mpsc::Sender<Envelope>,
    control: mpsc::Sender<Control>,
    lagged: Arc<AtomicBool>,
}

/// What reaches one session.
pub(super) struct Lane {
    pub(super) events: mpsc::Receiver<Envelope>,
    pub(super) control: mpsc::Receiver<Control>,
    /// Events were dropped because too many waited.
    pub(super) lagged: Arc<AtomicBool>,
}

impl Router {
    fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a lane for a session, unless it has one: a session has one writer.
    pub(super) fn join(&self, session: &SessionId) -> Option<(Lane, mpsc::Sender<Control>)> {
        let mut routes = self.routes();
        if routes.roots.get(session).is_some_and(|route| !route.events.is_closed()) {
            return None;
        }
        let (events, inbound) = mpsc::channel(MAX_INBOUND);
        let (control, wishes) = mpsc::channel(MAX_CONTROL);
        let lagged = Arc::new(AtomicBool::new(false));
        let route = Route { events, control: control.clone(), lagged: lagged.clone() };
        routes.roots.insert(session.clone(), route);
        Some((Lane { events: inbound, control: wishes, lagged }, control))
    }

    /// Closes a session's lane.
    pub(super) fn leave(&self, session: &SessionId) {
        let mut routes = self.routes();
        routes.roots.remove(session);
        routes.children.retain(|_, root| root != session);
    }

    /// Takes a lane off whose task has ended, unless the session has a new one already.
    pub(super) fn ended(&self, session: &SessionId) {
        let closed = self.routes().roots.get(session).is_some_and(|r| r.events.is_closed());
        if closed {
            self.leave(session);
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

    /// Whether any session is open.
    pub(super) fn is_empty(&self) -> bool {
        self.routes().roots.is_empty()
    }

    /// Puts an event into its session's lane, if one is open; without waiting, so that one session
    /// never holds up another.
    pub(super) fn route(&self, envelope: Envelope) -> bool {
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
        if let Err(mpsc::error::TrySendError::Full(_)) = route.events.try_send(envelope) {
            route.lagged.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Tells all sessions that the link is down or up again; up means: read again.
    pub(super) fn link(&self, down: bool) {
        for route in self.routes().roots.values() {
            let _ = route.control.try_send(Control::Link { down });
            if !down {
                let _ = route.control.try_send(Control::Resync);
            }
        }
    }

    /// Closes the sessions in which no turn runs.
    pub(super) fn rest(&self) {
        for route in self.routes().roots.values() {
            let _ = route.control.try_send(Control::Rest);
        }
    }

    /// Ends all sessions because the server is gone.
    pub(super) fn lost(&self, error: &TurnError) {
        let mut routes = self.routes();
        routes.children.clear();
        for (_, route) in routes.roots.drain() {
            // Should the lane be full, its end alone says the same.
            let _ = route.control.try_send(Control::Lost(error.clone()));
        }
    }
}

impl Routes {
    fn root_of(&self, session: &SessionId) -> Option<SessionId> {
        if self.roots.contains_key(session) {
            return Some(session.clone());
        }
        self.children.get(session).cloned()
    }
}
