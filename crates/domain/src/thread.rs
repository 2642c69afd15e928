//! Threads: one conversation with one provider in one workspace.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{ModelSelection, ProjectId, ProviderId, ThreadId, Timestamp, TurnId};

/// One conversation with one provider in one workspace; the row the sidebar shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Thread {
    /// The thread's id.
    pub id: ThreadId,
    /// The project it works in.
    pub project_id: ProjectId,
    /// What people call it.
    pub title: String,
    /// Whether a person chose the title; then the agent's own titles no longer replace it.
    pub titled_by_person: bool,
    /// The provider that drives it; fixed for life.
    pub provider: ProviderId,
    /// What the next turn runs on; `None` until one is chosen.
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked from the next tool on.
    pub access: Access,
    /// What the next turn is for.
    pub mode: Mode,
    /// The absolute directory the agent works in.
    pub workspace: String,
    /// The provider's own id of the conversation, what resume uses; opaque to all but the provider.
    pub session: Option<String>,
    /// What the thread is doing, derived from its turns and requests.
    pub status: ThreadStatus,
    /// Open requests.
    pub open_requests: u32,
    /// Accepted messages that wait for their turn.
    pub queued: u32,
    /// Whether the queue waits for a person, because a turn was stopped or failed before it.
    pub queue_held: bool,
    /// Whether a message was accepted after the running turn was told to stop, so that its end
    /// does not hold the queue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub sent_since_stop: bool,
    /// A person chose to go on in a new session, which knows nothing of what was said; the thread
    /// says so once it has one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub renewed: bool,
    /// The agent no longer has the session: only a new one lets the thread go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub session_gone: bool,
    /// Where the conversation goes back to with the next message; until then it can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub back: Option<Back>,
    /// The turns that were taken back for good, in order and apart from each other: the agent does
    /// not have them any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Span>>")]
    pub taken_back: Vec<Span>,
    /// Whether a turn ended that nobody has looked at.
    pub unread: bool,
    /// Whether it is kept at the top.
    pub pinned: bool,
    /// Whether it is put away; an archived thread accepts no messages.
    pub archived: bool,
    /// Tokens and money of all turns so far.
    pub usage: crate::Usage,
    /// How full the model's context was after the last step.
    pub context: Option<crate::Context>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a message was last accepted or a turn last ended.
    pub active_at: Timestamp,
    /// The number of the last change, counted by the thread's one writer.
    pub seq: u64,
}

impl Thread {
    /// Makes a thread in which nothing has happened: supervised, for building, without a model or
    /// a title.
    #[must_use]
    pub fn new(
        id: ThreadId,
        project_id: ProjectId,
        workspace: String,
        provider: ProviderId,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            project_id,
            title: String::new(),
            titled_by_person: false,
            provider,
            model: None,
            access: Access::default(),
            mode: Mode::default(),
            workspace,
            session: None,
            status: ThreadStatus::Idle,
            open_requests: 0,
            queued: 0,
            queue_held: false,
            sent_since_stop: false,
            renewed: false,
            session_gone: false,
            back: None,
            taken_back: Vec::new(),
            unread: false,
            pinned: false,
            archived: false,
            usage: crate::Usage::default(),
            context: None,
            created_at: at,
            active_at: at,
            seq: 0,
        }
    }
}

/// A conversation that goes back to before a message. Files stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Back {
    /// The turn whose message it is.
    pub turn: TurnId,
    /// The provider's name for the message.
    pub key: String,
    /// The turns that are put away, this one the first of them.
    pub turns: Span,
}

/// Turns from one ordinal to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Span {
    /// The first one's ordinal.
    pub first: u64,
    /// The last one's ordinal.
    pub last: u64,
}

/// What a thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThreadStatus {
    /// Nothing runs; the last turn, if any, did not fail.
    Idle,
    /// A turn is preparing or running.
    Working,
    /// A turn runs and waits for a person.
    NeedsYou,
    /// Nothing runs, and the last turn failed.
    Failed,
}

/// How much the agent may do unasked.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everything that changes something is asked first.
    #[default]
    Supervised,
    /// Edits inside the workspace run; the rest is asked.
    AutoEdit,
    /// Nothing is asked.
    Full,
}

/// What a turn is for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The agent does the work.
    #[default]
    Build,
    /// The agent writes a plan and waits for it to be accepted.
    Plan,
}
