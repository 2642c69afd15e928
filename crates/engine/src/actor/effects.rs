//! What the machine decided, done: each effect is a task of its own that reports back.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    AgentEvent, Attachment, Effect, Input, Phase, Request, RequestId, Turn, TurnError, TurnId,
};
use providers::{
    AnswerError, OpenError, OpenSession, Opened, Origin, Place, Prompt, PromptFile, Provider,
    SendError, Session,
};
use tokio::sync::mpsc::error::SendError as SendFailed;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Actor, Link, Opening, Report, died};
use crate::EngineError;
use crate::sessions::name_session;

/// How long the agent has to confirm a stop before the turn ends without it.
const STOP_GRACE: Duration = Duration::from_millis(1500);
/// How long a session may take to be opened, from the closing of the one before and the look at
/// the project on: the agent is started for it, which may fail and be tried once more, each try
/// with a shorter clock of its own.
const OPENING: Duration = Duration::from_secs(180);
/// How long the agent has to take an answer before it counts as not delivered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How often the agent is told its new access, and the pause between.
const ACCESS_TRIES: u32 = 3;
const ACCESS_PAUSE: Duration = Duration::from_millis(500);
/// How long a person who changes the access waits for the agent to go by it. An agent that takes
/// longer is told on; one that does not take it is stopped.
const IN_FORCE: Duration = Duration::from_secs(10);
/// How long an interrupt may take in the background.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(20);

