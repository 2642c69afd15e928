//! Claude Code's tools as items.

use domain::{FileChangeKind, ItemContent, Todo, TodoStatus, Usage};
use serde_json::Value;

use super::answer::text;
use crate::shared::shorten::bound;

/// Prefix of the tools of MCP servers: `mcp__<server>__<tool>`.
const MCP: &str = "mcp__";

/// What a tool gave back.
pub(super) struct Outcome<'a> {
    pub(super) failed: bool,
    /// What the model is told.
    pub(super) said: &'a str,
    /// The same for programs; absent in sub-agents, a string when it failed.
    pub(super) structured: &'a Value,
}

/// What a call is as an item before it gave anything back.
pub(super) fn content(name: &str, input: &Value, workspace: &str) -> ItemContent {
    let get = |field: &str| text(input, field).to_owned();
    let some = |field: &str| Some(get(field)).filter(|value| !value.is_empty());
    let path = |field: &str| relative(text(input, field), workspace);
    let mut content = match name {
        "Bash" => ItemContent::Command {
            command: get("command"),
            description: some("description"),
            cwd: None,
            exit_code: None,
        },
        "Write" | "Edit" | "MultiEdit" => change(path("file_path"), FileChangeKind::Edited),
        "NotebookEdit" => change(path("notebook_path"), FileChangeKind::Edited),
        "Read" => ItemContent::Read { path: path("file_path") },
        "LS" => ItemContent::Read { path: path("path") },
        "Glob" | "Grep" => ItemContent::Search {
            query: get("pattern"),
            path: some("path").map(|p| relative(&p, workspace)).filter(|p| !p.is_empty()),
            matches: None,
        },
        "WebFetch" => ItemContent::Web { target: get("url") },
        "WebSearch" | "web_search" => ItemContent::Web { target: get("query") },
        "Task" | "Agent" => ItemContent::SubAgent {
            agent: some("subagent_type").unwrap_or_else(|| "general-purpose".to_owned()),
            task: get("description"),
            session: None,
            steps: 0,
            usage: Usage::default(),
            waiting: false,
            phase: None,
        },
        "TodoWrite" => ItemContent::TodoList { todos: todos(input.get("todos")) },
        "TaskCreate" | "TaskUpdate" => ItemContent::TodoList { todos: Vec::new() },
        "AskUserQuestion" => ItemContent::Question {
            title: input
                .get("questions")
                .and_then(|questions| questions.get(0))
                .map(|question| text(question, "question").to_owned())
                .unwrap_or_default(),
        },
        "ExitPlanMode" => ItemContent::Plan { path: some("planFilePath") },
        name => generic(name, input),
    };
    bound(&mut content);
    content
}

fn change(path: String, change: FileChangeKind) -> ItemContent {
    ItemContent::FileChange { path, change, additions: 0, deletions: 0 }
}

fn generic(name: &str, input: &Value) -> ItemContent {
    let given = pretty(input);
    match server(name) {
        Some((server, tool)) => {
            ItemContent::McpCall { server: server.to_owned(), tool: tool.to_owned(), input: given }
        }
        None => ItemContent::Tool {
            name: name.to_owned(),
            title: Some(text(input, "description").to_owned()).filter(|title| !title.is_empty()),
            input: given,
        },
    }
}

/// The server and the tool that the name of an MCP server's tool means.
pub(super) fn server(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(MCP)?.split_once("__").filter(|(server, _)| !server.is_empty())
}

/// Whether a tool changes the list of what is to be done.
pub(super) fn is_todo(name: &str) -> bool {
    matches!(name, "TaskCreate" | "TaskUpdate")
}

