//! The actor of one live thread: the only one that changes it.
//!
//! It waits on three lanes, in this order: commands of people, reports of the work it started,
//! events of the agent. Nothing slow is awaited on the way: opening a session, sending, answering
//! and interrupting are tasks of their own that report back. Only the store is waited for, because
//! what is told must be stored first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, AgentEvent, Change, Effect, ErrorCode, Input, Phase, RequestId, ThreadId, ThreadState,
    Timestamp, TurnError, TurnId,
};
use providers::{AnswerError, OpenError, Opened, Origin, SendError, Session, Sighting};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::EngineError;
use crate::engine::Shared;
use crate::feed::{Publisher, Waiting};

mod back;
mod clocks;
mod effects;
mod elsewhere;
mod saving;

pub(crate) use back::BackTo;
use clocks::{Clocks, JANITOR};
use saving::Saving;

/// Commands that may wait for one thread.
pub(crate) const MAX_COMMANDS: usize = 256;
/// Reports that may wait; each effect makes a handful at most.
const MAX_REPORTS: usize = 256;
/// Agent events that are applied at once: room for that many stays with each thread (10 KB).
const BATCH: usize = 32;
/// How long the end of Baton waits for a running turn to end.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long the closing of a session may hold up whatever ends the thread.
const CLOSING: Duration = Duration::from_secs(3);

/// What people and the engine ask of a thread.
#[expect(clippy::large_enum_variant, reason = "nearly every command is an input")]
pub(crate) enum Command {
    /// To apply an input of a person.
    Input { input: Input, reply: oneshot::Sender<Result<(), EngineError>> },
    /// To take the conversation back to before a message, or to undo that.
    Back { to: Option<BackTo>, reply: oneshot::Sender<Result<(), EngineError>> },
    /// To follow what changes.
    Follow {
        cursor: Option<u64>,
        reply: oneshot::Sender<Result<Arc<Waiting<Change>>, EngineError>>,
    },
    /// To be deleted with everything in it.
    Delete { reply: oneshot::Sender<Result<(), EngineError>> },
    /// To end, because Baton does.
    Shutdown { reply: oneshot::Sender<()> },
}

/// What work that the actor started tells it.
enum Report {
    /// What a turn waits for, in words.
    Preparing {
        turn: TurnId,
        phase: Phase,
    },
    /// The session is open, and whether the project was trusted when that was begun.
    Opened {
        opening: u64,
        result: Result<(Opened, bool), OpenError>,
    },
    /// The project was looked at before what is to be done in the open session, which was opened
    /// like this.
    Looked {
        origin: Origin,
        result: Result<bool, OpenError>,
    },
    /// What was made of the session elsewhere was read, for this turn if it was for one.
    CaughtUp {
        turn: Option<TurnId>,
        found: elsewhere::Found,
    },
    /// The session is open and the message has a name.
    Prepared {
        turn: TurnId,
        key: String,
    },
    /// The agent went back to before the message that the row names.
    WentBack {
        turn: TurnId,
        result: Result<(), OpenError>,
    },
    Sent {
        turn: TurnId,
        result: Result<(), SendError>,
    },
    LookedUp {
        turn: TurnId,
        recovering: bool,
        result: Result<Sighting, SendError>,
    },
    StopExpired(TurnId),
    Answered {
        request: RequestId,
        result: Result<(), AnswerError>,
    },
    AccessRefused {
        turn: TurnId,
        access: Access,
        error: SendError,
    },
}

/// Where the thread's session stands.
enum Link {
    Closed,
    /// It is being opened.
    Opening(Opening),
    Open {
        session: Arc<dyn Session>,
        events: mpsc::Receiver<AgentEvent>,
        /// Whether the project was trusted when it was opened.
        trusted: bool,
    },
}

/// What a session is being opened for.
struct Opening {
    /// Which of the thread's openings it is: one that was given up reports as well.
    number: u64,
    /// The turn that it was begun for.
    turn: Option<TurnId>,
    /// Turns of which nothing is wanted any more, though the agent may be at work on them: it is told
    /// once the session is open. At most the one that ran and the one that steered.
    abandoned: Vec<TurnId>,
}

