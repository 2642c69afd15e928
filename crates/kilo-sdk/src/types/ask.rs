//! What a session waits for an answer to.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::nullable;
use crate::ids::{MessageId, NetworkWaitId, PermissionId, QuestionId, SessionId};

/// A request for permission.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PermissionRequest {
    /// Its id.
    pub id: PermissionId,
    /// The session that asks; a sub-agent's has an id of its own.
    #[serde(rename = "sessionID")]
    pub session_id: SessionId,
    /// What for: `bash`, `edit`, `external_directory`, `doom_loop`, `<server>_<tool>`, …
    pub permission: String,
    /// What it applies to: commands, paths.
    #[serde(deserialize_with = "nullable")]
    pub patterns: Vec<String>,
    /// Facts by permission: `command`, `filepath` and `diff`, `url`, …
    #[serde(deserialize_with = "nullable")]
    pub metadata: Map<String, Value>,
    /// The patterns that "always" would allow.
    #[serde(deserialize_with = "nullable")]
    pub always: Vec<String>,
    /// The tool call that asks. There is none for `doom_loop`, and for attached files, which ask
    /// before their turn has begun.
    pub tool: Option<ToolRef>,
}

/// A tool call, by its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ToolRef {
    /// The message it is in.
    #[serde(rename = "messageID")]
    pub message_id: MessageId,
    /// The model's id of the call.
    #[serde(rename = "callID")]
    pub call_id: String,
}

/// Questions to the user, answered together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct QuestionRequest {
    /// Its id.
    pub id: QuestionId,
    /// The session that asks.
    #[serde(rename = "sessionID")]
    pub session_id: SessionId,
    /// The questions.
    #[serde(deserialize_with = "nullable")]
    pub questions: Vec<Question>,
    /// Whether nothing goes on until it is answered.
    pub blocking: Option<bool>,
    /// The tool call that asks; `None` when Kilo itself asks (see [`Question::key`]).
    pub tool: Option<ToolRef>,
}

/// One question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Question {
    /// The question.
    pub question: String,
    /// A label of a word or two.
    pub header: String,
    /// The choices.
    #[serde(deserialize_with = "nullable")]
    pub options: Vec<QuestionOption>,
    /// Whether several may be chosen.
    #[serde(deserialize_with = "nullable")]
    pub multiple: bool,
    /// The choice to propose, by its label.
    pub default: Option<String>,
    /// Whether an answer in free text is possible; it is unless this is `false`.
    pub custom: Option<bool>,
    /// Kilo's key of a question of its own: `plan.followup.question`,
    /// `snapshot.slowRepo.question`.
    #[serde(rename = "questionKey")]
    pub key: Option<String>,
}

/// One choice. It is answered by its label, in the language it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct QuestionOption {
    /// The choice.
    pub label: String,
    /// What it means.
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    /// Kilo's key of a choice of its own: `plan.followup.answer.continue`, …
    #[serde(rename = "labelKey")]
    pub key: Option<String>,
}

/// A session waiting for the network, for ever.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NetworkWait {
    /// Its id.
    pub id: NetworkWaitId,
    /// The session that waits.
    #[serde(rename = "sessionID")]
    pub session_id: SessionId,
    /// What failed.
    pub message: String,
    /// Whether the network is back.
    #[serde(deserialize_with = "nullable")]
    pub restored: bool,
}
