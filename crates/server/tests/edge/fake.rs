//! A provider without an agent: it echoes what it is sent, word by word.
//!
//! `hold` never ends, `ask` asks to run a command and waits, `flood N` writes N lines, anything else comes back and the turn completes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Access, AgentCommand, AgentEnd, AgentEndReason, AgentEvent, AgentReport, Answer, Approval,
    ApprovalKind, Choice, CommandSource, Decision, ErrorCode, Extras, FullText, ItemContent,
    ItemStatus, McpServer, McpState, Mode, Model, ModelAbilities, NewRequest, ProviderId,
    ProviderSettings, ProviderState, ProviderStatus, Request, RequestBody, TurnEvent, TurnId,
    TurnOutcome,
};
use providers::{
    AnswerError, Inventory, OpenError, OpenSession, Opened, Origin, Place, Prompt, Provider,
    ReadSession, Reading, SendError, Session, SessionList, SessionQuery, Sessions, Sighting,
};
use tokio::sync::{Mutex, mpsc, watch};

pub(crate) struct Fake {
    status: watch::Sender<ProviderStatus>,
    inventory: watch::Sender<Inventory>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let model = Model {
            id: "fake/echo".to_owned(),
            name: "Echo".to_owned(),
            group: "fake".to_owned(),
            options: Vec::new(),
            abilities: ModelAbilities::default(),
            cost: None,
            context: None,
            free: true,
            custom: false,
            default: true,
            unverified: None,
        };
        let status = ProviderStatus {
            state: ProviderState::Ready,
            message: "Ready.".to_owned(),
            models: 1,
            ..ProviderStatus::new(ProviderId::known("fake"), "Fake")
        };
        let inventory = Inventory { models: vec![model], known: true, ..Inventory::default() };
        Self { status: watch::Sender::new(status), inventory: watch::Sender::new(inventory) }
    }
}

#[async_trait]
impl Provider for Fake {
    fn id(&self) -> ProviderId {
        ProviderId::known("fake")
    }

    fn status(&self) -> watch::Receiver<ProviderStatus> {
        self.status.subscribe()
    }

    async fn detect(&self) -> ProviderStatus {
        self.status.borrow().clone()
    }

    async fn configure(&self, settings: ProviderSettings) {
        self.status.send_modify(|status| status.settings = settings);
    }

    fn inventory(&self) -> watch::Receiver<Inventory> {
        self.inventory.subscribe()
    }

    fn restore(&self, _: Inventory) {}

    async fn extras(&self, place: &Place) -> Result<Extras, OpenError> {
        if place.workspace.join("broken").exists() {
            return Err(OpenError {
                code: ErrorCode::AgentUnavailable,
                message: "the fake is broken".to_owned(),
                hint: Some("remove the file `broken`".to_owned()),
            });
        }
        let command = AgentCommand {
            name: "echo".to_owned(),
            description: "Says it again".to_owned(),
            source: CommandSource::Command,
            hint: None,
            takes_arguments: true,
        };
        let state = McpState::NeedsSignIn { command: "fake login".to_owned() };
        let server = McpServer { name: "notes".to_owned(), state };
        Ok(Extras { commands: vec![command], servers: vec![server] })
    }

    async fn report(&self) -> AgentReport {
        let end = AgentEnd {
            at: 1,
            trusted: true,
            pid: None,
            why: AgentEndReason::Died,
            said: Some("it began\nPASSWORD=hunter2.x it ended".to_owned()),
            turns: 0,
        };
        AgentReport { ends: vec![end], ..AgentReport::default() }
    }

    async fn warm(&self) {}

    async fn open(&self, _: OpenSession) -> Result<Opened, OpenError> {
        let (events, receiver) = mpsc::channel(256);
        let session = Arc::new(Echo { events, running: Mutex::new(None) });
        Ok(Opened { session, events: receiver, origin: Origin::New })
    }

    fn sessions(&self) -> Option<Arc<dyn Sessions>> {
        Some(Arc::new(Whole))
    }

    async fn shutdown(&self) {}
}

/// Sessions that go back and can do nothing else.
struct Whole;

fn unable() -> OpenError {
    OpenError {
        code: ErrorCode::Rejected,
        message: "an echo cannot do this".to_owned(),
        hint: None,
    }
}

#[async_trait]
impl Sessions for Whole {
    async fn list(&self, _: &Place, _: &SessionQuery) -> Result<SessionList, OpenError> {
        Err(unable())
    }

