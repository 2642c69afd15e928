//! What a person's and a project's configuration add to an agent: slash commands and MCP servers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What an agent has in a directory besides itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Extras {
    /// The slash commands, by name.
    pub commands: Vec<AgentCommand>,
    /// The MCP servers, by name.
    pub servers: Vec<McpServer>,
}

/// A slash command of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AgentCommand {
    /// Its name, without the slash; may hold slashes and colons.
    pub name: String,
    /// What it does; empty when nobody wrote that down.
    pub description: String,
    /// Where it comes from.
    pub source: CommandSource,
    /// What is to be typed after its name, when the agent says so in words.
    pub hint: Option<String>,
    /// Whether it makes use of what is typed after its name.
    pub takes_arguments: bool,
}

/// Where a slash command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandSource {
    /// The agent itself, or a file with a prompt.
    Command,
    /// A skill.
    Skill,
    /// A prompt of an MCP server.
    Mcp,
}

/// An MCP server, which gives an agent more tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct McpServer {
    /// What the configuration calls it.
    pub name: String,
    /// Whether its tools can be used.
    #[serde(flatten)]
    pub state: McpState,
}

/// Whether an MCP server's tools can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum McpState {
    /// They can.
    Connected,
    /// The configuration has switched it off.
    Disabled,
    /// It did not start or could not be reached.
    Failed {
        /// Why, in the agent's words; may be empty.
        message: String,
    },
    /// A person has to sign in.
    NeedsSignIn {
        /// The command for a terminal that does it.
        command: String,
    },
    /// In a way that Baton does not know.
    Other {
        /// The agent's word for it.
        word: String,
    },
}
