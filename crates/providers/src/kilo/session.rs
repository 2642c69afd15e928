//! One Kilo session behind a thread: sending, stopping, answering, and the task that turns its
//! events into the thread's.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Access, Answer, ErrorCode, InputKind, Mode, Request, TurnError, TurnId};
use kilo_sdk::types::{ModelRef, Rule};
use kilo_sdk::{
    Instance, MessageId, PermissionId, Prompt as KiloPrompt, Reply, SessionId, SessionUpdate,
};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};

use super::baseline::{self, Loose};
use super::mapper::{Ask, AskKind, Mapper, Servers};
use super::native_log::Log;
use super::router::Router;
use crate::{AnswerError, Inventory, Prompt, SendError, Session, Sighting};

mod answers;
mod commands;
mod doing;
pub(super) mod reading;
mod settling;
mod task;
mod wire;

use commands::Calls;
use settling::SETTLE_STEP;
pub(super) use task::{Control, MAX_CONTROL, MAX_INBOUND, MAX_INBOUND_BYTES, run};
use wire::wire_prompt;
pub(super) use wire::{COMMAND, COMPACTION, Key, agent};

/// How long after an implied permission that Kilo did not take the session is read, which finds it.
const ALLOW_AGAIN: Duration = Duration::from_secs(2);
/// How often a stop is repeated while Kilo goes on.
const MAX_ABORTS: u32 = 5;

/// What is shared between a session's face and its task.
pub(super) struct Inner {
    pub(super) id: SessionId,
    pub(super) instance: Instance,
    /// Where the session works, as `instance` is told it.
    pub(super) directory: String,
    pub(super) router: Arc<Router>,
    loose: Loose,
    mapper: Mutex<Mapper>,
    /// What the thread wants to be in force, whatever was applied before: read under the gate, so
    /// that no older wish is put in force after a newer one.
    wish: Mutex<(Access, Mode)>,
    doing: Mutex<doing::Doing>,
    /// Held while a stop or a sending is under way, so that neither overtakes the other.
    gate: AsyncMutex<Gate>,
    /// Whether something of an earlier turn may still run or wait at Kilo.
    unsettled: AtomicBool,
    /// Whether what runs there may be somebody else's: it was used before, and nothing was stopped
    /// or lost here since.
    foreign: AtomicBool,
    /// Whether the last turn was stopped, so that a turn that starts late is stopped as well.
    stopped: AtomicBool,
    /// The turns that were stopped last, so that no message is handed over after the stop that was
    /// for it, whichever of the two comes first here.
    stops: Mutex<VecDeque<TurnId>>,
    /// The commands that Kilo has not answered yet.
    calls: Arc<Calls>,
    /// What comes is written down, when that was asked for.
    pub(super) log: Option<Arc<Log>>,
}

/// What is known of a session when it is opened.
pub(super) enum Known {
    /// It was made just now, with the rules for these.
    New((Access, Mode)),
    /// It was used before; these rules people gave it then.
    Resumed(Vec<Rule>),
}

/// What is known of the session's state at Kilo.
struct Gate {
    /// Rules appended last.
    applied: Option<(Access, Mode)>,
}

impl Inner {
    pub(super) fn new(
        id: SessionId,
        directory: String,
        instance: Instance,
        router: Arc<Router>,
        (loose, servers): (Loose, Servers),
        access: Access,
        known: Known,
    ) -> Self {
        let mut mapper = Mapper::new(id.clone(), directory.clone(), access, servers);
        let applied = match known {
            Known::New(applied) => Some(applied),
            Known::Resumed(granted) => {
                mapper.grant(&granted);
                None
            }
        };
        // A session that was used before may have left questions and work behind.
        let unsettled = AtomicBool::new(applied.is_none());
        let foreign = AtomicBool::new(applied.is_none());
        Self {
            id,
            instance,
            directory,
            router,
            loose,
            mapper: Mutex::new(mapper),
            wish: Mutex::new(applied.unwrap_or((access, Mode::Build))),
            doing: Mutex::default(),
            gate: AsyncMutex::new(Gate { applied }),
            unsettled,
            foreign,
            stopped: AtomicBool::new(false),
            stops: Mutex::default(),
            calls: Arc::default(),
            log: None,
        }
    }

