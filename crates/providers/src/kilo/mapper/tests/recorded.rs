//! Recorded streams, and what Kilo would answer if it were read at any moment of them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use kilo_sdk::types::{
    MessageWithParts, NetworkWait, Part, PartBody, PermissionRequest, QuestionRequest, Session,
    Status,
};
use kilo_sdk::{Envelope, Event, MessageId, PartId, SessionId};
use serde::Deserialize;

use super::super::{Placed, Snapshot};

/// A recorded conversation.
pub(super) struct Recording {
    pub(super) name: String,
    pub(super) root: SessionId,
    /// The messages that were sent, in order.
    pub(super) prompts: Vec<MessageId>,
    pub(super) events: Vec<Envelope>,
}

impl Recording {
    /// How many events there are up to the end of the first turn.
    pub(super) fn first_end(&self) -> usize {
        let is_end = |envelope: &Envelope| matches!(&envelope.event, Event::TurnClose { session_id, .. } if *session_id == self.root);
        self.events.iter().position(is_end).map_or(self.events.len(), |at| at + 1)
    }
}

#[derive(Deserialize)]
struct Scenario {
    session: String,
    prompts: Vec<String>,
}

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/kilo-7.7.7")
}

pub(super) fn recording(name: &str) -> Recording {
    let scenarios = std::fs::read_to_string(dir().join("scenarios.json")).unwrap();
    let mut scenarios: BTreeMap<String, Scenario> = serde_json::from_str(&scenarios).unwrap();
    read(name, scenarios.remove(name).expect("a recording of this name"))
}

pub(super) fn recordings() -> Vec<Recording> {
    let scenarios = std::fs::read_to_string(dir().join("scenarios.json")).unwrap();
    let scenarios: BTreeMap<String, Scenario> = serde_json::from_str(&scenarios).unwrap();
    scenarios.into_iter().map(|(name, scenario)| read(&name, scenario)).collect()
}

/// The recordings with other numbers in the ids of their messages.
pub(super) fn renamed(new: impl Fn(u64) -> u64) -> Vec<Recording> {
    let rename = |text: &str| {
        let mut pieces = text.split("msg_");
        let mut renamed = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (number, rest) = piece.split_at(12);
            let number = new(u64::from_str_radix(number, 16).unwrap());
            renamed.push_str(&format!("msg_{number:012x}{rest}"));
        }
        renamed
    };
    let scenarios = std::fs::read_to_string(dir().join("scenarios.json")).unwrap();
    let scenarios: BTreeMap<String, Scenario> = serde_json::from_str(&rename(&scenarios)).unwrap();
    let text = |name: &str| std::fs::read_to_string(dir().join(format!("{name}.jsonl"))).unwrap();
    scenarios.into_iter().map(|(name, s)| parse(&name, s, &rename(&text(&name)))).collect()
}

fn read(name: &str, scenario: Scenario) -> Recording {
    let text = std::fs::read_to_string(dir().join(format!("{name}.jsonl"))).unwrap();
    parse(name, scenario, &text)
}

fn parse(name: &str, scenario: Scenario, text: &str) -> Recording {
    Recording {
        name: name.to_owned(),
        root: SessionId::from(scenario.session),
        prompts: scenario.prompts.into_iter().map(MessageId::from).collect(),
        events: text.lines().filter_map(|l| Envelope::parse(l.as_bytes()).unwrap()).collect(),
    }
}

/// What Kilo has stored: it forgets the text of a part that is still being written.
#[derive(Default, Clone)]
pub(super) struct Server {
    messages: HashMap<SessionId, Vec<MessageWithParts>>,
    children: Vec<Session>,
    statuses: HashMap<SessionId, Status>,
    permissions: Vec<PermissionRequest>,
    questions: Vec<QuestionRequest>,
    waits: Vec<NetworkWait>,
}

