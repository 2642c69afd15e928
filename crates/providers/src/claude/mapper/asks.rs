//! What Claude Code asks, as requests, and what people answer, as it takes it.

use claude_sdk::Ask as Asked;
use domain::{
    Answer, Approval, ApprovalKind, Choice, Decision, FullText, ItemContent, ItemStatus,
    ItemUpdate, NewRequest, PlanDecision, Question, QuestionOption, RequestBody, RequestOutcome,
    TurnEvent,
};
use serde_json::{Map, Value, json};

use super::answer::text;
use super::{MAX_ASKS, MAX_KNOWN, Mapped, Mapper, tools};
use crate::claude::access;
use crate::shared::shorten::{MAX_COMMAND, MAX_DIFF, MAX_LISTED, MAX_TEXT, cut, line, listed};

/// Longest plan that is kept, in bytes.
const MAX_PLAN: usize = 256 * 1024;
/// How long what is allowed for the session holds.
const SESSION: &str = "in this session, until Baton ends";
/// What the agent is told of a refusal without a reason.
const REFUSED: &str = "The user does not want this to be done.";
const DISMISSED: &str = "The user does not want to answer this.";
const PLAN_LEFT: &str = "The user puts the plan away. Nothing of it is to be done now.";
const PLAN_REFINED: &str = "The user wants the plan changed before anything is built.";

/// Something the agent waits for an answer to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::claude) struct Ask {
    /// Its name, among Baton's requests too.
    pub(in crate::claude) key: String,
    /// The tool call it is about.
    pub(in crate::claude) call: Option<String>,
    pub(in crate::claude) tool: String,
    pub(in crate::claude) input: Value,
    pub(in crate::claude) kind: AskKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::claude) enum AskKind {
    /// Whether a tool may run; the rules that would let it run until the session ends, and whether
    /// it is no more than a change of a file in the workspace.
    Permission {
        rules: Vec<Value>,
        plain_edit: bool,
    },
    Questions,
    Plan,
    /// What an MCP server wants to know.
    Elicitation,
}

/// What is asked and not decided yet.
pub(super) struct Unsure {
    ask: Ask,
    /// The sub-agent that asks.
    from: Option<String>,
    request: Value,
}

/// An answer as the agent takes it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::claude) struct Reply {
    pub(in crate::claude) response: Value,
    pub(in crate::claude) declined: bool,
    /// It puts the plan away, which ends the turn.
    pub(in crate::claude) leaves_plan: bool,
    /// It lets the plan be built.
    pub(in crate::claude) builds: bool,
    /// What it allows from now on, as rules for a later process of the session.
    pub(in crate::claude) grants: Vec<String>,
    /// It allows changes of files in the workspace from now on.
    pub(in crate::claude) allows_edits: bool,
}

impl Mapper {
    /// What waits for an answer, by its name.
    pub(in crate::claude) fn ask(&self, key: &str) -> Option<&Ask> {
        self.asks.get(key)
    }

    /// What waits although the access allows it now.
    pub(in crate::claude) fn now_implied(&self) -> Vec<Ask> {
        self.asks.values().filter(|ask| self.allows(ask)).cloned().collect()
    }

    /// What became of a change of a file that was allowed as far as its path's words went: whether
    /// it is to be allowed, its links being followed; otherwise a person is asked.
    pub(in crate::claude) fn looked(&mut self, key: &str, inside: bool) -> (Option<Ask>, Mapped) {
        let mut out = Mapped::default();
        let unsure = self.unsure.remove(key);
        let free = |ask: &Ask| self.allows(ask) && (inside || self.doubtful(ask).is_none());
        let Some(Unsure { mut ask, from, request }) = unsure else {
            // It was shown, and a person may have answered it meanwhile.
            return (self.asks.get(key).filter(|ask| free(ask)).cloned(), out);
        };
        if free(&ask) {
            return (Some(ask), out);
        }
        if let AskKind::Permission { plain_edit, .. } = &mut ask.kind {
            *plain_edit &= inside;
        }
        self.ask_person(ask, from, &request, &mut out);
        (None, out)
    }

    /// Whether the access lets it happen without a person. What nobody is shown, or a person has
    /// stopped, is not allowed by itself.
    fn allows(&self, ask: &Ask) -> bool {
        let live = self.active.as_ref().is_some_and(|active| active.begun && !active.stopping);
        match ask.kind {
            _ if !live => false,
            AskKind::Permission { plain_edit, .. } => {
                let edits = plain_edit && self.edits_allowed && !self.is_planning();
                edits || access::allows(self.access, self.is_planning(), plain_edit)
            }
            AskKind::Questions | AskKind::Plan | AskKind::Elicitation => false,
        }
    }

