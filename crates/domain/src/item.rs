//! Items: the entries of a turn.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{Body, BodyLimits, ErrorCode, ItemId, Phase, Timestamp, TurnId, Usage};

/// One entry in a turn.
///
/// Every item has at most one long text, its `body`; what it is depends on the content: the prose
/// of a message, the output of a command, the diff of a file change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Item {
    /// The item's id.
    pub id: ItemId,
    /// The turn it belongs to.
    pub turn_id: TurnId,
    /// The sub-agent item it happened in.
    pub parent: Option<ItemId>,
    /// Its place in the thread; ascending, with gaps.
    pub position: u64,
    /// Where it stands.
    pub status: ItemStatus,
    /// What it is.
    pub content: ItemContent,
    /// Its long text.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    #[ts(optional, as = "Option<Body>")]
    pub body: Body,
    /// Why it failed or was declined, in the agent's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
    /// When it began: when it was first seen, or when the last that was asked about it was allowed.
    pub started_at: Timestamp,
    /// When it was done.
    pub ended_at: Option<Timestamp>,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// It grows or works.
    Running,
    /// It waits for a person to allow it, and has not run. Agents tell such a tool as running.
    Waiting,
    /// It finished.
    Done,
    /// It failed, or its turn ended before it did.
    Failed,
    /// A person said no.
    Declined,
    /// It never ran: it ended, or its turn did, before a person had allowed it.
    NotRun,
}

impl ItemStatus {
    /// Whether it still grows, works or waits.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Running | Self::Waiting => true,
            Self::Done | Self::Failed | Self::Declined | Self::NotRun => false,
        }
    }
}

/// What an item is. The comment of each variant says what the item's `body` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemContent {
    /// A message of a person within a running turn, or on their behalf. Body: the message.
    UserMessage,
    /// Prose of the agent. Body: markdown.
    AgentMessage,
    /// The agent's reasoning. Body: markdown.
    Reasoning,
    /// A shell command. Body: its output.
    Command {
        /// The whole command line.
        command: String,
        /// What the agent says it is for.
        description: Option<String>,
        /// Where it ran, when not in the workspace.
        cwd: Option<String>,
        /// Its exit code, once it ended by itself.
        exit_code: Option<i32>,
    },
    /// A change to a file. Body: a unified diff.
    FileChange {
        /// The path, relative to the workspace where it lies inside.
        path: String,
        /// What happened to it.
        change: FileChangeKind,
        /// Lines added.
        additions: u32,
        /// Lines removed.
        deletions: u32,
    },
    /// A look at a file or directory. Body: what was read.
    Read {
        /// The path, relative to the workspace where it lies inside.
        path: String,
    },
    /// A search in the workspace. Body: what was found.
    Search {
        /// The pattern or question.
        query: String,
        /// Where it searched, when not everywhere.
        path: Option<String>,
        /// Number of matches, when the agent says it.
        matches: Option<u64>,
    },
    /// A page or a search on the web. Body: what came back.
    Web {
        /// The address or the query.
        target: String,
    },
    /// A call to a tool of an MCP server. Body: its output.
    McpCall {
        /// The server's name.
        server: String,
        /// The tool's name.
        tool: String,
        /// What it was given, as JSON text, shortened when very long.
        input: String,
    },
    /// A sub-agent; the items that happened in it name this one as `parent`. Body: its result.
    SubAgent {
        /// The kind of sub-agent.
        agent: String,
        /// Its task in short.
        task: String,
        /// Its own native session.
        session: Option<String>,
        /// Steps of its model that are done.
        #[serde(default)]
        steps: u32,
        /// What it used so far, without the sub-agents it started; it is part of the turn's usage.
        #[serde(default)]
        usage: Usage,
        /// Whether it, or a sub-agent below it, waits for a person.
        #[serde(default)]
        waiting: bool,
        /// What keeps it from going on, when something does.
        #[serde(default)]
        phase: Option<Phase>,
    },
    /// The agent's todo list, whole at each change. No body.
    TodoList {
        /// The entries in order.
        todos: Vec<Todo>,
    },
    /// A proposed plan. Body: markdown.
    Plan {
        /// The file the agent wrote it to.
        path: Option<String>,
    },
    /// A question to the person. Body: the answers, one a line.
    Question {
        /// What was asked, in short.
        title: String,
    },
    /// The context was shortened. Body: the summary it was replaced by.
    Compaction {
        /// Whether the agent did it by itself.
        automatic: bool,
    },
    /// Something worth knowing. Body: the text.
    Notice {
        /// How much it matters.
        level: NoticeLevel,
    },
    /// An error of the agent or the model's provider. Body: the details.
    Error {
        /// What kind of failure it is.
        code: ErrorCode,
        /// What happened.
        message: String,
        /// Whether trying again may help.
        retryable: bool,
    },
    /// Any other tool. Body: its output.
    Tool {
        /// The tool's name.
        name: String,
        /// What it is doing, when the agent says it.
        title: Option<String>,
        /// What it was given, as JSON text, shortened when very long.
        input: String,
    },
}

impl ItemContent {
    /// How much of the body travels inline.
    #[must_use]
    pub fn limits(&self) -> BodyLimits {
        if self.is_prose() { BodyLimits::PROSE } else { BodyLimits::OUTPUT }
    }

    /// Whether the agent wrote the item's text as such, so that its own record of it is the whole
    /// truth.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self, Self::AgentMessage | Self::Reasoning | Self::Compaction { .. })
    }

    /// Whether the item is text to read rather than work that was done.
    #[must_use]
    pub fn is_prose(&self) -> bool {
        match self {
            Self::UserMessage
            | Self::AgentMessage
            | Self::Reasoning
            | Self::Plan { .. }
            | Self::Question { .. }
            | Self::Compaction { .. }
            | Self::Notice { .. }
            | Self::TodoList { .. } => true,
            Self::Command { .. }
            | Self::FileChange { .. }
            | Self::Read { .. }
            | Self::Search { .. }
            | Self::Web { .. }
            | Self::McpCall { .. }
            | Self::SubAgent { .. }
            | Self::Error { .. }
            | Self::Tool { .. } => false,
        }
    }
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// It is new.
    Created,
    /// It was changed.
    Edited,
    /// It is gone.
    Deleted,
}

/// An entry of a todo list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Todo {
    /// What is to be done.
    pub text: String,
    /// Where it stands.
    pub status: TodoStatus,
}

/// Where an entry of a todo list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodoStatus {
    /// Not begun.
    Pending,
    /// Being worked on.
    InProgress,
    /// Done.
    Completed,
    /// No longer wanted.
    Cancelled,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
}
