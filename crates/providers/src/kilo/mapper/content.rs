//! Messages and their parts: text, tools, usage, sub-agents' places.

use domain::{
    AgentEvent, Context, FullText, InputKind, ItemContent, ItemStatus, ItemUpdate, Mode,
    NoticeLevel, Phase, TodoStatus, TurnEvent, Usage, units,
};
use kilo_sdk::types::{
    AssistantMessage, ErrorKind, Message, Part, PartBody, StepFinishPart, TextPart, ToolPart,
    ToolStatus, UserMessage,
};
use kilo_sdk::{Event, MessageId, PartId, SessionId};

use super::belonging::Source;
use super::{
    Active, Child, Known, MAX_ACTING, MAX_CHILDREN, MAX_ORPHANS, MAX_PARTS, MAX_PLAN, MAX_UNPLACED,
    Mapped, Mapper, PartKind, PartState, Plan, TextKind, tools, whole,
};
use crate::kilo::errors;
use crate::kilo::session::agent;
use crate::shared::shorten::{MAX_TEXT, cut, line};

impl Mapper {
    pub(super) fn message(
        &mut self,
        session: &SessionId,
        message: &Message,
        source: Source,
        out: &mut Mapped,
    ) {
        let id = message.id();
        if self.of_next(session, message, out) || !self.belongs(session, message, source, out) {
            return;
        }
        let known = match message {
            Message::User(_) => Known::User,
            Message::Assistant(a) if a.summary => match self.messages.get(&id) {
                Some(known @ Known::Summary { .. }) => *known,
                _ => {
                    let ours = |a: &Active| a.compacting && a.kind == InputKind::Message;
                    Known::Summary { automatic: self.active.as_ref().is_none_or(ours) }
                }
            },
            Message::Assistant(_) | Message::Unknown(_) => Known::Assistant,
        };
        let room = self.messages.len() < MAX_PARTS || self.messages.contains_key(&id);
        let first = room && self.messages.insert(id.clone(), known).is_none();
        if *session == self.root {
            match message {
                Message::User(user) => {
                    // An accepted plan is built in the same turn, by the other agent.
                    self.planning = user.agent == agent(Mode::Plan);
                    self.user_message(user, out);
                }
                Message::Assistant(answer) => self.assistant_message(answer, source, out),
                Message::Unknown(_) => {}
            }
        } else if let Message::Assistant(assistant) = message {
            self.child_error(session, assistant, out);
        }
        if !room {
            self.left_out(out);
        }
        if first {
            let (ours, rest) = std::mem::take(&mut self.orphans)
                .into_iter()
                .partition::<Vec<_>, _>(|part| part.message_id == id);
            self.orphans = rest;
            for part in ours {
                self.part(&part, out);
            }
        }
    }

    fn user_message(&mut self, message: &UserMessage, out: &mut Mapped) {
        let id = &message.id;
        let Some(active) = self.active.as_mut() else { return };
        if active.message == *id {
            active.created = message.time.start;
        }
        if active.echoed {
            return;
        }
        let ours = match active.kind {
            InputKind::Message => active.message == *id,
            // Kilo makes the message of a compaction, and nothing else is sent meanwhile.
            InputKind::Compact => true,
        };
        if !ours {
            return;
        }
        active.echoed = true;
        active.created = message.time.start;
        self.begun(out);
        if let Some(active) = self.active.as_mut().filter(|a| a.kind == InputKind::Compact) {
            active.compacting = true;
            if active.message != *id {
                active.message = id.clone();
                self.tell(TurnEvent::Named { key: id.as_str().to_owned() }, out);
            }
        }
    }

    fn assistant_message(&mut self, message: &AssistantMessage, source: Source, out: &mut Mapped) {
        let Some(active) = &mut self.active else { return };
        if message.parent_id == active.message {
            // A reading may be ahead of the stream, where the turn before it is yet to be closed.
            active.opened |= source != Source::Read;
            // Its echo or its opening may have been missed.
            active.echoed = true;
            self.begun(out);
        }
        let Some(active) = &mut self.active else { return };
        if message.summary && message.time.end.is_some() {
            active.compacting = false;
        }
        if let Some(error) = &message.error
            && error.kind != ErrorKind::Aborted
        {
            active.error = Some(errors::turn_error(error));
        }
        let early = message.time.end.is_some() && message.finish.as_deref() == Some("other");
        if early && message.error.is_none() {
            let text = "The model's provider ended the answer without saying that it was finished.";
            self.notice(format!("early:{}", message.id), NoticeLevel::Warning, text, out);
        }
    }

    pub(super) fn notice(&self, key: String, level: NoticeLevel, text: &str, out: &mut Mapped) {
        let update = ItemUpdate {
            key,
            parent: None,
            status: ItemStatus::Done,
            content: ItemContent::Notice { level },
            body: Some(FullText::new(text.to_owned())),
            error: None,
        };
        self.tell(TurnEvent::Item(update), out);
    }

