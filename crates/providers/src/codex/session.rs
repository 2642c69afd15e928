//! One Codex thread behind a thread of Baton's: sending, steering, stopping, answering, and the
//! task that turns its events into the thread's.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use codex_sdk::types::TurnAnswer;
use codex_sdk::{Client, Error};
use domain::{
    Access, AgentEvent, Answer, ErrorCode, InputKind, Mode, ModelSelection, Request, TurnId,
};
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use uuid::Uuid;

use super::errors::send_error;
use super::mapper::{Automatic, Mapper, Reply, Run};
use super::router::Router;
use super::sessions::Waiting;
use super::{access, extras};
use crate::shared::steering;
use crate::{AnswerError, Prompt, SendError, Session, Sighting};

mod answers;
mod input;
mod quiet;
pub(super) mod reading;
mod task;
#[cfg(test)]
mod tests;

pub(super) use task::{Control, MAX_CONTROL, run};

/// Stops that are remembered.
const MAX_STOPS: usize = 64;
/// What the name of a compaction begins with: Codex gives it none of ours.
pub(super) const COMPACTION: &str = "compact:";

/// What is shared between a session's face and its task.
pub(super) struct Inner {
    pub(super) id: String,
    client: Client,
    pub(super) router: Arc<Router>,
    pub(super) workspace: PathBuf,
    mapper: Mutex<Mapper>,
    /// What the thread wants to be in force.
    wish: Mutex<(Access, Mode)>,
    /// Held while a stop or a sending is under way, so that neither overtakes the other.
    gate: AsyncMutex<()>,
    /// Held while a turn is being begun until it is known by which name: one that begins meanwhile
    /// may be another.
    starting: AsyncMutex<()>,
    /// The turn of Codex that runs, as the mapper knows it.
    running: watch::Sender<Option<Run>>,
    /// The turns that were stopped last, so that no message is handed over after the stop that was
    /// for it, whichever of the two comes first here.
    stops: Mutex<VecDeque<TurnId>>,
    /// The message that was given to Codex while a turn runs, to be sent should it not be taken.
    steering: Mutex<Option<Prompt>>,
    /// What the last turn runs on.
    model: Mutex<Option<ModelSelection>>,
    /// Messages that are being handed over.
    sending: AtomicU32,
    closed: AtomicBool,
    /// What is to be taken back before the next message.
    waiting: Arc<Waiting>,
}

impl Inner {
    pub(super) fn new(
        id: String,
        client: Client,
        router: Arc<Router>,
        workspace: PathBuf,
        process: String,
        access: Access,
        waiting: Arc<Waiting>,
    ) -> Self {
        let mapper = Mapper::new(id.clone(), workspace.clone(), process, access);
        Self {
            id,
            client,
            router,
            workspace,
            mapper: Mutex::new(mapper),
            wish: Mutex::new((access, Mode::Build)),
            gate: AsyncMutex::default(),
            starting: AsyncMutex::default(),
            running: watch::Sender::default(),
            stops: Mutex::default(),
            steering: Mutex::default(),
            model: Mutex::default(),
            sending: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            waiting,
        }
    }

