//! The clocks: whatever is not terminal has one, so that nothing waits for ever on an agent that
//! says nothing.
//!
//! | what waits | its clock | what it does |
//! |---|---|---|
//! | a session being opened, for a turn that runs too | `OPENING` in `effects` | the turn fails |
//! | a look at the project, alone or as a part of that | `LOOKING` in `trust` | the turn fails |
//! | a message being handed over | [`HANDING`] | the session is searched for it |
//! | a message that was not taken | [`ACCEPTANCE`] | the session is searched for it |
//! | a search | [`LOOKING`], [`MAX_LOOKS`] | searched again, then the turn fails |
//! | all of that together | [`PREPARING`] | the turn fails |
//! | a running turn of which nothing is heard | [`SILENCE`] | the session is read |
//! | a model that says nothing | [`SILENT_SHOWN`], [`SILENT_END`] | it is said, then the turn fails |
//! | an answer on its way | [`ANSWERING`] | the request is open again |
//! | a request that outlived Baton | [`CHECKING`] | it can be answered |
//! | a stop | `STOP_GRACE` in `effects` | the turn ends without the agent |
//!
//! A person who is asked, a tool, a sub-agent and a wait that the agent tells of have no clock here:
//! they may take as long as they like, and Stop is at hand. The janitor looks every [`JANITOR`].

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use domain::{ErrorCode, Input, Phase, RequestId, Timestamp, Turn, TurnError, TurnId, TurnState};
use providers::{SendError, Session, Sighting};
use tokio::time::Instant;

use super::{Actor, Link, Report, died, now};

/// How often the janitor looks.
pub(super) const JANITOR: Duration = Duration::from_secs(5);
/// How long a message may take to be handed over: an agent first ends what it did before, takes new
/// rules and may be slow under load; each of these has a shorter clock at the provider.
const HANDING: Duration = Duration::from_secs(60);
/// How long a message that was handed over may stay unseen in the session before it is looked for.
/// It shows within a second or two; an agent under load needs longer.
const ACCEPTANCE: Duration = Duration::from_secs(30);
/// How long a look for a message may take; it may read a long session.
const LOOKING: Duration = Duration::from_secs(60);
/// How often a look for a message may fail before its turn does.
const MAX_LOOKS: u32 = 3;
/// How long a turn may prepare in all. More than the clocks of its steps together, so that it is
/// reached only by a turn that none of them watches.
const PREPARING: Duration = Duration::from_secs(600);
/// How long an agent may be silent in a turn before its session is read again.
const SILENCE: Duration = Duration::from_secs(45);
/// The same while a person is asked something.
const SILENCE_ASKED: Duration = Duration::from_secs(600);
/// How long a model may say nothing before that is said: models that think without telling it
/// are often quiet for half a minute.
const SILENT_SHOWN: Duration = Duration::from_secs(60);
/// How long a model may say nothing before its turn ends: well past the agents' own patience, which
/// is 240 s for Kilo 7.7.7, so that an agent that ends the turn by itself can say why.
const SILENT_END: Duration = Duration::from_secs(600);
/// How long an answer may be on its way: the agent is given it for a shorter time, so this is
/// reached only when whoever carried it is gone.
const ANSWERING: Duration = Duration::from_secs(30);
/// How long an agent whose session is open again may leave unsaid whether it still waits for a
/// request that outlived Baton: it is said with the first reading, which may have to be repeated.
const CHECKING: Duration = Duration::from_secs(30);
/// How long a thread without turns or followers stays live.
const IDLE: Duration = Duration::from_secs(300);

/// Since when what is waited for.
pub(super) struct Clocks {
    /// When the agent last told anything.
    last_sign: Instant,
    /// When a person last wanted anything, or a turn last was there. What the agent tells besides is
    /// no use of the thread: a bad link alone would keep it live for ever.
    used: Instant,
    /// When the running turn last went on, or last waited for something else than its model.
    progress: Instant,
    /// The turn that prepares, and since when.
    preparing: Option<(TurnId, Instant)>,
    acceptance: Acceptance,
    /// The answers that are on their way.
    answering: HashMap<RequestId, Instant>,
    /// Since when the session is open again while it is not known whether requests still wait.
    checking: Option<Instant>,
}

/// The watch over a message from its handing over until the agent takes it.
#[derive(Default)]
struct Acceptance {
    turn: Option<TurnId>,
    step: Step,
    /// Looks that failed.
    looks: u32,
}

#[derive(Default, Clone, Copy)]
enum Step {
    #[default]
    None,
    /// It is being handed over.
    Handing(Instant),
    /// It was handed over, or may have been; or it was seen in the session.
    Handed(Instant),
    /// The session is searched for it, which has a clock of its own.
    Looking,
}

