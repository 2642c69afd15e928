//! Answers: pieces while they are written, and the whole blocks that are the truth.

use std::collections::BTreeMap;

use domain::{ItemContent, ItemStatus, TurnEvent, Usage, units};
use serde_json::Value;

use super::tools;
use super::{Call, MAX_KNOWN, Mapped, Mapper};

/// The model that stands for none: what the program itself says.
const SYNTHETIC: &str = "<synthetic>";

/// An answer that is being written.
pub(super) struct Writing {
    pub(super) id: String,
    /// Its blocks of text and reasoning that are not whole yet: what was told of each.
    open: BTreeMap<u64, Open>,
    /// The keys of all blocks of it that were told.
    told: Vec<String>,
    /// It came in pieces; one that comes whole has no beginning and no end of its own.
    streamed: bool,
    /// Its end was told.
    ended: bool,
    pub(super) usage: Usage,
}

impl Writing {
    /// Whether its pieces ended before it did.
    pub(super) fn is_broken(&self) -> bool {
        self.streamed && !self.ended
    }
}

struct Open {
    key: String,
    content: ItemContent,
    len: u64,
}

impl Mapper {
    /// Takes a piece of what the thread's own agent writes.
    pub(super) fn piece(&mut self, event: &Value, out: &mut Mapped) {
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        match text(event, "type") {
            "message_start" => {
                let message = event.get("message").unwrap_or(&Value::Null);
                self.begins(out);
                self.phase(None, out);
                self.write(text(message, "id"), true, out);
                self.used(message.get("usage"), out);
            }
            "content_block_start" => {
                let block = event.get("content_block").unwrap_or(&Value::Null);
                if let Some(content) = prose(text(block, "type")) {
                    self.open_block(index, content, out);
                }
            }
            "content_block_delta" => {
                let delta = event.get("delta").unwrap_or(&Value::Null);
                let piece = match text(delta, "type") {
                    "text_delta" => text(delta, "text"),
                    "thinking_delta" => text(delta, "thinking"),
                    // Input of tools shows with the whole block.
                    _ => "",
                };
                self.grow(index, piece, out);
            }
            "message_delta" => self.used(event.get("usage"), out),
            "message_stop" => {
                if let Some(writing) = &mut self.writing {
                    writing.ended = true;
                }
            }
            _ => {}
        }
    }

    /// Notes which answer is being written. One that broke off before is thrown away by the agent,
    /// and is given anew.
    fn write(&mut self, id: &str, streamed: bool, out: &mut Mapped) {
        if self.writing.as_ref().is_some_and(|writing| writing.id == id) {
            return;
        }
        if let Some(before) = self.writing.take().filter(Writing::is_broken) {
            for key in before.told {
                self.tell(TurnEvent::ItemRemoved { key }, out);
            }
            if let Some(active) = &mut self.active {
                active.usage.remove(&before.id);
            }
        }
        self.writing = Some(Writing {
            id: id.to_owned(),
            open: BTreeMap::new(),
            told: Vec::new(),
            streamed,
            ended: false,
            usage: Usage::default(),
        });
    }

    fn open_block(&mut self, index: u64, content: ItemContent, out: &mut Mapped) {
        if self.blocks.len() >= MAX_KNOWN {
            self.too_much(out);
            return;
        }
        let Some(writing) = &mut self.writing else { return };
        let key = block_key(&writing.id, index);
        writing.told.push(key.clone());
        writing.open.insert(index, Open { key: key.clone(), content: content.clone(), len: 0 });
        self.item(key, None, ItemStatus::Running, content, None, out);
    }

    fn grow(&mut self, index: u64, piece: &str, out: &mut Mapped) {
        if piece.is_empty() {
            return;
        }
        let Some(open) = self.writing.as_mut().and_then(|w| w.open.get_mut(&index)) else { return };
        let (key, at) = (open.key.clone(), open.len);
        open.len += units(piece);
        self.tell(TurnEvent::Text { key, at, text: piece.to_owned() }, out);
    }

    /// Takes blocks of an answer that are whole.
    pub(super) fn answer(
        &mut self,
        parent: Option<&str>,
        error: Option<String>,
        message: &Value,
        out: &mut Mapped,
    ) {
        let id = text(message, "id").to_owned();
        let synthetic = text(message, "model") == SYNTHETIC;
        let blocks = message.get("content").and_then(Value::as_array);
        let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
        if id.is_empty() || blocks.is_empty() {
            return;
        }
        if let Some(error) = error {
            let said = blocks.iter().map(|block| text(block, "text")).collect::<Vec<_>>();
            if let Some(active) = self.active.as_mut().filter(|a| a.begun && parent.is_none()) {
                active.failure = Some((error, said.join("\n")));
            }
            return;
        }
        if parent.is_none() && !synthetic {
            self.begins(out);
            self.phase(None, out);
            self.write(&id, false, out);
        }
        for block in blocks {
            let next = self.blocks.entry(id.clone()).or_default();
            let index = *next;
            *next += 1;
            self.block(parent.map(str::to_owned), &id, index, block, out);
        }
        if parent.is_some() {
            self.used_by(&id, message.get("usage"));
        } else {
            self.used(message.get("usage"), out);
        }
    }

