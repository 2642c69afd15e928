//! What Codex asks in Baton's words, and answers as Codex takes them.

use std::path::Path;

use codex_sdk::types::{
    AskBody, Change, CommandAsk, Elicitation, FileAsk, PermissionsAsk, Question,
};
use domain::{
    Answer, Approval, ApprovalKind, Choice, Decision, FullText, ItemContent, ItemStatus,
    ItemUpdate, Question as Asked, QuestionOption, RequestBody,
};
use serde_json::{Map, Value, json};

use super::asks::{Ask, AskKind};
use super::content::{relative, unified, unwrapped};
use crate::shared::shorten::{MAX_COMMAND, MAX_DIFF, MAX_LISTED, MAX_TEXT, cut, line};

/// How long what is allowed for the session holds.
const SESSION: &str = "until Codex unloads this session";

/// A field of a form of an MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::codex) struct Field {
    name: String,
    kind: String,
}

/// The request that a person sees, and what is needed to answer it; `None` for what is unknown.
pub(super) fn body(
    ask: &AskBody,
    changes: &[Change],
    workspace: &Path,
) -> Option<(AskKind, RequestBody)> {
    Some(match ask {
        AskBody::Command(ask) => {
            let kind = AskKind::Command { amendment: ask.proposed_execpolicy_amendment.clone() };
            (kind, RequestBody::Approval(command(ask, workspace)))
        }
        AskBody::Files(ask) => {
            let mut paths: Vec<String> = Vec::new();
            for change in changes {
                paths.push(change.path.clone());
                paths.extend(change.kind.move_path.clone());
            }
            (AskKind::Files { paths }, RequestBody::Approval(files(ask, changes, workspace)))
        }
        AskBody::Permissions(ask) => {
            let kind = AskKind::Permissions { wanted: ask.permissions.clone() };
            (kind, RequestBody::Approval(permissions(ask)))
        }
        AskBody::Questions(questions) => {
            let ids = questions.iter().map(|question| question.id.clone()).collect();
            let questions = questions.iter().take(MAX_LISTED).map(question).collect();
            (AskKind::Questions { ids }, RequestBody::Question { questions })
        }
        AskBody::Elicitation(ask) if ask.is_tool_approval() => {
            (AskKind::Tool, RequestBody::Approval(tool(ask)))
        }
        AskBody::Elicitation(ask) if ask.url.is_some() => {
            (AskKind::Page, RequestBody::Approval(page(ask)))
        }
        AskBody::Elicitation(ask) if ask.mode.contains("orm") => {
            let (fields, questions) = form(ask);
            if fields.is_empty() {
                (AskKind::Page, RequestBody::Approval(page(ask)))
            } else {
                (AskKind::Form { fields }, RequestBody::Question { questions })
            }
        }
        AskBody::Elicitation(_) | AskBody::Other => return None,
    })
}

fn approval(what: ApprovalKind, permission: &str, title: &str, choices: Vec<Choice>) -> Approval {
    Approval {
        what,
        permission: permission.to_owned(),
        title: line(title),
        command: None,
        diff: None,
        path: None,
        url: None,
        details: Vec::new(),
        choices,
    }
}

fn once() -> Choice {
    Choice { decision: Decision::Once, covers: Vec::new(), scope: "just this once".to_owned() }
}

fn reject() -> Choice {
    Choice { decision: Decision::Reject, covers: Vec::new(), scope: "the turn goes on".to_owned() }
}

fn session(covers: Vec<String>) -> Choice {
    Choice { decision: Decision::Session, covers, scope: SESSION.to_owned() }
}

fn command(ask: &CommandAsk, workspace: &Path) -> Approval {
    let whole = ask.command.clone().unwrap_or_default();
    let shown = unwrapped(&whole);
    let host = ask.network_approval_context.get("host").and_then(Value::as_str);
    let mut choices = vec![once(), session(vec![cut(&shown, MAX_TEXT)])];
    if let Some(prefix) = ask.proposed_execpolicy_amendment.as_ref().filter(|p| !p.is_empty()) {
        choices.push(Choice {
            decision: Decision::Always,
            covers: vec![format!("{} …", line(&prefix.join(" ")))],
            scope: "from now on, in all projects, in Codex itself too".to_owned(),
        });
    }
    choices.push(reject());
    let (what, title) = match (host, ask.kind.as_str()) {
        (Some(host), _) => (ApprovalKind::Web, format!("Connect to {host}")),
        (None, "writeStdin") => (ApprovalKind::Command, "Write to a command that runs".to_owned()),
        (None, _) => (ApprovalKind::Command, shown.clone()),
    };
    let mut approval = approval(what, "command", &title, choices);
    approval.command = Some(cut(&shown, MAX_COMMAND));
    approval.url = host.map(line);
    let mut detail = |name: &str, value: String| {
        approval.details.push((name.to_owned(), cut(&value, MAX_TEXT)));
    };
    if let Some(reason) = &ask.reason {
        detail("reason", reason.clone());
    }
    if let Some(cwd) = ask.cwd.as_ref().filter(|cwd| Path::new(cwd) != workspace) {
        detail("directory", relative(cwd, workspace));
    }
    if !ask.additional_permissions.is_null() {
        detail("also wants", ask.additional_permissions.to_string());
    }
    approval
}