    fn mapper(&self) -> MutexGuard<'_, Mapper> {
        self.mapper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stops(&self) -> MutexGuard<'_, VecDeque<TurnId>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wish(&self) -> MutexGuard<'_, (Access, Mode)> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Prompt>> {
        self.steering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn model(&self) -> MutexGuard<'_, Option<ModelSelection>> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a turn runs in it, or a message is being handed over.
    pub(super) fn is_running(&self) -> bool {
        self.sending.load(Ordering::SeqCst) > 0 || self.mapper().active().is_some()
    }

    fn note_stop(&self, turn: &TurnId) {
        let mut stops = self.stops();
        if !stops.contains(turn) {
            stops.push_back(turn.clone());
        }
        while stops.len() > MAX_STOPS {
            stops.pop_front();
        }
    }

    fn was_stopped(&self, turn: &TurnId) -> bool {
        self.stops().contains(turn)
    }

    fn still_wanted(&self, turn: &TurnId) -> Result<(), SendError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(closed());
        }
        if self.was_stopped(turn) { Err(stopped_before()) } else { Ok(()) }
    }

    /// Stops whatever runs in the session, whoever began it.
    pub(super) async fn abort(&self) {
        let _alone = self.gate.lock().await;
        if let Err(error) = self.quiet().await {
            tracing::debug!(thread = self.id, %error, "what ran was not stopped");
        }
    }

    /// Has whoever waits for the end of a turn see what the mapper knows now.
    fn note_running(&self) {
        self.running.send_if_modified(|known| {
            let running = self.mapper().running();
            let changed = *known != running;
            *known = running;
            changed
        });
    }

    async fn clean(&self, thread: &str) {
        let params = json!({ "threadId": thread });
        if let Err(error) = self.client.ask("thread/backgroundTerminals/clean", params).await {
            tracing::debug!(thread, %error, "what a turn left running was not ended");
        }
    }

    /// Has Codex begin a turn of its own for a turn.
    async fn start_turn(
        &self,
        turn: &TurnId,
        key: &str,
        input: Vec<Value>,
        model: &ModelSelection,
        mode: Mode,
    ) -> Result<(), Error> {
        let (policy, sandbox) = access::policy(self.wish().0, mode);
        let word = match mode {
            Mode::Build => "default",
            Mode::Plan => "plan",
        };
        let params = json!({
            "threadId": self.id,
            "clientUserMessageId": key,
            "input": input,
            "cwd": self.workspace,
            "approvalPolicy": policy,
            "approvalsReviewer": "user",
            "sandboxPolicy": sandbox,
            // It beats `model` and `effort` beside it, and all of it stays for later turns, so that
            // everything is always named (0.169.0).
            "collaborationMode": { "mode": word, "settings": {
                "model": model.model,
                "reasoning_effort": model.option,
                "developer_instructions": null,
            } },
        });
        let starting = self.starting.lock().await;
        let answer: TurnAnswer = self.client.request("turn/start", params).await?;
        let stray = self.mapper().native(turn, &answer.turn.id);
        drop(starting);
        self.note_running();
        if let Some(stray) = stray
            && let Err(error) = self.stop_stray(&stray).await
        {
            tracing::debug!(thread = self.id, %error, "a stray turn was not stopped");
        }
        Ok(())
    }

    /// The parts of a message, with the skill that it begins with.
    async fn input(&self, prompt: &Prompt) -> Result<Vec<Value>, SendError> {
        let mut parts = input::of(prompt).await?;
        if let Some(skill) = extras::named(&self.client, &self.workspace, &prompt.text).await {
            parts.insert(0, skill);
        }
        Ok(parts)
    }

    /// Gives a message to Codex. It may have arrived although that is not known: it is never sent
    /// twice, for the watch over messages that are not taken looks into the session.
    async fn hand_over(&self, prompt: &Prompt, input: Vec<Value>) -> Result<(), SendError> {
        let begun = match prompt.kind {
            InputKind::Message => {
                let Prompt { turn, key, model, mode, .. } = prompt;
                self.start_turn(turn, key, input, model, *mode).await
            }
            InputKind::Compact => {
                let params = json!({ "threadId": self.id });
                self.client.ask("thread/compact/start", params).await.map(|_| ())
            }
        };
        match begun {
            Ok(()) => Ok(()),
            Err(error) if error.outcome_unknown() => {
                tracing::warn!(thread = self.id, %error, "it is unknown whether Codex took the message");
                Ok(())
            }
            Err(error) => {
                self.mapper().forget(&prompt.turn);
                Err(send_error(&error))
            }
        }
    }

    /// Sends a message, what runs being stopped before. The gate is held by the caller.
    async fn send_now(&self, prompt: &Prompt, input: Vec<Value>) -> Result<(), SendError> {
        self.still_wanted(&prompt.turn)?;
        self.quiet().await?;
        self.go_back().await?;
        self.still_wanted(&prompt.turn)?;
        self.wish().1 = prompt.mode;
        *self.model() = Some(prompt.model.clone());
        self.mapper().begin(prompt.turn.clone(), prompt.key.clone(), prompt.kind, prompt.mode);
        self.hand_over(prompt, input).await
    }

    /// Answers what no person answers; gives what is to be told besides.
    async fn reply(&self, replies: Vec<Reply>) -> Vec<AgentEvent> {
        let mut events = Vec::new();
        for Reply { id, answer } in replies {
            let sent = match answer {
                Automatic::Answer(answer) => self.client.answer(&id, answer).await,
                Automatic::Refuse => {
                    self.client.refuse(&id, "this client cannot answer it now").await
                }
                Automatic::IfInside { answer, paths, key } => {
                    let workspace = self.workspace.clone();
                    let look = move || steering::lies_inside(&paths, &workspace);
                    let inside = tokio::task::spawn_blocking(look).await.unwrap_or(false);
                    if inside {
                        self.client.answer(&id, answer).await
                    } else {
                        events.extend(self.mapper().ask_person(&key).events);
                        Ok(())
                    }
                }
            };
            if let Err(error) = sent {
                tracing::debug!(thread = self.id, %error, "a request was not answered");
            }
        }
        events
    }
}

/// A session's face to the engine.
pub(super) struct CodexSession {
    pub(super) inner: Arc<Inner>,
    pub(super) control: mpsc::Sender<Control>,
}

/// A message on its way; it counts as use of the session until this is dropped.
struct Sending<'a>(&'a Inner);

