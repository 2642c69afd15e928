//! What an item of Codex is in Baton's words.

use std::path::Path;

use codex_sdk::types::{Change, Command, Item, ItemBody, McpCall, WebSearch};
use domain::{FileChangeKind, FullText, ItemContent, ItemStatus, ItemUpdate};
use serde_json::Value;

/// What stands between the parts of reasoning.
pub(super) const BETWEEN: &str = "\n\n";
/// What the names of messages begin with that are said to Codex beside a turn's own.
pub(in crate::codex) const REMARK: &str = "remark:";
/// What the names of messages begin with that have a plan built.
pub(in crate::codex) const GO_ON: &str = "plan:";

/// Our name of an item: Codex's ids come from the model's provider, and so are unique in no more
/// than a turn.
pub(super) fn key(native: &str, item: &str) -> String {
    format!("{native}/{item}")
}

/// The text of an item that is text, as far as it is there.
pub(super) fn text(item: &Item) -> Option<String> {
    match &item.body {
        ItemBody::AgentMessage(message) => Some(message.text.clone()),
        ItemBody::Reasoning { summary, content } => {
            let parts = if summary.is_empty() { content } else { summary };
            Some(parts.join(BETWEEN))
        }
        ItemBody::Plan { text } => Some(text.clone()),
        ItemBody::UserMessage { .. }
        | ItemBody::Command(_)
        | ItemBody::FileChange { .. }
        | ItemBody::Mcp(_)
        | ItemBody::WebSearch(_)
        | ItemBody::Collab(_)
        | ItemBody::SubAgent(_)
        | ItemBody::ImageView { .. }
        | ItemBody::Compaction
        | ItemBody::Other(_) => None,
    }
}

/// An item as Baton has it: one for each file of a change of files, none for what is shown in
/// another way.
pub(super) fn updates(
    native: &str,
    item: &Item,
    parent: Option<&str>,
    workspace: &Path,
    ended: bool,
) -> Vec<ItemUpdate> {
    let name = key(native, &item.id);
    let plain = if ended { ItemStatus::Done } else { ItemStatus::Running };
    let one = |status, content, body: Option<String>| {
        vec![ItemUpdate {
            key: name.clone(),
            parent: parent.map(str::to_owned),
            status,
            content,
            body: body.map(FullText::new),
            error: None,
        }]
    };
    match &item.body {
        // A person's message begins the turn; one amid it is told by whoever sent it.
        ItemBody::UserMessage { .. } | ItemBody::SubAgent(_) => Vec::new(),
        ItemBody::AgentMessage(_) => one(plain, ItemContent::AgentMessage, text(item)),
        ItemBody::Reasoning { .. } => {
            let thought = text(item).unwrap_or_default();
            if ended && thought.trim().is_empty() {
                // Most models keep their reasoning to themselves; an empty entry says nothing.
                return Vec::new();
            }
            if !ended && thought.is_empty() {
                return one(plain, ItemContent::Reasoning, None);
            }
            one(plain, ItemContent::Reasoning, Some(thought))
        }
        ItemBody::Plan { .. } => one(plain, ItemContent::Plan { path: None }, text(item)),
        ItemBody::Command(command) => {
            let body = command.aggregated_output.clone();
            one(status_of_command(command), command_content(command, workspace), body)
        }
        ItemBody::FileChange { changes, status } => {
            let status = status_of(status);
            changes
                .iter()
                .enumerate()
                .map(|(index, change)| ItemUpdate {
                    key: if index == 0 { name.clone() } else { format!("{name}#{index}") },
                    parent: parent.map(str::to_owned),
                    status,
                    content: change_content(change, workspace),
                    body: Some(FullText::new(unified(change, workspace))),
                    error: None,
                })
                .collect()
        }
        ItemBody::Mcp(call) => {
            let mut told = one(status_of(&call.status), mcp_content(call), mcp_output(call));
            if let Some(update) = told.first_mut() {
                update.error = call.error.get("message").and_then(Value::as_str).map(str::to_owned);
            }
            told
        }
        ItemBody::WebSearch(search) => {
            one(plain, ItemContent::Web { target: web_target(search) }, None)
        }
        // Starting one is shown as the sub-agent itself.
        ItemBody::Collab(call) if call.tool == "spawnAgent" => Vec::new(),
        ItemBody::Collab(call) => {
            let content = ItemContent::Tool {
                name: call.tool.clone(),
                title: call.prompt.clone(),
                input: Value::from(call.receiver_thread_ids.clone()).to_string(),
            };
            one(status_of(&call.status), content, None)
        }
        ItemBody::ImageView { path } => {
            one(plain, ItemContent::Read { path: relative(path, workspace) }, None)
        }
        ItemBody::Compaction => one(plain, ItemContent::Compaction { automatic: true }, None),
        ItemBody::Other(value) => {
            let status = value.get("status").and_then(Value::as_str);
            let status = status.map_or(plain, status_of);
            let status = if ended && status.is_open() { ItemStatus::Done } else { status };
            let content = ItemContent::Tool {
                name: item.kind.clone(),
                title: None,
                input: value.to_string(),
            };
            one(status, content, None)
        }
    }
}

