//! An agent that says what it is told to, when it is told to.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use domain::{
    Access, AgentEvent, Answer, FullText, ItemContent, ItemStatus, ItemUpdate, Mode, Model,
    ModelAbilities, ProviderId, ProviderSettings, ProviderState, ProviderStatus, Request, ThreadId,
    TurnEvent, TurnId, TurnOutcome,
};
use providers::{
    AnswerError, Inventory, OpenError, OpenSession, Opened, Origin, Prompt, Provider, SendError,
    Session, Sighting,
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// The name of the provider.
pub(crate) const ID: &str = "puppet";
/// The name of its model.
pub(crate) const MODEL: &str = "puppet/one";
/// Events that may wait for a thread: as many as for one of Kilo.
const MAX_EVENTS: usize = 1024;

/// The provider. Each message sent through it comes out of [`Puppet::new`]'s receiver as a turn
/// that waits for its text.
pub(crate) struct Puppet {
    status: watch::Sender<ProviderStatus>,
    inventory: watch::Sender<Inventory>,
    begun: mpsc::UnboundedSender<Speech>,
}

/// A running turn, to be given its text.
pub(crate) struct Speech {
    pub(crate) thread: ThreadId,
    turn: TurnId,
    events: mpsc::Sender<AgentEvent>,
    /// Which of the turn's items grows.
    item: u64,
    at: u64,
}

impl Puppet {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Speech>) {
        let (begun, turns) = mpsc::unbounded_channel();
        let inventory = Inventory { models: vec![model()], known: true, ..Inventory::default() };
        let puppet = Self {
            status: watch::Sender::new(status()),
            inventory: watch::Sender::new(inventory),
            begun,
        };
        (puppet, turns)
    }
}

impl Speech {
    /// Says a piece of text.
    pub(crate) async fn say(&mut self, text: String) -> Result<()> {
        let at = self.at;
        self.at += domain::units(&text);
        self.tell(TurnEvent::Text { key: self.key(), at, text }).await
    }

    /// Ends the item and begins another.
    pub(crate) async fn next(&mut self) -> Result<()> {
        self.tell(self.update(ItemStatus::Done, None)).await?;
        self.item += 1;
        self.at = 0;
        self.begin().await
    }

    /// Ends the item and the turn.
    pub(crate) async fn end(self) -> Result<()> {
        self.tell(self.update(ItemStatus::Done, None)).await?;
        self.tell(TurnEvent::Ended(TurnOutcome::Completed)).await
    }

    async fn begin(&self) -> Result<()> {
        self.tell(self.update(ItemStatus::Running, Some(FullText::default()))).await
    }

    /// The agent's own name of the item, which no other of its thread has.
    fn key(&self) -> String {
        format!("{}-{}", self.turn, self.item)
    }

    fn update(&self, status: ItemStatus, body: Option<FullText>) -> TurnEvent {
        TurnEvent::Item(ItemUpdate {
            key: self.key(),
            parent: None,
            status,
            content: ItemContent::AgentMessage,
            body,
            error: None,
        })
    }

    async fn tell(&self, event: TurnEvent) -> Result<()> {
        let event = AgentEvent::Turn { turn: self.turn.clone(), event };
        self.events.send(event).await.ok().context("the thread no longer listens")
    }
}

fn model() -> Model {
    Model {
        id: MODEL.to_owned(),
        name: "One".to_owned(),
        group: ID.to_owned(),
        options: Vec::new(),
        abilities: ModelAbilities::default(),
        cost: None,
        context: None,
        free: true,
        custom: false,
        default: true,
        unverified: None,
    }
}

fn status() -> ProviderStatus {
    ProviderStatus {
        state: ProviderState::Ready,
        message: "ready".to_owned(),
        models: 1,
        running: true,
        ..ProviderStatus::new(ProviderId::known(ID), "Puppet")
    }
}

#[async_trait]
impl Provider for Puppet {
    fn id(&self) -> ProviderId {
        ProviderId::known(ID)
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

    async fn open(&self, request: OpenSession) -> Result<Opened, OpenError> {
        let (events, receiver) = mpsc::channel(MAX_EVENTS);
        let session =
            Arc::new(Strings { thread: request.thread, events, begun: self.begun.clone() });
        Ok(Opened { session, events: receiver, origin: Origin::New })
    }

    async fn shutdown(&self) {}
}

struct Strings {
    thread: ThreadId,
    events: mpsc::Sender<AgentEvent>,
    begun: mpsc::UnboundedSender<Speech>,
}

#[async_trait]
impl Session for Strings {
    fn id(&self) -> String {
        self.thread.to_string()
    }

    fn prompt_key(&self, _kind: domain::InputKind) -> String {
        Uuid::now_v7().to_string()
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        let speech = Speech {
            thread: self.thread.clone(),
            turn: prompt.turn,
            events: self.events.clone(),
            item: 0,
            at: 0,
        };
        let gone = |error: anyhow::Error| SendError {
            code: domain::ErrorCode::Internal,
            message: error.to_string(),
        };
        speech.tell(TurnEvent::Started).await.map_err(gone)?;
        speech.begin().await.map_err(gone)?;
        // Nobody who waits for it is a bench that has ended.
        let _ = self.begun.send(speech);
        Ok(())
    }

    async fn look_up(&self, _: &TurnId, _: &str) -> Result<Sighting, SendError> {
        Ok(Sighting::Absent)
    }

    async fn resync(&self) {}

    async fn interrupt(&self, _: &TurnId) -> Result<(), SendError> {
        Ok(())
    }

    fn abandon(&self, _turn: &TurnId) {}

    async fn answer(&self, _: &Request, _: &Answer) -> Result<(), AnswerError> {
        Err(AnswerError::Gone)
    }

    fn want(&self, _: Access, _: Mode) {}

    async fn apply_access(&self) -> Result<(), SendError> {
        Ok(())
    }

    async fn close(&self) {}
}