    /// Notes that something that was asked was answered, and tells it.
    pub(in crate::claude) fn answered(&mut self, key: &str, reply: &Reply) -> Mapped {
        let mut out = Mapped::default();
        let Some(ask) = self.asks.remove(key) else { return out };
        if reply.declined
            && self.declined.len() < MAX_KNOWN
            && let Some(call) = ask.call
        {
            self.declined.insert(call);
        }
        self.edits_allowed |= reply.allows_edits;
        if let Some(active) = self.active.as_mut().filter(|_| reply.leaves_plan) {
            active.plan_left = true;
        }
        let outcome =
            if reply.declined { RequestOutcome::Rejected } else { RequestOutcome::Answered };
        self.tell(TurnEvent::AskClosed { key: key.to_owned(), outcome }, &mut out);
        out
    }

    pub(super) fn asked(&mut self, asked: &Asked, out: &mut Mapped) {
        match asked.subtype.as_str() {
            "can_use_tool" => self.may(asked, out),
            "elicitation" => self.elicited(asked, out),
            _ => self.refuse(asked, out),
        }
    }

    fn may(&mut self, asked: &Asked, out: &mut Mapped) {
        let request = &asked.request;
        let (tool, call) = (text(request, "tool_name"), text(request, "tool_use_id"));
        let input = request.get("input").cloned().unwrap_or_default();
        let agent = self.agents.get(text(request, "agent_id")).cloned();
        // A sub-agent may ask before its call is told (2.1.197).
        let parent = agent.as_ref().map(|(call, _)| call.clone()).filter(|call| !call.is_empty());
        if !self.calls.contains_key(call) {
            self.call(call, tool, input.clone(), parent, out);
        }
        let kind = match tool {
            "AskUserQuestion" => AskKind::Questions,
            "ExitPlanMode" => AskKind::Plan,
            _ => AskKind::Permission {
                rules: rules(request),
                plain_edit: access::is_plain_edit(tool, request, &self.workspace),
            },
        };
        let ask = Ask {
            key: asked.request_id.clone(),
            call: Some(call.to_owned()).filter(|call| !call.is_empty()),
            tool: tool.to_owned(),
            input,
            kind,
        };
        let from = agent.map(|(_, label)| label);
        match self.doubtful(&ask) {
            _ if !self.allows(&ask) => self.ask_person(ask, from, request, out),
            None => out.implied.push(ask),
            Some(path) if self.unsure.len() < MAX_ASKS => {
                out.looks.push((ask.key.clone(), path));
                let request = request.clone();
                self.unsure.insert(ask.key.clone(), Unsure { ask, from, request });
            }
            Some(_) => self.ask_person(ask, from, request, out),
        }
    }

    /// The file of which it is to be looked up where its path leads, before its change is allowed.
    pub(in crate::claude) fn doubtful(&self, ask: &Ask) -> Option<String> {
        let AskKind::Permission { plain_edit: true, .. } = ask.kind else { return None };
        let everything = access::allows(self.access, self.is_planning(), false);
        access::edited(&ask.input).filter(|_| !everything).map(str::to_owned)
    }

    fn ask_person(&mut self, ask: Ask, from: Option<String>, request: &Value, out: &mut Mapped) {
        let body = match &ask.kind {
            AskKind::Questions => questions(&ask.input),
            AskKind::Plan => self.plan(&ask, out),
            AskKind::Permission { .. } | AskKind::Elicitation => {
                approval(&ask, request, &self.workspace)
            }
        };
        self.show(ask, from, body, out);
    }

    /// Shows what is asked; nobody can answer outside of a turn, nor more than can be shown.
    fn show(&mut self, ask: Ask, from: Option<String>, body: RequestBody, out: &mut Mapped) {
        let in_turn = self.active.as_ref().is_some_and(|active| active.begun);
        if !in_turn || self.asks.len() >= MAX_ASKS {
            let why = "nobody can be asked now; wait for the next message of the user".to_owned();
            out.refused.push((ask.key, why));
            return;
        }
        let request = NewRequest { key: ask.key.clone(), item: ask.call.clone(), from, body };
        self.asks.insert(ask.key.clone(), ask);
        self.tell(TurnEvent::Asked(request), out);
    }

