//! Sub-agents: threads of their own, whose events belong into the thread that started them.

use codex_sdk::types::{CollabCall, EventBody, Item, ItemBody, SubAgentActivity, TurnStatus};
use domain::{FullText, ItemContent, ItemStatus, ItemUpdate, Phase, TurnEvent, TurnId, Usage};

use super::{MAX_CHILDREN, Mapped, Mapper, content};
use crate::shared::shorten;

/// A sub-agent.
#[derive(Debug)]
pub(super) struct Child {
    /// The turn in which it was started last.
    turn: Option<TurnId>,
    /// The sub-agent that started it; `None` for the thread's own agent.
    parent: Option<String>,
    /// What it is called.
    pub(super) name: String,
    task: String,
    status: ItemStatus,
    /// Answers of its model that are done.
    steps: u32,
    usage: Usage,
    /// Turns of it that run.
    native: Option<String>,
    phase: Option<Phase>,
    /// What it said last.
    said: Option<String>,
}

/// Our name of the item that stands for a sub-agent.
pub(super) fn key(thread: &str) -> String {
    format!("agent/{thread}")
}

/// The threads of sub-agents that an item names.
pub(in crate::codex) fn named(item: &Item) -> Vec<&str> {
    match &item.body {
        ItemBody::SubAgent(activity) if !activity.agent_thread_id.is_empty() => {
            vec![&activity.agent_thread_id]
        }
        ItemBody::Collab(call) => call.receiver_thread_ids.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

impl Mapper {
    /// Takes what an item of the root says of sub-agents.
    pub(super) fn link_children(&mut self, item: &Item, out: &mut Mapped) {
        self.link_from(None, item, out);
    }

    fn link_from(&mut self, parent: Option<&str>, item: &Item, out: &mut Mapped) {
        match &item.body {
            ItemBody::SubAgent(activity) => self.activity(parent, activity, out),
            ItemBody::Collab(call) => self.collab(parent, call, out),
            _ => {}
        }
    }

    fn activity(&mut self, parent: Option<&str>, activity: &SubAgentActivity, out: &mut Mapped) {
        let thread = &activity.agent_thread_id;
        if !self.adopt(parent, thread) {
            return;
        }
        let Some(child) = self.children.get_mut(thread) else { return };
        let name = activity.agent_path.rsplit('/').next().unwrap_or_default();
        if !name.is_empty() {
            child.name = shorten::line(name);
        }
        match activity.kind.as_str() {
            "started" => child.status = ItemStatus::Running,
            "completed" => child.status = ItemStatus::Done,
            "interrupted" => child.status = ItemStatus::Failed,
            _ => {}
        }
        self.tell_child(thread, out);
    }

    fn collab(&mut self, parent: Option<&str>, call: &CollabCall, out: &mut Mapped) {
        for thread in &call.receiver_thread_ids {
            if !self.adopt(parent, thread) {
                continue;
            }
            let Some(child) = self.children.get_mut(thread) else { continue };
            if let Some(prompt) = call.prompt.as_ref().filter(|_| call.tool == "spawnAgent") {
                child.task = shorten::line(prompt);
            }
            let state = call.agents_states.get(thread).and_then(|state| state.get("status"));
            match state.and_then(serde_json::Value::as_str) {
                Some("completed" | "shutdown") => child.status = ItemStatus::Done,
                Some("errored" | "interrupted" | "notFound") => child.status = ItemStatus::Failed,
                Some("running" | "pendingInit") => child.status = ItemStatus::Running,
                _ => {}
            }
            self.tell_child(thread, out);
        }
    }

    /// Notes a thread as a sub-agent of the running turn; whether it is one.
    fn adopt(&mut self, parent: Option<&str>, thread: &str) -> bool {
        if thread.is_empty() || thread == self.root {
            return false;
        }
        let turn = self.active().map(|(turn, _)| turn.clone());
        if let Some(child) = self.children.get_mut(thread) {
            if turn.is_some() {
                child.turn = turn;
            }
            return true;
        }
        if self.children.len() >= MAX_CHILDREN {
            return false;
        }
        let child = Child {
            turn,
            parent: parent.map(str::to_owned),
            name: "sub-agent".to_owned(),
            task: String::new(),
            status: ItemStatus::Running,
            steps: 0,
            usage: Usage::default(),
            native: None,
            phase: None,
            said: None,
        };
        self.children.insert(thread.to_owned(), child);
        true
    }

    /// Sub-agents that have a turn running, with Codex's id of it.
    pub(in crate::codex) fn working_children(&self) -> Vec<(String, String)> {
        let working = |(thread, child): (&String, &Child)| {
            child.native.as_ref().map(|native| (thread.clone(), native.clone()))
        };
        self.children.iter().filter_map(working).collect()
    }

    /// Whether a thread is a sub-agent of the turn that runs.
    pub(super) fn works_for_active(&self, thread: &str) -> bool {
        let turn = self.children.get(thread).and_then(|child| child.turn.as_ref());
        turn.is_some() && turn == self.active().map(|(turn, _)| turn)
    }

    /// What a sub-agent is called.
    pub(super) fn child_name(&self, thread: &str) -> Option<String> {
        self.children.get(thread).map(|child| child.name.clone())
    }

    /// Tells how a sub-agent stands.
    pub(super) fn tell_child(&mut self, thread: &str, out: &mut Mapped) {
        if !self.works_for_active(thread) {
            return;
        }
        let waiting = self.asks.values().any(|ask| ask.thread.as_deref() == Some(thread));
        let Some(child) = self.children.get(thread) else { return };
        let update = ItemUpdate {
            key: key(thread),
            parent: child.parent.as_deref().map(key),
            status: child.status,
            content: ItemContent::SubAgent {
                agent: child.name.clone(),
                task: child.task.clone(),
                session: Some(thread.to_owned()),
                steps: child.steps,
                usage: child.usage,
                waiting,
                phase: child.phase.clone(),
            },
            body: child.said.clone().map(FullText::new),
            error: None,
        };
        self.tell_items(vec![update], out);
    }

    /// Takes what happened in a sub-agent's thread.
    pub(super) fn child_event(
        &mut self,
        thread: &str,
        turn: Option<&str>,
        body: EventBody,
        out: &mut Mapped,
    ) {
        if let EventBody::Resolved { id } = body {
            return self.resolved(&id.into(), out);
        }
        if !self.works_for_active(thread) {
            self.unknown += 1;
            return;
        }
        let native = turn.unwrap_or_default().to_owned();
        let parent = key(thread);
        match body {
            EventBody::TurnStarted(turn) => {
                if let Some(child) = self.children.get_mut(thread) {
                    child.native = Some(turn.id);
                    child.status = ItemStatus::Running;
                }
                self.tell_child(thread, out);
            }
            EventBody::TurnCompleted(turn) => {
                if let Some(child) = self.children.get_mut(thread) {
                    child.native = None;
                    child.phase = None;
                    child.status = match turn.status {
                        TurnStatus::Failed | TurnStatus::Interrupted => ItemStatus::Failed,
                        TurnStatus::Completed | TurnStatus::InProgress | TurnStatus::Unknown => {
                            ItemStatus::Done
                        }
                    };
                }
                self.tell_child(thread, out);
            }
            EventBody::ItemStarted(item) => {
                self.goes_on(out);
                self.link_from(Some(thread), &item, out);
                self.open_item(&native, &item);
                let told = content::updates(&native, &item, Some(&parent), &self.workspace, false);
                self.tell_items(told, out);
            }
            EventBody::ItemCompleted(item) => {
                self.link_from(Some(thread), &item, out);
                self.child_said(thread, &item, out);
                let told = content::updates(&native, &item, Some(&parent), &self.workspace, true);
                self.tell_items(told, out);
                self.close_item(&native, &item);
            }
            EventBody::MessageDelta { item, delta } | EventBody::OutputDelta { item, delta } => {
                self.grow(&native, &item, 0, &delta, out);
            }
            EventBody::SummaryDelta { item, index, delta }
            | EventBody::ReasoningDelta { item, index, delta } => {
                self.grow(&native, &item, index, &delta, out);
            }
            EventBody::Usage(usage) => {
                let used = self.meter.take(thread, &usage);
                if let Some(child) = self.children.get_mut(thread) {
                    child.usage = used;
                    child.steps += 1;
                }
                self.tell_child(thread, out);
                self.tell(TurnEvent::Usage(self.meter.total()), out);
            }
            EventBody::Error { error, will_retry } => {
                if let Some(child) = self.children.get_mut(thread) {
                    let message = shorten::line(&error.message);
                    child.phase = will_retry.then_some(Phase::Retrying {
                        attempt: 1,
                        next_at: None,
                        message,
                    });
                }
                if will_retry {
                    self.take_back_texts(&native, out);
                }
                self.tell_child(thread, out);
            }
            _ => self.unknown += 1,
        }
    }

    /// Takes what a sub-agent said, or was told.
    fn child_said(&mut self, thread: &str, item: &Item, out: &mut Mapped) {
        let Some(child) = self.children.get_mut(thread) else { return };
        child.phase = None;
        match &item.body {
            ItemBody::AgentMessage(message) => child.said = Some(message.text.clone()),
            ItemBody::UserMessage { text, .. } if child.task.is_empty() => {
                child.task = shorten::line(text);
            }
            _ => return,
        }
        self.tell_child(thread, out);
    }

    /// Leaves the sub-agents behind: what they do from now on belongs to no turn.
    pub(super) fn leave_children(&mut self) {
        self.children.values_mut().for_each(|child| child.turn = None);
    }
}