pub(crate) struct Actor {
    id: ThreadId,
    shared: Arc<Shared>,
    state: ThreadState,
    saving: Saving,
    publisher: Publisher<Change>,
    link: Link,
    /// How often a session was opened.
    openings: u64,
    /// What waits for the session to be open.
    after_open: Option<Effect>,
    /// Answers that wait for the session to be read again after a restart of Baton. At most as many
    /// as the turn has requests.
    undelivered: Vec<RequestId>,
    /// The agent being told an access that the input at hand changed.
    applying: Option<JoinHandle<()>>,
    elsewhere: elsewhere::Elsewhere,
    inbox: VecDeque<Report>,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    commands: mpsc::Receiver<Command>,
    clocks: Clocks,
}

impl Actor {
    /// Loads a thread and serves it until it is idle, deleted or Baton ends.
    pub(crate) async fn run(
        id: ThreadId,
        shared: Arc<Shared>,
        mut commands: mpsc::Receiver<Command>,
    ) {
        let live = match shared.store.live(&id).await {
            Ok(Some(live)) => live,
            Ok(None) => {
                return refuse_all(&id, &shared, &mut commands, &EngineError::UnknownThread);
            }
            Err(error) => return refuse_all(&id, &shared, &mut commands, &error.into()),
        };
        let seq = live.thread.seq;
        let state = ThreadState::new(live.thread, live.last_ordinal, live.last_position).with_live(
            live.turns,
            live.items,
            live.requests,
        );
        let mut actor = Self {
            saving: Saving::default(),
            publisher: Publisher::new(seq),
            link: Link::Closed,
            openings: 0,
            after_open: None,
            undelivered: Vec::new(),
            applying: None,
            elsewhere: elsewhere::Elsewhere::default(),
            inbox: VecDeque::new(),
            reports: mpsc::channel(MAX_REPORTS),
            commands,
            clocks: Clocks::new(),
            state,
            id,
            shared,
        };
        let recovery = actor.state.recover(now());
        let outlived = recovery.effects.iter().find_map(|effect| match effect {
            Effect::Reconcile(turn) => Some(turn.clone()),
            _ => None,
        });
        actor.settle(recovery).await;
        if let Some(turn) = outlived {
            actor.apply(Input::Restarted(turn)).await;
        }
        actor.serve().await;
    }

