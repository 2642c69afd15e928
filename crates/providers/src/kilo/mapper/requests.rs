//! What Kilo asks, and what becomes of it.

use domain::{NewRequest, RequestBody, RequestOutcome, TurnEvent};
use kilo_sdk::SessionId;
use kilo_sdk::types::{NetworkWait, PermissionRequest, QuestionOption, QuestionRequest, ToolRef};
use serde_json::{Map, Value};

use super::asks::{self, PLAN_FOLLOWUP, SLOW_SNAPSHOT};
use super::{Call, MAX_ASKS, MAX_PARTS, Mapped, Mapper, network_key};
use crate::kilo::baseline;
use crate::shared::shorten::line;

/// Something Kilo waits for an answer to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::kilo) struct Ask {
    /// Its name among Baton's requests.
    pub(in crate::kilo) key: String,
    pub(in crate::kilo) session: SessionId,
    /// The directory to answer in, when it is not the session's.
    pub(in crate::kilo) directory: Option<String>,
    pub(in crate::kilo) kind: AskKind,
    /// Whether Kilo lists it with what is open. What it asks in a way that is not known here is on
    /// no list, and closed by its own event or with the turn.
    pub(in crate::kilo) listed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::kilo) enum AskKind {
    Permission { permission: String, always: Vec<String>, call: Option<Call> },
    Question { questions: Vec<Vec<Label>> },
    Network,
}

/// An option of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kilo) struct Label {
    /// Kilo's key of it, when the question is its own.
    pub(in crate::kilo) key: Option<String>,
    /// As a person sees it.
    pub(in crate::kilo) shown: String,
    /// As Kilo wants to have it back; the same, unless it was too long to be shown.
    pub(in crate::kilo) whole: String,
}

impl Mapper {
    fn from(&self, session: &SessionId) -> Option<String> {
        self.children.get(session).map(|child| child.label.clone())
    }

    pub(super) fn permission(
        &mut self,
        ask: &PermissionRequest,
        directory: Option<String>,
        out: &mut Mapped,
    ) {
        let known = Ask {
            key: ask.id.as_str().to_owned(),
            session: ask.session_id.clone(),
            directory: own_directory(directory),
            kind: AskKind::Permission {
                permission: ask.permission.clone(),
                always: ask.always.clone(),
                call: ask.tool.as_ref().map(call),
            },
            listed: true,
        };
        if self.is_late(&ask.session_id, ask.tool.as_ref()) {
            return;
        }
        let implied = self.allows(&ask.permission)
            || baseline::granted(&self.granted, &ask.permission, &ask.patterns);
        if implied {
            out.implied.push(known);
            return;
        }
        let tool = ask.tool.as_ref().and_then(|tool| self.acting.get(&call(tool)));
        let tool = tool.map(AsRef::as_ref);
        let body = asks::approval(ask, tool, &self.workspace, &self.servers);
        self.asked(known, ask.tool.as_ref(), body, out);
    }

    pub(super) fn question(
        &mut self,
        ask: &QuestionRequest,
        directory: Option<String>,
        out: &mut Mapped,
    ) {
        let own = ask.questions.first().and_then(|q| q.key.as_deref());
        let known = Ask {
            key: ask.id.as_str().to_owned(),
            session: ask.session_id.clone(),
            directory: own_directory(directory),
            kind: AskKind::Question {
                questions: ask
                    .questions
                    .iter()
                    .map(|q| q.options.iter().map(label).collect())
                    .collect(),
            },
            listed: true,
        };
        if self.is_late(&ask.session_id, ask.tool.as_ref()) {
            return;
        }
        let body = match own {
            Some(PLAN_FOLLOWUP) => RequestBody::Plan {
                markdown: self.plan.as_ref().map(|p| p.text.clone()).unwrap_or_default(),
                path: self.plan.as_ref().map(|p| p.path.clone()),
                built_in: None,
            },
            Some(SLOW_SNAPSHOT) => {
                let go_on = ask.questions.first().and_then(|q| q.options.first());
                out.housekeeping = go_on.map(|option| (known, option.label.clone()));
                return;
            }
            _ => asks::question(ask),
        };
        self.asked(known, ask.tool.as_ref(), body, out);
    }

