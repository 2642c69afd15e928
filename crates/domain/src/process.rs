//! A provider's agent processes: what runs, and how what ran before has ended.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::Timestamp;

/// A provider's agent processes, for whoever has to find out what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct AgentReport {
    /// Those that run.
    pub processes: Vec<AgentProcess>,
    /// Those that ended or did not start since Baton did, the latest first; a bounded number.
    pub ends: Vec<AgentEnd>,
    /// How many were started since Baton was, the running ones included.
    pub starts: u32,
}

/// An agent process that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct AgentProcess {
    /// Whether it serves the trusted projects; otherwise the others.
    pub trusted: bool,
    /// Its process id; `None` for one that Baton did not start.
    pub pid: Option<u32>,
    /// Where it listens.
    pub url: String,
    /// The version it told.
    pub version: String,
    /// When it was ready, or connected to.
    pub since: Timestamp,
    /// Whether it answered when it was last asked.
    pub answering: bool,
    /// The resident memory of it and all it started, in bytes, at the last sample.
    pub memory_bytes: Option<u64>,
    /// The processor time of it and all it started between the last two samples, in percent of one
    /// processor.
    pub cpu_percent: Option<u32>,
    /// Sessions that are open on it.
    pub sessions: u32,
    /// Turns that run on it.
    pub turns: u32,
    /// Directories in which it keeps something running.
    pub directories: u32,
}

/// How an agent process ended, or did not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AgentEnd {
    /// When.
    pub at: Timestamp,
    /// Whether it served the trusted projects; otherwise the others.
    pub trusted: bool,
    /// Its process id, if it got that far.
    pub pid: Option<u32>,
    /// Why.
    pub why: AgentEndReason,
    /// The last it wrote, or what is known besides.
    pub said: Option<String>,
    /// Turns that ran on it and ended with it.
    pub turns: u32,
}

/// Why an agent process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentEndReason {
    /// A person switched the provider off.
    SwitchedOff,
    /// Baton ended.
    BatonEnded,
    /// A person named another program or server.
    SettingsChanged,
    /// No thread needed it.
    Unused,
    /// A person wanted it started anew.
    Restarted,
    /// It no longer answered.
    NotAnswering,
    /// It took too much memory.
    Memory,
    /// It kept a processor busy although nothing ran.
    Processor,
    /// It ended by itself.
    Died,
    /// It did not start.
    NotStarted,
}

/// Something that is wrong with a provider although it can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProviderProblem {
    /// What kind of thing.
    pub kind: ProviderProblemKind,
    /// It in a sentence, with what to do.
    pub message: String,
}

/// What is wrong with a provider that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderProblemKind {
    /// A part of its own configuration is not understood by it.
    Configuration,
    /// Its process does not answer now.
    NotAnswering,
    /// Its process takes much memory.
    Memory,
    /// Its process keeps a processor busy although nothing runs.
    Processor,
    /// It tells of things that Baton does not know, which are not shown. It works all the same.
    UnknownEvents,
}
