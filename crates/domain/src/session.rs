//! Sessions: the agents' own conversations, as they are listed and as their histories are read.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{Context, InputKind, Mode, ModelSelection, ThreadId, Timestamp, TurnEvent};

/// A conversation that the agent has, in a project's directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct NativeSession {
    /// The provider's own id of it.
    pub id: String,
    /// What the agent calls it; empty when it has no name yet.
    pub title: String,
    /// The model it ran on last.
    pub model: Option<String>,
    /// All tokens used in it so far.
    pub tokens: u64,
    /// What they cost, in US dollars as the agent reckons it.
    pub cost: f64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When something last happened in it.
    pub updated_at: Timestamp,
    /// Whether the agent works in it now, as far as Baton can know.
    pub busy: bool,
    /// The thread that goes on with it, if there is one.
    pub thread: Option<ThreadId>,
}

/// What a session's history tells: its newest turns, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// What the agent calls it; empty when it has no name yet.
    pub title: String,
    /// What it ran on last.
    pub model: Option<ModelSelection>,
    /// The turns that were read, each ended.
    pub turns: Vec<PastTurn>,
    /// Turns before those.
    pub earlier: Earlier,
    /// How full the model's context was after the last step.
    pub context: Option<Context>,
    /// Whether somebody works in it now.
    pub busy: bool,
    /// The key of the first turn that is taken back, while that can be undone.
    pub taken_back: Option<String>,
}

/// How many turns of a session came before those that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Earlier {
    /// So many were counted.
    pub turns: u64,
    /// There are more than were counted.
    pub more: bool,
}

/// A turn as a session's history tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastTurn {
    /// The provider's name for its message.
    pub key: String,
    /// What kind of act it began with.
    pub kind: InputKind,
    /// The message.
    pub text: String,
    /// What it ran on.
    pub model: Option<ModelSelection>,
    /// What it was for.
    pub mode: Mode,
    /// When it was sent.
    pub at: Timestamp,
    /// What happened in it and when, in order; the last is its end.
    pub events: Vec<(Timestamp, TurnEvent)>,
}
