//! An agent that a test plays: it hands over what it is told to hand over, tells what it is told to
//! tell, and never returns where it is told to hang.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::{
    Access, AgentEvent, Answer, Mode, ProviderId, ProviderSettings, ProviderState, ProviderStatus,
    Request, Startup, TurnEvent, TurnId, TurnOutcome,
};
use providers::{
    AnswerError, Inventory, OpenError, OpenSession, Opened, Origin, Prompt, Provider, SendError,
    Session, Sighting,
};
use tokio::sync::{Semaphore, mpsc, watch};

/// What can be asked of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// To read what a project's configuration would start.
    Look,
    Open,
    Send,
    LookUp,
    Interrupt,
    Answer,
    /// To go by another access.
    Apply,
    Close,
}

/// All that is asked of it once a message was accepted.
pub(crate) const EVERYTHING: [What; 6] =
    [What::Open, What::Send, What::LookUp, What::Interrupt, What::Answer, What::Close];

/// What was asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Send(TurnId),
    LookUp(TurnId),
    Resync,
    Interrupt(TurnId),
    Abandon(TurnId),
    Answer,
}

#[derive(Clone)]
pub(crate) struct Agent {
    state: Arc<Mutex<State>>,
    status: watch::Sender<ProviderStatus>,
    inventory: watch::Sender<Inventory>,
    /// The session that this was opened as.
    session: String,
}

#[derive(Default)]
struct State {
    /// What does not return, or only when it is let go on.
    hangs: HashMap<What, Arc<Semaphore>>,
    /// Directories of which nothing can be read.
    silent: HashSet<PathBuf>,
    /// What projects' configurations amount to.
    fingerprint: Option<String>,
    /// Whether the project was trusted, at each opening.
    trusted: Vec<bool>,
    breaks: HashSet<What>,
    /// Messages are taken and forgotten.
    loses: bool,
    calls: Vec<Call>,
    /// How much it may do, as it was told at each time.
    wanted: Vec<Access>,
    messages: HashSet<String>,
    active: Option<TurnId>,
    events: Option<mpsc::Sender<AgentEvent>>,
    /// What a reading of the session tells.
    on_reading: Vec<TurnEvent>,
    /// What new sessions are called, if not like the first.
    next_session: Option<String>,
}