    fn plan(&mut self, ask: &Ask, out: &mut Mapped) -> RequestBody {
        let markdown = cut(text(&ask.input, "plan"), MAX_PLAN);
        let path = Some(text(&ask.input, "planFilePath").to_owned()).filter(|p| !p.is_empty());
        if let Some(key) = ask.call.clone() {
            let content = ItemContent::Plan { path: path.clone() };
            if let Some(call) = self.calls.get_mut(&key) {
                call.content = content.clone();
            }
            let update = ItemUpdate {
                key,
                parent: None,
                status: ItemStatus::Running,
                content,
                body: (!markdown.is_empty()).then(|| FullText::new(markdown.clone())),
                error: None,
            };
            self.tell(TurnEvent::Item(update), out);
        }
        RequestBody::Plan { markdown, path, built_in: None }
    }

    fn elicited(&mut self, asked: &Asked, out: &mut Mapped) {
        let request = &asked.request;
        let ask = Ask {
            key: asked.request_id.clone(),
            call: None,
            tool: text(request, "mcp_server_name").to_owned(),
            input: request.get("requested_schema").cloned().unwrap_or_default(),
            kind: AskKind::Elicitation,
        };
        let body = elicitation(request);
        self.show(ask, None, body, out);
    }
}

/// The answer of a person, or of the access, as the agent takes it.
pub(in crate::claude) fn reply(ask: &Ask, answer: &Answer) -> Reply {
    let mut reply = Reply {
        response: json!({ "behavior": "allow", "updatedInput": ask.input }),
        declined: false,
        leaves_plan: false,
        builds: false,
        grants: Vec::new(),
        allows_edits: false,
    };
    match (&ask.kind, answer) {
        (AskKind::Elicitation, answer) => {
            let content = form(&ask.input, answer);
            reply.declined = content.is_none();
            reply.response = match content {
                Some(content) => json!({ "action": "accept", "content": content }),
                None => json!({ "action": "decline" }),
            };
        }
        (_, Answer::Approval { decision: Decision::Once, .. }) => {}
        (
            AskKind::Permission { rules, plain_edit },
            Answer::Approval { decision: Decision::Session | Decision::Always, .. },
        ) => {
            reply.allows_edits = *plain_edit;
            reply.response["updatedPermissions"] = Value::Array(rules.clone());
            reply.grants = rules.iter().flat_map(rule_names).collect();
        }
        (AskKind::Questions, Answer::Question { answers }) => {
            reply.response["updatedInput"]["answers"] = given(&ask.input, answers);
        }
        (AskKind::Plan, Answer::Plan { decision: PlanDecision::Accept, .. }) => {
            reply.builds = true;
            reply.response["updatedPermissions"] = json!([
                { "type": "setMode", "mode": access::BUILD, "destination": "session" }
            ]);
        }
        (AskKind::Plan, Answer::Plan { decision: PlanDecision::Refine, message }) => {
            let why = message.as_deref().filter(|why| !why.trim().is_empty());
            reply.declined = true;
            reply.response = deny(why.unwrap_or(PLAN_REFINED), false);
        }
        (AskKind::Plan, _) => {
            reply.declined = true;
            reply.leaves_plan = true;
            reply.response = deny(PLAN_LEFT, true);
        }
        (_, answer) => {
            let why = match answer {
                Answer::Approval { message, .. } => message.as_deref(),
                Answer::Question { .. } | Answer::Dismiss => Some(DISMISSED),
                Answer::Plan { message, .. } => message.as_deref(),
            };
            let why = why.filter(|why| !why.trim().is_empty());
            reply.declined = true;
            reply.response = deny(why.unwrap_or(REFUSED), false);
        }
    }
    reply
}

fn deny(message: &str, interrupt: bool) -> Value {
    json!({ "behavior": "deny", "message": message, "interrupt": interrupt })
}