    fn block(
        &mut self,
        parent: Option<String>,
        id: &str,
        index: u64,
        block: &Value,
        out: &mut Mapped,
    ) {
        let kind = text(block, "type");
        if let Some(content) = prose(kind) {
            let said = match kind {
                "text" => text(block, "text"),
                "thinking" => text(block, "thinking"),
                _ => "",
            };
            let key = block_key(id, index);
            let mut content = content;
            if let Some(writing) = self.writing.as_mut().filter(|_| parent.is_none()) {
                if let Some(open) = writing.open.remove(&index) {
                    content = open.content;
                } else {
                    writing.told.push(key.clone());
                }
            }
            // Reasoning that is kept from people has no text; what was told of it stands.
            let body = (!said.is_empty()).then(|| said.to_owned());
            if body.is_some() || kind == "text" {
                self.item(key, parent, ItemStatus::Done, content, body, out);
            } else {
                self.tell(TurnEvent::ItemRemoved { key }, out);
            }
            return;
        }
        if matches!(kind, "tool_use" | "server_tool_use" | "mcp_tool_use") {
            let input = block.get("input").cloned().unwrap_or_default();
            self.call(text(block, "id"), text(block, "name"), input, parent, out);
        }
    }

    /// Takes a tool call, which may have been told by what was asked about it.
    pub(super) fn call(
        &mut self,
        id: &str,
        name: &str,
        input: Value,
        parent: Option<String>,
        out: &mut Mapped,
    ) {
        if id.is_empty() || self.calls.get(id).is_some_and(|call| call.done) {
            return;
        }
        if self.calls.len() >= MAX_KNOWN && !self.calls.contains_key(id) {
            self.too_much(out);
            return;
        }
        let content = tools::content(name, &input, &self.workspace);
        let parent = self.calls.get(id).and_then(|call| call.parent.clone()).or(parent);
        if let Some(writing) = self.writing.as_mut().filter(|_| parent.is_none())
            && !writing.told.iter().any(|key| key == id)
        {
            writing.told.push(id.to_owned());
        }
        let call = Call {
            name: name.to_owned(),
            input,
            parent: parent.clone(),
            content: content.clone(),
            done: false,
        };
        self.calls.insert(id.to_owned(), call);
        // A list that is to change is told once it has.
        if !tools::is_todo(name) {
            self.item(id.to_owned(), parent, ItemStatus::Running, content, None, out);
        }
    }

    /// Notes what the answer that is being written used so far.
    fn used(&mut self, told: Option<&Value>, out: &mut Mapped) {
        let Some(told) = told else { return };
        let Some(writing) = &mut self.writing else { return };
        // The end of an answer says what was written only, its beginning the rest.
        let new = usage(told);
        let most = |a: u64, b: u64| a.max(b);
        let before = writing.usage;
        writing.usage = Usage {
            input: most(before.input, new.input),
            output: most(before.output, new.output),
            reasoning: 0,
            cache_read: most(before.cache_read, new.cache_read),
            cache_write: most(before.cache_write, new.cache_write),
            cost: 0.0,
        };
        let (id, now) = (writing.id.clone(), writing.usage);
        if now == before {
            return;
        }
        let Some(active) = self.active.as_mut().filter(|active| active.begun) else { return };
        if active.usage.len() < MAX_KNOWN {
            active.usage.insert(id, now);
        }
        let sum = active.usage.values().fold(Usage::default(), |sum, one| sum.plus(one));
        self.tell(TurnEvent::Usage(sum), out);
    }

    /// Notes what an answer of a sub-agent used.
    fn used_by(&mut self, id: &str, told: Option<&Value>) {
        let active = self.active.as_mut().filter(|active| active.begun);
        let Some((told, active)) = told.zip(active) else { return };
        if active.usage.len() < MAX_KNOWN {
            active.usage.insert(id.to_owned(), usage(told));
        }
    }
}

/// What a block of this type is, when it is something to read.
fn prose(kind: &str) -> Option<ItemContent> {
    match kind {
        "text" => Some(ItemContent::AgentMessage),
        "thinking" => Some(ItemContent::Reasoning),
        _ => None,
    }
}

/// The name of a block: pieces count the blocks of an answer as its whole lines do (2.1.197).
fn block_key(id: &str, index: u64) -> String {
    format!("{id}:{index}")
}

/// Tokens as the model's interface counts them.
pub(super) fn usage(value: &Value) -> Usage {
    let count = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or_default();
    Usage {
        input: count("input_tokens"),
        output: count("output_tokens"),
        reasoning: 0,
        cache_read: count("cache_read_input_tokens"),
        cache_write: count("cache_creation_input_tokens"),
        cost: 0.0,
    }
}

pub(in crate::claude) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
