//! What Kilo asks, as requests.

use domain::{Approval, ApprovalKind, Choice, Decision, Question, QuestionOption, RequestBody};
use kilo_sdk::types::{
    NetworkWait, PermissionRequest, Question as Asked, QuestionRequest, ToolPart,
};
use serde_json::Value;

use super::Servers;
use super::tools::relative;
use crate::shared::shorten::{MAX_COMMAND, MAX_DIFF, MAX_LISTED, MAX_TEXT, cut, line, listed};

/// Kilo's key of the question at the end of a plan.
pub(crate) const PLAN_FOLLOWUP: &str = "plan.followup.question";
/// Kilo's key of the question whether slow snapshots should go on.
pub(crate) const SLOW_SNAPSHOT: &str = "snapshot.slowRepo.question";
/// The answer of ours to a network wait that means: try again now.
pub(crate) const NETWORK_RETRY: &str = "Try again now";
/// The answer of ours to a network wait that means: give up.
pub(crate) const NETWORK_STOP: &str = "Give up";

/// What a rejection means: Kilo 7.7.7 rejects all that waits in the session, with a reason too, and
/// goes on only when each of them was given one.
const REJECTED: &str = "and all else it asks now; the turn ends, unless you say why";

/// A request for permission, whatever its kind. What the request itself does not say is taken from
/// the tool call that asks.
pub(super) fn approval(
    ask: &PermissionRequest,
    tool: Option<&ToolPart>,
    workspace: &str,
    servers: &Servers,
) -> RequestBody {
    let meta = |name: &str| ask.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    let input = |name: &str| {
        tool.and_then(|tool| tool.state.input.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let what = kind(&ask.permission, servers);
    let command = meta("command").or_else(|| input("command"));
    let command =
        command.or_else(|| (what == ApprovalKind::Command).then(|| ask.patterns.join("\n")));
    let path = meta("filepath").or_else(|| input("filePath")).or_else(|| meta("parentDir"));
    let path = path.map(|path| relative(&path, workspace));
    let listed = matches!(what, ApprovalKind::Read | ApprovalKind::OutsideWorkspace);
    let path = path.or_else(|| listed.then(|| ask.patterns.join(", ")).filter(|p| !p.is_empty()));
    let diff = meta("diff");
    let url = meta("url").or_else(|| input("url"));
    let mut details = details(ask, tool, path.is_some());
    let said = command.is_some() || path.is_some() || url.is_some();
    if !said && !ask.patterns.is_empty() && ask.patterns != ["*"] {
        details.insert(0, ("applies to".to_owned(), cut(&ask.patterns.join("\n"), MAX_TEXT)));
    }
    RequestBody::Approval(Approval {
        what,
        permission: line(&ask.permission),
        title: title(what, &line(&ask.permission)),
        command: command.map(|command| cut(&command, MAX_COMMAND)),
        diff: diff.map(|diff| cut(&diff, MAX_DIFF)),
        path: path.map(|path| cut(&path, MAX_TEXT)),
        url: url.map(|url| cut(&url, MAX_TEXT)),
        details,
        choices: choices(ask),
    })
}

/// What else is known about an act: the facts of the request, then those of the tool's input it
/// leaves out, and the tool itself when the permission does not name it.
fn details(ask: &PermissionRequest, tool: Option<&ToolPart>, path: bool) -> Vec<(String, String)> {
    // Shown by themselves, or whole in the diff.
    const SHOWN: [&str; 12] = [
        "command",
        "filepath",
        "filePath",
        "parentDir",
        "diff",
        "filediff",
        "url",
        "content",
        "oldString",
        "newString",
        "patchText",
        "patch",
    ];
    // Kilo names the same again in other words when it asks about directories.
    let repeated = |name: &str| path && matches!(name, "directories" | "patterns");
    let kept =
        |name: &str, value: &Value| !SHOWN.contains(&name) && !value.is_null() && !repeated(name);
    let empty = serde_json::Map::new();
    let input = tool.and_then(|tool| tool.state.input.as_object()).unwrap_or(&empty);
    let missing = input.iter().filter(|(name, _)| !ask.metadata.contains_key(*name));
    let named = |tool: &&ToolPart| {
        tool.tool == ask.permission || tool.tool == "bash" || ask.metadata.contains_key("diff")
    };
    let unnamed = tool.filter(|tool| !named(tool));
    let mut details: Vec<(String, String)> = unnamed
        .map(|tool| ("tool".to_owned(), line(&tool.tool)))
        .into_iter()
        .chain(
            ask.metadata
                .iter()
                .chain(missing)
                .filter(|(name, value)| kept(name, value))
                .map(|(name, value)| (line(name), cut(&plain(value), MAX_TEXT))),
        )
        .collect();
    let more = details.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        details.truncate(MAX_LISTED);
        details.push(("…".to_owned(), format!("{more} more")));
    }
    details
}

fn kind(permission: &str, servers: &Servers) -> ApprovalKind {
    match permission {
        "bash" => ApprovalKind::Command,
        "edit" | "write" => ApprovalKind::Edit,
        "read" | "glob" | "grep" | "list" | "semantic_search" => ApprovalKind::Read,
        "external_directory" => ApprovalKind::OutsideWorkspace,
        "webfetch" | "websearch" | "codesearch" => ApprovalKind::Web,
        "task" => ApprovalKind::SubAgent,
        "doom_loop" => ApprovalKind::Loop,
        other if servers.split(other).is_some() => ApprovalKind::Mcp,
        _ => ApprovalKind::Other,
    }
}

fn title(what: ApprovalKind, permission: &str) -> String {
    match what {
        ApprovalKind::Command => "run a command".to_owned(),
        ApprovalKind::Edit => "change files".to_owned(),
        ApprovalKind::Read => "read a file".to_owned(),
        ApprovalKind::OutsideWorkspace => "reach outside the workspace".to_owned(),
        ApprovalKind::Web => "use the network".to_owned(),
        ApprovalKind::SubAgent => "start a sub-agent".to_owned(),
        ApprovalKind::Mcp => format!("use the tool {permission}"),
        ApprovalKind::Loop => "go on although it repeats itself".to_owned(),
        ApprovalKind::Other if permission.is_empty() => "do what it does not name".to_owned(),
        ApprovalKind::Other => format!("use {permission}"),
    }
}

/// What can be answered. Kilo's own `always` is written to the user's global configuration, so it
/// is offered under that name only; what holds for the session is a rule of the session.
fn choices(ask: &PermissionRequest) -> Vec<Choice> {
    // A command's patterns speak for themselves; others need the name of what they are of.
    let name = |pattern: &String| match ask.permission.as_str() {
        "bash" => pattern.clone(),
        permission => format!("{permission} {pattern}"),
    };
    let covers: Vec<String> = ask.always.iter().map(name).collect();
    let covers = listed(covers.iter());
    let choice = |decision, covers: &[String], scope: &str| Choice {
        decision,
        covers: covers.to_vec(),
        scope: scope.to_owned(),
    };
    let mut choices = vec![choice(Decision::Once, &[], "just this once")];
    if !covers.is_empty() {
        choices.push(choice(Decision::Session, &covers, "until this session ends"));
    }
    choices.push(choice(Decision::Reject, &[], REJECTED));
    if !covers.is_empty() {
        let scope = "in this project until Kilo is started anew, and in Kilo itself everywhere and \
                     for good: it is written to Kilo's own configuration";
        choices.push(choice(Decision::Always, &covers, scope));
    }
    choices
}

/// Questions of the model, or of Kilo itself. Of too many options the first are shown and the
/// text says so; questions without end are not shown at all beyond the bound.
pub(super) fn question(ask: &QuestionRequest) -> RequestBody {
    let options = |asked: &Asked| {
        let shown = asked.options.iter().take(MAX_LISTED);
        shown
            .map(|option| QuestionOption {
                label: line(&option.label),
                description: line(&option.description),
            })
            .collect()
    };
    let text = |asked: &Asked| {
        let text = cut(&asked.question, MAX_TEXT);
        match asked.options.len().saturating_sub(MAX_LISTED) {
            0 => text,
            more => format!("{text}\n… {more} more options"),
        }
    };
    // Somebody waits for an answer, whatever the question is.
    let unread = Asked {
        question: "Kilo asks something that cannot be shown".to_owned(),
        ..Asked::default()
    };
    let unread = ask.questions.is_empty().then_some(&unread);
    let shown = unread.into_iter().chain(&ask.questions).take(MAX_LISTED);
    let questions = shown
        .map(|asked| Question {
            header: line(&asked.header),
            text: text(asked),
            options: options(asked),
            multiple: asked.multiple,
            custom: asked.custom.unwrap_or(true),
            secret: false,
        })
        .collect();
    RequestBody::Question { questions }
}

/// Kilo waits for the network for ever; a person may try again or give up.
pub(super) fn network(wait: &NetworkWait) -> RequestBody {
    let option = |label: &str, description: &str| QuestionOption {
        label: label.to_owned(),
        description: description.to_owned(),
    };
    RequestBody::Question {
        questions: vec![Question {
            header: "Network".to_owned(),
            text: format!("The model's provider cannot be reached: {}", line(&wait.message)),
            options: vec![
                option(NETWORK_RETRY, "ask the model's provider again"),
                option(NETWORK_STOP, "end the turn as failed"),
            ],
            multiple: false,
            custom: false,
            secret: false,
        }],
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