    pub(super) fn network(
        &mut self,
        wait: &NetworkWait,
        directory: Option<String>,
        out: &mut Mapped,
    ) {
        let known = Ask {
            key: network_key(wait.id.as_str()),
            session: wait.session_id.clone(),
            directory: own_directory(directory),
            kind: AskKind::Network,
            listed: true,
        };
        self.asked(known, None, asks::network(wait), out);
    }

    /// Takes what Kilo tells in a way that is not known here. Something it asks is looked for in the
    /// session, and shown: the turn waits for it.
    pub(super) fn strange(
        &mut self,
        kind: &str,
        properties: Value,
        directory: Option<String>,
        out: &mut Mapped,
    ) {
        let Some((_, what)) = kind.rsplit_once('.') else { return };
        if matches!(what, "replied" | "rejected") {
            if let Some(key) = properties.get("requestID").and_then(Value::as_str) {
                self.replied(key, what == "rejected", out);
            }
            return;
        }
        if what != "asked" {
            return;
        }
        out.resync = true;
        let known: PermissionRequest =
            serde_json::from_value(properties.clone()).unwrap_or_default();
        let key = known.id.as_str().to_owned();
        if key.is_empty()
            || self.asks.contains_key(&key)
            || self.is_late(&known.session_id, known.tool.as_ref())
        {
            return;
        }
        let mut facts = match properties {
            Value::Object(facts) => facts,
            _ => Map::new(),
        };
        facts.retain(|name, _| !matches!(name.as_str(), "id" | "sessionID" | "tool"));
        let shown = PermissionRequest {
            permission: kind.to_owned(),
            metadata: facts,
            ..PermissionRequest::default()
        };
        let body = asks::approval(&shown, None, &self.workspace, &self.servers);
        let ask = Ask {
            key,
            session: known.session_id,
            directory: own_directory(directory),
            kind: AskKind::Permission {
                permission: kind.to_owned(),
                always: Vec::new(),
                call: known.tool.as_ref().map(call),
            },
            listed: false,
        };
        self.asked(ask, known.tool.as_ref(), body, out);
    }

    /// Whether an earlier turn asks. A sub-agent that is not known is rather shown than hidden.
    fn is_late(&self, session: &SessionId, tool: Option<&ToolRef>) -> bool {
        let others = |tool: &ToolRef| !self.is_current(session, &tool.message_id);
        self.former.contains(session) || (*session == self.root && tool.is_some_and(others))
    }

    fn asked(&mut self, ask: Ask, tool: Option<&ToolRef>, body: RequestBody, out: &mut Mapped) {
        if self.asks.len() >= MAX_ASKS && !self.asks.contains_key(&ask.key) {
            return;
        }
        let request = NewRequest {
            key: ask.key.clone(),
            item: tool.and_then(|tool| self.calls.get(&call(tool))).cloned(),
            from: self.from(&ask.session),
            body,
        };
        let session = ask.session.clone();
        self.asks.insert(ask.key.clone(), ask);
        self.tell(TurnEvent::Asked(request), out);
        self.refresh(&session, out);
    }

    pub(super) fn replied(&mut self, key: &str, rejected: bool, out: &mut Mapped) {
        let crowded = self.asks.len() >= MAX_ASKS;
        let Some(ask) = self.asks.remove(key) else { return };
        out.resync |= crowded;
        if let AskKind::Permission { call: Some(call), .. } = ask.kind
            && rejected
            && self.declined.len() < MAX_PARTS
        {
            self.declined.insert(call);
        }
        let outcome = if rejected { RequestOutcome::Rejected } else { RequestOutcome::Answered };
        self.tell(TurnEvent::AskClosed { key: key.to_owned(), outcome }, out);
        self.refresh(&ask.session, out);
    }
}

fn label(option: &QuestionOption) -> Label {
    Label { key: option.key.clone(), shown: line(&option.label), whole: option.label.clone() }
}

fn call(tool: &ToolRef) -> Call {
    (tool.message_id.clone(), tool.call_id.clone())
}

/// The directory an event names, when it names one: plan questions come from `global`.
fn own_directory(directory: Option<String>) -> Option<String> {
    directory.filter(|d| d.starts_with('/'))
}
