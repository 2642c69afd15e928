//! What the server sends, typed and tolerant: unknown fields are skipped, missing and null ones
//! take their default.

use serde::{Deserialize, Deserializer};

mod ask;
mod inventory;
mod message;
mod session;

pub(crate) use ask::asks;
pub(crate) use message::messages;

pub use ask::{NetworkWait, PermissionRequest, Question, QuestionOption, QuestionRequest, ToolRef};
pub use inventory::{CacheCost, Capabilities, Cost, Inventory, Media, Model, ModelLimit, Provider};
pub use message::{
    AssistantMessage, ErrorKind, FilePart, Message, MessageError, MessageWithParts, Page, Part,
    PartBody, Span, StepFinishPart, TextPart, ToolPart, ToolState, ToolStatus, UserMessage,
};
pub use session::{
    Action, Agent, AuthStatus, CacheTokens, Command, Config, ConfigWarning, FileContent, FileDiff,
    McpStatus, ModelRef, Paths, Revert, Rule, Session, SessionModel, SessionTime, Status, Todo,
    Tokens,
};

/// Null means the default, as a missing field does.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