impl<'a> Sending<'a> {
    fn begin(inner: &'a Inner) -> Self {
        inner.sending.fetch_add(1, Ordering::SeqCst);
        Self(inner)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.sending.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Session for CodexSession {
    fn id(&self) -> String {
        self.inner.id.clone()
    }

    fn prompt_key(&self, kind: InputKind) -> String {
        let name = Uuid::now_v7();
        match kind {
            InputKind::Message => name.to_string(),
            InputKind::Compact => format!("{COMPACTION}{name}"),
        }
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        let inner = &self.inner;
        let _sending = Sending::begin(inner);
        let input = inner.input(&prompt).await?;
        let _alone = inner.gate.lock().await;
        inner.send_now(&prompt, input).await
    }

    async fn steer(&self, prompt: Prompt) -> Result<(), SendError> {
        let inner = &self.inner;
        let _sending = Sending::begin(inner);
        let input = inner.input(&prompt).await?;
        let _alone = inner.gate.lock().await;
        let runs = inner.mapper().active().map(|(turn, _)| turn.clone());
        // A stop of the turn that runs is one of what was to steer it, too.
        if runs.is_some_and(|turn| inner.was_stopped(&turn)) || inner.was_stopped(&prompt.turn) {
            return Err(stopped_before());
        }
        let Some(native) = inner.mapper().steer(prompt.turn.clone(), prompt.key.clone()) else {
            // What ran has ended meanwhile: it is an ordinary message now. It supersedes a plan
            // that nobody has decided on yet.
            let superseded = inner.mapper().supersede_plan();
            if let Some(superseded) = superseded {
                let (told, is_told) = oneshot::channel();
                let _ = self.control.send(Control::TellFirst(superseded, told)).await;
                let _ = is_told.await;
            }
            return inner.send_now(&prompt, input).await;
        };
        *inner.kept() = Some(prompt.clone());
        let params = json!({
            "threadId": inner.id,
            "expectedTurnId": native,
            "input": input,
            "clientUserMessageId": prompt.key,
        });
        match inner.client.ask("turn/steer", params).await {
            Ok(_) => Ok(()),
            Err(error) if error.outcome_unknown() => Ok(()),
            // The turn ends, or takes no words: the message is the next that is sent.
            Err(_) if inner.mapper().active().is_some_and(|(_, n)| n == Some(native.as_str())) => {
                Ok(())
            }
            Err(_) => {
                inner.mapper().not_steered(&prompt.turn);
                // Otherwise it is being sent already.
                let kept = inner.kept().take();
                if kept.is_some() { inner.send_now(&prompt, input).await } else { Ok(()) }
            }
        }
    }

    fn expect(&self, turn: &TurnId, prompt_key: &str) {
        self.inner.mapper().expect(turn.clone(), prompt_key.to_owned());
    }

    async fn look_up(&self, turn: &TurnId, prompt_key: &str) -> Result<Sighting, SendError> {
        let (reply, answer) = oneshot::channel();
        let control = Control::LookUp { turn: turn.clone(), key: prompt_key.to_owned(), reply };
        self.control.send(control).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn resync(&self) {
        // When the lane is full the session is being read already.
        let _ = self.control.try_send(Control::Resync);
    }

    async fn interrupt(&self, turn: &TurnId) -> Result<(), SendError> {
        let inner = &self.inner;
        inner.note_stop(turn);
        let _alone = inner.gate.lock().await;
        if inner.mapper().active().is_none_or(|(active, _)| active != turn) {
            return Ok(());
        }
        let stopped = inner.mapper().stop_deciding(turn);
        if let Some(stopped) = stopped {
            let _ = self.control.send(Control::Tell(stopped)).await;
            return Ok(());
        }
        inner.quiet().await
    }

    fn abandon(&self, turn: &TurnId) {
        self.inner.note_stop(turn);
        self.inner.mapper().forget(turn);
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let _alone = inner.gate.lock().await;
            if inner.mapper().active().is_none()
                && let Err(error) = inner.quiet().await
            {
                tracing::debug!(thread = inner.id, %error, "an abandoned turn was not stopped");
            }
        });
    }

    async fn answer(&self, request: &Request, answer: &Answer) -> Result<(), AnswerError> {
        self.give(request, answer).await
    }

    fn want(&self, access: Access, mode: Mode) {
        *self.inner.wish() = (access, mode);
        // At once, so that from now on nothing more is allowed by itself than the new access says.
        self.inner.mapper().set_access(access);
    }

    async fn apply_access(&self) -> Result<(), SendError> {
        let mapped = self.inner.mapper().allow_waiting();
        let mut events = self.inner.reply(mapped.replies).await;
        events.splice(0..0, mapped.events);
        if !events.is_empty() {
            let _ = self.control.send(Control::Tell(events.into())).await;
        }
        Ok(())
    }

    async fn close(&self) {
        let inner = &self.inner;
        inner.closed.store(true, Ordering::SeqCst);
        {
            let _alone = inner.gate.lock().await;
            if let Err(error) = inner.quiet().await {
                tracing::debug!(thread = inner.id, %error, "a session was closed with work in it");
            }
        }
        inner.router.leave(&inner.id, &self.control);
        let params = json!({ "threadId": inner.id });
        let _ = inner.client.ask("thread/unsubscribe", params).await;
    }
}

fn closed() -> SendError {
    SendError {
        code: ErrorCode::AgentDied,
        message: "the session was closed before it had the message".to_owned(),
    }
}

fn stopped_before() -> SendError {
    SendError {
        code: ErrorCode::Rejected,
        message: "the turn was stopped before the message was sent".to_owned(),
    }
}