/// What a call is, and the long text of it, once it gave something back.
pub(super) fn done(
    name: &str,
    input: &Value,
    before: &ItemContent,
    outcome: &Outcome<'_>,
    workspace: &str,
) -> (ItemContent, Option<String>) {
    let structured = outcome.structured;
    let said = outcome.said;
    let mut content = before.clone();
    let body = match &mut content {
        ItemContent::Command { exit_code, .. } => {
            let (code, output) = output(outcome);
            *exit_code = code;
            Some(output)
        }
        // Why it failed is told as its error.
        ItemContent::FileChange { .. } if outcome.failed => None,
        ItemContent::FileChange { path, change, additions, deletions } => {
            let file = text(structured, "filePath");
            if !file.is_empty() {
                *path = relative(file, workspace);
            }
            if text(structured, "type") == "create" {
                *change = FileChangeKind::Created;
            }
            let diff = diff(name, input, structured, path);
            (*additions, *deletions) = lines(&diff);
            Some(diff)
        }
        ItemContent::Read { .. } => {
            let file = structured.get("file").unwrap_or(&Value::Null);
            let read = Some(text(file, "content")).filter(|read| !read.is_empty());
            Some(read.unwrap_or(said).to_owned())
        }
        ItemContent::Search { matches, .. } => {
            let count = |name: &str| structured.get(name).and_then(Value::as_u64);
            *matches = count("numMatches").or_else(|| count("numFiles"));
            Some(said.to_owned())
        }
        ItemContent::SubAgent { steps, usage, session, .. } => {
            let count = |name: &str| structured.get(name).and_then(Value::as_u64);
            if let Some(calls) = count("totalToolUseCount") {
                *steps = u32::try_from(calls).unwrap_or(u32::MAX);
            }
            if let Some(used) = structured.get("usage") {
                *usage = super::answer::usage(used);
            }
            *session = Some(text(structured, "agentId").to_owned()).filter(|id| !id.is_empty());
            let own = structured.get("content").map(self::said).filter(|own| !own.is_empty());
            Some(own.unwrap_or_else(|| said.to_owned()))
        }
        ItemContent::TodoList { todos: list } => {
            if let Some(new) = structured.get("newTodos") {
                *list = todos(Some(new));
            }
            None
        }
        ItemContent::Question { .. } => Some(answers(structured)),
        ItemContent::Plan { path } => {
            let file = text(structured, "filePath");
            if !file.is_empty() {
                *path = Some(file.to_owned());
            }
            // The text of the plan is what was asked about.
            None
        }
        _ => Some(said.to_owned()),
    };
    bound(&mut content);
    (content, body)
}

/// A command's exit code and what it wrote. Of one that failed, only the text for the model says
/// it: `Exit code 3`, then what it wrote (2.1.197).
fn output(outcome: &Outcome<'_>) -> (Option<i32>, String) {
    let structured = outcome.structured;
    if structured.is_object() {
        let parts = [text(structured, "stdout"), text(structured, "stderr")];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let stopped = structured.get("interrupted").and_then(Value::as_bool).unwrap_or_default();
        let background = structured.get("backgroundTaskId").is_some_and(Value::is_string);
        let ended = !stopped && !background && !outcome.failed;
        let output = if parts.is_empty() && background { outcome.said } else { &parts.join("\n") };
        return (ended.then_some(0), output.to_owned());
    }
    let first = outcome.said.lines().next().unwrap_or_default();
    let code = first.strip_prefix("Exit code ").and_then(|code| code.trim().parse().ok());
    match code {
        Some(code) => {
            let rest = outcome.said.split_once('\n').map(|(_, rest)| rest).unwrap_or_default();
            (Some(code), rest.to_owned())
        }
        None if outcome.failed => (None, String::new()),
        // In a sub-agent there is nothing but the text.
        None => (Some(0), outcome.said.to_owned()),
    }
}