fn files(ask: &FileAsk, changes: &[Change], workspace: &Path) -> Approval {
    let paths: Vec<String> = changes.iter().map(|c| relative(&c.path, workspace)).collect();
    let title = match paths.as_slice() {
        [] => "Change files".to_owned(),
        [one] => format!("Change {one}"),
        [first, rest @ ..] => format!("Change {first} and {} more", rest.len()),
    };
    let covers = paths.iter().take(MAX_LISTED).map(|path| line(path)).collect();
    let choices = vec![once(), session(covers), reject()];
    let outside = changes.iter().any(|change| !Path::new(&change.path).starts_with(workspace));
    let what = if outside { ApprovalKind::OutsideWorkspace } else { ApprovalKind::Edit };
    let mut approval = approval(what, "edit", &title, choices);
    let diff: Vec<String> = changes.iter().map(|change| unified(change, workspace)).collect();
    approval.diff = (!diff.is_empty()).then(|| cut(&diff.concat(), MAX_DIFF));
    approval.path = paths.first().map(|path| line(path));
    if let Some(reason) = &ask.reason {
        approval.details.push(("reason".to_owned(), cut(reason, MAX_TEXT)));
    }
    if changes.is_empty() {
        approval.details.push(("files".to_owned(), "Codex did not tell which".to_owned()));
    }
    if let Some(root) = &ask.grant_root {
        approval.details.push(("asks to write below".to_owned(), line(root)));
    }
    approval
}

fn permissions(ask: &PermissionsAsk) -> Approval {
    let choices = vec![
        Choice { scope: "until the turn ends".to_owned(), ..once() },
        session(Vec::new()),
        reject(),
    ];
    let mut approval =
        approval(ApprovalKind::Other, "permissions", "Allow more than the sandbox does", choices);
    approval.details.push(("wants".to_owned(), cut(&ask.permissions.to_string(), MAX_TEXT)));
    if let Some(reason) = &ask.reason {
        approval.details.push(("reason".to_owned(), cut(reason, MAX_TEXT)));
    }
    approval
}

fn tool(ask: &Elicitation) -> Approval {
    let name = ask.meta("tool_name").as_str().or_else(|| ask.meta("tool_title").as_str());
    let name = name.unwrap_or("a tool");
    let lasts = |word: &str| match ask.meta("persist") {
        Value::Array(all) => all.iter().any(|one| one.as_str() == Some(word)),
        other => other.as_str() == Some(word),
    };
    let covers = || vec![format!("{} {name}", ask.server_name)];
    let mut choices = vec![once()];
    if lasts("session") {
        choices.push(session(covers()));
    }
    if lasts("always") {
        choices.push(Choice {
            decision: Decision::Always,
            covers: covers(),
            scope: "from now on, in Codex itself too".to_owned(),
        });
    }
    choices.push(reject());
    let title = format!("Use {name} of {}", ask.server_name);
    let mut approval = approval(ApprovalKind::Mcp, name, &title, choices);
    approval.details.push(("says".to_owned(), cut(&ask.message, MAX_TEXT)));
    let params = ask.meta("tool_params");
    if !params.is_null() {
        approval.details.push(("input".to_owned(), cut(&params.to_string(), MAX_TEXT)));
    }
    approval
}

fn page(ask: &Elicitation) -> Approval {
    let title = format!("{} asks: {}", ask.server_name, ask.message);
    let mut approval = approval(ApprovalKind::Other, "elicitation", &title, vec![once(), reject()]);
    approval.url = ask.url.as_deref().map(line);
    approval.details.push(("says".to_owned(), cut(&ask.message, MAX_TEXT)));
    approval
}

fn question(question: &Question) -> Asked {
    let option = |option: &codex_sdk::types::QuestionOption| QuestionOption {
        label: line(&option.label),
        description: cut(&option.description, MAX_TEXT),
    };
    Asked {
        header: line(&question.header),
        text: cut(&question.question, MAX_TEXT),
        options: question.options.iter().take(MAX_LISTED).map(option).collect(),
        multiple: false,
        custom: question.is_other || question.options.is_empty(),
        secret: question.is_secret,
    }
}

/// The fields of a form as questions.
fn form(ask: &Elicitation) -> (Vec<Field>, Vec<Asked>) {
    let properties = ask.requested_schema.get("properties").and_then(Value::as_object);
    let mut fields = Vec::new();
    let mut questions = Vec::new();
    for (name, schema) in properties.into_iter().flatten().take(MAX_LISTED) {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let kind = text("type").unwrap_or("string");
        let words = |value: &Value| value.as_str().map(str::to_owned);
        let listed = schema.get("enum").or_else(|| schema.pointer("/items/enum"));
        let mut options: Vec<String> =
            listed.and_then(Value::as_array).into_iter().flatten().filter_map(words).collect();
        if kind == "boolean" {
            options = vec!["true".to_owned(), "false".to_owned()];
        }
        let about = text("description").map_or(String::new(), |about| format!(" {about}"));
        questions.push(Asked {
            header: line(text("title").unwrap_or(name)),
            text: cut(&format!("{}{about}", ask.message), MAX_TEXT),
            custom: options.is_empty(),
            secret: text("format") == Some("password"),
            multiple: kind == "array",
            options: options
                .into_iter()
                .take(MAX_LISTED)
                .map(|label| QuestionOption { label, description: String::new() })
                .collect(),
        });
        fields.push(Field { name: name.clone(), kind: kind.to_owned() });
    }
    (fields, questions)
}