fn status_of(word: &str) -> ItemStatus {
    match word {
        "inProgress" => ItemStatus::Running,
        "failed" | "interrupted" => ItemStatus::Failed,
        "declined" => ItemStatus::Declined,
        _ => ItemStatus::Done,
    }
}

/// A command that ended by itself has done what it was to do, whatever its exit code says; Codex
/// calls one with another code than 0 failed.
fn status_of_command(command: &Command) -> ItemStatus {
    match (command.status.as_str(), command.exit_code) {
        ("failed", Some(0..)) => ItemStatus::Done,
        (word, _) => status_of(word),
    }
}

fn command_content(command: &Command, workspace: &Path) -> ItemContent {
    if let [action] = command.command_actions.as_slice()
        && unwrapped(&command.command) == action.command
    {
        match (action.kind.as_str(), &action.path, &action.query) {
            ("read", Some(path), _) => {
                return ItemContent::Read { path: relative(path, workspace) };
            }
            ("search", path, Some(query)) => {
                return ItemContent::Search {
                    query: query.clone(),
                    path: path.as_deref().map(|path| relative(path, workspace)),
                    matches: None,
                };
            }
            _ => {}
        }
    }
    let elsewhere = !command.cwd.is_empty() && Path::new(&command.cwd) != workspace;
    ItemContent::Command {
        command: unwrapped(&command.command),
        description: None,
        cwd: elsewhere.then(|| relative(&command.cwd, workspace)),
        exit_code: command.exit_code.filter(|code| *code >= 0),
    }
}

/// The command within the shell that Codex runs it by (`/bin/bash -lc '…'`); what is wrapped in
/// another way is left as it is.
pub(super) fn unwrapped(command: &str) -> String {
    let inner = [" -lc ", " -c "].iter().find_map(|flag| {
        let (shell, rest) = command.split_once(flag)?;
        (!shell.contains(char::is_whitespace)).then_some(rest)
    });
    let Some(inner) = inner else { return command.to_owned() };
    let quoted = |quote: char| inner.strip_prefix(quote).and_then(|i| i.strip_suffix(quote));
    if let Some(plain) = quoted('\'') {
        // Within single quotes nothing but a quote has to be taken out of them.
        let rest = plain.replace("'\\''", "").replace("'\"'\"'", "");
        if rest.contains('\'') {
            return command.to_owned();
        }
        return plain.replace("'\\''", "'").replace("'\"'\"'", "'");
    }
    if let Some(text) = quoted('"') {
        return unescaped(text).unwrap_or_else(|| command.to_owned());
    }
    if inner.contains(['\'', '"', '\\', ' ']) { command.to_owned() } else { inner.to_owned() }
}

/// The text within double quotes; `None` when the quotes end before it does.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                escaped @ ('"' | '\\' | '$' | '`') => out.push(escaped),
                other => out.extend(['\\', other]),
            },
            '"' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

fn change_content(change: &Change, workspace: &Path) -> ItemContent {
    let (additions, deletions) = count(change);
    let kind = match change.kind.kind.as_str() {
        "add" => FileChangeKind::Created,
        "delete" => FileChangeKind::Deleted,
        _ => FileChangeKind::Edited,
    };
    let path = relative(&change.path, workspace);
    let path = match &change.kind.move_path {
        Some(to) => format!("{path} → {}", relative(to, workspace)),
        None => path,
    };
    ItemContent::FileChange { path, change: kind, additions, deletions }
}

/// Lines added and removed.
fn count(change: &Change) -> (u32, u32) {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let lines = || change.diff.lines();
    match change.kind.kind.as_str() {
        "add" => (number(lines().count()), 0),
        "delete" => (0, number(lines().count())),
        _ => {
            let with = |sign: char| number(lines().filter(|line| line.starts_with(sign)).count());
            (with('+'), with('-'))
        }
    }
}

