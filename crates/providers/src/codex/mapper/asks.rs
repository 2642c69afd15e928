//! Requests of Codex: each is answered exactly once, by a person or by the thread's access.

use codex_sdk::RequestId;
use codex_sdk::types::{Ask as NativeAsk, AskBody};
use domain::{AgentEvent, Answer, ItemUpdate, NewRequest, RequestBody, RequestOutcome, TurnEvent};
use serde_json::{Value, json};

use super::approvals;
use super::items::notice;
use super::{Automatic, Mapped, Mapper, Reply, children, content};
use crate::codex::access::{Act, Verdict, verdict};

/// Requests of one thread that may be open at once; further ones are refused.
const MAX_ASKS: usize = 500;

/// A request of Codex that waits.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::codex) struct Ask {
    /// Codex's name of it; `None` for a plan, which Codex does not ask about.
    pub(in crate::codex) id: Option<RequestId>,
    /// The sub-agent's thread that asks.
    pub(in crate::codex) thread: Option<String>,
    pub(in crate::codex) kind: AskKind,
    /// What is told of it.
    new: NewRequest,
    /// An answer is on its way, or given.
    pub(in crate::codex) answered: bool,
}

/// What is needed to answer a request.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::codex) enum AskKind {
    /// To run a command; the beginning of commands that could be allowed for good.
    Command { amendment: Option<Vec<String>> },
    /// To change these files.
    Files { paths: Vec<String> },
    /// To do more, in the turn or the session.
    Permissions { wanted: Value },
    /// To use a tool of an MCP server.
    Tool,
    /// To open a page for an MCP server.
    Page,
    /// Questions, by their names.
    Questions { ids: Vec<String> },
    /// What an MCP server wants to be filled in: each field with its kind.
    Form { fields: Vec<approvals::Field> },
    /// A plan.
    Plan,
}

impl Ask {
    pub(super) fn of_plan(key: String, body: RequestBody) -> Self {
        let new = NewRequest { key, item: None, from: None, body };
        Self { id: None, thread: None, kind: AskKind::Plan, new, answered: false }
    }
}

impl Mapper {
    /// Takes a request of Codex.
    pub(in crate::codex) fn asked(
        &mut self,
        id: RequestId,
        method: &str,
        native: &NativeAsk,
    ) -> Mapped {
        let mut out = Mapped::default();
        let refuse = |id, out: &mut Mapped| {
            out.replies.push(Reply { id, answer: Automatic::Refuse });
        };
        let child = native.thread.clone().filter(|thread| *thread != self.root);
        let wanted = match (&child, native.turn.as_deref()) {
            (Some(thread), _) => self.works_for_active(thread),
            (None, Some(turn)) => self.is_current(turn),
            // An MCP server may ask without saying for which turn.
            (None, None) => self.active.is_some(),
        };
        if !wanted || self.asks.len() >= MAX_ASKS {
            refuse(id, &mut out);
            return out;
        }
        let turn = native.turn.clone().unwrap_or_default();
        let item = match &native.body {
            AskBody::Elicitation(ask) if ask.is_tool_approval() => {
                let tool = ask.meta("tool_name").as_str().unwrap_or_default();
                self.call_of(&turn, &ask.server_name, tool)
            }
            _ => native.item.as_ref().map(|item| content::key(&turn, item)),
        };
        let changes = item.as_deref().map(|item| self.changes(item).to_vec()).unwrap_or_default();
        let made = approvals::body(&native.body, &changes, self.workspace());
        let Some((kind, body)) = made else {
            // Nothing of the kind is offered to Codex, so that this is new; it is said.
            let told = format!("Codex asked for something that Baton does not know: {method}");
            let key = format!("unknown-ask/{}/{id}", self.process);
            self.tell(TurnEvent::Item(notice(&key, &told)), &mut out);
            self.unknown += 1;
            refuse(id, &mut out);
            return out;
        };
        let key = format!("ask:{}:{id}", self.process);
        let from = child.as_deref().and_then(|thread| self.child_name(thread));
        let new = NewRequest { key: key.clone(), item, from, body };
        let ask = Ask { id: Some(id), thread: child, kind, new, answered: false };
        self.asks.insert(key.clone(), ask);
        self.decide(&key, &mut out);
        out
    }