impl Actor {
    pub(super) fn perform_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare(turn) if self.state.steering().is_some_and(|t| t.id == turn) => {
                self.prepare_steering();
            }
            Effect::Prepare(_) | Effect::Reconcile(_) => {
                self.after_open = Some(effect);
                match &self.link {
                    Link::Open { .. } => self.look_first(Origin::Resumed),
                    Link::Opening(_) => {}
                    Link::Closed => self.open(),
                }
            }
            Effect::Send(turn) => self.send(&turn),
            Effect::Interrupt(turn) => self.interrupt(turn),
            Effect::Abandon(turn) => match &mut self.link {
                Link::Open { session, .. } => session.abandon(&turn),
                Link::Opening(opening) => opening.abandoned.push(turn),
                Link::Closed => {}
            },
            Effect::Deliver(request) => self.deliver(&request),
            Effect::ApplyAccess(_) => self.applying = self.apply_access(),
            Effect::Resync => {
                if let Link::Open { session, .. } = &self.link {
                    let session = session.clone();
                    tokio::spawn(async move { session.resync().await });
                }
            }
        }
    }

    /// Tells the agent its new access. A session that is still being opened gets it with its
    /// message.
    fn apply_access(&self) -> Option<JoinHandle<()>> {
        let Link::Open { session, .. } = &self.link else { return None };
        let session = session.clone();
        let turn = self.state.running()?.turn();
        // Before the task, for tasks have no order: each applies what is wanted last.
        session.want(turn.access, turn.mode);
        let (turn, access) = (turn.id.clone(), turn.access);
        let reports = self.reports.0.clone();
        Some(tokio::spawn(async move {
            let mut result = session.apply_access().await;
            for _ in 1..ACCESS_TRIES {
                if result.is_ok() {
                    return;
                }
                tokio::time::sleep(ACCESS_PAUSE).await;
                result = session.apply_access().await;
            }
            if let Err(error) = result {
                let _ = reports.send(Report::AccessRefused { turn, access, error }).await;
            }
        }))
    }

    /// Answers a person whose input was taken: at once, or, where it changes the access of a turn
    /// that runs, when the agent goes by it. Else a tool could run by the access of before though
    /// the change was answered as done.
    pub(super) fn answer_when_in_force(&mut self, reply: oneshot::Sender<Result<(), EngineError>>) {
        let Some(applying) = self.applying.take() else {
            let _ = reply.send(Ok(()));
            return;
        };
        tokio::spawn(async move {
            let _ = tokio::time::timeout(IN_FORCE, applying).await;
            let _ = reply.send(Ok(()));
        });
    }

    /// Stops the agent although the stop cannot be stored.
    pub(super) fn interrupt_unstored(&self) {
        let Link::Open { session, .. } = &self.link else { return };
        let Some(turn) = self.state.running().map(|r| r.turn().id.clone()) else { return };
        let session = session.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(INTERRUPT_TIMEOUT, session.interrupt(&turn)).await;
        });
    }

    pub(super) fn provider(&self) -> Option<Arc<dyn Provider>> {
        self.shared.providers.get(&self.state.thread().provider)
    }

    /// Looks at the project before anything is asked in a session that is open: its configuration
    /// may have changed since, by the agent itself too, and the agent may read it anew; or a person
    /// decided otherwise while it was being opened.
    fn look_first(&self, origin: Origin) {
        let (shared, project) = (self.shared.clone(), self.state.thread().project_id.clone());
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let result = shared.trusts(&project).await;
            let _ = reports.send(Report::Looked { origin, result }).await;
        });
    }

    /// Takes what such a look found, if what it was for still waits.
    pub(super) async fn looked(&mut self, origin: Origin, result: Result<bool, OpenError>) {
        let running = self.state.running().map(|r| &r.turn().id);
        let waits = match &self.after_open {
            Some(Effect::Prepare(turn) | Effect::Reconcile(turn)) => running == Some(turn),
            _ => false,
        };
        if !waits {
            self.after_open = None;
            return;
        }
        // A message that may have been handed over is looked for where it went.
        let sent = matches!(self.after_open, Some(Effect::Reconcile(_)));
        match (&self.link, result) {
            // This look is part of it.
            (Link::Opening(_), _) => {}
            (_, Err(error)) => {
                self.after_open = None;
                self.undelivered.clear();
                self.fail_running(error.into()).await;
            }
            (Link::Open { trusted, .. }, Ok(now)) if sent || *trusted == now => {
                self.go_on(&origin);
            }
            (Link::Open { .. } | Link::Closed, Ok(_)) => self.open(),
        }
    }

    /// Opens the thread's session; one that is open is closed before.
    pub(super) fn open(&mut self) {
        let turn = self.state.running().map(|r| r.turn().id.clone());
        let at_work: Vec<TurnId> = turn.iter().cloned().chain(self.steering_id()).collect();
        self.openings += 1;
        let number = self.openings;
        let opening = Opening { number, turn, abandoned: Vec::new() };
        let before = match std::mem::replace(&mut self.link, Link::Opening(opening)) {
            Link::Open { session, .. } => Some(session),
            Link::Closed | Link::Opening(_) => None,
        };
        let thread = self.state.thread();
        let (shared, project) = (self.shared.clone(), thread.project_id.clone());
        let mut request = OpenSession {
            thread: self.id.clone(),
            session: thread.session.clone(),
            workspace: thread.workspace.clone().into(),
            access: thread.access,
            title: thread.title.clone(),
            // Found out before it is opened.
            trusted: false,
        };
        let provider = self.provider();
        let starting = provider.as_ref().is_some_and(|p| !p.status().borrow().running);
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let opening = async move {
                if let Some(before) = before {
                    before.close().await;
                }
                request.trusted = shared.trusts(&project).await?;
                let none = || unavailable("this Baton has no such provider");
                let trusted = request.trusted;
                Ok((provider.ok_or_else(none)?.open(request).await?, trusted))
            };
            let result = open_in_time(opening).await;
            let told = reports.send(Report::Opened { opening: number, result }).await;
            if let Err(SendFailed(Report::Opened { result: Ok((opened, _)), .. })) = told {
                // The thread is no more. What the agent may be doing for it is not wanted.
                at_work.iter().for_each(|turn| opened.session.abandon(turn));
                opened.session.close().await;
            }
        });
        let phase = if starting { Phase::StartingAgent } else { Phase::OpeningSession };
        self.note_phase(phase);
    }

    fn steering_id(&self) -> Option<TurnId> {
        self.state.steering().map(|turn| turn.id.clone())
    }

    /// Says in words what a turn waits for.
    fn note_phase(&mut self, phase: Phase) {
        let Some(turn) = self.state.running().map(|r| r.turn().id.clone()) else { return };
        self.inbox.push_back(Report::Preparing { turn, phase });
    }

    /// Takes how an opening ended. What was opened for a thread that gave it up meanwhile is closed.
    pub(super) async fn opening_ended(
        &mut self,
        number: u64,
        result: Result<(Opened, bool), OpenError>,
    ) {
        let opening = match std::mem::replace(&mut self.link, Link::Closed) {
            Link::Opening(opening) if opening.number == number => opening,
            other => {
                self.link = other;
                if let Ok((Opened { session, .. }, _)) = result {
                    tokio::spawn(async move { session.close().await });
                }
                return;
            }
        };
        match result {
            Ok((opened, trusted)) => self.opened(opening, opened, trusted).await,
            Err(error) => self.not_opened(opening, error).await,
        }
    }

    async fn opened(&mut self, opening: Opening, opened: Opened, trusted: bool) {
        let Opened { session, events, origin } = opened;
        for turn in &opening.abandoned {
            session.abandon(turn);
        }
        let id = session.id();
        self.link = Link::Open { session, events, trusted };
        self.clocks.heard();
        self.apply(Input::Agent(AgentEvent::Session { id })).await;
        if origin == Origin::Resumed {
            self.pass_name_on(trusted);
        }
        if self.after_open.is_some() {
            self.look_first(origin);
        } else {
            self.go_on(&origin);
        }
    }

    /// Names the session as a person named the thread, which may have been while the agent did not
    /// run.
    fn pass_name_on(&self, trusted: bool) {
        let Some(provider) = self.provider() else { return };
        let thread = self.state.thread().clone();
        let place = Place { workspace: thread.workspace.clone().into(), trusted };
        tokio::spawn(async move { name_session(provider.as_ref(), &place, &thread).await });
    }

    /// Takes that the session cannot be opened. When it was being opened for a turn that is over,
    /// the one that waits now gets an opening of its own.
    async fn not_opened(&mut self, opening: Opening, error: OpenError) {
        let begun_for = opening.turn;
        match self.state.running().map(|r| r.turn().id.clone()) {
            Some(turn) if self.after_open.is_some() && begun_for.as_ref() != Some(&turn) => {
                self.open();
            }
            _ => {
                self.after_open = None;
                self.undelivered.clear();
                self.fail_running(error.into()).await;
            }
        }
    }

    /// Does what waited for the session, which is open now.
    fn go_on(&mut self, origin: &Origin) {
        let Link::Open { session, .. } = &self.link else { return };
        let session = session.clone();
        let after_open = self.after_open.take();
        let Some(running) = self.state.running() else { return };
        let turn = running.turn().clone();
        match after_open {
            Some(Effect::Prepare(id)) if id == turn.id && self.goes_back(&session, &id) => return,
            Some(Effect::Prepare(id)) if id == turn.id => {
                let reads = *origin == Origin::Resumed && self.catch_up(Some(&id));
                if !reads {
                    self.name(id);
                }
            }
            Some(Effect::Reconcile(id)) if id == turn.id => {
                if let Some(next) = self.state.steering()
                    && let Some(key) = &next.prompt_key
                {
                    session.expect(&next.id, key);
                }
                self.look_up(session, &turn, true);
                // It may have changed since the agent was told, and while the session was opened.
                drop(self.apply_access());
            }
            _ => {}
        }
        self.prepare_steering();
    }

    /// Gives the message of the turn that prepares its name.
    pub(super) fn name(&mut self, id: TurnId) {
        let Link::Open { session, .. } = &self.link else { return };
        if let Some(turn) = self.state.running().map(domain::RunningTurn::turn)
            && turn.id == id
        {
            let key = session.prompt_key(turn.input.kind);
            self.inbox.push_back(Report::Prepared { turn: id, key });
        }
    }

    /// Gives the message that steers its name. Without an open session it waits: it is prepared
    /// when the session is open, or when it is its turn.
    pub(super) fn prepare_steering(&mut self) {
        let Link::Open { session, .. } = &self.link else { return };
        if let Some(turn) = self.state.steering().filter(|t| t.prompt_key.is_none()) {
            let prepared = Report::Prepared {
                turn: turn.id.clone(),
                key: session.prompt_key(turn.input.kind),
            };
            self.inbox.push_back(prepared);
        }
    }

    fn send(&mut self, id: &TurnId) {
        let running = self.state.running().map(domain::RunningTurn::turn);
        let steers = self.state.steering().is_some_and(|t| t.id == *id);
        let turn = running.into_iter().chain(self.state.steering()).find(|t| t.id == *id);
        let Some(turn) = turn.cloned() else { return };
        let Link::Open { session, .. } = &self.link else {
            // It was lost between the naming of the message and its handing over.
            let TurnError { code, message, .. } = died();
            let result = Err(SendError { code, message });
            return self.inbox.push_back(Report::Sent { turn: turn.id, result });
        };
        let (session, store) = (session.clone(), self.shared.store.clone());
        if !steers {
            session.want(turn.access, turn.mode);
        }
        self.clocks.handing(&turn.id);
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let result = match prompt(&store, &turn).await {
                Ok(prompt) if steers => session.steer(prompt).await,
                Ok(prompt) => session.send(prompt).await,
                Err(error) => Err(error),
            };
            let _ = reports.send(Report::Sent { turn: turn.id, result }).await;
        });
    }

    fn interrupt(&mut self, turn: TurnId) {
        let Link::Open { session, .. } = &self.link else {
            self.inbox.push_back(Report::StopExpired(turn));
            return;
        };
        let session = session.clone();
        let (thread, reports, stopped) = (self.id.clone(), self.reports.0.clone(), turn.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(INTERRUPT_TIMEOUT, session.interrupt(&stopped)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%thread, %error, "the agent did not take the stop");
                }
                Err(_) => tracing::warn!(%thread, "the agent did not answer the stop in time"),
            }
        });
        tokio::spawn(async move {
            tokio::time::sleep(STOP_GRACE).await;
            let _ = reports.send(Report::StopExpired(turn)).await;
        });
    }

    /// Takes that a message was handed over, or was not. One of a turn that is over is of no matter.
    pub(super) async fn sent(&mut self, turn: TurnId, result: Result<(), SendError>) {
        match result {
            Ok(()) if self.is_at_work(&turn) => {
                self.clocks.handed(&turn);
            }
            Ok(()) => {}
            Err(error) => self.apply(Input::Fail { turn, error: error.into() }).await,
        }
    }

    /// Whether a turn runs, or steers the one that does.
    fn is_at_work(&self, turn: &TurnId) -> bool {
        let running = self.state.running().map(domain::RunningTurn::turn);
        running.into_iter().chain(self.state.steering()).any(|t| t.id == *turn)
    }

    /// Gives the answers that waited for the session to be read.
    pub(super) fn deliver_undelivered(&mut self) {
        for request in std::mem::take(&mut self.undelivered) {
            self.deliver(&request);
        }
    }

    fn deliver(&mut self, id: &RequestId) {
        let Some(request) = self.state.running().and_then(|r| r.request(id)).cloned() else {
            return;
        };
        let session = match &self.link {
            Link::Open { session, .. } => Some(session.clone()),
            Link::Closed | Link::Opening(_) => None,
        };
        // After a restart of Baton the agent's requests are known only once its session was read.
        if matches!(self.after_open, Some(Effect::Reconcile(_))) || self.clocks.is_looking() {
            self.undelivered.push(id.clone());
            return;
        }
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let id = request.id.clone();
            let result = answer(session, &request).await;
            let _ = reports.send(Report::Answered { request: id, result }).await;
        });
    }
}

