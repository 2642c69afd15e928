//! The task that owns a session's process and turns its frames into the thread's events.

use std::collections::VecDeque;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use claude_sdk::{Claude, Conversation, Frames, Incoming};
use domain::{AgentEvent, ErrorCode, TurnId};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::super::allowed::ForSession;
use super::super::mapper::{self, Mapper};
use super::super::names::Begin;
use super::super::rules::Rules;
use super::super::{Shared, errors, transcripts};
use super::interrupts::Interrupts;
use super::process::{self, Applied, InUse, NotReady, Ready, Start, Started, Why};
use super::titles::Titles;
use super::{Control, Inner, wire};
use crate::shared::ends::End;
use crate::shared::failures::Failures;
use crate::shared::now;
use crate::{Prompt, SendError, Sighting};

/// How long a process may do nothing before it is ended; the next message starts another.
const IDLE: Duration = Duration::from_secs(600);
/// How long the agent has to end a turn that was stopped, before its process is ended.
pub(super) const STOP: Duration = Duration::from_secs(2);
/// How long an answer may take to be written.
pub(super) const WRITTEN: Duration = Duration::from_secs(10);
/// How long a process has to end by a signal.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How long the end of a process may take to be known once its output has ended.
pub(super) const KNOWN: Duration = Duration::from_secs(5);
/// Stopped turns that are remembered, so that no message is handed over after its stop.
const MAX_STOPPED: usize = 16;
/// Rules that people allowed for the session.
pub(super) const MAX_GRANTS: usize = 200;

type Readying = Pin<Box<dyn Future<Output = Result<Ready, NotReady>> + Send>>;

/// What a session's task has.
pub(in crate::claude) struct Task {
    pub(in crate::claude) shared: Arc<Shared>,
    pub(in crate::claude) inner: Arc<Inner>,
    pub(in crate::claude) out: mpsc::Sender<AgentEvent>,
    pub(in crate::claude) mapper: Mapper,
    pub(in crate::claude) workspace: PathBuf,
    pub(in crate::claude) trusted: bool,
    /// The id it was opened with.
    pub(in crate::claude) opened: String,
    /// How its first process begins it.
    pub(in crate::claude) begin: Begin,
}

/// The process that runs.
pub(super) struct Running {
    pub(super) claude: Arc<Claude>,
    pub(super) frames: Frames,
    pub(super) applied: Applied,
    /// What settings forbid, by which it goes.
    pub(super) rules: Rules,
    pub(super) interrupts: Interrupts,
    /// Whether it is asked for no title.
    pub(super) quiet: bool,
}

/// A message on its way.
pub(super) struct Sending {
    pub(super) prompt: Arc<Prompt>,
    pub(super) reply: oneshot::Sender<Result<(), SendError>>,
    pub(super) readying: Readying,
}

pub(super) struct State {
    pub(super) task: Task,
    pub(super) running: Option<Running>,
    pub(super) sending: Option<Sending>,
    /// Processes that are being ended: none is started before they are.
    pub(super) ending: TaskTracker,
    pub(super) stops: VecDeque<TurnId>,
    /// When a stopped turn ends with its process.
    pub(super) stop_at: Option<Instant>,
    pub(super) idle_since: Instant,
    pub(super) grants: Vec<String>,
    /// How its processes failed: those of other sessions are nothing to it.
    pub(super) failures: Failures,
    /// Looks under way of where paths lead, by the names of what was asked; no more than may be
    /// asked at once.
    pub(super) looks: JoinSet<(String, bool)>,
    pub(super) titles: Titles,
}

