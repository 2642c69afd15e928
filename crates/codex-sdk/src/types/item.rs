use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::lenient;

/// One entry of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id, stable from its start to its end.
    pub id: String,
    /// What kind it is, in the server's word.
    pub kind: String,
    /// When it was whole, in milliseconds since 1970.
    pub completed_at_ms: Option<i64>,
    /// What it is.
    pub body: ItemBody,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemBody {
    /// A message to the agent.
    UserMessage {
        /// The client's name of it.
        client_id: Option<String>,
        /// The words of it.
        text: String,
    },
    /// A message of the agent.
    AgentMessage(AgentMessage),
    /// Its reasoning: summaries, else what it thought word for word.
    Reasoning {
        /// Summaries.
        summary: Vec<String>,
        /// Word for word.
        content: Vec<String>,
    },
    /// A plan that it proposes.
    Plan {
        /// In Markdown.
        text: String,
    },
    /// A command.
    Command(Box<Command>),
    /// Changes to files.
    FileChange {
        /// The changes.
        changes: Vec<Change>,
        /// Where it stands: `inProgress`, `completed`, `failed`, `declined`.
        status: String,
    },
    /// A call to a tool of an MCP server.
    Mcp(Box<McpCall>),
    /// A search on the web.
    WebSearch(WebSearch),
    /// Something done with sub-agents.
    Collab(Box<CollabCall>),
    /// Something a sub-agent did.
    SubAgent(SubAgentActivity),
    /// A look at an image.
    ImageView {
        /// Its path.
        path: String,
    },
    /// The context was shortened.
    Compaction,
    /// Anything else, as it is.
    Other(Value),
}

/// A message of the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AgentMessage {
    /// The words.
    #[serde(deserialize_with = "lenient")]
    pub text: String,
}

/// A command.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Command {
    /// The whole command line, in the shell's wrapping.
    #[serde(deserialize_with = "lenient")]
    pub command: String,
    /// Where it runs.
    #[serde(deserialize_with = "lenient")]
    pub cwd: String,
    /// What it does, as far as Codex can tell.
    #[serde(deserialize_with = "lenient")]
    pub command_actions: Vec<CommandAction>,
    /// `agent`, `unifiedExecStartup`, `unifiedExecInteraction` or `userShell`.
    #[serde(deserialize_with = "lenient")]
    pub source: String,
    /// `inProgress`, `completed`, `failed` or `declined`.
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// What it wrote, cut at about 1 MiB.
    #[serde(deserialize_with = "lenient")]
    pub aggregated_output: Option<String>,
    /// Its exit code.
    #[serde(deserialize_with = "lenient")]
    pub exit_code: Option<i32>,
}

/// A part of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CommandAction {
    /// `read`, `listFiles`, `search` or `unknown`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// The part without the shell's wrapping.
    #[serde(deserialize_with = "lenient")]
    pub command: String,
    /// What it reads, lists or searches.
    #[serde(deserialize_with = "lenient")]
    pub path: Option<String>,
    /// What it searches for.
    #[serde(deserialize_with = "lenient")]
    pub query: Option<String>,
}

/// A change to a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Its absolute path.
    #[serde(deserialize_with = "lenient")]
    pub path: String,
    /// What is done.
    #[serde(deserialize_with = "lenient")]
    pub kind: ChangeKind,
    /// Of an update hunks without a header; of a new or deleted file its content.
    #[serde(deserialize_with = "lenient")]
    pub diff: String,
}

/// What is done to a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChangeKind {
    /// `add`, `delete` or `update`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// Where it is moved to.
    #[serde(deserialize_with = "lenient")]
    pub move_path: Option<String>,
}

/// A call to a tool of an MCP server.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct McpCall {
    /// The server.
    #[serde(deserialize_with = "lenient")]
    pub server: String,
    /// The tool.
    #[serde(deserialize_with = "lenient")]
    pub tool: String,
    /// `inProgress`, `completed` or `failed`.
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// What it is given.
    pub arguments: Value,
    /// What it gave.
    pub result: Value,
    /// Why it failed.
    pub error: Value,
}

