//! The words of Baton and the rules between them: ids, projects, threads, turns, items,
//! requests, and the turn state machine as one pure function ([`ThreadState::apply`]).
//!
//! These types are the ones stored, sent and rendered; there are no mirror copies elsewhere.
//! The crate knows nothing of async, clocks, randomness, SQLite, HTTP or any provider: time and
//! ids are passed in, provider names are plain text.

mod attachment;
mod body;
mod event;
mod extras;
mod ids;
mod item;
mod machine;
mod model;
mod process;
mod project;
mod request;
mod session;
mod settings;
mod thread;
mod turn;
mod view;

pub use attachment::{
    Attachment, AttachmentKind, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, MAX_FILE_NAME,
    MAX_MESSAGE_BYTES, file_name,
};
pub use body::{Body, BodyLimits, FullText, MAX_FULL_UNITS, Splice, units};
pub use event::{AgentEvent, ItemUpdate, NewRequest, RequestOutcome, TurnEvent, TurnOutcome};
pub use extras::{AgentCommand, CommandSource, Extras, McpServer, McpState};
pub use ids::{AttachmentId, IdError, ItemId, ProjectId, ProviderId, RequestId, ThreadId, TurnId};
pub use item::{FileChangeKind, Item, ItemContent, ItemStatus, NoticeLevel, Todo, TodoStatus};
pub use machine::{
    Change, Correction, Effect, Founded, Input, MAX_MESSAGE_UNITS, MAX_QUEUED, MAX_TAKEN_BACK,
    MAX_TITLE_CHARS, MAX_TURN_ITEMS, MAX_TURN_REQUESTS, NewTurn, Outcome, Refusal, RunningTurn,
    ThreadPatch, ThreadState, TurnPatch,
};
pub use model::{
    Model, ModelAbilities, ModelCost, ModelSelection, ProviderCapabilities, ProviderSettings,
    ProviderState, ProviderStatus, Upstream, UpstreamState, UsageLimit,
};
pub use process::{
    AgentEnd, AgentEndReason, AgentProcess, AgentReport, ProviderProblem, ProviderProblemKind,
};
pub use project::{
    Head, Project, ProjectHead, Startup, StartupAct, StartupKind, StartupProblem, Trust,
};
pub use request::{
    Answer, Approval, ApprovalKind, Choice, Decision, PlanDecision, Question, QuestionOption,
    Request, RequestBody, RequestState,
};
pub use session::{Earlier, History, NativeSession, PastTurn};
pub use settings::{
    MAX_ACTION_KEYS, MAX_CHANGED_ACTIONS, MAX_FAVOURITES, MAX_HIDDEN, MAX_KEY_BYTES,
    MAX_MODEL_NAME, MAX_RECENT, MarkedModel, ModelMark, ModelTaste, Settings, SettingsError,
    SettingsPatch,
};
pub use thread::{Access, Back, Mode, Span, Thread, ThreadStatus};
pub use turn::{
    Context, Delivery, ErrorCode, InputKind, Phase, Turn, TurnError, TurnInput, TurnOrigin,
    TurnState, Usage,
};
pub use view::{ShellChange, ShellSnapshot, Window};

/// A moment: milliseconds since the Unix epoch.
pub type Timestamp = i64;