/// Runs a session until it is closed or nobody reads it.
pub(in crate::claude) async fn run(task: Task, mut control: mpsc::Receiver<Control>) {
    let closed = task.shared.face.closed.clone();
    let allowed = task.shared.allowed.take(task.mapper.session());
    let titles = Titles::new(matches!(task.begin, Begin::New));
    let mut state = State {
        task,
        titles,
        running: None,
        sending: None,
        ending: TaskTracker::new(),
        stops: VecDeque::new(),
        stop_at: None,
        idle_since: Instant::now(),
        grants: allowed.rules,
        failures: Failures::default(),
        looks: JoinSet::new(),
    };
    state.task.mapper.allow_edits(allowed.edits);
    // It is only waited for until nothing is in it.
    state.ending.close();
    let mut reply = None;
    loop {
        let (stop_at, idle_at) = (state.stop_at, state.idle_at());
        let open = tokio::select! {
            biased;
            wish = control.recv() => match wish {
                Some(Control::Close { reply: to }) => {
                    reply = Some(to);
                    false
                }
                Some(wish) => state.control(wish).await,
                None => false,
            },
            () = closed.cancelled() => {
                state.end_process(End::BatonEnds).await;
                false
            }
            ready = readied(&mut state.sending) => state.hand_over(ready).await,
            Some(looked) = state.looks.join_next() => match looked {
                Ok((key, inside)) => state.looked(&key, inside).await,
                Err(_) => true,
            },
            Some(made) = state.titles.asked.join_next() => {
                state.titled(made.unwrap_or_default()).await
            }
            incoming = next(&mut state.running) => state.incoming(incoming).await,
            () = at(stop_at) => {
                state.stop_at = None;
                state.end_running("a turn was stopped");
                let mapped = state.task.mapper.lost(mapper::died(&[]));
                state.settle(mapped).await
            }
            () = at(idle_at) => {
                state.end_running("nothing was asked of it for long");
                !state.task.out.is_closed()
            }
            () = state.task.out.closed() => false,
        };
        if !open {
            break;
        }
    }
    if let Some(Sending { reply, .. }) = state.sending.take() {
        let _ = reply.send(Err(errors::closed()));
    }
    state.end_running("its session was closed");
    state.ended().await;
    let allowed = ForSession { rules: state.grants, edits: state.task.mapper.edits_allowed() };
    state.task.shared.allowed.keep(state.task.mapper.session(), allowed);
    state.task.shared.left(&state.task.opened);
    if let Some(reply) = reply {
        let _ = reply.send(());
    }
}

impl State {
    /// Does what is asked; false when there is nothing more to do.
    async fn control(&mut self, wish: Control) -> bool {
        match wish {
            Control::Send { prompt, reply } => self.begin_sending(prompt, reply),
            Control::Interrupt { turn, reply } => self.interrupt(turn, reply),
            Control::Abandon { turn } => self.abandon(&turn),
            Control::Answer { key, answer, reply } => {
                return self.answer(&key, &answer, reply).await;
            }
            Control::ApplyAccess { reply } => {
                let access = self.task.inner.wish().0;
                self.task.mapper.set_access(access);
                if !self.allow_waiting().await {
                    return false;
                }
                let _ = reply.send(());
            }
            Control::LookUp { turn, key, reply } => {
                let (sighting, events) = self.look_up(turn, &key).await;
                if !self.tell(events).await {
                    return false;
                }
                let _ = reply.send(sighting);
            }
            Control::TakeBack { until, reply } => {
                let _ = reply.send(self.take_back(until).await);
            }
            Control::Rename { title, reply } => {
                if let Some(running) = &self.running {
                    let claude = running.claude.clone();
                    tokio::spawn(async move {
                        let named = json!({ "subtype": "rename_session", "title": title });
                        let _ = reply.send(claude.control(named, WRITTEN).await.is_ok());
                    });
                }
            }
            Control::Rest { end, force, reply } => {
                self.failures.forgive();
                if force || !self.is_busy() {
                    self.end_process(end).await;
                }
                let _ = reply.send(());
            }
            Control::Close { .. } => return false,
        }
        !self.task.out.is_closed()
    }

    fn is_busy(&self) -> bool {
        self.sending.is_some()
            || self.running.is_some()
                && (self.task.mapper.turn().is_some() || self.task.mapper.is_stray())
    }

    fn idle_at(&self) -> Option<Instant> {
        (self.running.is_some() && !self.is_busy()).then(|| self.idle_since + IDLE)
    }

    fn begin_sending(
        &mut self,
        prompt: Box<Prompt>,
        reply: oneshot::Sender<Result<(), SendError>>,
    ) {
        if self.stops.contains(&prompt.turn) {
            let _ = reply.send(Err(errors::stopped_before()));
            return;
        }
        if self.sending.is_some() || self.task.mapper.turn().is_some() {
            let _ = reply.send(Err(SendError {
                code: ErrorCode::Rejected,
                message: "Claude Code is still busy with an earlier turn".to_owned(),
            }));
            return;
        }
        if self.running.is_none()
            && let Err(error) = self.failures.may_start(super::super::NAME)
        {
            let _ = reply.send(Err(errors::left_alone(error)));
            return;
        }
        let not_before = self.failures.not_before().filter(|_| self.running.is_none());
        let prompt: Arc<Prompt> = Arc::from(prompt);
        self.task.inner.wish().1 = prompt.mode;
        let until = wire::back(&prompt.key).map(str::to_owned);
        if until.is_some() {
            self.end_running("its conversation is taken back");
        }
        let running = self.running.as_ref().map(|running| InUse {
            claude: running.claude.clone(),
            applied: running.applied.clone(),
            rules: running.rules.clone(),
            interrupts: running.interrupts.clone(),
        });
        let id = self.task.mapper.session().to_owned();
        let start = Start {
            session: id.clone(),
            conversation: match &self.task.begin {
                Begin::New => Conversation::New(id),
                Begin::Resume => Conversation::Resume { session: id, until },
                Begin::Fork { source, until } => {
                    Conversation::Fork { session: source.clone(), until: until.clone(), id }
                }
            },
            workspace: self.task.workspace.clone(),
            trusted: self.task.trusted,
            grants: self.grants.clone(),
        };
        let (shared, ending) = (self.task.shared.clone(), self.ending.clone());
        let for_it = prompt.clone();
        let readying = Box::pin(async move {
            ending.wait().await;
            if let Some(not_before) = not_before {
                tokio::time::sleep_until(not_before).await;
            }
            process::ready(shared, running, start, for_it).await
        });
        self.sending = Some(Sending { prompt, reply, readying });
    }

