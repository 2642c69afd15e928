//! `system` frames: beginnings, phases, tasks, compactions, notices.

use domain::{ItemContent, ItemStatus, NoticeLevel, Phase, Timestamp, Todo, TodoStatus, TurnEvent};
use serde_json::Value;

use super::answer::text;
use super::{MAX_KNOWN, MAX_TODOS, Mapped, Mapper, tools};
use crate::claude::limits;
use crate::shared::shorten::{MAX_TEXT, cut, line};

impl Mapper {
    pub(super) fn system(&mut self, subtype: &str, body: &Value, now: Timestamp, out: &mut Mapped) {
        match subtype {
            "init" => {
                self.move_to(text(body, "session_id"), out);
                self.take_mode(body);
                self.begins_or_strays(out);
            }
            "session_state_changed" => {
                if text(body, "state") == "running" {
                    self.begins_or_strays(out);
                }
            }
            "status" => {
                self.take_mode(body);
                match text(body, "status") {
                    "compacting" => self.phase(Some(Phase::Compacting), out),
                    // Said again before each try, too.
                    "requesting" => {}
                    _ => self.status_ended(body, out),
                }
            }
            "api_retry" => self.retry(body, now, out),
            "compact_boundary" => self.compacted(body, out),
            "local_command" => self.own_words(body, out),
            "permission_denied" => {
                let id = text(body, "tool_use_id");
                if !id.is_empty() && self.declined.len() < MAX_KNOWN {
                    self.declined.insert(id.to_owned());
                }
            }
            "task_started" => self.task_started(body),
            "task_progress" => self.task_progress(body, out),
            "informational" | "notification" | "model_refusal_fallback" | "session_writes_lost" => {
                self.told(subtype, body, out);
            }
            "task_updated"
            | "task_notification"
            | "thinking_tokens"
            | "background_tasks_changed"
            | "hook_started"
            | "hook_progress"
            | "hook_response"
            | "files_persisted"
            | "local_command_output"
            | "control_request_progress" => {}
            _ => self.unknown += 1,
        }
    }

    /// The agent begins to work: on the message that waits, or on something of its own.
    fn begins_or_strays(&mut self, out: &mut Mapped) {
        match &self.active {
            Some(active) if active.begun || self.stray => {}
            Some(_) => self.begins(out),
            None => self.stray = true,
        }
    }

    fn take_mode(&mut self, body: &Value) {
        let mode = text(body, "permissionMode");
        if !mode.is_empty() {
            self.set_mode(mode);
        }
    }

    fn status_ended(&mut self, body: &Value, out: &mut Mapped) {
        self.phase(None, out);
        if text(body, "compact_result") == "failed" {
            let why = cut(text(body, "compact_error"), MAX_TEXT);
            let wished = |active: &&mut super::Active| active.kind == domain::InputKind::Compact;
            if let Some(active) = self.active.as_mut().filter(wished) {
                // It is what was asked for, and the turn's own failure.
                active.failure = Some((String::new(), why));
                return;
            }
            let content = ItemContent::Notice { level: NoticeLevel::Warning };
            let key = format!("compact-failed:{}", text(body, "uuid"));
            let said = format!("The context could not be shortened: {why}");
            self.item(key, None, ItemStatus::Done, content, Some(said), out);
        }
    }

    fn retry(&mut self, body: &Value, now: Timestamp, out: &mut Mapped) {
        let number = |name: &str| body.get(name).and_then(Value::as_f64);
        let status = body.get("error_status").and_then(Value::as_u64);
        let kind = text(body, "error").replace('_', " ");
        let message = match status {
            Some(status) => format!("{status}: {kind}"),
            None if kind.is_empty() || kind == "unknown" => "no connection".to_owned(),
            None => kind,
        };
        let attempt = number("attempt").unwrap_or(1.0);
        let delay = number("retry_delay_ms").unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let (attempt, delay) =
            (attempt.clamp(1.0, 1e6) as u32, delay.clamp(0.0, 86_400_000.0) as Timestamp);
        self.phase(Some(Phase::Retrying { attempt, next_at: Some(now + delay), message }), out);
    }

    fn compacted(&mut self, body: &Value, out: &mut Mapped) {
        let meta = body.get("compact_metadata").or_else(|| body.get("compactMetadata"));
        let automatic = meta.is_none_or(|meta| text(meta, "trigger") != "manual");
        self.phase(None, out);
        let key = format!("compact:{}", text(body, "uuid"));
        let content = ItemContent::Compaction { automatic };
        self.compaction = Some(key.clone());
        // What was written before is repeated under the same names, and is known.
        self.writing = None;
        self.item(key, None, ItemStatus::Done, content, None, out);
    }

    /// Takes the summary that stands for what was said before. Of a turn that is no more than the
    /// wish for it, this line is the first in the transcript.
    pub(super) fn summary(&mut self, uuid: Option<&str>, message: &Value, out: &mut Mapped) {
        let Some(key) = self.compaction.take() else { return };
        let wished = self.active.as_ref().is_some_and(|a| a.kind == domain::InputKind::Compact);
        if let Some(uuid) = uuid.filter(|_| wished) {
            self.tell(TurnEvent::Named { key: uuid.to_owned() }, out);
        }
        let content = ItemContent::Compaction {
            automatic: !self.active.as_ref().is_some_and(|a| a.kind == domain::InputKind::Compact),
        };
        let said = tools::said(message.get("content").unwrap_or(&Value::Null));
        self.item(key, None, ItemStatus::Done, content, Some(said), out);
    }