/// Opens a session in a task of its own: should it break or take for ever, that is told as well.
async fn open_in_time(
    opening: impl Future<Output = Result<(Opened, bool), OpenError>> + Send + 'static,
) -> Result<(Opened, bool), OpenError> {
    let mut opening = tokio::spawn(opening);
    match tokio::time::timeout(OPENING, &mut opening).await {
        Ok(opened) => opened.unwrap_or_else(|_| Err(unavailable("opening the session broke off"))),
        Err(_) => {
            opening.abort();
            Err(unavailable("the agent did not open the session in three minutes"))
        }
    }
}

fn unavailable(message: &str) -> OpenError {
    OpenError {
        code: domain::ErrorCode::AgentUnavailable,
        message: message.to_owned(),
        hint: Some("send the message again; `baton doctor` looks at the agent".to_owned()),
    }
}

async fn prompt(store: &store::Store, turn: &Turn) -> Result<Prompt, SendError> {
    let internal = |message: String| SendError { code: domain::ErrorCode::Internal, message };
    let text = store.turn_text(&turn.id).await.map_err(|error| internal(error.to_string()))?;
    let text = text.ok_or_else(|| internal("the message's text is not stored".to_owned()))?;
    let model = turn.model.clone();
    let model = model.ok_or_else(|| internal("the turn has no model".to_owned()))?;
    let key = turn.prompt_key.clone();
    let key = key.ok_or_else(|| internal("the turn has no prompt key".to_owned()))?;
    let file = |file: &Attachment| PromptFile {
        name: file.name.clone(),
        kind: file.kind,
        path: store.attachment_path(&file.id),
    };
    Ok(Prompt {
        turn: turn.id.clone(),
        key,
        kind: turn.input.kind,
        text,
        attachments: turn.input.attachments.iter().map(file).collect(),
        model,
        mode: turn.mode,
    })
}

async fn answer(session: Option<Arc<dyn Session>>, request: &Request) -> Result<(), AnswerError> {
    let unreachable = || AnswerError::Failed("the agent is not connected; try again".to_owned());
    let session = session.ok_or_else(unreachable)?;
    let domain::RequestState::Answering { answer } = &request.state else {
        return Err(AnswerError::Failed("the request has no answer".to_owned()));
    };
    match tokio::time::timeout(ANSWER_TIMEOUT, session.answer(request, answer)).await {
        Ok(result) => result,
        Err(_) => Err(AnswerError::Failed("the agent did not take the answer in time".to_owned())),
    }
}
