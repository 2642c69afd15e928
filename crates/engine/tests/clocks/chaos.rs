//! An agent whose every call takes any time, fails, loses what it is given or comes late. It is as
//! dangerous as a real one: what it stops is whatever runs in the session, not the turn that was
//! meant. What [`Session`] promises all the same, it keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Access, AgentEvent, Answer, ErrorCode, InputKind, ItemStatus, Mode, ProviderId,
    ProviderSettings, ProviderStatus, Request, TurnEvent, TurnId, TurnOutcome,
};
use providers::{
    AnswerError, Inventory, OpenError, OpenSession, Opened, Origin, Prompt, Provider, SendError,
    Session, Sighting,
};
use testkit::dice::Dice;
use tokio::sync::{Mutex as Gate, mpsc, watch};
use tokio::task::AbortHandle;

use crate::agent::Agent;
use crate::kit::words;

#[derive(Clone)]
pub(crate) struct Chaos {
    state: Arc<Mutex<State>>,
    /// Held by what hands over and what stops.
    gate: Arc<Gate<()>>,
    /// What is known of it as a provider.
    calm: Agent,
}

struct State {
    dice: Dice,
    events: Option<mpsc::Sender<AgentEvent>>,
    /// The turn whose events are told.
    active: Option<TurnId>,
    /// What runs.
    runs: Option<(TurnId, AbortHandle)>,
    stopped: BTreeSet<TurnId>,
    /// How often each message was handed over.
    handed: BTreeMap<TurnId, u32>,
    keys: BTreeMap<String, TurnId>,
    ends: BTreeMap<TurnId, TurnOutcome>,
    /// Turns that were hit by a stop that was for another.
    hit: Vec<TurnId>,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            dice: Dice::of(seed, "agent"),
            events: None,
            active: None,
            runs: None,
            stopped: BTreeSet::new(),
            handed: BTreeMap::new(),
            keys: BTreeMap::new(),
            ends: BTreeMap::new(),
            hit: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), gate: Arc::default(), calm: Agent::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Turns that were hit by a stop that was for another.
    pub(crate) fn hit(&self) -> Vec<TurnId> {
        self.state().hit.clone()
    }

    /// How often the message of a turn was handed over.
    pub(crate) fn handed(&self, turn: &TurnId) -> u32 {
        self.state().handed.get(turn).copied().unwrap_or_default()
    }

    fn roll(&self, end: u64) -> u64 {
        self.state().dice.within(0..end)
    }

    fn once_in(&self, times: u64) -> bool {
        self.roll(times) == 0
    }

    /// Takes any time: mostly little, now and then longer than anybody waits.
    async fn dawdle(&self) {
        let most = match self.roll(20) {
            0 => 8_000,
            1..6 => 1_000,
            6..12 => 60,
            _ => 1,
        };
        let millis = self.roll(most);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    async fn tell(&self, turn: &TurnId, event: TurnEvent) {
        let events = {
            let state = self.state();
            // What comes of a turn that is not the session's any more is late.
            let told = state.active.as_ref() == Some(turn);
            state.events.clone().filter(|_| told)
        };
        if let Some(events) = events {
            let _ = events.send(AgentEvent::Turn { turn: turn.clone(), event }).await;
        }
    }

    async fn end(&self, turn: &TurnId, outcome: TurnOutcome) {
        self.state().ends.insert(turn.clone(), outcome.clone());
        // Now and then the end is lost on the way; reading the session finds it.
        if !self.once_in(10) {
            self.tell(turn, TurnEvent::Ended(outcome)).await;
        }
    }

    fn run(&self, turn: TurnId) {
        let this = self.clone();
        let of = turn.clone();
        let task = tokio::spawn(async move {
            this.dawdle().await;
            this.tell(&of, TurnEvent::Started).await;
            this.dawdle().await;
            let mut answer = words(&format!("answer to {of}"), ItemStatus::Done);
            answer.key = format!("answer-{of}");
            this.tell(&of, TurnEvent::Item(answer)).await;
            this.dawdle().await;
            this.state().runs = None;
            this.end(&of, TurnOutcome::Completed).await;
        });
        self.state().runs = Some((turn, task.abort_handle()));
    }

    /// Ends whatever runs in the session.
    async fn abort(&self) {
        let runs = self.state().runs.take();
        if let Some((turn, task)) = runs {
            task.abort();
            if !self.state().stopped.contains(&turn) {
                self.state().hit.push(turn.clone());
            }
            self.end(&turn, TurnOutcome::Interrupted).await;
        }
    }

    fn runs_another(&self, turn: &TurnId) -> bool {
        self.state().active.as_ref().is_some_and(|active| active != turn)
    }

    fn still_wanted(&self, turn: &TurnId) -> Result<(), SendError> {
        if self.state().stopped.contains(turn) {
            return Err(Self::refused("it was stopped before it was sent"));
        }
        Ok(())
    }

    fn refused(message: &str) -> SendError {
        SendError { code: ErrorCode::Rejected, message: message.to_owned() }
    }
}

