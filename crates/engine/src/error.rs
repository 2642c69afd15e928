//! Why the engine could not do what was asked.

use domain::{MAX_ATTACHMENT_BYTES, Refusal, RequestState, SettingsError};
use store::StoreError;

/// Why the engine could not do what was asked. Each case has a stable code at the edge.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// There is no such project.
    #[error("there is no such project")]
    UnknownProject,
    /// There is no such thread.
    #[error("there is no such thread")]
    UnknownThread,
    /// There is no such turn.
    #[error("there is no such turn")]
    UnknownTurn,
    /// There is no such item.
    #[error("there is no such item")]
    UnknownItem,
    /// There is no such provider.
    #[error("there is no such provider")]
    UnknownProvider,
    /// The provider does not offer the model.
    #[error("the model `{model}` is not offered")]
    UnknownModel {
        /// The model.
        model: String,
        /// Those that are offered and come nearest, best first.
        near: Vec<String>,
    },
    /// The provider cannot be used now.
    #[error("{message}")]
    ProviderUnavailable {
        /// Why, in a sentence.
        message: String,
        /// The command that mends it.
        fix: Option<String>,
    },
    /// Turns run that would end with the provider's process.
    #[error("{turns} running {} would end", if *turns == 1 { "turn" } else { "turns" })]
    ProviderBusy {
        /// How many.
        turns: u32,
    },
    /// The provider cannot take a message into what runs now.
    #[error("the provider cannot take a message into what runs now")]
    SteerUnsupported,
    /// There is no such file.
    #[error("the attached file is not there any more")]
    UnknownAttachment,
    /// The file is too large.
    #[error("an attached file has at most {} MiB", MAX_ATTACHMENT_BYTES / (1024 * 1024))]
    AttachmentTooLarge,
    /// The file is of no kind that agents can be given.
    #[error("only images (PNG, JPEG, GIF, WebP), PDF documents and text can be attached")]
    AttachmentUnsupported,
    /// The model cannot look at a file.
    #[error("{model} cannot read `{file}`")]
    ModelCannotRead {
        /// The model, by its name.
        model: String,
        /// The file, by its name.
        file: String,
    },
    /// Threads of the project are at work.
    #[error("threads of the project are at work")]
    ProjectBusy,
    /// A project's configuration would do something else by now than what was decided on.
    #[error("the project's configuration has changed since it was shown")]
    TrustChanged,
    /// A project's configuration cannot be looked at whole.
    #[error("the project's configuration cannot be read whole, so it cannot be trusted")]
    Untrustworthy,
    /// The file system of a project's directory does not answer.
    #[error("the project's directory does not answer")]
    DirectorySilent,
    /// The id was used for something else.
    #[error("the id was used for something else")]
    IdTaken,
    /// The rules of a thread do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The settings cannot be changed like this.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The settings that are stored cannot be read, and a change would be stored over them.
    #[error("the stored settings cannot be read, so they cannot be changed")]
    SettingsUnreadable,
    /// The answer comes too late for its request.
    #[error("{refusal}")]
    TooLate {
        /// What the thread says.
        refusal: Refusal,
        /// Where the request stands.
        state: Box<RequestState>,
    },
    /// The agent could not do what was asked of its sessions.
    #[error(transparent)]
    Agent(#[from] providers::OpenError),
    /// The provider has no such ability.
    #[error("the provider does not offer this")]
    NotOffered,
    /// Somebody works in the session.
    #[error("the session is at work in another program")]
    SessionBusy,
    /// The turn has not ended.
    #[error("the turn has not ended yet")]
    TurnRuns,
    /// The thread has too many commands waiting.
    #[error("the thread has too many commands waiting")]
    Busy,
    /// The data could not be read or written.
    #[error(transparent)]
    Storage(#[from] StoreError),
    /// Baton is ending.
    #[error("Baton is ending")]
    ShuttingDown,
}