    /// Says, once a turn, that something of it is left out.
    fn left_out(&mut self, out: &mut Mapped) {
        if !std::mem::replace(&mut self.full, true) {
            let key = format!("full:{}", self.turn_name());
            let text = "This turn has more parts than are kept; later ones are left out.";
            self.notice(key, NoticeLevel::Warning, text, out);
        }
    }

    pub(super) fn message_removed(&mut self, id: &MessageId, out: &mut Mapped) {
        let parts: Vec<PartId> = self
            .parts
            .iter()
            .filter(|(_, part)| part.message == *id)
            .map(|(id, _)| id.clone())
            .collect();
        for part in parts {
            self.part_removed(&part, out);
        }
        self.messages.remove(id);
    }

    pub(super) fn part_removed(&mut self, id: &PartId, out: &mut Mapped) {
        if self.parts.remove(id).is_some_and(|part| part.told) {
            self.tell(TurnEvent::ItemRemoved { key: id.as_str().to_owned() }, out);
        }
    }

    /// Applies a part or a delta, once it is known where in the conversation it belongs.
    pub(super) fn content(&mut self, session: &SessionId, event: Event, out: &mut Mapped) {
        self.note_call(&event);
        if let Some(child) = self.children.get_mut(session)
            && child.parent.is_none()
        {
            if child.waiting.len() < MAX_UNPLACED {
                child.waiting.push(event);
            } else {
                out.resync = true;
            }
            return;
        }
        match event {
            Event::PartUpdated { part, .. } => self.part(&part, out),
            Event::PartDelta { session_id, message_id, part_id, field, delta }
                if field == "text" && self.is_current(&session_id, &message_id) =>
            {
                self.delta(&session_id, &part_id, &delta, out);
            }
            _ => {}
        }
    }

    fn delta(&mut self, session: &SessionId, id: &PartId, delta: &str, out: &mut Mapped) {
        let Some(part) = self.parts.get_mut(id) else {
            // Of what is left out there is nothing to read.
            out.resync |= !self.full;
            return;
        };
        let PartKind::Text(kind) = part.kind else { return };
        if part.ended {
            return;
        }
        let (at, first) = (part.len, !part.told);
        part.len += units(delta);
        part.told = true;
        if first {
            let parent = self.parent_of_session(session);
            self.text_item(id, parent, kind, ItemStatus::Running, "", out);
        }
        let key = id.as_str().to_owned();
        self.tell(TurnEvent::Text { key, at, text: delta.to_owned() }, out);
    }

    fn part(&mut self, part: &Part, out: &mut Mapped) {
        if !self.is_current(&part.session_id, &part.message_id) {
            return;
        }
        let Some(known) = self.messages.get(&part.message_id).copied() else {
            if self.messages.len() >= MAX_PARTS {
                self.left_out(out);
            } else if self.orphans.len() < MAX_ORPHANS {
                self.orphans.push(part.clone());
            } else {
                out.resync = true;
            }
            return;
        };
        if !self.has_room(part) {
            self.left_out(out);
            return;
        }
        match &part.body {
            PartBody::Text(text) => {
                let kind = match known {
                    Known::User => TextKind::User,
                    Known::Assistant => TextKind::Message,
                    Known::Summary { automatic } => TextKind::Compaction { automatic },
                };
                self.text_part(part, text, kind, out);
            }
            PartBody::Reasoning(text) => self.text_part(part, text, TextKind::Reasoning, out),
            PartBody::Tool(tool) => self.tool_part(part, tool, out),
            PartBody::StepFinish(step) => self.step(part, step, out),
            PartBody::Compaction { auto } => self.compaction(*auto, out),
            PartBody::Unknown { kind, raw } => self.unknown_part(part, kind, raw, out),
            PartBody::File(_) | PartBody::StepStart | PartBody::Patch { .. } => {}
        }
    }

    /// Whether a part is known or may still become so.
    fn has_room(&self, part: &Part) -> bool {
        match &part.body {
            PartBody::Text(_) | PartBody::Reasoning(_) | PartBody::Tool(_) => {
                self.parts.len() < MAX_PARTS || self.parts.contains_key(&part.id)
            }
            PartBody::StepFinish(_) => self.active.as_ref().is_none_or(|active| {
                active.steps.len() < MAX_PARTS || active.steps.contains_key(&part.id)
            }),
            PartBody::Compaction { .. }
            | PartBody::Unknown { .. }
            | PartBody::File(_)
            | PartBody::StepStart
            | PartBody::Patch { .. } => true,
        }
    }

