//! What Codex may do unasked, in one place.
//!
//! Codex 0.169.0 takes a policy of approvals and a sandbox with each turn and keeps both until its
//! end, so an access that changes amid a turn could not be put in force by them. Every build turn
//! therefore runs under the policy `untrusted`, by which Codex asks before every command, every
//! change of files and every tool of an MCP server that does not say that it only reads (measured:
//! even `ls` asks); and what the thread's access allows is answered here, at once. So what is shown
//! as supervised asks from the next act on, whatever the turn began with.
//!
//! | access | sandbox | answered without a person |
//! |---|---|---|
//! | supervised | workspace-write, no network | nothing |
//! | auto-edit | workspace-write, no network | changes of files inside the workspace |
//! | full | none | every approval; questions are a person's |
//!
//! A plan turn runs read-only under `on-request`: what reads runs unasked within the sandbox, what
//! writes fails in it, changes of files are refused and whatever wants to leave the sandbox is a
//! person's, in every access. Codex's own plan mode is but an instruction to the model (measured).
//!
//! Not enforceable: a command that a person allows may run once in the sandbox and, when that
//! denies it at once, again without (measured); tools of MCP servers that say that they only read
//! are not asked about; a search on the web runs at the provider of the model.

use std::path::{Component, Path, PathBuf};

use domain::{Access, Mode};
use serde_json::{Value, json};

use crate::shared::steering::steers;

/// The policy of approvals and the sandbox of a turn, as `turn/start` takes them.
pub(super) fn policy(access: Access, mode: Mode) -> (&'static str, Value) {
    match (mode, access) {
        (Mode::Plan, _) => ("on-request", json!({ "type": "readOnly", "networkAccess": false })),
        (Mode::Build, Access::Full) => ("untrusted", json!({ "type": "dangerFullAccess" })),
        (Mode::Build, Access::Supervised | Access::AutoEdit) => (
            "untrusted",
            json!({
                "type": "workspaceWrite",
                "writableRoots": [],
                "networkAccess": false,
                "excludeTmpdirEnvVar": false,
                "excludeSlashTmp": false,
            }),
        ),
    }
}

/// The sandbox as `thread/start` and `thread/resume` take it.
fn sandbox_mode(access: Access) -> &'static str {
    match access {
        Access::Full => "danger-full-access",
        Access::Supervised | Access::AutoEdit => "workspace-write",
    }
}

/// What `thread/start` and `thread/resume` are given to begin with.
pub(super) fn opening(access: Access, workspace: &str, trusted: bool) -> Value {
    let (policy, _) = policy(access, Mode::Build);
    let trust = if trusted { "trusted" } else { "untrusted" };
    json!({
        "cwd": workspace,
        "approvalPolicy": policy,
        "approvalsReviewer": "user",
        "sandbox": sandbox_mode(access),
        "config": {
            // Codex 0.169.0 has no todo list otherwise.
            "tools.update_plan.enabled": true,
            // Unless it is named, Codex writes into the user's own configuration that a directory
            // is trusted as soon as a thread may write in it, and starts what the directory's own
            // says (0.169.0, measured).
            "projects": { workspace: { "trust_level": trust } },
        },
    })
}

/// What is asked, as far as it matters for who answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act<'a> {
    /// To change these files.
    Edit(&'a [String]),
    /// Any other approval.
    Other,
}

/// Who answers an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A person.
    Ask,
    /// The thread's access, with a yes.
    Allow,
    /// The turn's mode, with a no.
    Refuse,
}

/// Who answers an approval in a turn of this mode.
pub(super) fn verdict(access: Access, mode: Mode, act: Act<'_>, workspace: &Path) -> Verdict {
    match (mode, access, act) {
        (Mode::Plan, _, Act::Edit(_)) => Verdict::Refuse,
        (Mode::Plan, _, Act::Other) => Verdict::Ask,
        (Mode::Build, Access::Full, _) => Verdict::Allow,
        (Mode::Build, Access::AutoEdit, Act::Edit(paths)) => {
            let plain = |path: &String| is_plain_edit(Path::new(path), workspace);
            if !paths.is_empty() && paths.iter().all(plain) { Verdict::Allow } else { Verdict::Ask }
        }
        (Mode::Build, Access::AutoEdit, Act::Other) | (Mode::Build, Access::Supervised, _) => {
            Verdict::Ask
        }
    }
}

/// Whether a path lies inside the workspace by its words, and in no directory that steers programs.
fn is_plain_edit(path: &Path, workspace: &Path) -> bool {
    let Some(path) = normal(path) else { return false };
    let Ok(inside) = path.strip_prefix(workspace) else { return false };
    !inside.as_os_str().is_empty() && !steers(inside)
}

/// An absolute path without `.` and `..`; `None` for one that is not absolute.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    path.is_absolute().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_allowed_by_itself_only_inside_the_workspace() {
        let workspace = Path::new("/w/project");
        let allowed = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            verdict(Access::AutoEdit, Mode::Build, Act::Edit(&paths), workspace) == Verdict::Allow
        };
        assert!(allowed(&["/w/project/a", "/w/project/b/c"]));
        for outside in [
            "/w/other",
            "/w/project",
            "/w/project/../other/a",
            "/w/project-2/a",
            "relative",
            "/w/project/.git/hooks/pre-commit",
            "/w/project/b/.Git/config",
            "/w/project/.codex/config.toml",
            "/w/project/.claude/settings.json",
            "/w/project/.mcp.json",
        ] {
            assert!(!allowed(&[outside]), "{outside}");
            assert!(!allowed(&["/w/project/a", outside]), "{outside}");
        }
        assert!(!allowed(&[]), "what is changed is not known");
    }

    #[test]
    fn no_plan_turn_changes_files_and_none_is_freed_by_full_access() {
        let paths = ["/w/a".to_owned()];
        for access in [Access::Supervised, Access::AutoEdit, Access::Full] {
            let of = |act| verdict(access, Mode::Plan, act, Path::new("/w"));
            assert_eq!(of(Act::Edit(&paths)), Verdict::Refuse);
            assert_eq!(of(Act::Other), Verdict::Ask);
            assert_eq!(policy(access, Mode::Plan).1["type"], "readOnly");
        }
    }
}
