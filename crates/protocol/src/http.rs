//! Bodies of HTTP commands and queries.

use domain::{
    Access, Answer, Delivery, Mode, Model, ModelSelection, ProjectId, ProviderId, ProviderStatus,
    Thread, ThreadId, TurnId,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// `GET /api/health`: whether the server answers; the only thing told without a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Health {
    /// Always true.
    pub ok: bool,
}

/// `GET /api/bootstrap`: who serves, for the page's start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Bootstrap {
    /// Baton's version.
    pub version: String,
    /// The name of this run of the server; cursors of another run are not continued.
    pub epoch: String,
    /// The machine's name.
    pub host: String,
    /// The home directory, where path completion begins.
    pub home: String,
}

/// `POST /api/pair`: a one-time code for a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PairRequest {
    /// The code from the link's fragment.
    pub code: String,
}

/// `POST /api/projects`: a directory to work in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AddProject {
    /// An absolute path, or one that begins with `~/`.
    pub path: String,
    /// A name of one's own; else the directory's.
    #[serde(default)]
    #[ts(optional)]
    pub name: Option<String>,
}

/// `GET /api/directories?path=`: directories that continue a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Directories {
    /// The directory that was listed.
    pub base: String,
    /// At most 100, by name.
    pub entries: Vec<DirectoryEntry>,
}

/// A directory that continues a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct DirectoryEntry {
    /// Its name.
    pub name: String,
    /// Its absolute path.
    pub path: String,
    /// Whether it is the root of a git checkout.
    pub git: bool,
}

/// `POST /api/threads`: a new thread. Repeating it with the same id gives the same thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct CreateThread {
    /// The id, chosen by the client (UUIDv7).
    pub id: ThreadId,
    /// The project to work in.
    pub project_id: ProjectId,
    /// The provider that drives it.
    pub provider: ProviderId,
    /// What it runs on.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked.
    #[serde(default)]
    pub access: Access,
    /// What its turns are for.
    #[serde(default)]
    pub mode: Mode,
    /// A title; else the first message gives one.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
}

/// `POST /api/threads/{id}/turns`: a message. Repeating it with the same id gives the same turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SendMessage {
    /// The turn's id, chosen by the client (UUIDv7).
    pub id: TurnId,
    /// The message.
    pub text: String,
    /// How it reaches the agent.
    #[serde(default)]
    pub delivery: Delivery,
    /// What to run on, from now on.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked, from now on.
    #[serde(default)]
    #[ts(optional)]
    pub access: Option<Access>,
    /// What the turn is for, and those after it.
    #[serde(default)]
    #[ts(optional)]
    pub mode: Option<Mode>,
}

/// `POST /api/threads/{id}/requests/{request}/answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AnswerRequest {
    /// The answer.
    pub answer: Answer,
}

/// `GET /api/threads`: threads that are not in the shell's snapshot, e.g. archived ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ThreadList {
    /// The threads, last active first.
    pub threads: Vec<Thread>,
    /// Whether there are more.
    pub more: bool,
}

/// The whole of a text that is shortened elsewhere.
///
/// `GET /api/threads/{id}/items/{item}/body` and `GET /api/threads/{id}/turns/{turn}/text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct TextWhole {
    /// The text.
    pub text: String,
}

/// `GET /api/providers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProviderList {
    /// Every provider Baton knows.
    pub providers: Vec<ProviderStatus>,
}

/// `GET /api/providers/{id}/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ModelList {
    /// The models that can be chosen.
    pub models: Vec<Model>,
    /// Whether this is the last good list because a newer one could not be had.
    pub stale: bool,
    /// Why there is no newer list, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<String>,
}

/// `PATCH /api/providers/{id}`: settings; what is absent stays, an empty `binary` means "look".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SetProvider {
    /// Whether it is used at all.
    pub enabled: Option<bool>,
    /// The program to run.
    pub binary: Option<String>,
    /// Models offered although the provider does not list them.
    pub custom_models: Option<Vec<String>>,
}