    fn mapper(&self) -> MutexGuard<'_, Mapper> {
        self.mapper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server as seen from where an ask came from.
    fn at(&self, ask: &Ask) -> Instance {
        match &ask.directory {
            Some(directory) => self.instance.client().at(directory),
            None => self.instance.clone(),
        }
    }

    /// Gives Kilo a message. It may have arrived although that is not known: it is never sent
    /// twice, for the watch over messages that are not taken looks into the session.
    async fn hand_over(&self, wire: &KiloPrompt, turn: &TurnId) -> Result<(), SendError> {
        match self.instance.prompt(&self.id, wire).await {
            Ok(()) => Ok(()),
            Err(error) if error.outcome_unknown() => {
                self.ours_may_run();
                tracing::warn!(session = %self.id, %error, "it is unknown whether Kilo took the message");
                Ok(())
            }
            Err(error) => {
                self.mapper().forget(turn);
                Err(send_error(&error))
            }
        }
    }

    fn wish(&self) -> MutexGuard<'_, (Access, Mode)> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has Kilo go by what the thread wants, also when that changes meanwhile.
    async fn put_in_force(&self, gate: &mut Gate) -> Result<(), kilo_sdk::Error> {
        loop {
            let wanted = *self.wish();
            if gate.applied == Some(wanted) {
                return Ok(());
            }
            // Should this fail half-way, it is not known what is in force.
            gate.applied = None;
            self.apply_rules(wanted.0, wanted.1).await?;
            gate.applied = Some(wanted);
        }
    }

    async fn apply_rules(&self, access: Access, mode: Mode) -> Result<(), kilo_sdk::Error> {
        let mut permission = baseline::rules(access, mode, &self.loose);
        // The last rule wins, so what was allowed for the session is said again.
        permission.extend(self.mapper().granted().to_vec());
        let update = SessionUpdate { permission, ..SessionUpdate::default() };
        self.instance.update_session(&self.id, &update).await.map(|_| ())
    }

    /// Allows what a sub-agent asks and the thread's access implies.
    pub(super) async fn allow(&self, ask: &Ask) {
        let id = PermissionId::from(ask.key.as_str());
        let reply = self.at(ask).reply_permission(&id, Reply::Once, None).await;
        if let Err(error) = reply
            && !error.is_not_found()
        {
            tracing::warn!(session = %self.id, %error, "an implied permission was not taken");
            // The tool waits for it, and nothing else that comes would say so.
            tokio::time::sleep(ALLOW_AGAIN).await;
            self.router.resync(&self.id);
        }
    }
}

/// A session's face to the engine.
pub(super) struct KiloSession {
    pub(super) inner: Arc<Inner>,
    pub(super) control: mpsc::Sender<Control>,
    /// What is known of the models, for how much fits into their contexts.
    pub(super) models: watch::Receiver<Inventory>,
}

#[async_trait]
impl Session for KiloSession {
    fn id(&self) -> String {
        self.inner.id.as_str().to_owned()
    }

    fn prompt_key(&self, kind: InputKind) -> String {
        let message = MessageId::ascending();
        match kind {
            InputKind::Message => message.as_str().to_owned(),
            InputKind::Compact => format!("{COMPACTION}{message}"),
        }
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        let inner = &self.inner;
        let _sending = inner.sending()?;
        let wire = wire_prompt(&prompt).await?;
        let model = wire.model.clone().unwrap_or_default();
        let mut gate = inner.gate.lock().await;
        // Settling stops whatever runs, which by now may be the turn after this one.
        inner.still_wanted(&prompt.turn)?;
        if inner.unsettled.load(Ordering::SeqCst) || inner.mapper().has_left() {
            inner.settle().await?;
            inner.unsettled.store(false, Ordering::SeqCst);
            inner.foreign.store(false, Ordering::SeqCst);
        }
        inner.wish().1 = prompt.mode;
        let call = loop {
            inner.put_in_force(&mut gate).await.map_err(|e| send_error(&e))?;
            let call = self.command(&prompt, &wire).await?;
            // Whether a command may run was decided by the access of a moment ago.
            if gate.applied == Some(*inner.wish()) {
                break call;
            }
        };
        inner.still_open()?;
        let runs_on = call.as_ref().map_or(&prompt.model.model, |call| &call.model);
        {
            let mut mapper = inner.mapper();
            inner.still_wanted(&prompt.turn)?;
            let limit = self.context_limit(runs_on);
            if let Some(log) = &inner.log {
                log.prompt(&prompt.turn, &wire.message_id, prompt.kind, limit);
            }
            mapper.begin(prompt.turn.clone(), wire.message_id.clone(), prompt.kind, limit);
            mapper.doubt(self.doubt(runs_on));
            if let Some(call) = &call {
                mapper.call(prompt.turn.clone(), call.remark.clone());
            }
            inner.stopped.store(false, Ordering::SeqCst);
        }
        if prompt.kind == InputKind::Compact {
            self.compact(prompt.turn, model);
            return Ok(());
        }
        if let Some(call) = call {
            self.run(prompt.turn, call);
            return Ok(());
        }
        inner.hand_over(&wire, &prompt.turn).await
    }

