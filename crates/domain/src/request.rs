//! Requests: what the agent waits for.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{ItemId, RequestId, ThreadId, Timestamp, TurnId};

/// Something the agent waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Request {
    /// The request's id.
    pub id: RequestId,
    /// The thread it belongs to.
    pub thread_id: ThreadId,
    /// The turn that waits, and closes it when it ends.
    pub turn_id: TurnId,
    /// The item it is about, when the agent says so.
    pub item_id: Option<ItemId>,
    /// The provider's own name for it.
    pub key: String,
    /// The sub-agent that asks; `None` for the thread's own agent.
    pub from: Option<String>,
    /// What is asked.
    pub body: RequestBody,
    /// Where it stands.
    pub state: RequestState,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RequestBody {
    /// Whether something may be done.
    Approval(Approval),
    /// Questions to answer, all at once.
    Question {
        /// The questions in order.
        questions: Vec<Question>,
    },
    /// A plan to accept.
    Plan {
        /// The plan.
        markdown: String,
        /// The file it was written to.
        path: Option<String>,
        /// The thread that builds it, once it was accepted there. The agent here may still wait.
        #[serde(default)]
        built_in: Option<ThreadId>,
    },
}

/// A question whether something may be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Approval {
    /// What kind of act it is.
    pub what: ApprovalKind,
    /// The agent's own name for the permission, e.g. `bash`.
    pub permission: String,
    /// What is asked, as a short line.
    pub title: String,
    /// The whole command, when it is one.
    pub command: Option<String>,
    /// The unified diff, when it is an edit.
    pub diff: Option<String>,
    /// The path, when it is about one.
    pub path: Option<String>,
    /// The address, when it is about one.
    pub url: Option<String>,
    /// Whatever else the agent says about it, as `name: value` pairs.
    pub details: Vec<(String, String)>,
    /// What can be answered, in the order to offer it.
    pub choices: Vec<Choice>,
}

/// What kind of act an approval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// To run a command.
    Command,
    /// To change files.
    Edit,
    /// To read something.
    Read,
    /// To reach outside the workspace.
    OutsideWorkspace,
    /// To use the network.
    Web,
    /// To start a sub-agent.
    SubAgent,
    /// To use a tool of an MCP server.
    Mcp,
    /// To go on although the agent repeats itself.
    Loop,
    /// Anything else.
    Other,
}

/// An answer that can be given to an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Choice {
    /// The decision it stands for.
    pub decision: Decision,
    /// What it covers, e.g. the patterns allowed from now on; empty when just this once.
    pub covers: Vec<String>,
    /// For how long and where it holds, in a phrase.
    pub scope: String,
}

/// A decision on an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Allow just this.
    Once,
    /// Allow what the choice covers until the session ends.
    Session,
    /// Allow what the choice covers from now on, wherever the agent runs.
    Always,
    /// Do not allow it.
    Reject,
}

/// A question to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Question {
    /// A word or two to name it.
    pub header: String,
    /// The question.
    pub text: String,
    /// Answers to choose from.
    pub options: Vec<QuestionOption>,
    /// Whether several may be chosen.
    pub multiple: bool,
    /// Whether an answer of one's own may be written.
    pub custom: bool,
    /// Whether the answer is nobody else's to see: it is forgotten once the agent has it.
    #[serde(default)]
    pub secret: bool,
}

/// An answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct QuestionOption {
    /// The answer itself, which is what is sent.
    pub label: String,
    /// What it means.
    pub description: String,
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RequestState {
    /// It waits for a person.
    Open {
        /// Why the last answer did not reach the agent, if there was one.
        problem: Option<String>,
    },
    /// Baton ended while it waited, and finds out whether the agent still does.
    Checking {
        /// What a person answered meanwhile: it is given once the agent is known to wait.
        answer: Option<Answer>,
    },
    /// An answer was given and is on its way.
    Answering {
        /// The answer.
        answer: Answer,
    },
    /// The agent has the answer.
    Resolved {
        /// The answer, unless it was given elsewhere.
        answer: Option<Answer>,
    },
    /// It no longer needs an answer.
    Withdrawn {
        /// Why, in a phrase.
        reason: String,
    },
}

impl RequestState {
    /// Whether the agent may still be waiting.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Checking { .. } | Self::Answering { .. } => true,
            Self::Resolved { .. } | Self::Withdrawn { .. } => false,
        }
    }

    /// Whether it is known that the agent waits, so that a person is needed.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Answering { .. } => true,
            Self::Checking { .. } | Self::Resolved { .. } | Self::Withdrawn { .. } => false,
        }
    }
}

/// What a person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// To an approval.
    Approval {
        /// The decision.
        decision: Decision,
        /// What to tell the agent with a rejection.
        #[serde(default)]
        message: Option<String>,
    },
    /// To questions: for each the chosen labels or own words; empty means unanswered.
    Question {
        /// One list of answers for each question.
        answers: Vec<Vec<String>>,
    },
    /// To questions: none of them.
    Dismiss,
    /// To a plan.
    Plan {
        /// The decision.
        decision: PlanDecision,
        /// What to change, when refining.
        #[serde(default)]
        message: Option<String>,
    },
}

/// A decision on a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanDecision {
    /// Build it here.
    Accept,
    /// Build it in a new thread of the same project; here the turn ends.
    AcceptInNewThread,
    /// Change it; nothing is built yet.
    Refine,
    /// Leave it; the turn ends.
    Dismiss,
}