    /// Has the next process begin where this line of the transcript was said.
    async fn take_back(&mut self, until: Option<String>) -> Result<(), SendError> {
        if self.is_busy() {
            return Err(SendError {
                code: ErrorCode::SessionBusy,
                message: "Claude Code is at work in this session".to_owned(),
            });
        }
        self.end_running("its conversation is taken back");
        self.ended().await;
        *self.task.inner.back() = until;
        Ok(())
    }

    /// Gives a message to the agent that is ready for it.
    async fn hand_over(&mut self, ready: Result<Ready, NotReady>) -> bool {
        let Some(Sending { prompt, reply, .. }) = self.sending.take() else { return true };
        self.idle_since = Instant::now();
        let Ready { started, message, applied, rules } = match ready {
            Ok(ready) => ready,
            Err(NotReady { error, why }) => {
                match why {
                    Why::Refused => {}
                    Why::HalfTold => self.end_running("it is unsure what it goes by"),
                    Why::NotStarted => self.failures.note(&error.message),
                }
                let _ = reply.send(Err(error));
                return true;
            }
        };
        let mapper = &mut self.task.mapper;
        match started {
            Some(started) => {
                mapper.new_process(&applied.mode);
                let Started { claude, frames, quiet } = started;
                let interrupts = Interrupts::new();
                self.running = Some(Running { claude, frames, applied, rules, interrupts, quiet });
            }
            None => {
                mapper.set_mode(&applied.mode);
                if let Some(running) = &mut self.running {
                    running.applied = applied;
                }
            }
        }
        mapper.set_access(self.task.inner.wish().0);
        mapper.begin(prompt.turn.clone(), message.uuid.clone(), prompt.kind);
        if let Some(running) = self.running.as_ref().filter(|running| !running.quiet) {
            self.titles.ask(&running.claude, &prompt);
        }
        let claude = self.running.as_ref().map(|running| running.claude.clone());
        let sent = match claude {
            Some(claude) => tokio::time::timeout(WRITTEN, claude.send(&message)).await,
            None => Ok(Err(claude_sdk::Ended)),
        };
        match sent {
            Ok(Ok(())) => {
                let _ = reply.send(Ok(()));
            }
            Ok(Err(claude_sdk::Ended)) => {
                self.task.mapper.forget();
                let _ = reply.send(Err(errors::ended()));
            }
            // It may be written yet: the watch over messages that are not taken looks for it.
            Err(_) => {
                let _ = reply.send(Ok(()));
            }
        }
        true
    }

    fn interrupt(&mut self, turn: TurnId, reply: oneshot::Sender<Result<(), SendError>>) {
        if self.give_up_sending(&turn) {
            let _ = reply.send(Ok(()));
            return;
        }
        let active = self.task.mapper.turn() == Some(&turn);
        let Some(running) = self.running.as_ref().filter(|_| active) else {
            self.note_stop(turn);
            let _ = reply.send(Ok(()));
            return;
        };
        self.task.mapper.stopping();
        self.stop_at.get_or_insert(Instant::now() + STOP);
        let told = running.interrupts.tell(running.claude.clone());
        tokio::spawn(async move {
            let _ = reply.send(told.await.unwrap_or_else(|_| Err(errors::ended())));
        });
    }

    /// Does not hand a turn's message over, if it is on its way.
    fn give_up_sending(&mut self, turn: &TurnId) -> bool {
        let Some(sending) = self.sending.take_if(|sending| sending.prompt.turn == *turn) else {
            return false;
        };
        // What was being started for it is ended by being dropped.
        drop(sending.readying);
        let wanted = Applied::of(&sending.prompt);
        if self.running.as_ref().is_some_and(|running| running.applied != wanted) {
            self.end_running("it may have been told some of what it was to go by");
        }
        let _ = sending.reply.send(Err(errors::stopped_before()));
        true
    }