impl Agent {
    pub(crate) fn new() -> Self {
        let status = ProviderStatus {
            state: ProviderState::Ready,
            message: "Ready.".to_owned(),
            running: true,
            ..ProviderStatus::new(ProviderId::known("fake"), "Fake")
        };
        Self {
            state: Arc::default(),
            status: watch::Sender::new(status),
            inventory: watch::Sender::new(Inventory::default()),
            session: "session".to_owned(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// From now on these do not return.
    pub(crate) fn hang(&self, what: &[What]) {
        let gates = what.iter().map(|what| (*what, Arc::new(Semaphore::new(0))));
        self.state().hangs.extend(gates);
    }

    /// Lets one that hangs go on; the others hang.
    pub(crate) fn release(&self, what: What) {
        self.state().hangs.get(&what).expect("it hangs").add_permits(1);
    }

    /// From now on nothing can be read of this directory.
    pub(crate) fn silence(&self, directory: PathBuf) {
        self.state().silent.insert(directory);
    }

    /// From now on projects have a configuration that would start something.
    pub(crate) fn configure_projects(&self) {
        self.state().fingerprint = Some("a tool server".to_owned());
    }

    pub(crate) fn trusted(&self) -> Vec<bool> {
        self.state().trusted.clone()
    }

    /// From now on this takes whoever asks for it along.
    pub(crate) fn break_off(&self, what: What) {
        self.state().breaks.insert(what);
    }

    /// From now on everything returns; what hangs goes on hanging.
    pub(crate) fn mend(&self) {
        self.state().hangs.clear();
        self.state().breaks.clear();
        self.state().loses = false;
    }

    /// From now on it takes messages and forgets them.
    pub(crate) fn lose(&self) {
        self.state().loses = true;
    }

    /// New sessions have this id from now on.
    pub(crate) fn call_sessions(&self, id: &str) {
        self.state().next_session = Some(id.to_owned());
    }

    /// It has a message, from whenever.
    pub(crate) fn knows(&self, key: &str) {
        self.state().messages.insert(key.to_owned());
    }

    /// Reading the session tells this from now on.
    pub(crate) fn on_reading(&self, events: Vec<TurnEvent>) {
        self.state().on_reading = events;
    }

    pub(crate) fn wanted(&self) -> Vec<Access> {
        self.state().wanted.clone()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(crate) fn count(&self, call: &Call) -> usize {
        self.calls().iter().filter(|c| *c == call).count()
    }

    /// Tells something of a turn.
    pub(crate) async fn tell(&self, turn: &TurnId, event: TurnEvent) {
        let events = self.state().events.clone().expect("an open session");
        let event = AgentEvent::Turn { turn: turn.clone(), event };
        events.send(event).await.expect("a reader");
    }

    /// Tells that the link to it went, and came back.
    pub(crate) async fn flap(&self) {
        let events = self.state().events.clone().expect("an open session");
        for down in [true, false] {
            let _ = events.send(AgentEvent::Reconnecting(down)).await;
        }
    }

    /// Whether nobody reads what it tells any more.
    pub(crate) fn is_left(&self) -> bool {
        self.state().events.as_ref().is_none_or(mpsc::Sender::is_closed)
    }

    /// Notes the call; returns only if it is not to hang.
    async fn called(&self, what: What, call: Option<Call>) {
        let (gate, breaks) = {
            let mut state = self.state();
            state.calls.extend(call);
            (state.hangs.get(&what).cloned(), state.breaks.contains(&what))
        };
        assert!(!breaks, "{what:?} breaks off");
        if let Some(gate) = gate {
            gate.acquire().await.expect("a gate that is never closed").forget();
        }
    }

    async fn read(&self) {
        let (active, told) = {
            let state = self.state();
            (state.active.clone(), state.on_reading.clone())
        };
        for event in told {
            if let Some(turn) = &active {
                self.tell(turn, event).await;
            }
        }
    }
}

#[async_trait]
impl Provider for Agent {
    fn id(&self) -> ProviderId {
        ProviderId::known("fake")
    }

    fn status(&self) -> watch::Receiver<ProviderStatus> {
        self.status.subscribe()
    }

    async fn detect(&self) -> ProviderStatus {
        self.status.borrow().clone()
    }

    async fn configure(&self, _: ProviderSettings) {}

    fn inventory(&self) -> watch::Receiver<Inventory> {
        self.inventory.subscribe()
    }

    fn restore(&self, _: Inventory) {}

    async fn warm(&self) {}

    async fn startup(&self, directory: &Path) -> Startup {
        self.called(What::Look, None).await;
        if self.state().silent.contains(directory) {
            pending::<()>().await;
        }
        Startup { fingerprint: self.state().fingerprint.clone(), ..Startup::default() }
    }

    async fn open(&self, request: OpenSession) -> Result<Opened, OpenError> {
        self.called(What::Open, Some(Call::Open)).await;
        self.state().trusted.push(request.trusted);
        let (events, receiver) = mpsc::channel(256);
        self.state().events = Some(events);
        let origin = if request.session.is_some() { Origin::Resumed } else { Origin::New };
        let next = self.state().next_session.clone();
        let id = request.session.or(next).unwrap_or_else(|| self.session.clone());
        let session = Arc::new(Self { session: id, ..self.clone() });
        Ok(Opened { session, events: receiver, origin })
    }

    async fn shutdown(&self) {}
}

#[async_trait]
impl Session for Agent {
    fn id(&self) -> String {
        self.session.clone()
    }

    fn prompt_key(&self, _kind: domain::InputKind) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        self.called(What::Send, Some(Call::Send(prompt.turn.clone()))).await;
        let mut state = self.state();
        if !state.loses {
            state.messages.insert(prompt.key);
            state.active = Some(prompt.turn);
        }
        Ok(())
    }

    async fn look_up(&self, turn: &TurnId, prompt_key: &str) -> Result<Sighting, SendError> {
        self.called(What::LookUp, Some(Call::LookUp(turn.clone()))).await;
        if !self.state().messages.contains(prompt_key) {
            return Ok(Sighting::Absent);
        }
        self.state().active = Some(turn.clone());
        self.read().await;
        Ok(Sighting::Present)
    }

    async fn resync(&self) {
        self.state().calls.push(Call::Resync);
        self.read().await;
    }

    async fn interrupt(&self, turn: &TurnId) -> Result<(), SendError> {
        self.called(What::Interrupt, Some(Call::Interrupt(turn.clone()))).await;
        let active = self.state().active.take();
        if let Some(turn) = active {
            self.tell(&turn, TurnEvent::Ended(TurnOutcome::Interrupted)).await;
        }
        Ok(())
    }

    fn abandon(&self, turn: &TurnId) {
        let mut state = self.state();
        state.calls.push(Call::Abandon(turn.clone()));
        state.active.take_if(|active| active == turn);
    }

    async fn answer(&self, _: &Request, _: &Answer) -> Result<(), AnswerError> {
        self.called(What::Answer, Some(Call::Answer)).await;
        Ok(())
    }

    fn want(&self, access: Access, _: Mode) {
        self.state().wanted.push(access);
    }

    async fn apply_access(&self) -> Result<(), SendError> {
        self.called(What::Apply, None).await;
        Ok(())
    }

    async fn close(&self) {
        self.called(What::Close, None).await;
    }
}
