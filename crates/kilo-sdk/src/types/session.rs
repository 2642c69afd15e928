//! Sessions, their states and what surrounds them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::inventory::keys;
use super::nullable;
use crate::ids::{MessageId, NetworkWaitId, SessionId};

/// A session: one conversation in one directory.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The session that started it, for a sub-agent's.
    #[serde(rename = "parentID")]
    pub parent_id: Option<SessionId>,
    /// The directory it works in, absolute.
    pub directory: String,
    /// Its title; `New session - <time>` until one is given or made.
    pub title: String,
    /// The agent of its last prompt.
    pub agent: Option<String>,
    /// The model of its last prompt. Note that Kilo calls the model `id` here and `modelID`
    /// elsewhere.
    pub model: Option<SessionModel>,
    /// Cost so far in US dollars.
    pub cost: f64,
    /// Tokens so far.
    pub tokens: Tokens,
    /// Its own permission rules; the last that matches wins.
    #[serde(deserialize_with = "nullable")]
    pub permission: Vec<Rule>,
    /// Set while part of it is taken back.
    pub revert: Option<Revert>,
    /// The version of Kilo that made it.
    pub version: String,
    /// When it was made and changed.
    pub time: SessionTime,
}

/// A model as sessions name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionModel {
    /// The model within its provider.
    pub id: String,
    /// Its provider.
    #[serde(rename = "providerID")]
    pub provider_id: String,
    /// The reasoning variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A model as prompts and messages name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelRef {
    /// Its provider.
    #[serde(rename = "providerID")]
    pub provider_id: String,
    /// The model within its provider; may hold slashes, colons and tildes.
    #[serde(rename = "modelID")]
    pub model_id: String,
}

impl ModelRef {
    /// Reads `provider/model`, split at the first slash only.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, model) = text.split_once('/')?;
        (!provider.is_empty() && !model.is_empty())
            .then(|| Self { provider_id: provider.to_owned(), model_id: model.to_owned() })
    }
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider_id, self.model_id)
    }
}

/// Times of a session, in unix milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SessionTime {
    /// When it was made.
    pub created: f64,
    /// When it last changed.
    pub updated: f64,
    /// When it was archived.
    pub archived: Option<f64>,
}

/// How far a session is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Revert {
    /// The first message taken back.
    #[serde(rename = "messageID")]
    pub message_id: MessageId,
    /// What happened to the files: `restored`, `snapshots-disabled`, …
    pub workspace: Option<String>,
}

/// Counts of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// All together, if the provider says.
    pub total: Option<f64>,
    /// Sent to the model, without those read from its cache.
    pub input: f64,
    /// Received as answer.
    pub output: f64,
    /// Received as reasoning.
    pub reasoning: f64,
    /// Cached ones.
    pub cache: CacheTokens,
}

/// Counts of cached tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CacheTokens {
    /// Read from the cache.
    pub read: f64,
    /// Written to the cache.
    pub write: f64,
}

/// A permission rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// The permission, `*` for all: `bash`, `edit`, `external_directory`, …
    pub permission: String,
    /// What it applies to, with `*` as wildcard.
    pub pattern: String,
    /// What happens.
    pub action: Action,
}

/// What a permission rule does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is done.
    Allow,
    /// The user is asked.
    #[default]
    Ask,
    /// It is not possible; the tool is not even offered to the model.
    Deny,
    /// One this crate does not know.
    #[serde(untagged)]
    Other(String),
}

/// What a session is doing. A session that [`Instance::statuses`](crate::Instance::statuses) does
/// not list is idle.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Nothing.
    Idle,
    /// Working.
    Busy,
    /// Waiting before it asks the model's provider again.
    Retry {
        /// How many times so far, from 1.
        attempt: u32,
        /// Why.
        message: String,
        /// When it goes on, in unix milliseconds.
        next: f64,
    },
    /// Waiting for the network, for ever; to be answered with
    /// [`Instance::reply_network`](crate::Instance::reply_network).
    Offline {
        /// What to answer.
        request_id: NetworkWaitId,
        /// Why.
        message: String,
    },
    /// One this crate does not know, as it came.
    Unknown(Value),
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(match value.get("type").and_then(Value::as_str) {
            Some("idle") => Self::Idle,
            Some("busy") => Self::Busy,
            Some("retry") => Self::Retry {
                attempt: value
                    .get("attempt")
                    .and_then(Value::as_u64)
                    .and_then(|n| u32::try_from(n).ok())
                    .unwrap_or_default(),
                message: text("message"),
                next: value.get("next").and_then(Value::as_f64).unwrap_or_default(),
            },
            Some("offline") => {
                Self::Offline { request_id: text("requestID").into(), message: text("message") }
            }
            _ => Self::Unknown(value),
        })
    }
}

