//! The small part of the protocol that is read, as types that bear what they do not know.
//!
//! Only names and shapes that are used are here; unknown fields are passed over, unknown kinds
//! become an unknown arm that keeps the JSON, and a known kind that does not fit is an unknown one.

mod account;
mod ask;
mod event;
mod item;
mod thread;

pub use account::{
    Account, AccountLimits, AccountRead, Effort, Initialized, LimitWindow, McpServerStatus, Model,
    RateLimits, Skill, Skills,
};
pub use ask::{
    Ask, AskBody, CommandAsk, Elicitation, FileAsk, PermissionsAsk, Question, QuestionOption,
};
pub use event::{Event, EventBody, PlanStep, TokenUsage, Tokens};
pub use item::{
    AgentMessage, Change, CollabCall, Command, CommandAction, Item, ItemBody, McpCall,
    SubAgentActivity, WebSearch,
};
pub use thread::{
    ErrorKind, Opened, Page, Status, Thread, ThreadState, Turn, TurnAnswer, TurnError, TurnStatus,
};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a value that may be missing, null or of another shape, as its default.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
