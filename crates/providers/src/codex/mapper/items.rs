//! Items of the running turn: begun, grown, whole.

use std::path::Path;

use codex_sdk::types::{Change, Item, ItemBody, PlanStep};
use domain::{
    AgentEvent, FullText, ItemContent, ItemStatus, ItemUpdate, NoticeLevel, Todo, TodoStatus,
    TurnEvent, units,
};

use super::content::{self, key};
use super::{Mapped, Mapper};
use crate::shared::shorten;

/// Items that may be open at once in a turn; the text of further ones comes with their ends.
const MAX_OPEN: usize = 2_000;

/// An item that has begun and is not whole yet.
#[derive(Debug)]
pub(super) struct OpenItem {
    /// Codex's turn that it is of.
    native: String,
    /// How much of its text was told, in UTF-16 units.
    len: u64,
    /// The part of it that grew last.
    part: u64,
    /// Whether it is text of the model, which is told anew when an answer is tried again.
    is_text: bool,
    /// The tool of an MCP server that it calls: the question about it does not name the item.
    tool: Option<(String, String)>,
    /// The changes of files that it wants to make.
    pub(super) changes: Vec<Change>,
    /// It was open when another turn took over: nothing more of it is told.
    pub(super) left: bool,
}

impl Mapper {
    pub(super) fn item_started(&mut self, native: &str, item: &Item, out: &mut Mapped) {
        self.goes_on(out);
        self.link_children(item, out);
        if self.message(item, out) {
            return;
        }
        self.open_item(native, item);
        let updates = content::updates(native, item, None, &self.workspace, false);
        self.tell_items(updates, out);
    }

    pub(super) fn item_completed(&mut self, native: &str, item: &Item, out: &mut Mapped) {
        self.goes_on(out);
        self.link_children(item, out);
        if self.message(item, out) {
            return;
        }
        let name = key(native, &item.id);
        if self.items.remove(&name).is_some_and(|open| open.left) {
            return;
        }
        self.note_plan(&name, item);
        if content::text(item).is_some()
            && let Some(active) = self.active.as_mut().filter(|a| a.fresh.len() < MAX_OPEN)
        {
            active.fresh.push(name);
        }
        let mut updates = content::updates(native, item, None, &self.workspace, true);
        if let ItemBody::Compaction = &item.body
            && let Some(active) = &self.active
            && active.kind == domain::InputKind::Compact
        {
            for update in &mut updates {
                update.content = ItemContent::Compaction { automatic: false };
            }
        }
        self.tell_items(updates, out);
    }

    /// Takes a message to the agent; whether it was one.
    fn message(&mut self, item: &Item, out: &mut Mapped) -> bool {
        let ItemBody::UserMessage { client_id, text } = &item.body else { return false };
        let Some(id) = client_id else { return true };
        if self.steered(id, out) {
            return true;
        }
        // The message of the turn itself is no item of it; words of a person amid it are.
        let own = self.active.as_ref().is_some_and(|active| active.key == *id);
        if own {
            self.begun(out);
        } else if let Some(words) = id.strip_prefix(content::REMARK) {
            let update = ItemUpdate {
                key: format!("{}{words}", content::REMARK),
                parent: None,
                status: ItemStatus::Done,
                content: ItemContent::UserMessage,
                body: Some(FullText::new(text.clone())),
                error: None,
            };
            self.tell(TurnEvent::Item(update), out);
        }
        true
    }

    pub(super) fn open_item(&mut self, native: &str, item: &Item) {
        if self.items.len() >= MAX_OPEN {
            return;
        }
        let is_text = matches!(
            item.body,
            ItemBody::AgentMessage(_) | ItemBody::Reasoning { .. } | ItemBody::Plan { .. }
        );
        let len = content::text(item).map_or(0, |text| units(&text));
        let changes = match &item.body {
            ItemBody::FileChange { changes, .. } => changes.clone(),
            _ => Vec::new(),
        };
        let tool = match &item.body {
            ItemBody::Mcp(call) => Some((call.server.clone(), call.tool.clone())),
            _ => None,
        };
        let native = native.to_owned();
        let name = key(&native, &item.id);
        let open = OpenItem { tool, native, len, part: 0, is_text, changes, left: false };
        self.items.insert(name, open);
    }

    pub(super) fn close_item(&mut self, native: &str, item: &Item) {
        self.items.remove(&key(native, &item.id));
    }