    fn text_part(&mut self, part: &Part, text: &TextPart, kind: TextKind, out: &mut Mapped) {
        let echo = self.active.as_ref().is_some_and(|a| a.message == part.message_id);
        let hidden = text.synthetic || text.transient() || echo;
        let state = self.parts.entry(part.id.clone()).or_insert(PartState {
            message: part.message_id.clone(),
            kind: if hidden { PartKind::Hidden } else { PartKind::Text(kind) },
            len: 0,
            told: false,
            ended: false,
        });
        if hidden || state.kind == PartKind::Hidden {
            return;
        }
        if kind == TextKind::User && part.session_id == self.root {
            state.kind = PartKind::Hidden;
            return self.tell_of_elsewhere(&part.message_id, out);
        }
        // What is not streamed has no times at all: it comes whole.
        let ended = text.time.end.is_some() || text.time.start.is_none();
        state.ended |= ended;
        let len = units(&text.text);
        // While it is written its text is empty here; only its end says how it really is.
        if (!ended && len <= state.len) || (len == 0 && !state.told) {
            return;
        }
        state.len = len;
        state.told = true;
        let status = if ended { ItemStatus::Done } else { ItemStatus::Running };
        let parent = self.parent_of_session(&part.session_id);
        self.text_item(&part.id, parent, kind, status, &text.text, out);
    }

    /// Says in the middle of a turn that a message came which is not this thread's. Kilo answers it
    /// in a turn of its own, once this one is at the end of a step; as such it is read later.
    fn tell_of_elsewhere(&self, message: &MessageId, out: &mut Mapped) {
        let text = "A message was sent to this session from Kilo's own interface or by another \
                    program. Kilo ends this turn for it after the step it is at; the message and \
                    its answer follow as a turn of their own.";
        self.notice(format!("elsewhere:{message}"), NoticeLevel::Warning, text, out);
    }

    fn text_item(
        &self,
        id: &PartId,
        parent: Option<String>,
        kind: TextKind,
        status: ItemStatus,
        text: &str,
        out: &mut Mapped,
    ) {
        let content = match kind {
            TextKind::Message => ItemContent::AgentMessage,
            TextKind::Reasoning => ItemContent::Reasoning,
            TextKind::User => ItemContent::UserMessage,
            TextKind::Compaction { automatic } => ItemContent::Compaction { automatic },
        };
        let update = ItemUpdate {
            key: id.as_str().to_owned(),
            parent,
            status,
            content,
            body: Some(FullText::new(text.to_owned())),
            error: None,
        };
        self.tell(TurnEvent::Item(update), out);
    }

    fn tool_part(&mut self, part: &Part, tool: &ToolPart, out: &mut Mapped) {
        let id = part.id.as_str().to_owned();
        self.parts.insert(
            part.id.clone(),
            PartState {
                message: part.message_id.clone(),
                kind: PartKind::Other,
                len: 0,
                told: tool.tool != "todowrite",
                ended: matches!(tool.state.status, ToolStatus::Completed | ToolStatus::Error),
            },
        );
        let call = (part.message_id.clone(), tool.call_id.clone());
        if self.calls.len() < MAX_PARTS || self.calls.contains_key(&call) {
            self.calls.insert(call.clone(), id.clone());
        }
        let parent = self.parent_of_session(&part.session_id);
        let declined = self.declined.contains(&call);
        self.remember_plan(&part.id, tool);
        let ended_with = tools::plan_path(&tool.state);
        let plan = self.plan.as_ref().filter(|plan| Some(&plan.path) == ended_with.as_ref());
        let plan = plan.map(|plan| plan.text.as_str());
        let mut item =
            tools::item(id.clone(), parent, tool, (&self.workspace, &self.servers), declined, plan);
        match &mut item.content {
            ItemContent::TodoList { todos } => {
                // One list for each agent and turn, whichever call changed it last.
                item.key = format!("todos:{}:{}", self.turn_name(), part.session_id);
                let open = todos
                    .iter()
                    .any(|t| matches!(t.status, TodoStatus::Pending | TodoStatus::InProgress));
                item.status = if open { ItemStatus::Running } else { ItemStatus::Done };
                if todos.is_empty() {
                    return;
                }
            }
            ItemContent::SubAgent { agent, session: Some(session), .. } => {
                let (session, label) = (SessionId::from(session.as_str()), line(agent));
                self.adopt(&session);
                self.note_call_of(&session, &part.session_id, &mut item);
                self.tell(TurnEvent::Item(item), out);
                self.place(&session, id, label, out);
                return;
            }
            _ => {}
        }
        self.tell(TurnEvent::Item(item), out);
    }