/// The item that keeps what was asked and answered.
pub(super) fn asked(key: &str, questions: &[Asked], answer: &Answer) -> ItemUpdate {
    let title = questions.first().map(|question| question.text.clone()).unwrap_or_default();
    let (status, said) = match answer {
        Answer::Question { answers } => {
            let lines = questions.iter().zip(answers).map(|(question, answers)| {
                if question.secret { "(hidden)".to_owned() } else { answers.join(", ") }
            });
            (ItemStatus::Done, Some(lines.collect::<Vec<_>>().join("\n")))
        }
        Answer::Approval { .. } | Answer::Dismiss | Answer::Plan { .. } => {
            (ItemStatus::Declined, None)
        }
    };
    ItemUpdate {
        key: format!("{key}/answer"),
        parent: None,
        status,
        content: ItemContent::Question { title: line(&title) },
        body: said.map(|said| FullText::new(cut(&said, MAX_TEXT))),
        error: None,
    }
}

/// The answer that allows what is asked, once.
pub(super) fn allowed(kind: &AskKind) -> Value {
    answer_of(kind, Decision::Once)
}

/// An answer as Codex takes it; `None` for one that does not fit, or that is no answer to Codex.
pub(in crate::codex) fn answer(ask: &Ask, answer: &Answer) -> Option<Value> {
    match (&ask.kind, answer) {
        (AskKind::Plan, _) => None,
        (AskKind::Questions { ids }, Answer::Question { answers }) => {
            let mut given = Map::new();
            for (id, answers) in ids.iter().zip(answers) {
                given.insert(id.clone(), json!({ "answers": answers }));
            }
            Some(json!({ "answers": given }))
        }
        (AskKind::Questions { .. }, _) => Some(json!({ "answers": {} })),
        (AskKind::Form { fields }, Answer::Question { answers }) => {
            let mut content = Map::new();
            for (field, answers) in fields.iter().zip(answers) {
                if let Some(value) = filled(&field.kind, answers) {
                    content.insert(field.name.clone(), value);
                }
            }
            Some(json!({ "action": "accept", "content": content, "_meta": null }))
        }
        (AskKind::Form { .. }, _) => {
            Some(json!({ "action": "decline", "content": null, "_meta": null }))
        }
        (kind, Answer::Approval { decision, .. }) => Some(answer_of(kind, *decision)),
        (_, Answer::Question { .. } | Answer::Dismiss | Answer::Plan { .. }) => None,
    }
}

fn answer_of(kind: &AskKind, decision: Decision) -> Value {
    match (kind, decision) {
        (AskKind::Command { amendment: Some(prefix) }, Decision::Always) => json!({
            "decision": { "acceptWithExecpolicyAmendment": { "execpolicy_amendment": prefix } },
        }),
        (AskKind::Command { .. } | AskKind::Files { .. }, decision) => {
            let word = match decision {
                Decision::Once => "accept",
                Decision::Session | Decision::Always => "acceptForSession",
                // `cancel` would end the turn.
                Decision::Reject => "decline",
            };
            json!({ "decision": word })
        }
        (AskKind::Permissions { .. }, Decision::Reject) => {
            json!({ "permissions": {}, "scope": "turn" })
        }
        (AskKind::Permissions { wanted }, decision) => {
            let scope = if decision == Decision::Once { "turn" } else { "session" };
            json!({ "permissions": granted(wanted), "scope": scope })
        }
        (_, Decision::Reject) => json!({ "action": "decline", "content": null, "_meta": null }),
        (_, decision) => {
            let meta = match decision {
                Decision::Session => json!({ "persist": "session" }),
                Decision::Always => json!({ "persist": "always" }),
                Decision::Once | Decision::Reject => Value::Null,
            };
            json!({ "action": "accept", "content": {}, "_meta": meta })
        }
    }
}

/// What is asked for, without what is not.
fn granted(wanted: &Value) -> Value {
    let given = wanted.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// What was filled in, of the kind that the form wants; `None` for nothing.
fn filled(kind: &str, answers: &[String]) -> Option<Value> {
    let first = answers.first()?;
    Some(match kind {
        "array" => json!(answers),
        "boolean" => json!(first == "true"),
        "integer" => first.parse::<i64>().map_or_else(|_| json!(first), |number| json!(number)),
        "number" => first.parse::<f64>().map_or_else(|_| json!(first), |number| json!(number)),
        _ => json!(first),
    })
}