impl Clocks {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            last_sign: now,
            used: now,
            progress: now,
            preparing: None,
            acceptance: Acceptance::default(),
            answering: HashMap::new(),
            checking: None,
        }
    }

    /// A person wants something.
    pub(super) fn used(&mut self) {
        self.used = Instant::now();
    }

    /// The agent told something, whatever it was.
    pub(super) fn heard(&mut self) {
        self.last_sign = Instant::now();
    }

    /// The running turn went on.
    pub(super) fn went_on(&mut self) {
        self.progress = Instant::now();
    }

    /// A message is being handed over.
    pub(super) fn handing(&mut self, turn: &TurnId) {
        let step = Step::Handing(Instant::now());
        self.acceptance = Acceptance { turn: Some(turn.clone()), step, looks: 0 };
    }

    /// A message was handed over, or may have been, or was seen.
    pub(super) fn handed(&mut self, turn: &TurnId) {
        self.acceptance.of(turn).step = Step::Handed(Instant::now());
    }

    /// Whether the session is being searched for a message.
    pub(super) fn is_looking(&self) -> bool {
        matches!(self.acceptance.step, Step::Looking)
    }

    fn looking(&mut self, turn: &TurnId) {
        self.acceptance.of(turn).step = Step::Looking;
    }
}

impl Acceptance {
    /// The watch over this turn's message, begun anew when it was over another's.
    fn of(&mut self, turn: &TurnId) -> &mut Self {
        if self.turn.as_ref() != Some(turn) {
            *self = Self { turn: Some(turn.clone()), ..Self::default() };
        }
        self
    }

    /// Whether it is time to look for a turn's message, which has its name. One that was not watched,
    /// since another's was, is watched from now on.
    fn is_due(&mut self, turn: &TurnId) -> bool {
        let watch = self.of(turn);
        match watch.step {
            Step::Looking => false,
            Step::Handing(since) => since.elapsed() > HANDING,
            Step::Handed(since) => since.elapsed() > ACCEPTANCE,
            Step::None => {
                watch.step = Step::Handed(Instant::now());
                false
            }
        }
    }
}

impl Actor {
    /// Checks what no event may ever tell: that whatever is not terminal is owned by live work.
    pub(super) async fn look_after(&mut self) -> ControlFlow<()> {
        if self.saving.is_stalled() {
            self.flush().await;
        }
        let Some(running) = self.state.running() else {
            self.publisher.rest();
            return self.retire_if_idle().await;
        };
        self.clocks.used();
        if self.saving.is_stalled() {
            // Agents are not read meanwhile, so nothing of them can be heard.
            self.clocks.went_on();
            return ControlFlow::Continue(());
        }
        let turn = running.turn().clone();
        self.look_after_answers().await;
        self.look_after_unsure().await;
        if turn.state == TurnState::Preparing && self.prepares_too_long(&turn.id) {
            self.fail(&turn.id, not_begun()).await;
            return ControlFlow::Continue(());
        }
        match (turn.state, &self.link) {
            (_, Link::Opening(_)) => {}
            (_, Link::Closed) => {
                if turn.prompt_key.is_some() {
                    self.fail(&turn.id, died()).await;
                }
            }
            (TurnState::Preparing, Link::Open { session, .. }) => {
                if turn.prompt_key.is_some() && self.clocks.acceptance.is_due(&turn.id) {
                    let session = session.clone();
                    self.look_up(session, &turn, false);
                }
            }
            (TurnState::Running, Link::Open { session, .. }) => {
                let session = session.clone();
                self.look_after_silence(&turn, session).await;
            }
            (
                TurnState::Queued
                | TurnState::Completed
                | TurnState::Interrupted
                | TurnState::Failed,
                _,
            ) => {}
        }
        ControlFlow::Continue(())
    }

    fn prepares_too_long(&mut self, turn: &TurnId) -> bool {
        match &self.clocks.preparing {
            Some((known, since)) if known == turn => since.elapsed() > PREPARING,
            _ => {
                self.clocks.preparing = Some((turn.clone(), Instant::now()));
                false
            }
        }
    }

    /// Reads the session of a turn that is not heard of, says that its model is silent, and ends
    /// what is silent for too long.
    async fn look_after_silence(&mut self, turn: &Turn, session: Arc<dyn Session>) {
        let Some(running) = self.state.running() else { return };
        // While a person is asked, silence is what is expected.
        let patience = if running.open_requests() > 0 { SILENCE_ASKED } else { SILENCE };
        if !running.waits_for_model(now()) {
            self.clocks.went_on();
        }
        if self.clocks.last_sign.elapsed() > patience {
            self.clocks.heard();
            tokio::spawn(async move { session.resync().await });
        }
        let silent = self.clocks.progress.elapsed();
        if silent > SILENT_END {
            self.fail(&turn.id, went_silent(turn.phase.as_ref())).await;
        } else if silent > SILENT_SHOWN {
            let ago = Timestamp::try_from(silent.as_millis()).unwrap_or_default();
            self.apply(Input::Silent { turn: turn.id.clone(), since: now() - ago }).await;
        }
    }

