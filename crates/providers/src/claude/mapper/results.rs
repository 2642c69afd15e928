//! What tools gave back.

use domain::{FullText, ItemStatus, ItemUpdate, TurnEvent};
use serde_json::Value;

use super::answer::text;
use super::{Mapped, Mapper, tools};
use crate::shared::shorten::{MAX_TEXT, cut};

impl Mapper {
    /// Takes a line in the name of the user: results of tools, or what the agent made up.
    pub(super) fn user(
        &mut self,
        parent: Option<&str>,
        (uuid, synthetic): (Option<&str>, bool),
        message: &Value,
        structured: &Value,
        out: &mut Mapped,
    ) {
        if synthetic && parent.is_none() {
            self.summary(uuid, message, out);
            return;
        }
        let blocks = message.get("content").and_then(Value::as_array);
        for block in blocks.map(Vec::as_slice).unwrap_or_default() {
            if text(block, "type") == "tool_result" {
                self.tool_result(block, structured, out);
            }
        }
    }

    fn tool_result(&mut self, block: &Value, structured: &Value, out: &mut Mapped) {
        let id = text(block, "tool_use_id").to_owned();
        let failed = block.get("is_error").and_then(Value::as_bool).unwrap_or_default();
        let said = tools::said(block.get("content").unwrap_or(&Value::Null));
        let stopped = self.active.as_ref().is_some_and(|active| active.stopping);
        let declined = self.declined.contains(&id);
        let unasked = self.unasked.contains(&id);
        let tasks = self.tasks_after(&id, structured, failed);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if std::mem::replace(&mut call.done, true) {
            return;
        }
        let result = tools::Outcome { failed, said: &said, structured };
        let (mut content, body) =
            tools::done(&call.name, &call.input, &call.content, &result, &self.workspace);
        if let Some(todos) = tasks {
            content = domain::ItemContent::TodoList { todos };
        }
        let status = match failed {
            false => ItemStatus::Done,
            true if declined => ItemStatus::Declined,
            true if unasked => ItemStatus::NotRun,
            true => ItemStatus::Failed,
        };
        let error = match status {
            ItemStatus::Failed if stopped => Some("it was stopped".to_owned()),
            ItemStatus::Failed | ItemStatus::Declined => Some(cut(&said, MAX_TEXT)),
            _ => None,
        };
        let update = ItemUpdate {
            key: id,
            parent: call.parent.clone(),
            status,
            content,
            body: body.filter(|body| !body.is_empty()).map(FullText::new),
            error,
        };
        self.tell(TurnEvent::Item(update), out);
    }
}
