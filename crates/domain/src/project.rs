//! Projects: directories that threads work in, and what their own configuration may do.
//!
//! A repository can bring configuration for an agent that starts programs as soon as the agent
//! looks at it. What it would start is a [`Startup`]; whether it may is a person's decision,
//! [`Trust`], which holds for exactly what was shown.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{ProjectId, Timestamp};

/// A directory on this machine that threads work in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Project {
    /// The project's id.
    pub id: ProjectId,
    /// What people call it; at first the directory's name.
    pub name: String,
    /// The absolute path with symbolic links resolved.
    pub path: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// Whether its own configuration is in force.
    #[serde(default)]
    pub trust: Trust,
    /// What its configuration would start or loosen, as it stood at the last look; `None` when it
    /// would do nothing of the kind. A decision holds for this and nothing else.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

impl Project {
    /// Whether a person is still to be asked about its configuration.
    #[must_use]
    pub fn asks_trust(&self) -> bool {
        self.trust == Trust::Undecided && self.fingerprint.is_some()
    }

    /// Whether agents may read its configuration: there is nothing in it to decide on, or a person
    /// decided.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.trust == Trust::Trusted || self.fingerprint.is_none()
    }

    /// Takes note of what its configuration would do now. A trust in something else is over; a
    /// mistrust stays.
    #[must_use]
    pub fn looked_at(self, fingerprint: Option<String>) -> Self {
        let other = self.fingerprint != fingerprint;
        let trust = match self.trust {
            Trust::Trusted if other => Trust::Undecided,
            trust => trust,
        };
        Self { trust, fingerprint, ..self }
    }
}

/// What is checked out in a project's directory, as it was seen last. It is looked at again when one
/// of the project's turns has ended and when a person comes back to the page; it is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProjectHead {
    /// The project.
    pub project: ProjectId,
    /// What it is; `None` without git, or when the directory does not answer.
    pub head: Option<Head>,
}

/// What is checked out in a directory under git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Head {
    /// A branch.
    Branch {
        /// Its short name, e.g. `main`.
        name: String,
    },
    /// A commit without a branch.
    Detached {
        /// The first twelve digits of its hash.
        commit: String,
    },
}

/// What a person decided about a project's own configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Nothing yet: it is left unread as far as it would start or loosen anything.
    #[default]
    Undecided,
    /// It may do what was shown.
    Trusted,
    /// It is left unread.
    Untrusted,
}

/// What a directory's own configuration would start or loosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Startup {
    /// Each act, in the order of the files.
    pub acts: Vec<StartupAct>,
    /// What could not be looked at; while there is any, the configuration cannot be trusted.
    pub problems: Vec<StartupProblem>,
    /// What all of it amounts to; `None` when there is nothing.
    pub fingerprint: Option<String>,
}

/// One thing a directory's own configuration would start or loosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
pub struct StartupAct {
    /// What kind of act it is.
    pub kind: StartupKind,
    /// What the configuration calls it.
    pub name: String,
    /// The command line, address or rule.
    pub detail: String,
    /// The file that says so, relative to the directory if it is below it.
    pub file: String,
    /// Whether that file really lies outside of the project, behind a symbolic link.
    pub outside: bool,
}

/// A file that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
pub struct StartupProblem {
    /// The file.
    pub file: String,
    /// Why not, in a sentence.
    pub message: String,
}

/// What kind of act a configuration would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartupKind {
    /// A program is started at once and keeps running, e.g. a tool server.
    Command,
    /// Code is loaded into the agent itself.
    Code,
    /// Packages are downloaded for that code.
    Packages,
    /// A program runs when files are edited or read, e.g. a formatter or a language server.
    Helper,
    /// A program runs when a slash command is used.
    Prompt,
    /// Another machine is connected to, or its words are read.
    Remote,
    /// Models are reached another way, with what is said to them.
    Models,
    /// The agent may do more unasked.
    Permission,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(trust: Trust, fingerprint: Option<&str>) -> Project {
        Project {
            id: ProjectId::from_uuid(uuid::Uuid::nil()),
            name: "p".to_owned(),
            path: "/p".to_owned(),
            created_at: 0,
            trust,
            fingerprint: fingerprint.map(str::to_owned),
        }
    }

    #[test]
    fn trust_is_over_when_what_was_shown_changes() {
        let same = project(Trust::Trusted, Some("a")).looked_at(Some("a".to_owned()));
        assert!(same.is_trusted() && !same.asks_trust());
        let other = project(Trust::Trusted, Some("a")).looked_at(Some("b".to_owned()));
        assert!(!other.is_trusted() && other.asks_trust());
        let gone = project(Trust::Trusted, Some("a")).looked_at(None);
        assert!(gone.is_trusted() && !gone.asks_trust());
        assert!(gone.looked_at(Some("a".to_owned())).asks_trust(), "it is asked again");
    }

    #[test]
    fn mistrust_stays_and_nothing_to_start_needs_no_question() {
        let other = project(Trust::Untrusted, Some("a")).looked_at(Some("b".to_owned()));
        assert!(!other.is_trusted() && !other.asks_trust());
        let nothing = project(Trust::Undecided, None);
        assert!(nothing.is_trusted() && !nothing.asks_trust());
    }
}