/// What is asked about a tool.
fn approval(ask: &Ask, request: &Value, workspace: &str) -> RequestBody {
    let input = &ask.input;
    let what = kind(&ask.tool, request);
    let path = ["file_path", "notebook_path", "path"].iter().map(|name| text(input, name));
    let path = path.into_iter().find(|path| !path.is_empty()).or_else(|| {
        (ask.tool != "Bash").then(|| text(request, "blocked_path")).filter(|path| !path.is_empty())
    });
    let path = path.map(|path| tools::relative(path, workspace));
    let diff = tools::expected(&ask.tool, input, path.as_deref().unwrap_or_default());
    let command = (ask.tool == "Bash").then(|| cut(text(input, "command"), MAX_COMMAND));
    let url = Some(text(input, "url")).filter(|url| !url.is_empty());
    RequestBody::Approval(Approval {
        what,
        permission: line(&ask.tool),
        title: title(what, &ask.tool),
        command,
        diff: diff.map(|diff| cut(&diff, MAX_DIFF)),
        path: path.map(|path| cut(&path, MAX_TEXT)),
        url: url.map(|url| cut(url, MAX_TEXT)),
        details: details(input, request),
        choices: choices(ask),
    })
}

fn kind(tool: &str, request: &Value) -> ApprovalKind {
    let outside = text(request, "decision_reason_type") == "workingDir";
    match tool {
        "Bash" => ApprovalKind::Command,
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => ApprovalKind::Edit,
        _ if outside => ApprovalKind::OutsideWorkspace,
        "Read" | "Glob" | "Grep" | "LS" => ApprovalKind::Read,
        "WebFetch" | "WebSearch" => ApprovalKind::Web,
        "Task" | "Agent" => ApprovalKind::SubAgent,
        name if tools::server(name).is_some() => ApprovalKind::Mcp,
        _ => ApprovalKind::Other,
    }
}

fn title(what: ApprovalKind, tool: &str) -> String {
    match what {
        ApprovalKind::Command => "run a command".to_owned(),
        ApprovalKind::Edit => "change a file".to_owned(),
        ApprovalKind::Read => "read a file".to_owned(),
        ApprovalKind::OutsideWorkspace => "reach outside the workspace".to_owned(),
        ApprovalKind::Web => "use the network".to_owned(),
        ApprovalKind::SubAgent => "start a sub-agent".to_owned(),
        ApprovalKind::Mcp => match tools::server(tool) {
            Some((server, tool)) => line(&format!("use the tool {tool} of {server}")),
            None => line(&format!("use the tool {tool}")),
        },
        ApprovalKind::Loop | ApprovalKind::Other => line(&format!("use {tool}")),
    }
}

/// What else is known: why it asks, and what the tool is given.
fn details(input: &Value, request: &Value) -> Vec<(String, String)> {
    // Shown by themselves, or whole in the diff.
    const SHOWN: [&str; 10] = [
        "command",
        "file_path",
        "notebook_path",
        "path",
        "url",
        "content",
        "old_string",
        "new_string",
        "edits",
        "new_source",
    ];
    let why = Some(text(request, "decision_reason")).filter(|why| !why.is_empty());
    let why = why.map(|why| ("why it asks".to_owned(), cut(why, MAX_TEXT)));
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => tools::pretty(other),
    };
    let given = input.as_object().into_iter().flatten();
    let given = given
        .filter(|(name, value)| !SHOWN.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (line(name), cut(&plain(value), MAX_TEXT)));
    let mut details: Vec<_> = why.into_iter().chain(given).collect();
    let more = details.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        details.truncate(MAX_LISTED);
        details.push(("…".to_owned(), format!("{more} more")));
    }
    details
}

fn choices(ask: &Ask) -> Vec<Choice> {
    let choice =
        |decision, covers, scope: &str| Choice { decision, covers, scope: scope.to_owned() };
    let mut choices = vec![choice(Decision::Once, Vec::new(), "just this")];
    if let AskKind::Permission { rules, plain_edit } = &ask.kind
        && (*plain_edit || !rules.is_empty())
    {
        let edits = plain_edit.then(|| "all changes of files in the workspace".to_owned());
        let covers: Vec<String> =
            edits.into_iter().chain(rules.iter().flat_map(rule_names)).collect();
        choices.push(choice(Decision::Session, listed(covers.iter()), SESSION));
    }
    choices.push(choice(Decision::Reject, Vec::new(), "just this; it goes on without"));
    choices
}

/// The rules that let a tool run until the session ends, of what the agent suggests. It would write
/// them into the project's files, so they are kept to the session. What it suggests for changes of
/// files is another permission mode, in which commands run as well: Baton remembers those itself.
fn rules(request: &Value) -> Vec<Value> {
    let suggested = request.get("permission_suggestions").and_then(Value::as_array);
    let suggested = suggested.map(Vec::as_slice).unwrap_or_default();
    let allows =
        |rule: &&Value| text(rule, "type") == "addRules" && text(rule, "behavior") == "allow";
    let for_session = |rule: &Value| {
        let mut rule = rule.clone();
        rule["destination"] = json!("session");
        rule
    };
    suggested.iter().filter(allows).take(MAX_LISTED).map(for_session).collect()
}

