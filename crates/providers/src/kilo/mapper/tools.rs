//! Kilo's tools as items.

use domain::{
    FileChangeKind, FullText, ItemContent, ItemStatus, ItemUpdate, Todo, TodoStatus, Usage,
};
use kilo_sdk::types::{ToolPart, ToolState, ToolStatus};
use serde_json::Value;

use super::Servers;
use crate::shared::shorten::{MAX_TEXT, bound, cut};

/// What a tool call is as an item. `key` is the part's id, `plan` the text of the plan file when
/// the tool is the one that ends a plan.
pub(super) fn item(
    key: String,
    parent: Option<String>,
    tool: &ToolPart,
    (workspace, servers): (&str, &Servers),
    declined: bool,
    plan: Option<&str>,
) -> ItemUpdate {
    let state = &tool.state;
    let mut content = content(tool, workspace, servers);
    bound(&mut content);
    let early = cut_short(&content, state);
    let status = match &state.status {
        ToolStatus::Pending | ToolStatus::Running | ToolStatus::Other(_) => ItemStatus::Running,
        ToolStatus::Completed if dismissed(state) => ItemStatus::Declined,
        ToolStatus::Completed if early.is_some() => ItemStatus::Failed,
        ToolStatus::Completed => ItemStatus::Done,
        ToolStatus::Error if declined => ItemStatus::Declined,
        ToolStatus::Error => ItemStatus::Failed,
    };
    let body = body(&content, state, plan);
    let error = state.error.as_deref().filter(|_| state.status == ToolStatus::Error);
    ItemUpdate {
        key,
        parent,
        status,
        error: error.or(early.as_deref()).map(|error| cut(error, MAX_TEXT)),
        body: (!body.is_empty()).then(|| FullText::new(body)),
        content,
    }
}

fn content(tool: &ToolPart, workspace: &str, servers: &Servers) -> ItemContent {
    let state = &tool.state;
    let input = |name: &str| text(&state.input, name);
    let path = |name: &str| relative(&input(name).unwrap_or_default(), workspace);
    match tool.tool.as_str() {
        "bash" => ItemContent::Command {
            // What is no JSON comes as it was written, under this name.
            command: input("command").or_else(|| input("value")).unwrap_or_default(),
            description: input("description").filter(|d| !d.is_empty()),
            cwd: input("workdir").filter(|d| d != workspace),
            exit_code: meta_i32(state, "exit"),
        },
        "edit" | "write" | "multiedit" | "patch" | "apply_patch" => file_change(tool, workspace),
        "read" => ItemContent::Read { path: path("filePath") },
        "list" => ItemContent::Read { path: path("path") },
        "glob" | "grep" => ItemContent::Search {
            query: input("pattern").unwrap_or_default(),
            path: input("path").map(|p| relative(&p, workspace)).filter(|p| !p.is_empty()),
            matches: state
                .metadata
                .get("matches")
                .or(state.metadata.get("count"))
                .and_then(Value::as_u64),
        },
        "semantic_search" | "codesearch" => ItemContent::Search {
            query: input("query").unwrap_or_default(),
            path: None,
            matches: None,
        },
        "webfetch" => ItemContent::Web { target: input("url").unwrap_or_default() },
        "websearch" => ItemContent::Web { target: input("query").unwrap_or_default() },
        "task" => ItemContent::SubAgent {
            agent: input("subagent_type").unwrap_or_default(),
            task: input("description").unwrap_or_default(),
            session: text(&Value::Object(state.metadata.clone()), "sessionId"),
            steps: 0,
            usage: Usage::default(),
            waiting: false,
            phase: None,
        },
        "todowrite" => ItemContent::TodoList { todos: todos(state) },
        "question" => ItemContent::Question { title: question_title(state) },
        "plan_exit" => ItemContent::Plan { path: plan_path(state) },
        name => generic(name, state, servers),
    }
}

fn generic(name: &str, state: &ToolState, servers: &Servers) -> ItemContent {
    let input = pretty(&state.input);
    match servers.split(name) {
        Some((server, tool)) => {
            ItemContent::McpCall { server: server.to_owned(), tool: tool.to_owned(), input }
        }
        None => ItemContent::Tool {
            name: name.to_owned(),
            title: state.title.clone().filter(|t| !t.is_empty() && t != name),
            input,
        },
    }
}

fn file_change(tool: &ToolPart, workspace: &str) -> ItemContent {
    let state = &tool.state;
    let diff = state.metadata.get("filediff");
    let number = |name: &str| diff.and_then(|d| d.get(name)).and_then(Value::as_f64).map(count);
    let files = state.metadata.get("files").and_then(Value::as_array);
    let file = diff
        .and_then(|d| d.get("file"))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or_else(|| text(&state.input, "filePath"))
        .or_else(|| text(&state.input, "path"));
    let path = match (file, files) {
        (Some(file), _) => relative(&file, workspace),
        (None, Some(files)) => several(files, workspace),
        (None, None) => String::new(),
    };
    let unified = text(&Value::Object(state.metadata.clone()), "diff").unwrap_or_default();
    let (added, removed) = lines(&unified);
    let exists = state.metadata.get("exists").and_then(Value::as_bool);
    ItemContent::FileChange {
        path,
        change: match (tool.tool.as_str(), exists) {
            ("write", Some(false)) => FileChangeKind::Created,
            _ => FileChangeKind::Edited,
        },
        additions: number("additions").unwrap_or(added),
        deletions: number("deletions").unwrap_or(removed),
    }
}

