//! Turns: from an accepted message to exactly one terminal state.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    Access, Attachment, Body, BodyLimits, Mode, ModelSelection, Thread, ThreadId, Timestamp, TurnId,
};

/// One accepted message and all the work it caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Turn {
    /// The turn's id.
    pub id: TurnId,
    /// The thread it belongs to.
    pub thread_id: ThreadId,
    /// Its place in the thread, from 1. It changes only while the turn waits in the queue.
    pub ordinal: u64,
    /// What was asked.
    pub input: TurnInput,
    /// Where it was asked.
    #[serde(default)]
    pub origin: TurnOrigin,
    /// How the message reaches the agent.
    pub delivery: Delivery,
    /// What it runs on.
    pub model: Option<ModelSelection>,
    /// How much the agent could do unasked when it was sent.
    pub access: Access,
    /// What it is for.
    pub mode: Mode,
    /// Where it stands.
    pub state: TurnState,
    /// What it is doing, while it is not terminal.
    pub phase: Option<Phase>,
    /// Whether a person asked it to stop and the agent has not confirmed yet.
    pub stopping: bool,
    /// Why it failed.
    pub error: Option<TurnError>,
    /// Whether it was stopped or failed before the agent was known to have taken the message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub untaken: bool,
    /// The provider's name for the message, written before the message is sent; with it an
    /// unsure sending is looked up instead of repeated.
    pub prompt_key: Option<String>,
    /// Tokens and money so far.
    pub usage: Usage,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it reached its terminal state.
    pub ended_at: Option<Timestamp>,
}

impl Turn {
    /// A turn that waits in a thread, to run as the thread says.
    #[must_use]
    pub fn queued(
        thread: &Thread,
        id: TurnId,
        ordinal: u64,
        input: TurnInput,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            thread_id: thread.id.clone(),
            ordinal,
            input,
            origin: TurnOrigin::Here,
            delivery: Delivery::Queue,
            model: thread.model.clone(),
            access: thread.access,
            mode: thread.mode,
            state: TurnState::Queued,
            phase: None,
            stopping: false,
            error: None,
            untaken: false,
            prompt_key: None,
            usage: Usage::default(),
            created_at: at,
            started_at: None,
            ended_at: None,
        }
    }
}

/// What a person asked for in a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct TurnInput {
    /// What kind of act it is.
    #[serde(default)]
    pub kind: InputKind,
    /// The message; its whole is fetched on demand when it is long. Empty for what is no message.
    pub text: Body,
    /// The files that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Attachment>>")]
    pub attachments: Vec<Attachment>,
}

impl TurnInput {
    /// A message, shortened as it travels.
    #[must_use]
    pub fn message(text: &str) -> Self {
        let text = Body::bounded(text, BodyLimits::PROSE);
        Self { kind: InputKind::Message, text, attachments: Vec::new() }
    }
}

/// What kind of act a turn begins with.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A message to the agent.
    #[default]
    Message,
    /// The wish that the agent shortens its context.
    Compact,
}

/// Where a turn was begun.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TurnOrigin {
    /// In this thread.
    #[default]
    Here,
    /// In the agent's own interface, or by another program, on the same session.
    Elsewhere,
    /// In the thread that this one was forked from.
    Forked,
}

/// How a message reaches the agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// After what runs now has ended.
    #[default]
    Queue,
    /// Into what runs now.
    Steer,
}

/// Where a turn stands. The last three are terminal and absorbing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnState {
    /// Accepted and waiting for the turn before it.
    Queued,
    /// The agent is being started or the message is on its way.
    Preparing,
    /// The agent has taken the message.
    Running,
    /// The agent finished.
    Completed,
    /// A person, or the end of Baton or of the agent at a person's wish, stopped it.
    Interrupted,
    /// It could not be finished; the turn's error says why.
    Failed,
}

impl TurnState {
    /// Whether nothing can change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Preparing | Self::Running => false,
            Self::Completed | Self::Interrupted | Self::Failed => true,
        }
    }

    /// The one table of legal transitions.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(next, Self::Preparing | Self::Interrupted | Self::Failed),
            // `Completed` straight from `Preparing`: the agent may have answered wholly before
            // its first sign of life was read, for example across a reconnect.
            Self::Preparing => next != Self::Queued && next != Self::Preparing,
            Self::Running => next.is_terminal(),
            Self::Completed | Self::Interrupted | Self::Failed => false,
        }
    }
}

/// What a running turn is doing, when it is more than working.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Phase {
    /// The agent process is being started.
    StartingAgent,
    /// The session is being opened or resumed.
    OpeningSession,
    /// The message is on its way to the agent.
    Sending,
    /// The message is given to the agent while another turn runs, and is taken up at its next step.
    Steering,
    /// The model's provider refused for now and the agent will try again.
    Retrying {
        /// Which try comes next, from 1.
        attempt: u32,
        /// When it comes.
        next_at: Option<Timestamp>,
        /// The provider's own words.
        message: String,
    },
    /// The agent cannot reach the model's provider and waits.
    WaitingForNetwork {
        /// The agent's own words.
        message: String,
    },
    /// The agent works on, but the model has said nothing for long.
    Silent {
        /// When it was last heard of.
        since: Timestamp,
    },
    /// The agent is shortening its context.
    Compacting,
    /// The link to the agent broke and is being mended; the turn goes on.
    Reconnecting,
}

/// Why a turn failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct TurnError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What happened, in a sentence; for a provider's errors its own words.
    pub message: String,
    /// What to do about it, when that is known.
    pub hint: Option<String>,
    /// Whether the same message may succeed when sent again.
    pub retryable: bool,
}

/// The kinds of failure a turn can end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The model's provider refused the credentials.
    Unauthorized,
    /// The account has no credit or no right to the model.
    Payment,
    /// Too many requests, after the agent's own retries.
    RateLimited,
    /// The model or its upstream provider is not available.
    ModelUnavailable,
    /// The conversation no longer fits the model's context.
    ContextOverflow,
    /// The model's provider withheld the answer.
    ContentFiltered,
    /// The model's provider failed in another way.
    ProviderError,
    /// The model's provider could not be reached.
    Network,
    /// The agent refused the message.
    Rejected,
    /// The agent never took the message.
    NotAccepted,
    /// The agent could not be started.
    AgentUnavailable,
    /// The agent process ended while the turn ran.
    AgentDied,
    /// The agent gave no sign of life for too long.
    Silent,
    /// The session behind the thread is gone.
    SessionLost,
    /// The session is at work, here or in another program.
    SessionBusy,
    /// The session is another thread's.
    SessionTaken,
    /// Something in Baton failed.
    Internal,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Usage {
    /// Tokens read that were not cached.
    pub input: u64,
    /// Tokens written, without reasoning.
    pub output: u64,
    /// Tokens of reasoning.
    pub reasoning: u64,
    /// Tokens read from the provider's cache.
    pub cache_read: u64,
    /// Tokens written to the provider's cache.
    pub cache_write: u64,
    /// Cost in US dollars as the agent reckons it.
    pub cost: f64,
}

impl Usage {
    /// All tokens together.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input + self.output + self.reasoning + self.cache_read + self.cache_write
    }

    /// The sum of two usages.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
            reasoning: self.reasoning + other.reasoning,
            cache_read: self.cache_read + other.cache_read,
            cache_write: self.cache_write + other.cache_write,
            cost: self.cost + other.cost,
        }
    }
}

/// How full the model's context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Context {
    /// Tokens in the context after the last step.
    pub used: u64,
    /// Tokens that fit, when known.
    pub limit: Option<u64>,
}
