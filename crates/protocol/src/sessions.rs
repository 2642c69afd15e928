//! Bodies of what concerns whole sessions.

use domain::{Access, NativeSession, ProjectId, ProviderId, ThreadId, TurnId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// `GET /api/projects/{id}/sessions`: the conversations that the agent has in a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct SessionPage {
    /// The sessions, last used first.
    pub sessions: Vec<NativeSession>,
    /// Whether there are more.
    pub more: bool,
}

/// `POST /api/sessions/continue`: a thread that goes on with a session. The same session again
/// gives the same thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ContinueRequest {
    /// The thread's id, chosen by the client (UUIDv7); a thread that has the session already wins.
    pub id: ThreadId,
    /// The project to work in.
    pub project_id: ProjectId,
    /// The provider whose session it is.
    pub provider: ProviderId,
    /// The provider's own id of the session.
    pub session: String,
    /// How much the agent may do unasked.
    #[serde(default)]
    pub access: Access,
    /// Whether to go on although somebody works in it.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub anyway: bool,
}

/// `POST /api/threads/{id}/fork`: a thread of what was said up to and with a turn. The same id
/// again gives the same thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ForkRequest {
    /// The new thread's id, chosen by the client (UUIDv7).
    pub id: ThreadId,
    /// The last turn that the new thread has.
    pub turn: TurnId,
}

/// `POST /api/threads/{id}/back`: the wish that the conversation goes back to before a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct BackRequest {
    /// The turn of the message.
    pub turn: TurnId,
}

/// `POST /api/threads/{id}/compact`: the wish that the agent shortens its context. The same id
/// again gives the same turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct CompactRequest {
    /// The turn's id, chosen by the client (UUIDv7).
    pub id: TurnId,
}

/// `GET /api/threads/{id}/command`: how to open a thread's session elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SessionCommand {
    /// The command for a terminal; none while the thread has no session.
    pub command: Option<String>,
}