    async fn steer(&self, prompt: Prompt) -> Result<(), SendError> {
        let inner = &self.inner;
        let _sending = inner.sending()?;
        let wire = wire_prompt(&prompt).await?;
        let gate = inner.gate.lock().await;
        let call = self.command(&prompt, &wire).await?;
        let runs_on = call.as_ref().map_or(&prompt.model.model, |call| &call.model);
        let limit = self.context_limit(runs_on);
        let steers = {
            let mut mapper = inner.mapper();
            let stops = inner.stops();
            // A stop of the turn that runs is one of what was to steer it, too.
            let stopped = mapper.active().is_some_and(|(active, _)| stops.contains(active));
            if stopped || stops.contains(&prompt.turn) {
                return Err(stopped_before());
            }
            let steers = mapper.steer(prompt.turn.clone(), wire.message_id.clone(), limit);
            if let Some(call) = call.as_ref().filter(|_| steers) {
                mapper.call(prompt.turn.clone(), call.remark.clone());
            }
            steers
        };
        if !steers {
            // What ran has ended meanwhile: it is an ordinary message now.
            drop(gate);
            return self.send(prompt).await;
        }
        if let Some(call) = call {
            self.run(prompt.turn, call);
            return Ok(());
        }
        inner.hand_over(&wire, &prompt.turn).await
    }

    fn expect(&self, turn: &TurnId, prompt_key: &str) {
        self.inner.mapper().expect(turn.clone(), MessageId::from(prompt_key));
    }

