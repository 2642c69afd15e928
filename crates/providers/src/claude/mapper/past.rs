//! What a transcript says, mapped like what is told while it happens.

use claude_sdk::Frame;
use domain::{AgentEvent, Context, ErrorCode, Timestamp, TurnError, TurnEvent, TurnOutcome};
use serde_json::Value;

use super::answer::text;
use super::{Mapped, Mapper};
use crate::claude::transcripts;

/// How the lines of a turn end.
enum End {
    Answered,
    Stopped,
    Failed(String, String),
    /// In the middle of it.
    Open,
}

impl Mapper {
    /// Tells what became of the turn that was begun, from its lines in the transcript, the first of
    /// which is its message. Nothing works on it any more.
    pub(in crate::claude) fn replay(&mut self, lines: Vec<Value>) -> Vec<AgentEvent> {
        self.replay_at(lines).into_iter().map(|(_, event)| event).collect()
    }

    /// The same with the times at which it happened.
    pub(in crate::claude) fn replay_at(
        &mut self,
        lines: Vec<Value>,
    ) -> Vec<(Timestamp, AgentEvent)> {
        let end = end(&lines);
        let mut told = Vec::new();
        let mut at = lines.first().and_then(transcripts::time).unwrap_or_default();
        let mut tell = |out: Mapped, at| told.extend(out.events.into_iter().map(|e| (at, e)));
        let mut out = Mapped::default();
        self.begins(&mut out);
        tell(out, at);
        for (n, mut line) in lines.into_iter().enumerate() {
            at = transcripts::time(&line).unwrap_or(at);
            if text(&line, "type") == "user" && n == 0 {
                continue;
            }
            if line.get("isCompactSummary").and_then(Value::as_bool) == Some(true) {
                line["isSynthetic"] = Value::Bool(true);
            }
            let out = self.apply(Frame::from_value(line), at);
            tell(out, at);
        }
        let used = self.writing.as_ref().map(|writing| writing.usage.tokens()).unwrap_or_default();
        let mut out = Mapped::default();
        if used > 0 {
            out.events.push(AgentEvent::Context(Context { used, limit: self.context_limit }));
        }
        let outcome = match end {
            End::Answered => TurnOutcome::Completed,
            End::Stopped => TurnOutcome::Interrupted,
            End::Failed(name, words) => {
                let failure = (name, words);
                let result = claude_sdk::TurnResult::default();
                TurnOutcome::Failed(crate::claude::errors::of_result(&result, Some(&failure)))
            }
            End::Open => TurnOutcome::Failed(cut_off()),
        };
        self.end(outcome, &mut out);
        tell(out, at);
        told
    }

    /// As [`Mapper::replay_at`], for a turn of its own that is told to nobody yet.
    pub(in crate::claude) fn past(
        &mut self,
        lines: Vec<Value>,
    ) -> (Vec<(Timestamp, TurnEvent)>, Option<Context>) {
        let (mut events, mut context) = (Vec::new(), None);
        for (at, event) in self.replay_at(lines) {
            match event {
                AgentEvent::Turn { event, .. } => events.push((at, event)),
                AgentEvent::Context(told) => context = Some(told),
                AgentEvent::Session { .. }
                | AgentEvent::Title(_)
                | AgentEvent::Reconnecting(_)
                | AgentEvent::Elsewhere
                | AgentEvent::Lost(_) => {}
            }
        }
        (events, context)
    }
}

fn end(lines: &[Value]) -> End {
    if transcripts::is_own_command(lines) {
        return End::Answered;
    }
    let spoken = |line: &&Value| matches!(text(line, "type"), "user" | "assistant");
    let meta = |line: &&Value| line.get("isMeta").and_then(Value::as_bool) == Some(true);
    let mut last = lines.iter().enumerate().filter(|(_, line)| spoken(line) && !meta(line));
    let Some((at, last)) = last.next_back() else { return End::Open };
    let message = last.get("message").unwrap_or(&Value::Null);
    if text(last, "type") == "assistant" {
        let error = text(last, "error");
        let words = super::tools::said(message.get("content").unwrap_or(&Value::Null));
        if !error.is_empty() || last.get("isApiErrorMessage").and_then(Value::as_bool) == Some(true)
        {
            return End::Failed(error.to_owned(), words);
        }
        return match text(message, "stop_reason") {
            "" | "tool_use" => End::Open,
            _ => End::Answered,
        };
    }
    // After a message of the user, the agent adds text in their name only when it was stopped, or
    // for a command that it does by itself.
    let blocks = message.get("content").and_then(Value::as_array);
    match blocks {
        Some(blocks) if at > 0 && blocks.iter().all(|block| text(block, "type") == "text") => {
            End::Stopped
        }
        None if at > 0 => End::Answered,
        _ => End::Open,
    }
}

fn cut_off() -> TurnError {
    TurnError {
        code: ErrorCode::AgentDied,
        message: "Claude Code ended while it worked on this".to_owned(),
        hint: Some("what it did until then is here; send a message to go on".to_owned()),
        retryable: true,
    }
}