/// A change as a unified diff: of a new or deleted file Codex tells the content alone, of another
/// one the hunks without their header (0.169.0).
pub(super) fn unified(change: &Change, workspace: &Path) -> String {
    let path = relative(&change.path, workspace);
    let whole = |sign: char| {
        let lines: Vec<String> = change.diff.lines().map(|line| format!("{sign}{line}")).collect();
        (lines.len(), lines.join("\n"))
    };
    match change.kind.kind.as_str() {
        "add" => {
            let (count, lines) = whole('+');
            format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{count} @@\n{lines}\n")
        }
        "delete" => {
            let (count, lines) = whole('-');
            format!("--- a/{path}\n+++ /dev/null\n@@ -1,{count} +0,0 @@\n{lines}\n")
        }
        _ => {
            let to = change
                .kind
                .move_path
                .as_deref()
                .map_or_else(|| path.clone(), |to| relative(to, workspace));
            format!("--- a/{path}\n+++ b/{to}\n{}", change.diff)
        }
    }
}

fn mcp_content(call: &McpCall) -> ItemContent {
    ItemContent::McpCall {
        server: call.server.clone(),
        tool: call.tool.clone(),
        input: if call.arguments.is_null() { String::new() } else { call.arguments.to_string() },
    }
}

/// What a tool gave: its texts, else its JSON.
fn mcp_output(call: &McpCall) -> Option<String> {
    if call.result.is_null() {
        return None;
    }
    let parts = call.result.get("content").and_then(Value::as_array);
    let texts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect();
    Some(if texts.is_empty() { call.result.to_string() } else { texts.join("\n") })
}

fn web_target(search: &WebSearch) -> String {
    let of = |name: &str| search.action.get(name).and_then(Value::as_str);
    let target = of("url").or_else(|| of("query")).unwrap_or(&search.query);
    target.to_owned()
}

/// A path relative to the workspace, where it lies inside.
pub(super) fn relative(path: &str, workspace: &Path) -> String {
    match Path::new(path).strip_prefix(workspace) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => inside.to_string_lossy().into_owned(),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shell_s_wrapping_is_taken_off_where_that_is_safe() {
        for (wrapped, command) in [
            ("/bin/bash -lc 'echo hi; touch a'", "echo hi; touch a"),
            ("/bin/bash -lc ls", "ls"),
            (r"/bin/bash -lc 'echo '\''a'\'''", "echo 'a'"),
            (r#"/bin/zsh -lc "echo \"a\" \$b 'c'""#, r#"echo "a" $b 'c'"#),
            ("rm -rf a", "rm -rf a"),
            ("git -c 'x' status", "git -c 'x' status"),
            ("/bin/bash -lc 'a' 'b'", "/bin/bash -lc 'a' 'b'"),
            (r#"/bin/bash -lc "a" "b""#, r#"/bin/bash -lc "a" "b""#),
            ("/bin/bash -lc a b", "/bin/bash -lc a b"),
        ] {
            assert_eq!(unwrapped(wrapped), command, "{wrapped}");
        }
    }

    #[test]
    fn changes_of_files_become_unified_diffs() {
        let change = |kind: &str, diff: &str| {
            serde_json::from_value::<Change>(
                json!({"path": "/w/a.txt", "kind": {"type": kind}, "diff": diff}),
            )
            .unwrap()
        };
        let workspace = Path::new("/w");
        assert_eq!(
            unified(&change("add", "one\ntwo\n"), workspace),
            "--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"
        );
        assert_eq!(
            unified(&change("update", "@@ -1,1 +1,1 @@\n-one\n+ONE\n"), workspace),
            "--- a/a.txt\n+++ b/a.txt\n@@ -1,1 +1,1 @@\n-one\n+ONE\n"
        );
        assert_eq!(count(&change("update", "@@ -1,1 +1,2 @@\n-one\n+ONE\n+two\n")), (2, 1));
        assert_eq!(count(&change("delete", "one\n")), (0, 1));
    }

    #[test]
    fn a_command_is_shown_as_a_look_only_when_it_is_nothing_else() {
        let content = |command: &str, actions: Value| {
            let command: Command = serde_json::from_value(
                json!({"command": command, "cwd": "/w", "commandActions": actions}),
            )
            .unwrap();
            command_content(&command, Path::new("/w"))
        };
        let read = json!([{"type": "read", "command": "cat a", "path": "/w/a"}]);
        assert_eq!(
            content("/bin/bash -lc 'cat a'", read.clone()),
            ItemContent::Read { path: "a".to_owned() }
        );
        // Codex leaves out of its actions what it takes to be of no interest.
        let more = content("/bin/bash -lc 'echo a && cat a'", read);
        assert!(matches!(more, ItemContent::Command { .. }), "{more:?}");
    }
}