    fn note_stop(&mut self, turn: TurnId) {
        if !self.stops.contains(&turn) {
            self.stops.push_back(turn);
            if self.stops.len() > MAX_STOPPED {
                self.stops.pop_front();
            }
        }
    }

    /// Ends the process of a turn that is over here, with all it runs.
    fn abandon(&mut self, turn: &TurnId) {
        if self.give_up_sending(turn) {
            return;
        }
        self.note_stop(turn.clone());
        if self.task.mapper.turn() == Some(turn) {
            self.task.mapper.forget();
            self.stop_at = None;
            self.end_running("its turn was given up");
        }
    }

    /// Looks whether a message is in the session, and what became of it.
    async fn look_up(
        &mut self,
        turn: TurnId,
        key: &str,
    ) -> (Result<Sighting, SendError>, Vec<AgentEvent>) {
        let begun = self.running.is_some() && self.task.mapper.has_begun(&turn);
        if begun {
            return (Ok(Sighting::Present), Vec::new());
        }
        // Only of a process that has ended the transcript is the whole truth.
        self.end_running("it is looked up what became of a message");
        self.ended().await;
        let transcript = self.task.shared.transcript(&self.task.workspace, &self.task.mapper);
        let (kind, uuid) = (wire::kind(key), wire::uuid(key).to_owned());
        let read = transcripts::since(transcript, uuid.clone(), kind, wire::given_at(key)).await;
        let lines = match read {
            Ok(Some(lines)) => lines,
            Ok(None) => return (Ok(Sighting::Absent), Vec::new()),
            Err(error) => {
                let message = format!("the session's transcript could not be read: {error}");
                return (Err(SendError { code: ErrorCode::Internal, message }), Vec::new());
            }
        };
        self.task.begin = Begin::Resume;
        let mapper = &mut self.task.mapper;
        mapper.begin(turn, uuid, kind);
        (Ok(Sighting::Present), mapper.replay(lines))
    }

    async fn incoming(&mut self, incoming: Option<Incoming>) -> bool {
        self.idle_since = Instant::now();
        let frame = match incoming {
            Some(Incoming::Frame(frame)) => frame,
            Some(Incoming::Malformed { line, bytes, error }) => {
                let session = self.task.mapper.session();
                // What went wrong is shown and sent along; what was said is not.
                tracing::warn!(session, bytes, error, "not a line of Claude Code");
                tracing::debug!(session, line, "what it was");
                return true;
            }
            Some(Incoming::TooLong { bytes }) => {
                tracing::warn!(session = self.task.mapper.session(), bytes, "a line too long");
                return true;
            }
            None => return self.process_ended().await,
        };
        self.task.mapper.set_access(self.task.inner.wish().0);
        let mapped = self.task.mapper.apply(frame, now());
        if let Some(running) = &mut self.running {
            // Its model may have entered plan mode by itself: the next message says what it is for.
            self.task.mapper.mode().clone_into(&mut running.applied.mode);
        }
        self.settle(mapped).await
    }

    pub(super) async fn tell(&mut self, events: Vec<AgentEvent>) -> bool {
        for event in events {
            let began = matches!(event, AgentEvent::Turn { event: domain::TurnEvent::Started, .. });
            if let AgentEvent::Session { id } = &event {
                id.clone_into(&mut self.task.inner.id());
            }
            if self.task.out.send(event).await.is_err() {
                return false;
            }
            if began {
                *self.task.inner.back() = None;
                // From its first message on the session has a transcript.
                self.task.begin = Begin::Resume;
                if !self.name().await {
                    return false;
                }
            }
        }
        true
    }

    /// Tells the session's name once it has a transcript.
    async fn name(&mut self) -> bool {
        let id = {
            let mut id = self.task.inner.id();
            let plain = self.task.mapper.session().to_owned();
            if *id == plain {
                return true;
            }
            id.clone_from(&plain);
            plain
        };
        self.task.out.send(AgentEvent::Session { id }).await.is_ok()
    }
}

async fn next(running: &mut Option<Running>) -> Option<Incoming> {
    match running {
        Some(running) => running.frames.next().await,
        None => std::future::pending().await,
    }
}

async fn readied(sending: &mut Option<Sending>) -> Result<Ready, NotReady> {
    match sending {
        Some(sending) => (&mut sending.readying).await,
        None => std::future::pending().await,
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