    /// Has a request answered by the thread's access, or asks a person.
    fn decide(&mut self, key: &str, out: &mut Mapped) {
        let (access, mode) = (self.access, self.mode());
        let Some(ask) = self.asks.get_mut(key) else { return };
        let Some(id) = ask.id.clone() else { return };
        let act = match &ask.kind {
            AskKind::Files { paths } => Act::Edit(paths),
            AskKind::Command { .. } | AskKind::Permissions { .. } | AskKind::Tool => Act::Other,
            // Questions are a person's in every access.
            AskKind::Page | AskKind::Questions { .. } | AskKind::Form { .. } | AskKind::Plan => {
                return self.tell_ask(key, out);
            }
        };
        let verdict = verdict(access, mode, act, &self.workspace);
        let allowed = approvals::allowed(&ask.kind);
        let answer = match (verdict, &ask.kind) {
            (Verdict::Ask, _) => return self.tell_ask(key, out),
            (Verdict::Refuse, _) => Automatic::Answer(json!({ "decision": "decline" })),
            (Verdict::Allow, AskKind::Files { paths }) if access != domain::Access::Full => {
                let (paths, key) = (paths.clone(), key.to_owned());
                Automatic::IfInside { answer: allowed, paths, key }
            }
            (Verdict::Allow, _) => Automatic::Answer(allowed),
        };
        ask.answered = true;
        out.replies.push(Reply { id, answer });
    }

    /// Asks a person after all.
    pub(in crate::codex) fn ask_person(&mut self, key: &str) -> Mapped {
        let mut out = Mapped::default();
        if let Some(ask) = self.asks.get_mut(key) {
            ask.answered = false;
            self.tell_ask(key, &mut out);
        }
        out
    }

    fn tell_ask(&mut self, key: &str, out: &mut Mapped) {
        let Some(ask) = self.asks.get(key) else { return };
        let (new, thread) = (ask.new.clone(), ask.thread.clone());
        self.tell(TurnEvent::Asked(new), out);
        if let Some(thread) = thread {
            self.tell_child(&thread, out);
        }
    }

    /// Asks again what waits: the turn that asks is another one now.
    pub(super) fn ask_again(&mut self, out: &mut Mapped) {
        let mut open: Vec<String> =
            self.asks.iter().filter(|(_, ask)| !ask.answered).map(|(key, _)| key.clone()).collect();
        open.sort();
        for key in open {
            self.tell_ask(&key, out);
        }
    }

    /// Answers what waits and the access allows now.
    pub(in crate::codex) fn allow_waiting(&mut self) -> Mapped {
        let mut out = Mapped::default();
        let mut open: Vec<String> =
            self.asks.iter().filter(|(_, ask)| !ask.answered).map(|(key, _)| key.clone()).collect();
        open.sort();
        for key in open {
            let mut one = Mapped::default();
            self.decide(&key, &mut one);
            if one.replies.is_empty() {
                continue;
            }
            out.replies.append(&mut one.replies);
            let outcome = RequestOutcome::Answered;
            self.tell(TurnEvent::AskClosed { key: key.clone(), outcome }, &mut out);
            if let Some(thread) = self.asks.get(&key).and_then(|ask| ask.thread.clone()) {
                self.tell_child(&thread, &mut out);
            }
        }
        out
    }

    /// A request that waits for an answer of a person. Whoever gets it gives that answer: nobody
    /// else does after.
    pub(in crate::codex) fn take_ask(&mut self, key: &str) -> Option<Ask> {
        let ask = self.asks.get_mut(key).filter(|ask| !ask.answered)?;
        ask.answered = ask.id.is_some();
        Some(ask.clone())
    }

    /// Takes that Codex no longer waits.
    pub(super) fn resolved(&mut self, id: &RequestId, out: &mut Mapped) {
        let found = self.asks.iter().find(|(_, ask)| ask.id.as_ref() == Some(id));
        let Some(key) = found.map(|(key, _)| key.clone()) else { return };
        let Some(ask) = self.asks.remove(&key) else { return };
        if !ask.answered {
            self.tell(TurnEvent::AskClosed { key, outcome: RequestOutcome::Gone }, out);
        }
        if let Some(thread) = ask.thread {
            self.tell_child(&thread, out);
        }
    }

    /// Takes that a person's answer is with Codex; gives what is told of it. Codex keeps no item of
    /// what it asks, so that questions and their answers are kept as one of ours.
    pub(in crate::codex) fn answered(&mut self, key: &str, answer: &Answer) -> Vec<AgentEvent> {
        let mut out = Mapped::default();
        let Some(ask) = self.asks.remove(key) else { return out.events };
        if let RequestBody::Question { questions } = &ask.new.body {
            let parent = ask.thread.as_deref().map(children::key);
            let item = ItemUpdate { parent, ..approvals::asked(key, questions, answer) };
            self.tell(TurnEvent::Item(item), &mut out);
        }
        if let Some(thread) = ask.thread {
            self.tell_child(&thread, &mut out);
        }
        out.events
    }
}
