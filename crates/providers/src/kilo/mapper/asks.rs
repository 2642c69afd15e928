//! What Kilo asks, as requests.

use domain::{Approval, ApprovalKind, Choice, Decision, Question, QuestionOption, RequestBody};
use kilo_sdk::types::{NetworkWait, PermissionRequest, QuestionRequest};
use serde_json::Value;

use super::tools::relative;

/// Kilo's key of the question at the end of a plan.
pub(crate) const PLAN_FOLLOWUP: &str = "plan.followup.question";
/// Kilo's key of the question whether slow snapshots should go on.
pub(crate) const SLOW_SNAPSHOT: &str = "snapshot.slowRepo.question";
/// The answer of ours to a network wait that means: try again now.
pub(crate) const NETWORK_RETRY: &str = "Try again now";
/// The answer of ours to a network wait that means: give up.
pub(crate) const NETWORK_STOP: &str = "Give up";

/// Most of a diff that travels with an approval, in bytes.
const MAX_DIFF: usize = 256 * 1024;
/// Most of any other fact that travels with an approval, in bytes.
const MAX_FACT: usize = 16 * 1024;

/// A request for permission, whatever its kind.
pub(super) fn approval(ask: &PermissionRequest, workspace: &str) -> RequestBody {
    let meta = |name: &str| ask.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    let what = kind(&ask.permission);
    let command = (what == ApprovalKind::Command)
        .then(|| meta("command").unwrap_or_else(|| ask.patterns.join("\n")));
    let path = meta("filepath").or_else(|| meta("parentDir")).map(|p| relative(&p, workspace));
    let path = path.or_else(|| (what == ApprovalKind::Read).then(|| ask.patterns.join(", ")));
    let diff = meta("diff").map(|d| cut(&d, MAX_DIFF));
    let url = meta("url");
    let shown = ["command", "filepath", "parentDir", "diff", "filediff", "url"];
    let mut details: Vec<(String, String)> = ask
        .metadata
        .iter()
        .filter(|(name, value)| !shown.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), cut(&plain(value), MAX_FACT)))
        .collect();
    let said = command.is_some() || path.is_some() || url.is_some();
    if !said && !ask.patterns.is_empty() {
        details.insert(0, ("applies to".to_owned(), cut(&ask.patterns.join("\n"), MAX_FACT)));
    }
    RequestBody::Approval(Approval {
        what,
        permission: ask.permission.clone(),
        title: title(what, &ask.permission),
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

/// Questions of the model, or of Kilo itself.
pub(super) fn question(ask: &QuestionRequest) -> RequestBody {
    let questions = ask
        .questions
        .iter()
        .map(|question| Question {
            header: question.header.clone(),
            text: question.question.clone(),
            options: question
                .options
                .iter()
                .map(|option| QuestionOption {
                    label: option.label.clone(),
                    description: option.description.clone(),
                })
                .collect(),
            multiple: question.multiple,
            custom: question.custom.unwrap_or(true),
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
            text: format!("The model's provider cannot be reached: {}", wait.message),
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

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n… {} more bytes", text.get(..end).unwrap_or_default(), text.len() - end)
}