/// The paths of a patch to several files, as one line.
fn several(files: &[Value], workspace: &str) -> String {
    let name = |file: &Value| {
        let path = file.as_str().map(str::to_owned);
        let path = path.or_else(|| text(file, "relativePath")).or_else(|| text(file, "filePath"));
        path.map(|p| relative(&p, workspace))
    };
    files.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

fn body(content: &ItemContent, state: &ToolState, plan: Option<&str>) -> String {
    let meta = |name: &str| state.metadata.get(name).and_then(Value::as_str);
    let output = state.output.as_deref().or(meta("output")).unwrap_or_default();
    match content {
        ItemContent::FileChange { .. } => {
            let patch = state.metadata.get("filediff").and_then(|d| d.get("patch"));
            meta("diff").or(patch.and_then(Value::as_str)).unwrap_or_default().to_owned()
        }
        ItemContent::Plan { .. } => plan.unwrap_or_default().to_owned(),
        ItemContent::Command { .. } => said_by_shell(output).0.to_owned(),
        ItemContent::Read { .. } => {
            let shown = state.metadata.get("display").and_then(|d| d.get("text"));
            shown.and_then(Value::as_str).unwrap_or(output).to_owned()
        }
        ItemContent::SubAgent { .. } => task_result(output).to_owned(),
        ItemContent::TodoList { .. } => String::new(),
        ItemContent::Question { .. } => answers(state),
        _ => output.to_owned(),
    }
}

/// Why a command that counts as completed did not end by itself: it was stopped, or took too long.
fn cut_short(content: &ItemContent, state: &ToolState) -> Option<String> {
    let ended = *state.metadata.get("exit")? != Value::Null;
    if ended || !matches!(content, ItemContent::Command { .. }) {
        return None;
    }
    let why = said_by_shell(state.output.as_deref().unwrap_or_default()).1;
    let why = why.filter(|why| !why.is_empty()).unwrap_or("it was stopped before it ended");
    (state.status == ToolStatus::Completed).then(|| why.to_owned())
}

/// Whether a question was left unanswered on purpose.
fn dismissed(state: &ToolState) -> bool {
    state.metadata.get("dismissed").and_then(Value::as_bool).unwrap_or_default()
}

/// What a command wrote, and what Kilo's shell tool adds to it for the model.
fn said_by_shell(output: &str) -> (&str, Option<&str>) {
    let added = output.trim_end().strip_suffix("</shell_metadata>");
    match added.and_then(|all| all.rsplit_once("<shell_metadata>")) {
        Some((written, added)) => {
            (written.strip_suffix("\n\n").unwrap_or(written), Some(added.trim()))
        }
        None => (output, None),
    }
}

/// A sub-agent's last words, without what wraps them for the model.
fn task_result(output: &str) -> &str {
    let inner = output.split_once("<task_result>\n").map(|(_, rest)| rest);
    inner.and_then(|rest| rest.rsplit_once("\n</task_result>")).map_or(output, |(said, _)| said)
}

/// The plan file a finished `plan_exit` names, relative to the session's directory.
pub(super) fn plan_path(state: &ToolState) -> Option<String> {
    state.metadata.get("plan").and_then(Value::as_str).map(str::to_owned)
}

fn todos(state: &ToolState) -> Vec<Todo> {
    let list = state.metadata.get("todos").or_else(|| state.input.get("todos"));
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|todo| Todo {
            text: text(todo, "content").unwrap_or_default(),
            status: match todo.get("status").and_then(Value::as_str) {
                Some("in_progress") => TodoStatus::InProgress,
                Some("completed") => TodoStatus::Completed,
                Some("cancelled") => TodoStatus::Cancelled,
                _ => TodoStatus::Pending,
            },
        })
        .collect()
}

fn question_title(state: &ToolState) -> String {
    let first = state.input.get("questions").and_then(|q| q.get(0));
    first.and_then(|q| text(q, "question")).unwrap_or_default()
}

fn answers(state: &ToolState) -> String {
    let answers = state.metadata.get("answers").and_then(Value::as_array);
    let line = |answer: &Value| match answer {
        Value::Array(labels) => {
            labels.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let lines = answers.map(|a| a.iter().map(line).collect::<Vec<_>>().join("\n"));
    lines.unwrap_or_default()
}

/// A path as seen from the workspace.
pub(super) fn relative(path: &str, workspace: &str) -> String {
    let inside = path.strip_prefix(workspace).and_then(|rest| rest.strip_prefix('/'));
    inside.unwrap_or(path).to_owned()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn meta_i32(state: &ToolState, name: &str) -> Option<i32> {
    state.metadata.get(name).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}

fn pretty(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// Lines added and removed by a unified diff.
pub(super) fn lines(diff: &str) -> (u32, u32) {
    let counted = |mark: char, header: &str| {
        let hit = |line: &&str| line.starts_with(mark) && !line.starts_with(header);
        u32::try_from(diff.lines().filter(hit).count()).unwrap_or(u32::MAX)
    };
    (counted('+', "+++ "), counted('-', "--- "))
}

/// A count that Kilo sends as a JSON number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub(super) fn count(number: f64) -> u32 {
    number.clamp(0.0, f64::from(u32::MAX)) as u32
}
