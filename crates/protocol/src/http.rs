//! Bodies of HTTP commands and queries.

use domain::{
    Access, AgentReport, Answer, AttachmentId, Delivery, Mode, Model, ModelSelection, Project,
    ProjectId, ProviderId, ProviderStatus, Startup, Thread, ThreadId, Timestamp, TurnId, Upstream,
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

/// `POST /api/pair/new`: a new one-time code, to pair another device with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PairingLink {
    /// The code, as it may be typed by hand.
    pub code: String,
    /// The link that carries it, for the address this server was started with.
    pub url: String,
    /// The links that carry it from other devices; none when no address is known by which one
    /// reaches the server.
    #[serde(default)]
    pub addresses: Vec<PairingAddress>,
    /// Whether the server listens on its own machine alone.
    #[serde(default)]
    pub only_here: bool,
    /// When the code expires.
    pub expires_at: Timestamp,
}

/// A link by which another device reaches the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PairingAddress {
    /// The link.
    pub url: String,
    /// Its QR code, row by row, `1` for dark; without the quiet zone of four around it.
    pub qr: Vec<String>,
}

/// `GET /api/devices`: the browsers that were paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct DeviceList {
    /// The devices, last paired first.
    pub devices: Vec<Device>,
}

/// A browser that was paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Device {
    /// Its id, to revoke it with.
    pub id: String,
    /// What it said it is.
    pub name: String,
    /// When it was paired.
    pub created_at: Timestamp,
    /// When it was last used, give or take some minutes over a restart of the server; `None` when
    /// it has not been since this is noted.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub used_at: Option<Timestamp>,
    /// Whether it is the one that asks.
    pub current: bool,
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
    /// Whether a directory that holds far more than a project, such as home or `/`, is meant.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub broad: bool,
}

/// `GET /api/projects/{id}/trust`: what a project's own configuration would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProjectTrust {
    /// The project, with what was decided.
    pub project: Project,
    /// What its configuration would start or loosen, read now.
    pub startup: Startup,
}

/// `POST /api/projects/{id}/trust`: whether a project's own configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct DecideTrust {
    /// Whether it is.
    pub trusted: bool,
    /// What was shown; to be named in order to trust it.
    #[serde(default)]
    #[ts(optional)]
    pub fingerprint: Option<String>,
}

/// `GET /api/projects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProjectList {
    /// Every project, by name.
    pub projects: Vec<Project>,
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
    /// The files that go with it, which were uploaded before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<AttachmentName>>")]
    pub attachments: Vec<AttachmentName>,
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

/// A file that was uploaded with `POST /api/attachments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AttachmentName {
    /// The file.
    pub id: AttachmentId,
    /// What it is called in this message.
    pub name: String,
}

/// `POST /api/threads/{id}/turns/{turn}/move`: another place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct MoveTurn {
    /// The waiting turn it comes before; absent for the last place.
    #[serde(default)]
    #[ts(optional)]
    pub before: Option<TurnId>,
}

/// `POST /api/threads/{id}/requests/{request}/answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AnswerRequest {
    /// The answer.
    pub answer: Answer,
}

/// What `POST /api/threads/{id}/requests/{request}/answer` gives: the answer is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AnswerTaken {
    /// The thread that builds the plan, when it was accepted in a new one.
    pub built_in: Option<ThreadId>,
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
    /// Where the models come from, or could; what cannot be used says why.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
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
    /// A server that runs already, by its URL or the provider's word for it; empty for one of
    /// Baton's own.
    pub server: Option<String>,
    /// Its password; stored, and never told again.
    pub server_password: Option<String>,
}

/// `POST /api/providers/{id}/restart`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RestartProvider {
    /// Whether turns that run may end with it.
    pub force: Option<bool>,
}

/// The processes of a provider, in [`Diagnostics`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProviderProcesses {
    /// The provider.
    pub id: ProviderId,
    /// Its processes.
    pub report: AgentReport,
}

/// `GET /api/diagnostics`: what to look at, and to send along, when something is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Diagnostics {
    /// Baton's version.
    pub version: String,
    /// The name of this run of the server.
    pub epoch: String,
    /// The server's process id.
    pub pid: u32,
    /// The operating system and processor.
    pub system: String,
    /// How long the server has been running, in seconds.
    pub uptime_seconds: u64,
    /// Where everything is stored.
    pub data_dir: String,
    /// The server's own memory in bytes, without agent processes, when the system tells it.
    pub memory_bytes: Option<u64>,
    /// Sockets that are open now.
    pub sockets: u32,
    /// Every provider.
    pub providers: Vec<ProviderStatus>,
    /// The processes of each.
    pub processes: Vec<ProviderProcesses>,
    /// What went wrong since the server started, last first; at most 100 lines, without what may
    /// be a secret.
    #[serde(default)]
    pub recent: Vec<LoggedLine>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct LoggedLine {
    /// When it was written, the last time of several.
    pub at: Timestamp,
    /// How bad it is.
    pub level: LogLevel,
    /// What it says, with its facts as `name=value`.
    pub text: String,
    /// How often it came in a row.
    pub times: u32,
}

/// How bad something is that was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Something did not work as it should, and Baton went on.
    Warn,
    /// Something is broken.
    Error,
}