/// A unified diff of what was changed.
fn diff(name: &str, input: &Value, structured: &Value, path: &str) -> String {
    let hunks = structured.get("structuredPatch").and_then(Value::as_array);
    let hunks = hunks.map(Vec::as_slice).unwrap_or_default();
    if hunks.is_empty() {
        return expected(name, input, path).unwrap_or_default();
    }
    let created = text(structured, "type") == "create";
    let mut diff = header(path, created);
    for hunk in hunks {
        let number = |name: &str| hunk.get(name).and_then(Value::as_u64).unwrap_or_default();
        diff.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            number("oldStart"),
            number("oldLines"),
            number("newStart"),
            number("newLines")
        ));
        for line in hunk.get("lines").and_then(Value::as_array).into_iter().flatten() {
            diff.push_str(line.as_str().unwrap_or_default());
            diff.push('\n');
        }
    }
    diff
}

/// A diff of what a call will change, as far as its input says it.
pub(super) fn expected(name: &str, input: &Value, path: &str) -> Option<String> {
    let (created, changes) = match name {
        "Write" => (true, vec![(String::new(), text(input, "content").to_owned())]),
        "Edit" => (false, vec![replacement(input)]),
        "MultiEdit" => {
            let edits = input.get("edits").and_then(Value::as_array)?;
            (false, edits.iter().map(replacement).collect())
        }
        "NotebookEdit" => (false, vec![(String::new(), text(input, "new_source").to_owned())]),
        _ => return None,
    };
    let mut diff = header(path, created);
    for (old, new) in changes {
        let (removed, added) = (old.lines().count(), new.lines().count());
        let at = |count: usize| usize::from(count > 0);
        diff.push_str(&format!("@@ -{},{removed} +{},{added} @@\n", at(removed), at(added)));
        old.lines().for_each(|line| diff.push_str(&format!("-{line}\n")));
        new.lines().for_each(|line| diff.push_str(&format!("+{line}\n")));
    }
    Some(diff)
}

fn replacement(edit: &Value) -> (String, String) {
    (text(edit, "old_string").to_owned(), text(edit, "new_string").to_owned())
}

fn header(path: &str, created: bool) -> String {
    let before = if created { "/dev/null".to_owned() } else { format!("a/{path}") };
    format!("--- {before}\n+++ b/{path}\n")
}

/// Lines added and removed by a unified diff.
pub(super) fn lines(diff: &str) -> (u32, u32) {
    let counted = |mark: char, header: &str| {
        let hit = |line: &&str| line.starts_with(mark) && !line.starts_with(header);
        u32::try_from(diff.lines().filter(hit).count()).unwrap_or(u32::MAX)
    };
    (counted('+', "+++ "), counted('-', "--- "))
}

pub(super) fn todos(list: Option<&Value>) -> Vec<Todo> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|todo| Todo {
            text: text(todo, "content").to_owned(),
            status: todo_status(text(todo, "status")),
        })
        .collect()
}

pub(super) fn todo_status(status: &str) -> TodoStatus {
    match status {
        "in_progress" => TodoStatus::InProgress,
        "completed" => TodoStatus::Completed,
        "cancelled" => TodoStatus::Cancelled,
        _ => TodoStatus::Pending,
    }
}

/// The answers to questions, one a line.
fn answers(structured: &Value) -> String {
    let answers = structured.get("answers").unwrap_or(&Value::Null);
    let asked = structured.get("questions").and_then(Value::as_array);
    let lines = asked.into_iter().flatten().map(|asked| text(answers, text(asked, "question")));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first of these fields that names something, whether as text or as a number.
pub(super) fn named(input: &Value, fields: &[&str]) -> String {
    let value = fields.iter().find_map(|field| input.get(field));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The text of a message's or a result's content, which is text or blocks.
pub(super) fn said(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let line = |block: &Value| match text(block, "type") {
                "text" => Some(text(block, "text").to_owned()),
                "image" => Some("[image]".to_owned()),
                _ => None,
            };
            blocks.iter().filter_map(line).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// A path as seen from the workspace.
pub(super) fn relative(path: &str, workspace: &str) -> String {
    let inside = path.strip_prefix(workspace).and_then(|rest| rest.strip_prefix('/'));
    inside.unwrap_or(path).to_owned()
}

pub(super) fn pretty(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}
