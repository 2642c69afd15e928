//! The plan of a plan turn. Codex 0.169.0 has no request for it: the turn ends with an item `plan`,
//! and the client asks and begins the next turn. Here both are one turn, which waits for a person.

use codex_sdk::types::{Item, ItemBody};
use domain::{Mode, NewRequest, RequestBody, TurnEvent, TurnOutcome};

use super::asks::{Ask, AskKind};
use super::{Mapped, Mapper};
use crate::shared::shorten;

/// The longest plan of a request, in bytes; the whole stands in the item.
const MAX_PLAN: usize = 256 * 1024;

/// What Codex is told when a plan was accepted.
pub(in crate::codex) const BUILD: &str = "Implement the plan.";

impl Mapper {
    /// Notes the plan of a plan turn.
    pub(super) fn note_plan(&mut self, name: &str, item: &Item) {
        if let ItemBody::Plan { text } = &item.body
            && let Some(active) = &mut self.active
            && active.mode == Mode::Plan
        {
            active.plan = Some((name.to_owned(), text.clone()));
        }
    }

    /// Asks a person about the plan, if the turn that Codex has ended has one; whether it did.
    pub(super) fn ask_about_plan(&mut self, out: &mut Mapped) -> bool {
        // A message that waits to be sent supersedes it.
        if self.steering.is_some() {
            return false;
        }
        let Some(active) = &mut self.active else { return false };
        let Some((item, text)) = active.plan.take() else { return false };
        active.deciding = true;
        let key = format!("plan:{item}");
        let body = RequestBody::Plan {
            markdown: shorten::cut(&text, MAX_PLAN),
            path: None,
            built_in: None,
        };
        let ask = Ask::of_plan(key.clone(), body.clone());
        self.asks.insert(key.clone(), ask);
        let new = NewRequest { key, item: Some(item), from: None, body };
        self.tell(TurnEvent::Asked(new), out);
        true
    }

    /// Goes on with the running turn after a person decided on its plan: the next turn of Codex is
    /// part of it.
    /// `own` is the name of a message that is not shown, since no person wrote it.
    pub(in crate::codex) fn decided(&mut self, key: &str, mode: Mode, own: Option<&str>) -> bool {
        let is_plan = self.asks.get(key).is_some_and(|ask| matches!(ask.kind, AskKind::Plan));
        let Some(active) = self.active.as_mut().filter(|active| active.deciding && is_plan) else {
            return false;
        };
        self.asks.remove(key);
        active.deciding = false;
        active.mode = mode;
        if let Some(own) = own {
            own.clone_into(&mut active.key);
        }
        if let Some(native) = active.native.take() {
            super::push(&mut self.former, native);
        }
        true
    }

    /// Ends the running turn: its plan is left.
    pub(in crate::codex) fn leave_plan(&mut self, key: &str) -> Option<Mapped> {
        self.asks.get(key)?;
        Some(self.supersede_plan().unwrap_or_default())
    }

    /// Ends the running turn if a person decides on its plan: another message comes instead.
    pub(in crate::codex) fn supersede_plan(&mut self) -> Option<Mapped> {
        self.is_deciding().then(|| {
            let mut out = Mapped::default();
            self.end(TurnOutcome::Completed, &mut out);
            out
        })
    }
}
