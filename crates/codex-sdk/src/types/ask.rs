use serde::Deserialize;
use serde_json::Value;

use super::{CommandAction, lenient};

/// A request of the server to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The thread that asks.
    pub thread: Option<String>,
    /// The turn that asks.
    pub turn: Option<String>,
    /// The item it is about.
    pub item: Option<String>,
    /// What is asked.
    pub body: AskBody,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum AskBody {
    /// Whether a command may run.
    Command(Box<CommandAsk>),
    /// Whether files may be changed.
    Files(FileAsk),
    /// Whether more may be done in the turn or session.
    Permissions(Box<PermissionsAsk>),
    /// Questions to a person.
    Questions(Vec<Question>),
    /// What an MCP server asks, or whether its tool may be used.
    Elicitation(Box<Elicitation>),
    /// Something else, that cannot be answered.
    Other,
}

/// Whether a command may run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommandAsk {
    /// `command`, `humanCommand` or `writeStdin`.
    #[serde(deserialize_with = "lenient")]
    pub kind: String,
    /// Why it is asked.
    #[serde(deserialize_with = "lenient")]
    pub reason: Option<String>,
    /// The whole command line.
    #[serde(deserialize_with = "lenient")]
    pub command: Option<String>,
    /// Where it would run.
    #[serde(deserialize_with = "lenient")]
    pub cwd: Option<String>,
    /// What it does.
    #[serde(deserialize_with = "lenient")]
    pub command_actions: Vec<CommandAction>,
    /// The beginning of commands that could be allowed for good, in all projects.
    #[serde(deserialize_with = "lenient")]
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    /// Where it would connect to.
    pub network_approval_context: Value,
    /// What more it wants to be allowed.
    pub additional_permissions: Value,
}

/// Whether files may be changed; which, the item says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileAsk {
    /// Why it is asked.
    #[serde(deserialize_with = "lenient")]
    pub reason: Option<String>,
    /// The directory in which writing would be allowed.
    #[serde(deserialize_with = "lenient")]
    pub grant_root: Option<String>,
}

/// Whether more may be done.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PermissionsAsk {
    /// Why.
    #[serde(deserialize_with = "lenient")]
    pub reason: Option<String>,
    /// What.
    pub permissions: Value,
}

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Question {
    /// Its name.
    #[serde(deserialize_with = "lenient")]
    pub id: String,
    /// A word or two.
    #[serde(deserialize_with = "lenient")]
    pub header: String,
    /// The question.
    #[serde(deserialize_with = "lenient")]
    pub question: String,
    /// Whether own words may be written.
    #[serde(deserialize_with = "lenient")]
    pub is_other: bool,
    /// Whether the answer is not to be shown.
    #[serde(deserialize_with = "lenient")]
    pub is_secret: bool,
    /// The answers to choose from.
    #[serde(deserialize_with = "lenient")]
    pub options: Vec<QuestionOption>,
}

/// An answer to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct QuestionOption {
    /// The answer.
    #[serde(deserialize_with = "lenient")]
    pub label: String,
    /// What it means.
    #[serde(deserialize_with = "lenient")]
    pub description: String,
}

/// What an MCP server asks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Elicitation {
    /// The server.
    #[serde(deserialize_with = "lenient")]
    pub server_name: String,
    /// `form`, `url` or something new.
    #[serde(deserialize_with = "lenient")]
    pub mode: String,
    /// What it says.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// The page to open.
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
    /// What is to be filled in, as a JSON schema.
    pub requested_schema: Value,
    /// More, for clients of Codex.
    #[serde(rename = "_meta")]
    pub meta: Value,
}

impl Elicitation {
    /// Whether it is the question whether a tool may be used.
    #[must_use]
    pub fn is_tool_approval(&self) -> bool {
        self.meta("codex_approval_kind").as_str() == Some("mcp_tool_call")
    }

    /// A part of what is said for clients of Codex.
    #[must_use]
    pub fn meta(&self, name: &str) -> &Value {
        self.meta.get(name).unwrap_or(&Value::Null)
    }
}

impl Ask {
    /// Reads a request. One that is unknown, or does not fit, is [`AskBody::Other`].
    #[must_use]
    pub fn read(method: &str, params: &Value) -> Self {
        let text = |name: &str| params.get(name).and_then(Value::as_str).map(str::to_owned);
        let body = match method {
            "item/commandExecution/requestApproval" => {
                typed(params, |one| AskBody::Command(Box::new(one)))
            }
            "item/fileChange/requestApproval" => typed(params, AskBody::Files),
            "item/permissions/requestApproval" => {
                typed(params, |one| AskBody::Permissions(Box::new(one)))
            }
            "item/tool/requestUserInput" => {
                let questions = params.get("questions").cloned().unwrap_or_default();
                serde_json::from_value(questions).map_or(AskBody::Other, AskBody::Questions)
            }
            "mcpServer/elicitation/request" => {
                typed(params, |one| AskBody::Elicitation(Box::new(one)))
            }
            _ => AskBody::Other,
        };
        Self { thread: text("threadId"), turn: text("turnId"), item: text("itemId"), body }
    }
}

fn typed<T: serde::de::DeserializeOwned>(params: &Value, body: impl Fn(T) -> AskBody) -> AskBody {
    T::deserialize(params).map_or(AskBody::Other, body)
}