    /// Holds a tool call while it is under way: what it asks may not say what it is about.
    fn note_call(&mut self, event: &Event) {
        let Event::PartUpdated { part, .. } = event else { return };
        let PartBody::Tool(tool) = &part.body else { return };
        if !self.is_current(&part.session_id, &part.message_id) {
            return;
        }
        let call = (part.message_id.clone(), tool.call_id.clone());
        match tool.state.status {
            ToolStatus::Completed | ToolStatus::Error => drop(self.acting.remove(&call)),
            ToolStatus::Pending | ToolStatus::Running | ToolStatus::Other(_) => {
                if self.acting.len() < MAX_ACTING || self.acting.contains_key(&call) {
                    self.acting.insert(call, tool.clone());
                }
            }
        }
    }

    /// Keeps what is written to a markdown file: it may turn out to be the plan. Each writing
    /// counts once, for when it is read again the file may have been changed since.
    fn remember_plan(&mut self, part: &PartId, tool: &ToolPart) {
        let input = |name: &str| tool.state.input.get(name).and_then(serde_json::Value::as_str);
        if tool.tool == "write"
            && let (Some(path), Some(text)) = (input("filePath"), input("content"))
            && path.ends_with(".md")
            && text.len() <= MAX_PLAN
            && self.written.len() < MAX_PARTS
            && self.written.insert(part.clone())
        {
            self.plan = Some(Plan { path: path.to_owned(), text: text.to_owned() });
        }
    }

    fn turn_name(&self) -> &str {
        self.active.as_ref().map_or("", |a| a.message.as_str())
    }

    /// Takes note of a sub-agent that a call of the running turn names, if there is room for it. It may
    /// have been known in the turn before: a call can go on with an earlier sub-agent, and a reading
    /// that ends a turn has those of the next one too.
    fn adopt(&mut self, session: &SessionId) {
        self.former.remove(session);
        if self.children.len() < MAX_CHILDREN && !self.children.contains_key(session) {
            let turn = self.active.as_ref().map(|a| a.turn.clone());
            self.children.insert(session.clone(), Child::new(String::new(), turn));
        }
    }

    /// Notes which tool call a sub-agent belongs to, and tells what has waited for that.
    fn place(&mut self, session: &SessionId, parent: String, label: String, out: &mut Mapped) {
        let Some(child) = self.children.get_mut(session).filter(|c| c.parent.is_none()) else {
            return;
        };
        child.parent = Some(parent);
        child.label = label;
        for event in std::mem::take(&mut child.waiting) {
            self.content(session, event, out);
        }
    }

    fn parent_of_session(&self, session: &SessionId) -> Option<String> {
        self.children.get(session).and_then(|child| child.parent.clone())
    }

    fn step(&mut self, part: &Part, step: &StepFinishPart, out: &mut Mapped) {
        let usage = usage(step);
        let Some(active) = &mut self.active else { return };
        let first = active.steps.insert(part.id.clone(), usage).is_none();
        let limit = active.context_limit;
        let total = active.steps.values().fold(Usage::default(), |sum, step| sum.plus(step));
        self.tell(TurnEvent::Usage(total), out);
        if first && part.session_id != self.root {
            self.child_step(&part.session_id, &usage, out);
        }
        // An answer that was cut says nothing of what it used.
        if part.session_id == self.root && usage.tokens() > 0 {
            // What was read to be summed up is no longer in the context; the summary is.
            let summary =
                matches!(self.messages.get(&part.message_id), Some(Known::Summary { .. }));
            let used = if summary { usage.output } else { usage.tokens() };
            out.events.push(AgentEvent::Context(Context { used, limit }));
        }
    }

    fn compaction(&mut self, automatic: bool, out: &mut Mapped) {
        if let Some(active) = &mut self.active {
            active.compacting = automatic || active.kind == InputKind::Compact;
            active.phase = Some(Phase::Compacting);
            self.tell(TurnEvent::Phase(Some(Phase::Compacting)), out);
        }
    }

    fn unknown_part(&mut self, part: &Part, kind: &str, raw: &serde_json::Value, out: &mut Mapped) {
        // Kilo's own bookkeeping, known by name and of no interest to a person.
        if matches!(kind, "snapshot" | "agent" | "subtask" | "retry") {
            return;
        }
        let update = ItemUpdate {
            key: part.id.as_str().to_owned(),
            parent: self.parent_of_session(&part.session_id),
            status: ItemStatus::Done,
            content: ItemContent::Tool {
                name: line(kind),
                title: None,
                input: cut(&serde_json::to_string_pretty(raw).unwrap_or_default(), MAX_TEXT),
            },
            body: None,
            error: None,
        };
        self.tell(TurnEvent::Item(update), out);
    }
}

fn usage(step: &StepFinishPart) -> Usage {
    let tokens = &step.tokens;
    Usage {
        input: whole(tokens.input),
        output: whole(tokens.output),
        reasoning: whole(tokens.reasoning),
        cache_read: whole(tokens.cache.read),
        cache_write: whole(tokens.cache.write),
        cost: step.cost,
    }
}
