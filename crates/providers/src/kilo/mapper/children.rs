//! What a sub-agent is doing, told in the item of the call that started it.

use domain::{ItemContent, ItemStatus, ItemUpdate, Phase, TurnEvent, Usage};
use kilo_sdk::SessionId;
use kilo_sdk::types::{AssistantMessage, ErrorKind};

use super::{Child, Mapped, Mapper};
use crate::kilo::errors;

/// How far up the sub-agents above one are followed.
const MAX_ABOVE: usize = 32;

/// The call that started a sub-agent, as it was told last; without its result, which stays.
pub(super) struct Call {
    told: ItemUpdate,
    /// The session that made the call.
    by: SessionId,
}

impl Child {
    pub(super) fn new(label: String, turn: Option<domain::TurnId>) -> Self {
        Self {
            parent: None,
            label,
            turn,
            waiting: Vec::new(),
            call: None,
            phase: None,
            usage: Usage::default(),
            steps: 0,
        }
    }
}

impl Mapper {
    /// Fills in what is known of a sub-agent's work, and keeps its item to tell more of it later.
    pub(super) fn note_call_of(
        &mut self,
        session: &SessionId,
        by: &SessionId,
        item: &mut ItemUpdate,
    ) {
        self.fill(session, item);
        let told = ItemUpdate { body: None, ..item.clone() };
        if let Some(child) = self.children.get_mut(session) {
            child.call = Some(Call { told, by: by.clone() });
        }
    }

    fn fill(&self, session: &SessionId, item: &mut ItemUpdate) {
        let Some(child) = self.children.get(session) else { return };
        let runs = item.status == ItemStatus::Running;
        if let ItemContent::SubAgent { steps, usage, waiting, phase, .. } = &mut item.content {
            *steps = child.steps;
            *usage = child.usage;
            *waiting = runs && self.asks.values().any(|ask| self.is_below(&ask.session, session));
            *phase = child.phase.clone().filter(|_| runs);
        }
    }

    /// Whether a session is this one or a sub-agent below it.
    fn is_below(&self, session: &SessionId, above: &SessionId) -> bool {
        std::iter::successors(Some(session), |at| self.above(at))
            .take(MAX_ABOVE)
            .any(|at| at == above)
    }

    fn above(&self, session: &SessionId) -> Option<&SessionId> {
        Some(&self.children.get(session)?.call.as_ref()?.by)
    }

    /// Tells what has changed of a sub-agent, and of those above it.
    pub(super) fn refresh(&mut self, session: &SessionId, out: &mut Mapped) {
        let line: Vec<SessionId> = std::iter::successors(Some(session), |at| self.above(at))
            .take(MAX_ABOVE)
            .cloned()
            .collect();
        for session in line {
            let Some(call) = self.children.get(&session).and_then(|c| c.call.as_ref()) else {
                continue;
            };
            let mut item = call.told.clone();
            self.fill(&session, &mut item);
            if item == call.told {
                continue;
            }
            if let Some(call) = self.children.get_mut(&session).and_then(|c| c.call.as_mut()) {
                call.told = item.clone();
            }
            self.tell(TurnEvent::Item(item), out);
        }
    }

    /// A sub-agent finished a step. One whose end is read again counts once.
    pub(super) fn child_step(&mut self, session: &SessionId, used: &Usage, out: &mut Mapped) {
        if let Some(child) = self.children.get_mut(session) {
            child.steps = child.steps.saturating_add(1);
            child.usage = child.usage.plus(used);
        }
        self.refresh(session, out);
    }

    pub(super) fn child_phase(
        &mut self,
        session: &SessionId,
        phase: Option<Phase>,
        out: &mut Mapped,
    ) {
        if let Some(child) = self.children.get_mut(session) {
            child.phase = phase;
        }
        self.refresh(session, out);
    }

    /// An error of the model within a sub-agent, which its parent may get over.
    pub(super) fn child_error(
        &mut self,
        session: &SessionId,
        message: &AssistantMessage,
        out: &mut Mapped,
    ) {
        let parent = self.children.get(session).and_then(|child| child.parent.clone());
        let failed = message.error.as_ref().filter(|error| error.kind != ErrorKind::Aborted);
        let (Some(error), Some(parent)) = (failed, parent) else { return };
        let error = errors::turn_error(error);
        let update = ItemUpdate {
            key: format!("error:{}", message.id),
            parent: Some(parent),
            status: ItemStatus::Failed,
            content: ItemContent::Error {
                code: error.code,
                message: error.message,
                retryable: error.retryable,
            },
            body: None,
            error: None,
        };
        self.tell(TurnEvent::Item(update), out);
    }
}