#[async_trait]
impl Provider for Chaos {
    fn id(&self) -> ProviderId {
        ProviderId::known("fake")
    }

    fn status(&self) -> watch::Receiver<ProviderStatus> {
        self.calm.status()
    }

    async fn detect(&self) -> ProviderStatus {
        self.calm.detect().await
    }

    async fn configure(&self, _: ProviderSettings) {}

    fn inventory(&self) -> watch::Receiver<Inventory> {
        self.calm.inventory()
    }

    fn restore(&self, _: Inventory) {}

    async fn warm(&self) {}

    async fn open(&self, _: OpenSession) -> Result<Opened, OpenError> {
        self.dawdle().await;
        let (events, receiver) = mpsc::channel(1024);
        self.state().events = Some(events);
        Ok(Opened { session: Arc::new(self.clone()), events: receiver, origin: Origin::New })
    }

    async fn shutdown(&self) {}
}

#[async_trait]
impl Session for Chaos {
    fn id(&self) -> String {
        "session".to_owned()
    }

    fn prompt_key(&self, _: InputKind) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        self.dawdle().await;
        let _alone = self.gate.lock().await;
        self.still_wanted(&prompt.turn)?;
        // What an earlier turn left running is stopped before anything else is handed over.
        self.abort().await;
        self.dawdle().await;
        self.still_wanted(&prompt.turn)?;
        self.state().active = Some(prompt.turn.clone());
        self.dawdle().await;
        match self.roll(50) {
            0 => Err(Self::refused("not today")),
            // It says nothing of a message that it has lost.
            1 => Ok(()),
            _ => {
                {
                    let mut state = self.state();
                    *state.handed.entry(prompt.turn.clone()).or_default() += 1;
                    state.keys.insert(prompt.key, prompt.turn.clone());
                }
                self.run(prompt.turn);
                self.dawdle().await;
                Ok(())
            }
        }
    }

    async fn look_up(&self, turn: &TurnId, prompt_key: &str) -> Result<Sighting, SendError> {
        self.dawdle().await;
        if self.once_in(5) {
            return Err(Self::refused("try again"));
        }
        if !self.state().keys.contains_key(prompt_key) {
            return Ok(Sighting::Absent);
        }
        self.tell(turn, TurnEvent::Started).await;
        self.resync().await;
        Ok(Sighting::Present)
    }

    async fn resync(&self) {
        self.dawdle().await;
        let ended = {
            let state = self.state();
            let active = state.active.clone();
            active.and_then(|turn| state.ends.get(&turn).cloned().map(|end| (turn, end)))
        };
        if let Some((turn, outcome)) = ended {
            self.tell(&turn, TurnEvent::Ended(outcome)).await;
        }
    }

    async fn interrupt(&self, turn: &TurnId) -> Result<(), SendError> {
        self.state().stopped.insert(turn.clone());
        self.dawdle().await;
        let _alone = self.gate.lock().await;
        if self.runs_another(turn) {
            return Ok(());
        }
        if self.once_in(10) {
            return Err(Self::refused("not now"));
        }
        self.abort().await;
        self.dawdle().await;
        Ok(())
    }

    fn abandon(&self, turn: &TurnId) {
        {
            let mut state = self.state();
            state.stopped.insert(turn.clone());
            state.active.take_if(|active| active == turn);
        }
        let (this, turn) = (self.clone(), turn.clone());
        tokio::spawn(async move {
            this.dawdle().await;
            let _alone = this.gate.lock().await;
            if !this.runs_another(&turn) {
                this.abort().await;
            }
        });
    }

    async fn answer(&self, _: &Request, _: &Answer) -> Result<(), AnswerError> {
        Err(AnswerError::Gone)
    }

    fn want(&self, _: Access, _: Mode) {}

    async fn apply_access(&self) -> Result<(), SendError> {
        Ok(())
    }

    async fn close(&self) {}
}