/// One entry of a session's to-do list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Todo {
    /// What is to be done.
    pub content: String,
    /// `pending`, `in_progress`, `completed` or `cancelled`.
    pub status: String,
    /// `high`, `medium` or `low`.
    pub priority: String,
}

/// The change of one file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FileDiff {
    /// Its path, relative to the session's directory or absolute.
    pub file: Option<String>,
    /// A unified diff.
    pub patch: Option<String>,
    /// Lines added.
    pub additions: f64,
    /// Lines removed.
    pub deletions: f64,
    /// `added`, `deleted` or `modified`.
    pub status: Option<String>,
}

/// An agent the server offers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// Its name, as prompts give it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// `primary`, `subagent` or `all`.
    pub mode: String,
    /// Whether it is built in.
    #[serde(deserialize_with = "nullable")]
    pub native: bool,
    /// Whether it is not meant to be chosen.
    #[serde(deserialize_with = "nullable")]
    pub hidden: bool,
    /// Its permission rules, the configuration's included.
    #[serde(deserialize_with = "nullable")]
    pub permission: Vec<Rule>,
}

/// A slash command the server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Command {
    /// Its name, without the slash.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Where it comes from: `command`, `mcp` or `skill`.
    pub source: Option<String>,
    /// What to type after it.
    #[serde(deserialize_with = "nullable")]
    pub hints: Vec<String>,
    /// The agent it runs, instead of the one that is asked for.
    pub agent: Option<String>,
    /// The model it runs on, `provider/model`, instead of the one that is asked for.
    pub model: Option<String>,
    /// Whether it runs in a session of a sub-agent. Unsaid, it does when its agent is one.
    pub subtask: Option<bool>,
    /// Its text, with placeholders. An MCP server's is not told.
    #[serde(deserialize_with = "text")]
    pub template: Option<String>,
    /// Whether shell commands in a skill are run; said of skills alone.
    pub trusted: Option<bool>,
}

/// A fault in the configuration, which takes no part in what is in force.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ConfigWarning {
    /// Where: a file, or `KILO_CONFIG_CONTENT`.
    pub path: String,
    /// What.
    pub message: String,
}

/// Whether the user is signed in to the Kilo gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AuthStatus {
    /// Whether so.
    pub authenticated: bool,
    /// `api` or `oauth`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// The state of an MCP server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct McpStatus {
    /// `connected`, `disabled`, `failed`, `needs_auth`, `needs_client_registration`, …
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// The directories the server uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Paths {
    /// The user's home.
    pub home: String,
    /// Kilo's state.
    pub state: String,
    /// Kilo's configuration.
    pub config: String,
    /// The root of the repository; `/` outside one.
    pub worktree: String,
    /// The directory asked for.
    pub directory: String,
}

/// A file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FileContent {
    /// `text` or `binary`. A file that does not exist is an empty text (Kilo 7.7.7).
    #[serde(rename = "type")]
    pub kind: String,
    /// The text without its last line end, or the bytes in `encoding`.
    pub content: String,
    /// `base64` for bytes.
    pub encoding: Option<String>,
}

/// The configuration in force in a directory. Only what this crate's users need is typed; the
/// providers' section, which may hold keys, is not kept save for its names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The default model, `provider/model`.
    pub model: Option<String>,
    /// Whether Kilo makes snapshots of the files.
    pub snapshot: Option<bool>,
    /// The permission section, as it is.
    pub permission: Value,
    /// The agents' section, as it is.
    pub agent: Value,
    /// The MCP servers' names, with their settings as they are.
    #[serde(deserialize_with = "nullable")]
    pub mcp: Map<String, Value>,
    /// The ids of the providers it sets up.
    #[serde(rename = "provider", deserialize_with = "keys")]
    pub providers: Vec<String>,
    /// The ids of the providers it switches off. Kilo 7.7.7 leaves them out of its inventory.
    #[serde(deserialize_with = "nullable")]
    pub disabled_providers: Vec<String>,
    /// The ids of the only providers it lets be used, if it names any.
    pub enabled_providers: Option<Vec<String>>,
}

/// A text; anything else is none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().map(str::to_owned))
}