    /// Takes what the agent says to a command that it does by itself, as its transcript has it.
    fn own_words(&mut self, body: &Value, out: &mut Mapped) {
        let content = text(body, "content");
        let inner = content.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</"));
        let said = inner.map_or(content, |(inner, _)| inner).to_owned();
        let key = text(body, "uuid").to_owned();
        self.item(key, None, ItemStatus::Done, ItemContent::AgentMessage, Some(said), out);
    }

    fn task_started(&mut self, body: &Value) {
        let (task, call) = (text(body, "task_id"), text(body, "tool_use_id"));
        if task.is_empty() || self.agents.len() >= MAX_KNOWN {
            return;
        }
        let label = [text(body, "subagent_type"), text(body, "description")];
        let label = label.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
        self.agents.insert(task.to_owned(), (call.to_owned(), line(&label.join(": "))));
    }

    fn task_progress(&mut self, body: &Value, out: &mut Mapped) {
        let id = text(body, "tool_use_id").to_owned();
        let usage = body.get("usage").unwrap_or(&Value::Null);
        let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or_default();
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.done) else { return };
        let ItemContent::SubAgent { steps, usage, .. } = &mut call.content else { return };
        *steps = u32::try_from(count("tool_uses")).unwrap_or(u32::MAX);
        usage.input = count("total_tokens");
        let (parent, content) = (call.parent.clone(), call.content.clone());
        self.item(id, parent, ItemStatus::Running, content, None, out);
    }

    fn told(&mut self, subtype: &str, body: &Value, out: &mut Mapped) {
        let said = ["content", "message", "text"].iter().map(|name| text(body, name));
        let Some(said) = said.into_iter().find(|said| !said.is_empty()) else { return };
        let level = match (subtype, text(body, "level")) {
            ("model_refusal_fallback" | "session_writes_lost", _) | (_, "warning" | "error") => {
                NoticeLevel::Warning
            }
            _ => NoticeLevel::Info,
        };
        self.notice(&format!("notice:{}", text(body, "uuid")), level, cut(said, MAX_TEXT), out);
    }

    /// Takes what is told of the account's limits, and says when it comes near one or is over it.
    pub(super) fn rate_limit(&mut self, body: &Value, out: &mut Mapped) {
        let info = body.get("rate_limit_info").unwrap_or(&Value::Null);
        out.limit = limits::Told::read(info);
        let said = match text(info, "status") {
            "allowed_warning" => "The account comes near its limit",
            "rejected" => "The account is over its limit",
            _ => return,
        };
        let Some(turn) = self.turn().map(ToString::to_string) else { return };
        let kind = text(info, "rateLimitType");
        let which = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
        let key = format!("limit:{turn}:{}", text(info, "status"));
        self.notice(&key, NoticeLevel::Warning, format!("{said}{which}."), out);
    }

    /// The list of what is to be done after a call that changes it; `None` when it does not.
    pub(super) fn tasks_after(
        &mut self,
        id: &str,
        structured: &Value,
        failed: bool,
    ) -> Option<Vec<Todo>> {
        let call = self.calls.get(id).filter(|call| !call.done && !failed)?;
        match call.name.as_str() {
            "TaskCreate" => {
                let made = structured.get("task").unwrap_or(&Value::Null);
                let subject = Some(text(made, "subject")).filter(|s| !s.is_empty());
                let text_of = subject.unwrap_or_else(|| text(&call.input, "subject"));
                let todo = Todo { text: line(text_of), status: TodoStatus::Pending };
                let name = text(made, "id").to_owned();
                if self.tasks.len() < MAX_TODOS {
                    self.tasks.push((name, todo));
                }
            }
            "TaskUpdate" => {
                let name = tools::named(&call.input, &["taskId", "task_id", "id"]);
                let status = text(&call.input, "status");
                if status == "deleted" {
                    self.tasks.retain(|(id, _)| *id != name);
                } else if let Some((_, todo)) = self.tasks.iter_mut().find(|(id, _)| *id == name) {
                    if !status.is_empty() {
                        todo.status = tools::todo_status(status);
                    }
                    let subject = text(&call.input, "subject");
                    if !subject.is_empty() {
                        todo.text = line(subject);
                    }
                }
            }
            _ => return None,
        }
        Some(self.tasks.iter().map(|(_, todo)| todo.clone()).collect())
    }

    /// Tells that the agent no longer waits for what it asked.
    pub(super) fn withdrawn(&mut self, request_id: &str, out: &mut Mapped) {
        self.unsure.remove(request_id);
        let Some(ask) = self.asks.remove(request_id) else { return };
        if let Some(call) = ask.call
            && self.unasked.len() < MAX_KNOWN
        {
            self.unasked.insert(call);
        }
        let outcome = domain::RequestOutcome::Gone;
        self.tell(TurnEvent::AskClosed { key: request_id.to_owned(), outcome }, out);
    }
}

/// How much fits the context of the model that was used most, by a turn's end.
pub(super) fn window(result: &Value) -> Option<u64> {
    let models = result.get("modelUsage")?.as_object()?;
    let count =
        |model: &Value, name: &str| model.get(name).and_then(Value::as_u64).unwrap_or_default();
    let read = |model: &Value| {
        count(model, "inputTokens")
            + count(model, "cacheReadInputTokens")
            + count(model, "cacheCreationInputTokens")
    };
    let most = models.values().max_by_key(|model| read(model))?;
    Some(count(most, "contextWindow")).filter(|window| *window > 0)
}