    async fn look_up(&self, turn: &TurnId, prompt_key: &str) -> Result<Sighting, SendError> {
        let (reply, answer) = oneshot::channel();
        let control = Control::LookUp { turn: turn.clone(), key: Key::parse(prompt_key), reply };
        let gone = || SendError {
            code: ErrorCode::AgentDied,
            message: "the session is closed".to_owned(),
        };
        self.control.send(control).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn resync(&self) {
        // When the lane is full the session is being read already.
        let _ = self.control.try_send(Control::Resync);
    }

    async fn interrupt(&self, turn: &TurnId) -> Result<(), SendError> {
        let inner = &self.inner;
        inner.note_stop(turn);
        let _alone = inner.gate.lock().await;
        if inner.runs_another(turn) {
            return Ok(());
        }
        for _ in 0..MAX_ABORTS {
            inner.instance.abort(&inner.id).await.map_err(|e| send_error(&e))?;
            // A message that was just handed over may start after the first abort.
            if !inner.is_busy().await.map_err(|e| send_error(&e))? {
                return Ok(());
            }
            tokio::time::sleep(SETTLE_STEP).await;
        }
        Ok(())
    }

    fn abandon(&self, turn: &TurnId) {
        self.inner.note_stop(turn);
        self.inner.mapper().forget(turn);
        let (inner, turn) = (self.inner.clone(), turn.clone());
        tokio::spawn(async move {
            inner.quiet(&turn).await;
            inner.tidy().await;
        });
    }

    async fn answer(&self, request: &Request, answer: &Answer) -> Result<(), AnswerError> {
        let ask = self.inner.mapper().ask(&request.key).cloned().ok_or(AnswerError::Gone)?;
        let result = match &ask.kind {
            AskKind::Permission { permission, always, .. } => {
                self.answer_permission(&ask, permission, always, answer).await
            }
            AskKind::Question { questions } => self.answer_question(&ask, questions, answer).await,
            AskKind::Network => self.answer_network(&ask, answer).await,
        };
        result.map_err(|error| {
            if error.is_not_found() && !ask.listed {
                AnswerError::Failed(
                    "this Baton does not know how to answer it: answer it in Kilo, or stop the turn"
                        .to_owned(),
                )
            } else if error.is_not_found() {
                AnswerError::Gone
            } else {
                AnswerError::Failed(format!("Kilo did not take the answer: {error}"))
            }
        })
    }

    fn want(&self, access: Access, mode: Mode) {
        let inner = &self.inner;
        let mut wish = inner.wish();
        let changed = wish.0 != access;
        *wish = (access, mode);
        // At once, so that from now on nothing more is allowed by itself than the new access says.
        let mut mapper = inner.mapper();
        mapper.set_access(access);
        if let Some(log) = inner.log.as_ref().filter(|_| changed) {
            log.access(access);
        }
    }

    async fn apply_access(&self) -> Result<(), SendError> {
        let inner = &self.inner;
        let mut gate = inner.gate.lock().await;
        inner.put_in_force(&mut gate).await.map_err(|e| send_error(&e))?;
        let implied = inner.mapper().implied();
        drop(gate);
        for ask in implied {
            inner.allow(&ask).await;
        }
        Ok(())
    }

    async fn close(&self) {
        self.inner.router.leave(&self.inner.id, &self.control);
    }
}

impl KiloSession {
    /// Has Kilo shorten its context. Kilo answers when that is done, and tells of it as of any
    /// turn meanwhile; only what it refused before it began is known from the answer alone.
    fn compact(&self, turn: TurnId, model: ModelRef) {
        let (inner, control) = (self.inner.clone(), self.control.clone());
        tokio::spawn(async move {
            let result = inner.instance.summarize(&inner.id, &model).await;
            let _ = control.send(Control::Compacted { turn, result }).await;
        });
    }

    /// Why a model is not known to work.
    fn doubt(&self, model: &str) -> Option<String> {
        let inventory = self.models.borrow();
        inventory.models.iter().find(|m| m.id == model).and_then(|m| m.unverified.clone())
    }

    fn context_limit(&self, model: &str) -> Option<u64> {
        let inventory = self.models.borrow();
        inventory.models.iter().find(|m| m.id == model).and_then(|m| m.context)
    }
}

fn stopped_before() -> SendError {
    SendError {
        code: ErrorCode::Rejected,
        message: "the turn was stopped before the message was sent".to_owned(),
    }
}

/// What a failed request means for a message.
pub(super) fn send_error(error: &kilo_sdk::Error) -> SendError {
    let code = match error {
        kilo_sdk::Error::NotFound(_) => ErrorCode::SessionLost,
        kilo_sdk::Error::Refused(_) | kilo_sdk::Error::Busy(_) | kilo_sdk::Error::Unusable(_) => {
            ErrorCode::Rejected
        }
        kilo_sdk::Error::Connect(_) | kilo_sdk::Error::Broken(_) => ErrorCode::AgentDied,
        kilo_sdk::Error::Timeout(_)
        | kilo_sdk::Error::Unauthorized
        | kilo_sdk::Error::NoRoute(_)
        | kilo_sdk::Error::Server(_)
        | kilo_sdk::Error::NotJson { .. }
        | kilo_sdk::Error::Decode { .. }
        | kilo_sdk::Error::TooLarge(_) => ErrorCode::AgentUnavailable,
    };
    SendError { code, message: format!("Kilo did not take the message: {error}") }
}

/// What ends the turns of all sessions when the server is gone.
pub(super) fn server_gone(said: &str) -> TurnError {
    let message = if said.is_empty() {
        "kilo serve ended while the turn ran".to_owned()
    } else {
        format!("kilo serve ended while the turn ran: {said}")
    };
    TurnError {
        code: ErrorCode::AgentDied,
        message,
        hint: Some("send the message again; Kilo is started anew".to_owned()),
        retryable: true,
    }
}

#[cfg(test)]
mod tests;