    /// Opens requests again whose answer does not arrive.
    async fn look_after_answers(&mut self) {
        let Some(running) = self.state.running() else { return };
        let ids: Vec<RequestId> = running.answering().map(|r| r.id.clone()).collect();
        self.undelivered.retain(|id| ids.contains(id));
        let clocks = &mut self.clocks.answering;
        clocks.retain(|id, _| ids.contains(id));
        let waits = matches!(self.link, Link::Opening(_)) || !self.undelivered.is_empty();
        let mut late = Vec::new();
        for request in ids {
            let since = clocks.entry(request.clone()).or_insert_with(Instant::now);
            if waits {
                // It is given once the session is open, which has a clock of its own.
                *since = Instant::now();
            } else if since.elapsed() > ANSWERING {
                late.push(request);
            }
        }
        for request in late {
            let problem = "the answer did not reach the agent in time; give it again".to_owned();
            self.apply(Input::DeliveryFailed { request, problem, gone: false }).await;
        }
    }

    /// Lets requests be answered of which the agent does not say whether it still waits.
    async fn look_after_unsure(&mut self) {
        let Some(running) = self.state.running() else { return };
        let ids: Vec<RequestId> = running.unsure().map(|r| r.id.clone()).collect();
        if ids.is_empty() || self.clocks.is_looking() || !matches!(self.link, Link::Open { .. }) {
            self.clocks.checking = None;
            return;
        }
        if self.clocks.checking.get_or_insert_with(Instant::now).elapsed() > CHECKING {
            for request in ids {
                self.apply(Input::StillAsked(request)).await;
            }
        }
    }

    /// Searches the session for the message of a turn.
    pub(super) fn look_up(&mut self, session: Arc<dyn Session>, turn: &Turn, recovering: bool) {
        let Some(key) = turn.prompt_key.clone() else { return };
        self.clocks.looking(&turn.id);
        let (turn, reports) = (turn.id.clone(), self.reports.0.clone());
        tokio::spawn(async move {
            let look = tokio::time::timeout(LOOKING, session.look_up(&turn, &key));
            let result = look.await.unwrap_or_else(|_| {
                Err(SendError {
                    code: ErrorCode::AgentUnavailable,
                    message: "the agent did not say in time whether it has the message".to_owned(),
                })
            });
            let _ = reports.send(Report::LookedUp { turn, recovering, result }).await;
        });
    }

    /// Takes what a search found. One for a turn that is over is of no matter.
    pub(super) async fn looked_up(
        &mut self,
        turn: TurnId,
        recovering: bool,
        result: Result<Sighting, SendError>,
    ) {
        if self.state.running().is_none_or(|r| r.turn().id != turn) {
            return;
        }
        match result {
            Ok(Sighting::Present) => {
                self.clocks.handed(&turn);
                self.clocks.acceptance.looks = 0;
                self.deliver_undelivered();
            }
            Ok(Sighting::Absent) if recovering => self.apply(Input::NotSent(turn)).await,
            Ok(Sighting::Absent) => self.fail(&turn, not_accepted()).await,
            Err(error) => {
                self.clocks.acceptance.looks += 1;
                if self.clocks.acceptance.looks >= MAX_LOOKS {
                    return self.fail(&turn, error.into()).await;
                }
                tracing::warn!(thread = %self.id, %error, "a message could not be looked for");
                if let Link::Open { session, .. } = &self.link
                    && let Some(running) = self.state.running()
                {
                    let (session, turn) = (session.clone(), running.turn().clone());
                    self.look_up(session, &turn, recovering);
                }
            }
        }
    }

    async fn fail(&mut self, turn: &TurnId, error: TurnError) {
        self.apply(Input::Fail { turn: turn.clone(), error }).await;
    }

    async fn retire_if_idle(&mut self) -> ControlFlow<()> {
        let busy = self.publisher.is_followed() || self.saving.is_stalled();
        if busy
            || self.clocks.used.elapsed() < IDLE
            || !self.shared.retire(&self.id, &self.commands)
        {
            return ControlFlow::Continue(());
        }
        self.close_link().await;
        ControlFlow::Break(())
    }
}

fn not_accepted() -> TurnError {
    TurnError {
        code: ErrorCode::NotAccepted,
        message: "the agent never took the message".to_owned(),
        hint: Some("send it again".to_owned()),
        retryable: true,
    }
}

fn not_begun() -> TurnError {
    TurnError {
        code: ErrorCode::NotAccepted,
        message: "the agent did not begin with the message in ten minutes".to_owned(),
        hint: Some("send it again".to_owned()),
        retryable: true,
    }
}

/// Why a turn ends whose agent works on without a word.
fn went_silent(phase: Option<&Phase>) -> TurnError {
    let (who, hint) = match phase {
        Some(Phase::Reconnecting) => ("the agent", "send the message again"),
        _ => ("the model", "send the message again, or choose another model"),
    };
    TurnError {
        code: ErrorCode::Silent,
        message: format!("{who} said nothing for ten minutes, so the turn was ended"),
        hint: Some(hint.to_owned()),
        retryable: true,
    }
}