impl Server {
    /// The server after these events.
    pub(super) fn after(events: &[Envelope]) -> Self {
        let mut server = Self::default();
        for envelope in events {
            server.note(&envelope.event);
        }
        server
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::SessionCreated(session) if session.parent_id.is_some() => {
                self.children.push((**session).clone());
            }
            Event::SessionStatus { session_id, status } => {
                self.statuses.insert(session_id.clone(), status.clone());
            }
            Event::MessageUpdated { session_id, message } => {
                let messages = self.messages.entry(session_id.clone()).or_default();
                match messages.iter_mut().find(|m| m.info.id() == message.id()) {
                    Some(known) => known.info = message.clone(),
                    None => {
                        let parts = Vec::new();
                        messages.push(MessageWithParts { info: message.clone(), parts });
                    }
                }
                let created = |m: &MessageWithParts| m.info.created().unwrap_or_default();
                messages.sort_by(|a, b| created(a).total_cmp(&created(b)));
            }
            Event::MessageRemoved { session_id, message_id } => {
                let messages = self.messages.entry(session_id.clone()).or_default();
                messages.retain(|m| m.info.id() != *message_id);
            }
            Event::PartUpdated { part, .. } => self.part(part),
            Event::PartRemoved { part_id, .. } => {
                for message in self.messages.values_mut().flatten() {
                    message.parts.retain(|p| p.id != *part_id);
                }
            }
            Event::PermissionAsked(ask) => self.permissions.push((**ask).clone()),
            Event::PermissionReplied { request_id, .. } => {
                self.permissions.retain(|ask| ask.id != *request_id);
            }
            Event::QuestionAsked(ask) => self.questions.push((**ask).clone()),
            Event::QuestionReplied { request_id, .. }
            | Event::QuestionRejected { request_id, .. } => {
                self.questions.retain(|ask| ask.id != *request_id);
            }
            Event::NetworkAsked(wait) => self.waits.push(wait.clone()),
            Event::NetworkReplied { request_id, .. }
            | Event::NetworkRejected { request_id, .. }
            | Event::NetworkRestored { request_id, .. } => {
                self.waits.retain(|wait| wait.id != *request_id);
            }
            _ => {}
        }
    }

    fn part(&mut self, part: &Part) {
        let messages = self.messages.entry(part.session_id.clone()).or_default();
        let Some(message) = messages.iter_mut().find(|m| m.info.id() == part.message_id) else {
            return;
        };
        match message.parts.iter_mut().find(|p| p.id == part.id) {
            Some(known) => *known = part.clone(),
            None => message.parts.push(part.clone()),
        }
    }

    /// What reading the session gives for the turn of a message, long after it was sent.
    pub(super) fn read(&self, root: &SessionId, message: &MessageId) -> Snapshot {
        let of = |id: &SessionId| self.messages.get(id).cloned().unwrap_or_default();
        let mut messages = of(root);
        let at = messages.iter().position(|m| m.info.id() == *message);
        messages.drain(..at.unwrap_or(messages.len()));
        let status = self.statuses.get(root).filter(|status| **status != Status::Idle).cloned();
        Snapshot {
            present: messages.iter().any(|m| m.info.id() == *message),
            messages,
            children: self.children.iter().map(|c| (c.clone(), of(&c.id))).collect(),
            status,
            permissions: Some(placed(&self.permissions)),
            questions: placed(&self.questions),
            waits: placed(&self.waits),
            settled: true,
            quiet: true,
        }
    }

    /// The whole history of a session and of its sub-agents.
    pub(super) fn history(
        &self,
        root: &SessionId,
    ) -> (Vec<MessageWithParts>, Vec<(Session, Vec<MessageWithParts>)>) {
        let of = |id: &SessionId| self.messages.get(id).cloned().unwrap_or_default();
        (of(root), self.children.iter().map(|c| (c.clone(), of(&c.id))).collect())
    }

    /// The texts of the turn of the first message that a person sees: part and text.
    pub(super) fn texts(&self, root: &SessionId, prompts: &[MessageId]) -> Vec<(PartId, String)> {
        let snapshot = self.read(root, &prompts[0]);
        let children = snapshot.children.into_iter().flat_map(|(_, messages)| messages);
        let parts = snapshot.messages.into_iter().chain(children).flat_map(|m| m.parts);
        let shown = parts.filter(|part| !prompts.contains(&part.message_id));
        shown
            .filter_map(|part| match part.body {
                PartBody::Text(text) | PartBody::Reasoning(text) => {
                    let hidden = text.synthetic || text.transient() || text.text.is_empty();
                    (!hidden).then_some((part.id, text.text))
                }
                _ => None,
            })
            .collect()
    }
}

fn placed<T: Clone>(asks: &[T]) -> Vec<Placed<T>> {
    asks.iter().map(|ask| Placed { directory: None, ask: ask.clone() }).collect()
}
