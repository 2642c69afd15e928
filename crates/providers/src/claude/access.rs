//! How much Claude Code may do unasked: the one place that says it.
//!
//! Measured on Claude Code 2.1.197. The agent always works in a permission mode that asks, and
//! Baton answers what the thread's access allows. What the agent never asks, in any mode: reading in
//! the workspace, and commands that only look (`ls`, `cat` in it, `git status`, `git log`).
//!
//! | | changes of files in the workspace | commands that change something | outside, `.git`, `.claude`, MCP tools |
//! |---|---|---|---|
//! | supervised | asks | asks | asks |
//! | auto-edit | runs, but for what steers agents | asks | asks |
//! | full | runs | runs | runs |
//! | plan, whatever the access | asks | asks | asks |
//!
//! The agent's own `acceptEdits` is not used, for in it commands that change files (`rm -rf sub`)
//! run as well; nor is `bypassPermissions`: it cannot be switched on later, cannot be used by root,
//! and with it a plan's agent wrote files.

use std::path::Path;

use domain::{Access, Mode};
use serde_json::{Value, json};

use crate::shared::steering::steers;

/// The agent's permission mode in which a plan is built.
pub(super) const BUILD: &str = "default";

/// The settings by which no model decides what runs unasked. Without them an agent that goes into plan
/// mode, as it is told or as its model wishes, changes files in the workspace there without asking, and
/// leaves other commands to a model that judges them; one that is started in it asks (2.1.197).
pub(super) fn settings() -> Value {
    json!({ "disableAutoMode": "disable" })
}

/// The agent's permission mode for a mode.
pub(super) fn permission_mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Plan => "plan",
        Mode::Build => BUILD,
    }
}

/// Whether what the agent asks is allowed by the access, so that nobody is asked. What a planning
/// agent asks is left to a person whatever the access: it is to look only. Questions and plans are
/// for people, and never come here.
pub(super) fn allows(access: Access, planning: bool, plain_edit: bool) -> bool {
    match access {
        _ if planning => false,
        Access::Supervised => false,
        Access::AutoEdit => plain_edit,
        Access::Full => true,
    }
}

/// Whether a tool changes files.
pub(super) fn is_edit(tool: &str) -> bool {
    matches!(tool, "Write" | "Edit" | "MultiEdit" | "NotebookEdit")
}

/// The file that a tool which changes files is to change.
pub(super) fn edited(input: &Value) -> Option<&str> {
    let path = |name: &&str| input.get(*name).and_then(Value::as_str).filter(|p| !p.is_empty());
    ["file_path", "notebook_path"].iter().find_map(path)
}

/// Whether a request is about a change of a file that `acceptEdits` would let happen: so it says of
/// a file in the workspace, links followed. About one outside it gives the reason and suggests to add
/// the directory, about `.git` and some others the reason `safetyCheck` (2.1.197). What steers other
/// agents (`.codex`, `kilo.json`) is none of those, so that is looked at here, by the path's words;
/// whether it leads there by a link is to be looked up on the disk.
pub(super) fn is_plain_edit(tool: &str, request: &Value, workspace: &str) -> bool {
    let input = request.get("input").unwrap_or(&Value::Null);
    let Some(path) = edited(input).map(Path::new) else { return false };
    // A path that is spelled in another way is left to the look at the disk.
    let inside = path.strip_prefix(workspace).unwrap_or(Path::new(""));
    let silent = |name: &str| request.get(name).is_none_or(Value::is_null);
    let suggested = request.get("permission_suggestions").and_then(Value::as_array);
    let suggested = suggested.map(Vec::as_slice).unwrap_or_default();
    let is = |suggestion: &Value, name: &str, value: &str| {
        suggestion.get(name).and_then(Value::as_str) == Some(value)
    };
    is_edit(tool)
        && !steers(inside)
        && silent("decision_reason_type")
        && silent("blocked_path")
        && !suggested.is_empty()
        && suggested.iter().all(|s| is(s, "type", "setMode") && is(s, "mode", "acceptEdits"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_the_agent_says_is_a_change_in_the_workspace_counts_as_one() {
        let mode = json!({ "type": "setMode", "mode": "acceptEdits", "destination": "session" });
        let add = json!({ "type": "addDirectories", "directories": ["/out"] });
        let of = |path: &str, mut request: Value| {
            request["input"] = json!({ "file_path": path });
            request
        };
        let plain = |tool: &str, request: &Value| is_plain_edit(tool, request, "/w/.claude/p");
        let inside = || json!({ "permission_suggestions": [mode] });
        assert!(plain("Write", &of("/w/.claude/p/a", inside())));
        assert!(!plain("Bash", &of("/w/.claude/p/a", inside())));
        assert!(!plain("Write", &inside()), "no file is named");
        for other in [
            json!({ "permission_suggestions": [mode, add] }),
            json!({ "permission_suggestions": [mode], "decision_reason_type": "safetyCheck" }),
            json!({ "permission_suggestions": [mode], "blocked_path": "/out/a" }),
            json!({ "permission_suggestions": [] }),
            json!({}),
        ] {
            assert!(!plain("Write", &of("/w/.claude/p/a", other.clone())), "{other}");
        }
        for steering in [".codex/config.toml", "sub/.Kilo/x", ".mcp.json", "kilo.jsonc"] {
            let path = format!("/w/.claude/p/{steering}");
            assert!(!plain("Edit", &of(&path, inside())), "{steering}");
        }
    }

    #[test]
    fn nothing_is_allowed_by_itself_while_the_agent_plans() {
        for access in [Access::Supervised, Access::AutoEdit, Access::Full] {
            assert!(!allows(access, true, true), "{access:?}");
        }
        assert!(!allows(Access::Supervised, false, true));
        assert!(allows(Access::AutoEdit, false, true) && !allows(Access::AutoEdit, false, false));
        assert!(allows(Access::Full, false, false));
    }
}