    async fn serve(&mut self) {
        let mut janitor = tokio::time::interval(JANITOR);
        janitor.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            while let Some(report) = self.inbox.pop_front() {
                self.report(report).await;
            }
            let flush_at = self.saving.due();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => {
                        if self.command(command).await.is_break() {
                            return;
                        }
                    }
                    None => return self.farewell().await,
                },
                Some(report) = self.reports.1.recv() => self.report(report).await,
                () = sleep_until(flush_at) => self.flush().await,
                _ = janitor.tick() => {
                    if self.look_after().await.is_break() {
                        return;
                    }
                }
                count = next_events(&mut self.link, &mut batch), if !self.saving.is_stalled() => {
                    self.clocks.heard();
                    if count == 0 {
                        self.link_ended().await;
                    }
                    self.agent(&mut batch).await;
                }
            }
            if let Some(refused) = self.saving.take_refusal()
                && self.begin_anew(&refused).await.is_break()
            {
                self.shared.forget(&self.id);
                return self.close_link().await;
            }
            if self.saving.is_orphaned() {
                self.publisher.gone();
                self.let_go();
                self.shared.forget(&self.id);
                return self.close_link().await;
            }
        }
    }

    async fn agent(&mut self, batch: &mut Vec<AgentEvent>) {
        for event in batch.drain(..) {
            if matches!(event, AgentEvent::Lost(_)) {
                // Nothing is to be sent into it any more.
                self.link = Link::Closed;
            }
            if matches!(event, AgentEvent::Elsewhere) {
                self.made_elsewhere();
            }
            self.apply(Input::Agent(event)).await;
        }
        self.read_elsewhere();
    }

    async fn command(&mut self, command: Command) -> std::ops::ControlFlow<()> {
        self.clocks.used();
        match command {
            Command::Input { input, reply } => {
                self.applying = None;
                let leaves = matches!(input, Input::Renew | Input::Agent(AgentEvent::Lost(_)));
                let result = self.person(input).await;
                if leaves && result.is_ok() {
                    // What is open is the session that the thread has no longer.
                    self.close_link().await;
                }
                match result {
                    Ok(()) => self.answer_when_in_force(reply),
                    Err(error) => drop(reply.send(Err(error))),
                }
            }
            Command::Back { to, reply } => {
                let _ = reply.send(self.back(to).await);
            }
            Command::Follow { cursor, reply } => {
                // What was told but not stored yet has to be readable for the snapshot. On a disk
                // that takes nothing the thread is shown as it was stored last, which the client
                // brings up to date once what comes next does not continue it.
                let result = match self.save_now().await {
                    Err(error) if !error.is_general() => Err(error.into()),
                    _ => Ok(self.publisher.follow(cursor)),
                };
                let _ = reply.send(result);
            }
            Command::Delete { reply } => {
                let result = self.delete().await;
                let deleted = result.is_ok();
                let _ = reply.send(result);
                if deleted {
                    return std::ops::ControlFlow::Break(());
                }
            }
            Command::Shutdown { reply } => {
                self.farewell().await;
                let _ = reply.send(());
                return std::ops::ControlFlow::Break(());
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Applies an input of a person. It is refused as a whole when it cannot be stored.
    async fn person(&mut self, input: Input) -> Result<(), EngineError> {
        if self.saving.is_stalled()
            && let Err(error) = self.save_now().await
        {
            if matches!(input, Input::Stop) {
                self.interrupt_unstored();
            }
            return Err(error.into());
        }
        let stops = match &input {
            Input::Stop => true,
            Input::Patch(patch) => patch.archived == Some(true),
            _ => false,
        };
        if self.is_known(&input).await? {
            return Ok(());
        }
        let before = self.state.clone();
        let outcome = self.state.apply(now(), input)?;
        if let Err(error) = self.try_settle(outcome).await {
            self.state = before;
            // A disk that is full is no reason to let the agent go on.
            if stops {
                self.interrupt_unstored();
            }
            return Err(error.into());
        }
        Ok(())
    }

    /// Whether an input begins a turn that is there already: the same command, given once more over a
    /// bad link. One that has ended meanwhile is known to the store alone.
    async fn is_known(&self, input: &Input) -> Result<bool, EngineError> {
        let id = match input {
            Input::Submit(new) => &new.id,
            Input::Compact(id) => id,
            _ => return Ok(false),
        };
        match self.shared.store.turn(id).await? {
            Some(turn) if turn.thread_id == self.id => Ok(true),
            Some(_) => Err(EngineError::IdTaken),
            None => Ok(false),
        }
    }

    /// Applies what an agent or the engine reports, which cannot be refused.
    async fn apply(&mut self, input: Input) {
        // A link that comes and goes says nothing of the turn.
        let told = match &input {
            Input::Agent(event) => !matches!(event, AgentEvent::Reconnecting(_)),
            _ => false,
        };
        match self.state.apply(now(), input) {
            Ok(outcome) => {
                // What is known already is no sign that the turn goes on.
                if told && !outcome.changes.is_empty() {
                    self.clocks.went_on();
                }
                self.settle(outcome).await;
            }
            Err(refusal) => tracing::debug!(thread = %self.id, %refusal, "a report was refused"),
        }
    }

    async fn report(&mut self, report: Report) {
        match report {
            Report::Preparing { turn, phase } => {
                self.apply(Input::Preparing { turn, phase }).await;
            }
            Report::Prepared { turn, key } => {
                self.apply(Input::Prepared { turn, prompt_key: key }).await;
            }
            Report::CaughtUp { turn, found } => self.caught_up(turn, found).await,
            Report::Opened { opening, result } => self.opening_ended(opening, result).await,
            Report::Looked { origin, result } => self.looked(origin, result).await,
            Report::WentBack { turn, result } => self.went_back(turn, result).await,
            Report::Sent { turn, result } => self.sent(turn, result).await,
            Report::LookedUp { turn, recovering, result } => {
                self.looked_up(turn, recovering, result).await;
            }
            Report::AccessRefused { turn, access, error } => {
                if self.state.thread().access == access {
                    tracing::warn!(thread = %self.id, %error, "the agent did not take its access");
                    let error = TurnError {
                        code: ErrorCode::AgentUnavailable,
                        message: "the agent did not take its new access, so it was stopped"
                            .to_owned(),
                        hint: Some("send the message again".to_owned()),
                        retryable: true,
                    };
                    self.apply(Input::Fail { turn, error }).await;
                }
            }
            Report::StopExpired(turn) => self.apply(Input::StopExpired(turn)).await,
            Report::Answered { request, result } => {
                let input = match result {
                    Ok(()) => Input::Delivered(request),
                    Err(error) => Input::DeliveryFailed {
                        request,
                        gone: error == AnswerError::Gone,
                        problem: error.to_string(),
                    },
                };
                self.apply(input).await;
            }
        }
    }

    /// The stream of events ended: the session is gone.
    async fn link_ended(&mut self) {
        self.link = Link::Closed;
        let sent = self.state.running().is_some_and(|r| r.turn().prompt_key.is_some());
        if sent && self.after_open.is_none() {
            self.apply(Input::Agent(AgentEvent::Lost(died()))).await;
        }
    }

    async fn fail_running(&mut self, error: TurnError) {
        if let Some(running) = self.state.running() {
            let turn = running.turn().id.clone();
            self.apply(Input::Fail { turn, error }).await;
        }
    }

    async fn delete(&mut self) -> Result<(), EngineError> {
        self.shared.store.delete_thread(&self.id).await?;
        self.publisher.gone();
        self.let_go();
        self.close_link().await;
        self.shared.forget(&self.id);
        Ok(())
    }

    /// Has the agent stop what runs, in the background, for a thread that is no more.
    fn let_go(&self) {
        if let (Link::Open { session, .. }, Some(running)) = (&self.link, self.state.running()) {
            session.abandon(&running.turn().id);
            if let Some(next) = self.state.steering() {
                session.abandon(&next.id);
            }
        }
    }

    /// Ends in order: what runs is stopped, what was told is stored.
    async fn farewell(&mut self) {
        let _ = self.person(Input::Stop).await;
        let deadline = Instant::now() + FAREWELL;
        let mut batch = Vec::new();
        while self.state.running().is_some_and(|r| r.turn().stopping) {
            while let Some(report) = self.inbox.pop_front() {
                self.report(report).await;
            }
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => break,
                Some(report) = self.reports.1.recv() => self.report(report).await,
                count = next_events(&mut self.link, &mut batch) => {
                    if count == 0 {
                        self.link_ended().await;
                    }
                    self.agent(&mut batch).await;
                }
            }
        }
        self.close_link().await;
        self.flush().await;
    }

    async fn close_link(&mut self) {
        if let Link::Open { session, .. } = std::mem::replace(&mut self.link, Link::Closed)
            && tokio::time::timeout(CLOSING, session.close()).await.is_err()
        {
            tracing::warn!(thread = %self.id, "the session did not close in time; it is let go");
        }
    }
}

/// Refuses everything that waits for a thread that cannot be served.
fn refuse_all(
    id: &ThreadId,
    shared: &Shared,
    commands: &mut mpsc::Receiver<Command>,
    error: &EngineError,
) {
    shared.forget(id);
    commands.close();
    while let Ok(command) = commands.try_recv() {
        match command {
            Command::Input { reply, .. }
            | Command::Back { reply, .. }
            | Command::Delete { reply } => {
                let _ = reply.send(Err(error.clone()));
            }
            Command::Follow { reply, .. } => {
                let _ = reply.send(Err(error.clone()));
            }
            Command::Shutdown { reply } => {
                let _ = reply.send(());
            }
        }
    }
}

async fn next_events(link: &mut Link, batch: &mut Vec<AgentEvent>) -> usize {
    match link {
        Link::Open { events, .. } => events.recv_many(batch, BATCH).await,
        Link::Closed | Link::Opening(_) => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn died() -> TurnError {
    TurnError {
        code: ErrorCode::AgentDied,
        message: "the agent process ended while the turn ran".to_owned(),
        hint: Some("send the message again; the agent is started anew".to_owned()),
        retryable: true,
    }
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
