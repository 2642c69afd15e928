//! Refusals and failures as they travel: `application/problem+json` (RFC 9457).

use domain::RequestState;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A refusal or failure. Clients decide on `code`; people read `title` and `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: ProblemCode,
    /// What happened, in a sentence.
    pub title: String,
    /// What to do about it, or more facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// Where the request stands that an answer came too late for (`request_closed`,
    /// `already_answering`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stands: Option<RequestState>,
}

/// The stable codes of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// No credential, or one that is not valid.
    Unauthorized,
    /// The pairing code is unknown, used or too old.
    BadPairingCode,
    /// The Host or Origin is not allowed.
    ForbiddenOrigin,
    /// The body is not JSON of the right shape, or a parameter cannot be read.
    BadRequest,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body is too large.
    TooLarge,
    /// The address does not serve this method.
    MethodNotAllowed,
    /// Too many tries in a short time.
    TooManyTries,
    /// It took too long.
    TimedOut,
    /// Nothing is served at this address.
    NotFound,
    /// The project is unknown.
    UnknownProject,
    /// The thread is unknown.
    UnknownThread,
    /// The turn is unknown.
    UnknownTurn,
    /// The item is unknown.
    UnknownItem,
    /// The paired device is unknown.
    UnknownDevice,
    /// The provider is unknown.
    UnknownProvider,
    /// The model is not offered.
    UnknownModel,
    /// The path is not an existing directory.
    NotADirectory,
    /// The path lies outside what may be reached.
    PathOutside,
    /// There is a file of that name; it is replaced when that is said.
    FileExists,
    /// The file system refused to have the file written.
    NotWritten,
    /// The directory holds far more than a project; it is added when that is confirmed.
    BroadDirectory,
    /// The project's configuration has changed since it was shown.
    TrustChanged,
    /// The project's configuration cannot be read whole, so it cannot be trusted.
    Untrustworthy,
    /// The file system of the project's directory does not answer.
    DirectorySilent,
    /// The project still has threads at work.
    ProjectBusy,
    /// Turns run that would end with the provider's process.
    ProviderBusy,
    /// The message has no text.
    EmptyMessage,
    /// The message is too long.
    MessageTooLong,
    /// Too many files, or too much of them, go with the message.
    TooManyAttachments,
    /// The attached file is too large.
    AttachmentTooLarge,
    /// The attached file is of no kind that agents can be given.
    AttachmentUnsupported,
    /// The attached file is not there any more.
    UnknownAttachment,
    /// The model cannot look at an attached file.
    ModelCannotRead,
    /// No model is chosen.
    NoModel,
    /// The thread is archived.
    ThreadArchived,
    /// Too many messages wait.
    QueueFull,
    /// The turn is not waiting.
    NotQueued,
    /// The request is already closed.
    RequestClosed,
    /// An answer is already on its way.
    AlreadyAnswering,
    /// The answer does not fit the request.
    WrongAnswer,
    /// The title is empty or too long.
    BadTitle,
    /// The same id was used for something else.
    IdTaken,
    /// The session is gone.
    SessionLost,
    /// Somebody works in the session.
    SessionBusy,
    /// The session is another thread's.
    SessionTaken,
    /// The turn is no message.
    NotAMessage,
    /// The thread has no session.
    NoSession,
    /// Messages wait in the queue.
    MessagesWait,
    /// The agent never had the turn's message.
    NeverSent,
    /// The turn was taken back before.
    TakenBack,
    /// The conversation goes back with the next message.
    WentBack,
    /// The thread went back too often.
    TooOftenBack,
    /// The turn has not ended.
    TurnRuns,
    /// The provider does not offer this.
    NotOffered,
    /// The agent refused what was asked of it.
    AgentRefused,
    /// The provider cannot be used now.
    ProviderUnavailable,
    /// The provider cannot take a message into what runs now.
    SteerUnsupported,
    /// Too much waits already; the same works in a moment.
    Busy,
    /// What was asked for is no longer stored or too much at once.
    TooMany,
    /// The data could not be written, e.g. because the disk is full.
    StorageFailed,
    /// The server is ending.
    ShuttingDown,
    /// Something in Baton failed.
    Internal,
}
