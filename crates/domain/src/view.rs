//! What clients see at one moment: bounded snapshots and the changes that follow them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    Item, Project, ProjectHead, ProjectId, ProviderId, ProviderStatus, Request, Settings, Thread,
    ThreadId, Turn,
};

/// A bounded part of a thread's conversation, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Window {
    /// The thread's row.
    pub thread: Thread,
    /// The turns that the items belong to, and every turn that is not terminal, by ordinal.
    pub turns: Vec<Turn>,
    /// The items, by position.
    pub items: Vec<Item>,
    /// Requests that are open.
    pub requests: Vec<Request>,
    /// The position to ask for the next older part with; `None` at the thread's beginning.
    pub older: Option<u64>,
}

/// All rows of the sidebar at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ShellSnapshot {
    /// Every project, by name.
    pub projects: Vec<Project>,
    /// What is checked out in them, where that is known by now.
    #[serde(default)]
    pub heads: Vec<ProjectHead>,
    /// Threads that are not archived: all that are pinned or at work and the last active of the
    /// rest, at most 500.
    pub threads: Vec<Thread>,
    /// Whether older threads are left out.
    pub more_threads: bool,
    /// Every provider.
    pub providers: Vec<ProviderStatus>,
    /// What holds on all devices.
    #[serde(default)]
    pub settings: Settings,
    /// Why Baton cannot write to its disk, in a sentence, while it cannot. Until it can again, what
    /// people send is refused; what they stop is stopped.
    #[serde(default)]
    #[ts(optional)]
    pub storage: Option<String>,
}

/// One change of the shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ShellChange {
    /// A project is new or now this.
    Project {
        /// The project.
        project: Project,
    },
    /// A project is gone, with its threads.
    ProjectRemoved {
        /// Which.
        id: ProjectId,
    },
    /// Something else is checked out in a project's directory.
    Head {
        /// What.
        head: ProjectHead,
    },
    /// A thread is new or now this.
    Thread {
        /// Its row.
        thread: Thread,
    },
    /// A thread is gone.
    ThreadRemoved {
        /// Which.
        id: ThreadId,
    },
    /// A provider is now this.
    Provider {
        /// Its status.
        status: ProviderStatus,
    },
    /// The settings are now these.
    Settings {
        /// All of them.
        settings: Settings,
    },
    /// Baton cannot write to its disk, or can again.
    Storage {
        /// Why it cannot, in a sentence.
        problem: Option<String>,
    },
    /// The models of a provider are to be fetched again.
    ModelsChanged {
        /// The provider.
        provider: ProviderId,
    },
}