    pub(super) fn tell_items(&mut self, updates: Vec<ItemUpdate>, out: &mut Mapped) {
        for mut update in updates {
            if self.items.get(&update.key).is_some_and(|open| open.left) {
                continue;
            }
            shorten::bound(&mut update.content);
            self.tell(TurnEvent::Item(update), out);
        }
    }

    /// Tells that an item grew.
    pub(super) fn grow(
        &mut self,
        native: &str,
        item: &str,
        part: u64,
        delta: &str,
        out: &mut Mapped,
    ) {
        self.goes_on(out);
        let name = key(native, item);
        let Some(open) = self.items.get_mut(&name).filter(|open| !open.left) else { return };
        let text = if part > open.part && open.len > 0 {
            format!("{}{delta}", content::BETWEEN)
        } else {
            delta.to_owned()
        };
        open.part = part;
        let at = open.len;
        open.len += units(&text);
        if !text.is_empty() {
            self.tell(TurnEvent::Text { key: name, at, text }, out);
        }
    }

    /// Takes back texts that were not finished: the model begins its answer anew.
    pub(super) fn take_back_texts(&mut self, native: &str, out: &mut Mapped) {
        let unfinished = |open: &OpenItem| open.is_text && !open.left && open.native == native;
        let mut names: Vec<String> = self
            .items
            .iter()
            .filter(|(_, open)| unfinished(open))
            .map(|(name, _)| name.clone())
            .collect();
        if let Some(active) = self.active.as_mut().filter(|a| a.native.as_deref() == Some(native)) {
            names.append(&mut active.fresh);
        }
        names.sort();
        names.dedup();
        for name in names {
            self.items.remove(&name);
            self.tell(TurnEvent::ItemRemoved { key: name }, out);
        }
    }

    /// Leaves what is open to the turn that ends: nothing more of it is told.
    pub(super) fn leave_items(&mut self) {
        self.items.values_mut().for_each(|open| open.left = true);
    }

    pub(super) fn todos(&mut self, native: &str, plan: Vec<PlanStep>, out: &mut Mapped) {
        let entry = |step: PlanStep| Todo {
            text: step.step,
            status: match step.status.as_str() {
                "completed" => TodoStatus::Completed,
                "inProgress" => TodoStatus::InProgress,
                _ => TodoStatus::Pending,
            },
        };
        let turn = self.active().map(|(turn, _)| turn.to_string()).unwrap_or_default();
        let update = ItemUpdate {
            key: format!("{native}/todos/{turn}"),
            parent: None,
            status: ItemStatus::Done,
            content: ItemContent::TodoList { todos: plan.into_iter().map(entry).collect() },
            body: None,
            error: None,
        };
        self.tell_items(vec![update], out);
    }

    /// Tells something that Codex warns of, in the turn that runs.
    pub(super) fn warning(&mut self, message: &str, out: &mut Mapped) {
        if message.trim().is_empty() {
            return;
        }
        let Some((turn, _)) = self.active() else { return };
        let turn = turn.clone();
        let update = notice(&format!("warning/{turn}/{message}"), message);
        out.events.push(AgentEvent::Turn { turn, event: TurnEvent::Item(update) });
    }

    /// The call of a tool of an MCP server that is under way in a turn of Codex.
    pub(super) fn call_of(&self, native: &str, server: &str, tool: &str) -> Option<String> {
        let calls = self.items.iter().filter(|(_, open)| {
            let calls = open.tool.as_ref().is_some_and(|(s, t)| s == server && t == tool);
            calls && !open.left && open.native == native
        });
        calls.map(|(name, _)| name).min().cloned()
    }

    /// The paths of the files that an item wants to change.
    pub(super) fn changes(&self, name: &str) -> &[Change] {
        self.items.get(name).map(|open| open.changes.as_slice()).unwrap_or_default()
    }

    pub(super) fn workspace(&self) -> &Path {
        &self.workspace
    }
}

/// Something worth knowing, named by itself so that it is told once.
pub(super) fn notice(key: &str, message: &str) -> ItemUpdate {
    ItemUpdate {
        key: shorten::cut(key, 512),
        parent: None,
        status: ItemStatus::Done,
        content: ItemContent::Notice { level: NoticeLevel::Warning },
        body: Some(FullText::new(message.to_owned())),
        error: None,
    }
}