/// A search on the web.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct WebSearch {
    /// What was searched for.
    #[serde(deserialize_with = "lenient")]
    pub query: String,
    /// What was done: a search, a page opened, …
    pub action: Value,
}

/// Something done with sub-agents.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CollabCall {
    /// `spawnAgent`, `wait`, `sendInput`, …
    #[serde(deserialize_with = "lenient")]
    pub tool: String,
    /// `inProgress`, `completed`, `failed` or `interrupted`.
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// The sub-agents' threads.
    #[serde(deserialize_with = "lenient")]
    pub receiver_thread_ids: Vec<String>,
    /// Their task.
    #[serde(deserialize_with = "lenient")]
    pub prompt: Option<String>,
    /// How they are.
    #[serde(deserialize_with = "lenient")]
    pub agents_states: BTreeMap<String, Value>,
}

/// Something a sub-agent did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubAgentActivity {
    /// `started`, `interacted`, `interrupted` or `completed`.
    #[serde(deserialize_with = "lenient")]
    pub kind: String,
    /// Its thread.
    #[serde(deserialize_with = "lenient")]
    pub agent_thread_id: String,
    /// What it is called, e.g. `/root/helper`.
    #[serde(deserialize_with = "lenient")]
    pub agent_path: String,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self::read(value))
    }
}

impl Item {
    /// Reads an item from JSON. What does not fit is an item of an unknown kind.
    #[must_use]
    pub fn read(value: Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = text("id").unwrap_or_default();
        let kind = text("type").unwrap_or_default();
        let completed_at_ms = value.get("completedAtMs").and_then(Value::as_i64);
        let body = match kind.as_str() {
            "userMessage" => ItemBody::UserMessage {
                client_id: text("clientId"),
                text: words(value.get("content")),
            },
            "agentMessage" => typed(value, ItemBody::AgentMessage),
            "reasoning" => ItemBody::Reasoning {
                summary: strings(value.get("summary")),
                content: strings(value.get("content")),
            },
            "plan" => ItemBody::Plan { text: text("text").unwrap_or_default() },
            "commandExecution" => typed(value, |one| ItemBody::Command(Box::new(one))),
            "fileChange" => {
                let changes = value.get("changes").cloned().unwrap_or_default();
                let status = text("status").unwrap_or_default();
                let changes = serde_json::from_value(changes).unwrap_or_default();
                ItemBody::FileChange { changes, status }
            }
            "mcpToolCall" => typed(value, |one| ItemBody::Mcp(Box::new(one))),
            "webSearch" => typed(value, ItemBody::WebSearch),
            "collabAgentToolCall" => typed(value, |one| ItemBody::Collab(Box::new(one))),
            "subAgentActivity" => typed(value, ItemBody::SubAgent),
            "imageView" => ItemBody::ImageView { path: text("path").unwrap_or_default() },
            "contextCompaction" => ItemBody::Compaction,
            _ => ItemBody::Other(value),
        };
        Self { id, kind, completed_at_ms, body }
    }
}

fn typed<T: serde::de::DeserializeOwned>(value: Value, body: impl Fn(T) -> ItemBody) -> ItemBody {
    match T::deserialize(&value) {
        Ok(one) => body(one),
        Err(_) => ItemBody::Other(value),
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let listed = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// The words of a message's parts.
fn words(content: Option<&Value>) -> String {
    let parts = content.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_known_kind_that_does_not_fit_and_an_unknown_one_are_kept() {
        let dance = json!({"type": "dance", "id": "1", "steps": [1]});
        assert_eq!(Item::read(dance.clone()).body, ItemBody::Other(dance));
        let odd = Item::read(json!({"type": "commandExecution", "id": "2", "exitCode": "none"}));
        let ItemBody::Command(command) = odd.body else { panic!("{odd:?}") };
        assert_eq!((command.exit_code, command.command.as_str()), (None, ""));
        assert_eq!(Item::read(json!(7)).body, ItemBody::Other(json!(7)));
    }
}
