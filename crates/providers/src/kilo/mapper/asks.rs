//! What Kilo asks, as requests.

use domain::{Approval, ApprovalKind, Choice, Decision, Question, QuestionOption, RequestBody};
use kilo_sdk::types::{NetworkWait, PermissionRequest, Question as Asked, QuestionRequest};
use serde_json::Value;

use super::bounds::{MAX_COMMAND, MAX_DIFF, MAX_LISTED, MAX_TEXT, cut, line, listed};
use super::tools::relative;

/// Kilo's key of the question at the end of a plan.
pub(crate) const PLAN_FOLLOWUP: &str = "plan.followup.question";
/// Kilo's key of the question whether slow snapshots should go on.
pub(crate) const SLOW_SNAPSHOT: &str = "snapshot.slowRepo.question";
/// The answer of ours to a network wait that means: try again now.
pub(crate) const NETWORK_RETRY: &str = "Try again now";
/// The answer of ours to a network wait that means: give up.
pub(crate) const NETWORK_STOP: &str = "Give up";

/// A request for permission, whatever its kind.
pub(super) fn approval(ask: &PermissionRequest, workspace: &str) -> RequestBody {
    let meta = |name: &str| ask.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    let what = kind(&ask.permission);
    let command = (what == ApprovalKind::Command)
        .then(|| meta("command").unwrap_or_else(|| ask.patterns.join("\n")))
        .map(|command| cut(&command, MAX_COMMAND));
    let path = meta("filepath").or_else(|| meta("parentDir")).map(|p| relative(&p, workspace));
    let path = path.or_else(|| (what == ApprovalKind::Read).then(|| ask.patterns.join(", ")));
    let path = path.map(|path| cut(&path, MAX_TEXT));
    let diff = meta("diff").map(|d| cut(&d, MAX_DIFF));
    let url = meta("url").map(|url| cut(&url, MAX_TEXT));
    let shown = ["command", "filepath", "parentDir", "diff", "filediff", "url"];
    let mut details: Vec<(String, String)> = ask
        .metadata
        .iter()
        .filter(|(name, value)| !shown.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (line(name), cut(&plain(value), MAX_TEXT)))
        .collect();
    let more = details.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        details.truncate(MAX_LISTED);
        details.push(("…".to_owned(), format!("{more} more")));
    }
    let said = command.is_some() || path.is_some() || url.is_some();
    if !said && !ask.patterns.is_empty() {
        details.insert(0, ("applies to".to_owned(), cut(&ask.patterns.join("\n"), MAX_TEXT)));
    }
    RequestBody::Approval(Approval {
        what,
        permission: line(&ask.permission),
        title: title(what, &line(&ask.permission)),
        command,
        diff,
        path,
        url,
        details,
        choices: choices(ask),
    })
}

fn kind(permission: &str) -> ApprovalKind {
    match permission {
        "bash" => ApprovalKind::Command,
        "edit" | "write" => ApprovalKind::Edit,
        "read" | "glob" | "grep" | "list" | "semantic_search" => ApprovalKind::Read,
        "external_directory" => ApprovalKind::OutsideWorkspace,
        "webfetch" | "websearch" | "codesearch" => ApprovalKind::Web,
        "task" => ApprovalKind::SubAgent,
        "doom_loop" => ApprovalKind::Loop,
        "skill" | "question" | "todowrite" | "todoread" | "plan_exit" => ApprovalKind::Other,
        other if other.contains('_') => ApprovalKind::Mcp,
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
    choices.push(choice(Decision::Reject, &[], "the turn ends, unless you say why"));
    if !covers.is_empty() {
        let scope = "from now on in every project, in Kilo itself too: it is written to Kilo's own \
                     configuration";
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
    let shown = ask.questions.iter().take(MAX_LISTED);
    let questions = shown
        .map(|asked| Question {
            header: line(&asked.header),
            text: text(asked),
            options: options(asked),
            multiple: asked.multiple,
            custom: asked.custom.unwrap_or(true),
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
        }],
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