/// The rules of a suggestion as they are written in settings: `Bash(touch n.txt)`.
fn rule_names(suggestion: &Value) -> Vec<String> {
    let rules = suggestion.get("rules").and_then(Value::as_array);
    let name = |rule: &Value| match text(rule, "ruleContent") {
        "" => text(rule, "toolName").to_owned(),
        content => format!("{}({content})", text(rule, "toolName")),
    };
    rules.map(Vec::as_slice).unwrap_or_default().iter().map(name).collect()
}

fn questions(input: &Value) -> RequestBody {
    let asked = input.get("questions").and_then(Value::as_array);
    let asked = asked.map(Vec::as_slice).unwrap_or_default();
    let question = |question: &Value| {
        let options = question.get("options").and_then(Value::as_array);
        let option = |option: &Value| QuestionOption {
            label: line(text(option, "label")),
            description: cut(text(option, "description"), MAX_TEXT),
        };
        Question {
            header: line(text(question, "header")),
            text: cut(text(question, "question"), MAX_TEXT),
            options: options.into_iter().flatten().take(MAX_LISTED).map(option).collect(),
            multiple: question.get("multiSelect").and_then(Value::as_bool).unwrap_or_default(),
            custom: true,
            secret: false,
        }
    };
    RequestBody::Question { questions: asked.iter().take(MAX_LISTED).map(question).collect() }
}

/// Answers by the text of their questions, as the tool wants them: several in one are joined.
fn given(input: &Value, answers: &[Vec<String>]) -> Value {
    let asked = input.get("questions").and_then(Value::as_array);
    let mut given = Map::new();
    for (question, answers) in asked.into_iter().flatten().zip(answers) {
        if !answers.is_empty() {
            given.insert(text(question, "question").to_owned(), json!(answers.join(", ")));
        }
    }
    Value::Object(given)
}

/// What an MCP server wants to know, as questions: one for each field.
fn elicitation(request: &Value) -> RequestBody {
    let server = text(request, "mcp_server_name");
    let message = cut(text(request, "message"), MAX_TEXT);
    let fields = fields(request.get("requested_schema").unwrap_or(&Value::Null));
    let question = |(name, field): (&String, &Value)| {
        let title = Some(text(field, "title")).filter(|t| !t.is_empty()).unwrap_or(name);
        let labels: Vec<&str> = match text(field, "type") {
            "boolean" => vec!["yes", "no"],
            _ => field
                .get("enum")
                .and_then(Value::as_array)
                .map(|values| values.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default(),
        };
        let option =
            |label: &&str| QuestionOption { label: line(label), description: String::new() };
        let about = text(field, "description");
        Question {
            header: line(server),
            text: cut(&format!("{message}\n{title}: {about}"), MAX_TEXT),
            options: labels.iter().map(option).collect(),
            multiple: false,
            custom: labels.is_empty(),
            secret: false,
        }
    };
    let mut questions: Vec<Question> = fields.take(MAX_LISTED).map(question).collect();
    if questions.is_empty() {
        let url = text(request, "url");
        let about = if url.is_empty() { message } else { format!("{message}\n{url}") };
        let go_on = QuestionOption { label: "go on".to_owned(), description: String::new() };
        questions.push(Question {
            header: line(server),
            text: about,
            options: vec![go_on],
            multiple: false,
            custom: false,
            secret: false,
        });
    }
    RequestBody::Question { questions }
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// What was answered to an MCP server, by the names of its fields; `None` when it was not.
fn form(schema: &Value, answer: &Answer) -> Option<Value> {
    let Answer::Question { answers } = answer else { return None };
    let mut content = Map::new();
    for ((name, field), answers) in fields(schema).zip(answers) {
        let Some(said) = answers.first() else { continue };
        let value = match text(field, "type") {
            "boolean" => json!(said == "yes"),
            "integer" => said.trim().parse::<i64>().map_or_else(|_| json!(said), |n| json!(n)),
            "number" => said.trim().parse::<f64>().map_or_else(|_| json!(said), |n| json!(n)),
            _ => json!(said),
        };
        content.insert(name.clone(), value);
    }
    Some(Value::Object(content))
}