    async fn read(&self, _: &Place, _: &ReadSession) -> Result<Reading, OpenError> {
        Err(unable())
    }

    async fn fork(&self, _: &Place, _: &str, _: Option<&str>) -> Result<String, OpenError> {
        Err(unable())
    }

    /// Takes as long as there is a file `hang`, and writes one when that begins.
    async fn take_back(&self, place: &Place, _: &str, _: Option<&str>) -> Result<(), OpenError> {
        while place.workspace.join("hang").exists() {
            std::fs::write(place.workspace.join("hangs"), "").unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    async fn rename(&self, _: &Place, _: &str, _: &str) -> Result<(), OpenError> {
        Err(unable())
    }

    async fn delete(&self, _: &Place, _: &str) -> Result<(), OpenError> {
        Err(unable())
    }

    fn command(&self, _: &Place, session: &str) -> String {
        session.to_owned()
    }
}

struct Echo {
    events: mpsc::Sender<AgentEvent>,
    running: Mutex<Option<TurnId>>,
}

impl Echo {
    async fn end(&self, outcome: TurnOutcome) {
        if let Some(turn) = self.running.lock().await.take() {
            tell(&self.events, &turn, TurnEvent::Ended(outcome)).await;
        }
    }
}

fn ask() -> NewRequest {
    let choice =
        |decision| Choice { decision, covers: Vec::new(), scope: "just this once".to_owned() };
    NewRequest {
        key: "ask".to_owned(),
        item: None,
        from: None,
        body: RequestBody::Approval(Approval {
            what: ApprovalKind::Command,
            permission: "bash".to_owned(),
            title: "run a command".to_owned(),
            command: Some("make".to_owned()),
            diff: None,
            path: None,
            url: None,
            details: Vec::new(),
            choices: vec![choice(Decision::Once), choice(Decision::Reject)],
        }),
    }
}

async fn tell(events: &mpsc::Sender<AgentEvent>, turn: &TurnId, event: TurnEvent) {
    let _ = events.send(AgentEvent::Turn { turn: turn.clone(), event }).await;
}

#[async_trait]
impl Session for Echo {
    fn id(&self) -> String {
        "echo".to_owned()
    }

    fn prompt_key(&self, _kind: domain::InputKind) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        let turn = prompt.turn;
        *self.running.lock().await = Some(turn.clone());
        tell(&self.events, &turn, TurnEvent::Started).await;
        let key = format!("answer-{turn}");
        let item = |status, body| domain::ItemUpdate {
            key: key.clone(),
            parent: None,
            status,
            content: ItemContent::AgentMessage,
            body,
            error: None,
        };
        let start = item(ItemStatus::Running, Some(FullText::default()));
        tell(&self.events, &turn, TurnEvent::Item(start)).await;
        if prompt.text == "ask" {
            tell(&self.events, &turn, TurnEvent::Asked(ask())).await;
        }
        if matches!(prompt.text.as_str(), "hold" | "ask") {
            return Ok(());
        }
        let pieces: Vec<String> = match prompt.text.strip_prefix("flood ") {
            Some(lines) => {
                (0..lines.parse().unwrap()).map(|n| format!("line {n:01500}\n")).collect()
            }
            None => prompt.text.split_inclusive(' ').map(str::to_owned).collect(),
        };
        let mut at = 0;
        for text in pieces {
            let len = domain::units(&text);
            tell(&self.events, &turn, TurnEvent::Text { key: key.clone(), at, text }).await;
            at += len;
        }
        tell(&self.events, &turn, TurnEvent::Item(item(ItemStatus::Done, None))).await;
        self.end(TurnOutcome::Completed).await;
        Ok(())
    }

    async fn look_up(&self, _: &TurnId, _: &str) -> Result<Sighting, SendError> {
        Ok(Sighting::Absent)
    }

    async fn resync(&self) {}

    async fn interrupt(&self, _: &TurnId) -> Result<(), SendError> {
        self.end(TurnOutcome::Interrupted).await;
        Ok(())
    }

    fn abandon(&self, _: &TurnId) {}

    async fn answer(&self, _: &Request, _: &Answer) -> Result<(), AnswerError> {
        Ok(())
    }

    fn want(&self, _: Access, _: Mode) {}

    async fn apply_access(&self) -> Result<(), SendError> {
        Ok(())
    }

    async fn close(&self) {}
}
