//! What a person answers, as Codex takes it.

use domain::{Answer, Decision, Mode, PlanDecision, Request};
use serde_json::json;
use uuid::Uuid;

use super::{CodexSession, Control, input};
use crate::AnswerError;
use crate::codex::errors::send_error;
use crate::codex::mapper::{self, AskKind, BUILD, GO_ON, REMARK};

/// What Codex is told when a plan is to be changed without saying how.
const REFINE: &str = "Go on refining the plan.";

impl CodexSession {
    pub(super) async fn give(&self, request: &Request, answer: &Answer) -> Result<(), AnswerError> {
        let inner = &self.inner;
        let ask = inner.mapper().take_ask(&request.key).ok_or(AnswerError::Gone)?;
        let Some(id) = ask.id.clone().filter(|_| !matches!(ask.kind, AskKind::Plan)) else {
            return self.decide(&request.key, answer).await;
        };
        let Some(value) = mapper::answer(&ask, answer) else {
            return Err(AnswerError::Failed("the answer does not fit the request".to_owned()));
        };
        inner.client.answer(&id, value).await.map_err(|_| AnswerError::Gone)?;
        let events = inner.mapper().answered(&request.key, answer);
        if !events.is_empty() {
            let _ = self.control.send(Control::Tell(events.into())).await;
        }
        if let Answer::Approval { decision: Decision::Reject, message: Some(message) } = answer
            && !message.trim().is_empty()
        {
            self.remark(message).await;
        }
        Ok(())
    }

    /// Tells Codex why something was rejected: its answers have no room for words, so they are said
    /// into the turn.
    async fn remark(&self, message: &str) {
        let inner = &self.inner;
        let native = inner.mapper().active().and_then(|(_, native)| native.map(str::to_owned));
        let Some(native) = native else { return };
        let params = json!({
            "threadId": inner.id,
            "expectedTurnId": native,
            "input": [input::text(message)],
            "clientUserMessageId": format!("{REMARK}{}", Uuid::now_v7()),
        });
        if let Err(error) = inner.client.ask("turn/steer", params).await {
            tracing::warn!(thread = inner.id, %error, "Codex was not told why");
        }
    }

    /// Does what a person decided about a plan. Codex itself is idle meanwhile.
    async fn decide(&self, key: &str, answer: &Answer) -> Result<(), AnswerError> {
        let inner = &self.inner;
        let Answer::Plan { decision, message } = answer else {
            return Err(AnswerError::Failed("the answer does not fit the request".to_owned()));
        };
        let message = message.as_deref().map(str::trim).filter(|message| !message.is_empty());
        let (mode, text, name) = match decision {
            PlanDecision::Accept => (Mode::Build, message.unwrap_or(BUILD), GO_ON),
            PlanDecision::Refine => {
                let name = if message.is_some() { REMARK } else { GO_ON };
                (Mode::Plan, message.unwrap_or(REFINE), name)
            }
            PlanDecision::Dismiss | PlanDecision::AcceptInNewThread => {
                let left = inner.mapper().leave_plan(key).ok_or(AnswerError::Gone)?;
                let _ = self.control.send(Control::Tell(left)).await;
                return Ok(());
            }
        };
        let _alone = inner.gate.lock().await;
        let name = format!("{name}{}", Uuid::now_v7());
        let Some(model) = inner.model().clone() else { return Err(AnswerError::Gone) };
        let own = name.starts_with(GO_ON).then_some(name.as_str());
        if !inner.mapper().decided(key, mode, own) {
            return Err(AnswerError::Gone);
        }
        let active = inner.mapper().active().map(|(turn, _)| turn.clone());
        let Some(turn) = active else { return Err(AnswerError::Gone) };
        if let Err(error) =
            inner.start_turn(&turn, &name, vec![input::text(text)], &model, mode).await
        {
            let failed = inner.mapper().fail(send_error(&error).into());
            let _ = self.control.send(Control::Tell(failed)).await;
        }
        Ok(())
    }
}
