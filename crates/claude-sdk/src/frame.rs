//! What a line of Claude Code's output says.

use serde_json::Value;

/// A line of output, told apart by its `type`. Payloads stay JSON: the protocol grows weekly.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// `system`: the session's beginning and state, tasks, retries, compactions.
    System {
        /// Its kind, e.g. `init`.
        subtype: String,
        /// The whole line.
        body: Value,
    },
    /// `assistant`: blocks of an answer that are whole. In 2.1.197 each block has a line of its own
    /// and lines of one answer have the same `message.id`.
    Assistant {
        /// The call of the sub-agent it happened in.
        parent: Option<String>,
        /// The line's own name.
        uuid: Option<String>,
        /// What kind of failure this text tells, when it tells one.
        error: Option<String>,
        /// The message, as the model's interface has it.
        message: Value,
    },
    /// `user`: results of tools, and messages that are taken up.
    User {
        /// The call of the sub-agent it happened in.
        parent: Option<String>,
        /// The line's own name: of a message that was sent, the name it was sent under.
        uuid: Option<String>,
        /// Whether it repeats what was sent, to say that it is taken up.
        replay: bool,
        /// Whether the agent made it up, e.g. the summary after a compaction.
        synthetic: bool,
        /// The message, as the model's interface has it.
        message: Value,
        /// The structured result of the tool; `Null` when there is none.
        result: Value,
    },
    /// `stream_event`: a piece of an answer that is being written.
    Stream {
        /// The call of the sub-agent it happened in.
        parent: Option<String>,
        /// The event, as the model's interface has it.
        event: Value,
    },
    /// `result`: a turn is over.
    Result(Box<TurnResult>),
    /// `control_request`: something is asked and waited for.
    Ask(Ask),
    /// `control_cancel_request`: what was asked is no longer waited for.
    Withdrawn {
        /// The name of what was asked.
        request_id: String,
    },
    /// `control_response`: the answer to a control request, or the repetition of an own answer.
    Answer {
        /// What it answers.
        request_id: String,
        /// The answer; or why there is none.
        answer: Result<Value, String>,
    },
    /// Any other line.
    Other {
        /// Its `type`; empty when it has none.
        kind: String,
        /// The whole line.
        body: Value,
    },
}

/// Something the agent asks its host: `can_use_tool`, `hook_callback`, `elicitation`, …
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// By which it is answered.
    pub request_id: String,
    /// What kind of thing it is.
    pub subtype: String,
    /// All that is said of it.
    pub request: Value,
}

/// The end of a turn. `subtype: "success"` does not mean success: `is_error` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TurnResult {
    /// `success`, `error_during_execution`, `error_max_turns`, …
    pub subtype: String,
    /// Whether it failed, or was stopped.
    pub is_error: bool,
    /// The status with which the model's interface refused.
    pub api_error_status: Option<u64>,
    /// The last words, or the error in words.
    pub result: String,
    /// Further errors, partly for developers only.
    pub errors: Vec<String>,
    /// How the turn ended: `completed`, `aborted_streaming`, `aborted_tools`,
    /// `prompt_too_long`, …
    pub terminal_reason: String,
    /// Why the model stopped; absent when its answer broke off.
    pub stop_reason: Option<String>,
    /// The session.
    pub session_id: String,
    /// Steps of the model.
    pub num_turns: u64,
    /// Cost in US dollars of everything this *process* did so far, resumed or not.
    pub total_cost_usd: Option<f64>,
    /// What started the turn when it was no message, e.g. `task-notification`.
    pub origin: Option<String>,
    /// The whole line: `usage` of this turn, `modelUsage` of the process, `permission_denials`.
    pub body: Value,
}

impl Frame {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn parse(line: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line).map(Self::from_value)
    }

    /// Tells a line that was read apart. Lines of transcripts, which are alike, can be read with it
    /// as well.
    #[must_use]
    pub fn from_value(mut body: Value) -> Self {
        let kind = text(&body, "type").unwrap_or_default();
        let parent = text(&body, "parent_tool_use_id");
        let uuid = text(&body, "uuid");
        match kind.as_str() {
            "system" => Self::System { subtype: text(&body, "subtype").unwrap_or_default(), body },
            "assistant" => Self::Assistant {
                parent,
                uuid,
                error: text(&body, "error"),
                message: take(&mut body, "message"),
            },
            "user" => Self::User {
                parent,
                uuid,
                replay: flag(&body, "isReplay"),
                synthetic: flag(&body, "isSynthetic"),
                message: take(&mut body, "message"),
                result: match take(&mut body, "tool_use_result") {
                    Value::Null => take(&mut body, "toolUseResult"),
                    result => result,
                },
            },
            "stream_event" => Self::Stream { parent, event: take(&mut body, "event") },
            "result" => Self::Result(Box::new(TurnResult::from_value(body))),
            "control_request" => {
                let request = take(&mut body, "request");
                Self::Ask(Ask {
                    request_id: text(&body, "request_id").unwrap_or_default(),
                    subtype: text(&request, "subtype").unwrap_or_default(),
                    request,
                })
            }
            "control_cancel_request" => {
                Self::Withdrawn { request_id: text(&body, "request_id").unwrap_or_default() }
            }
            "control_response" => {
                let mut response = take(&mut body, "response");
                let answer = match text(&response, "subtype").as_deref() {
                    Some("error") => {
                        Err(text(&response, "error").unwrap_or_else(|| "refused".to_owned()))
                    }
                    _ => Ok(take(&mut response, "response")),
                };
                Self::Answer {
                    request_id: text(&response, "request_id").unwrap_or_default(),
                    answer,
                }
            }
            _ => Self::Other { kind, body },
        }
    }
}

impl TurnResult {
    fn from_value(body: Value) -> Self {
        let list = body.get("errors").and_then(Value::as_array);
        Self {
            subtype: text(&body, "subtype").unwrap_or_default(),
            is_error: flag(&body, "is_error"),
            api_error_status: body.get("api_error_status").and_then(Value::as_u64),
            result: text(&body, "result").unwrap_or_default(),
            errors: list
                .map(|l| l.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            terminal_reason: text(&body, "terminal_reason").unwrap_or_default(),
            stop_reason: text(&body, "stop_reason"),
            session_id: text(&body, "session_id").unwrap_or_default(),
            num_turns: body.get("num_turns").and_then(Value::as_u64).unwrap_or_default(),
            total_cost_usd: body.get("total_cost_usd").and_then(Value::as_f64),
            origin: body.get("origin").and_then(|origin| text(origin, "kind")),
            body,
        }
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn take(value: &mut Value, name: &str) -> Value {
    value.get_mut(name).map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_told_apart_and_unknown_ones_are_kept() {
        let frame = |value: Value| Frame::from_value(value);
        let unknown = json!({ "type": "conversation_reset", "new": 1 });
        let kept = Frame::Other { kind: "conversation_reset".to_owned(), body: unknown.clone() };
        assert_eq!(frame(unknown), kept);
        assert!(matches!(frame(json!([1])), Frame::Other { kind, .. } if kind.is_empty()));
        assert!(Frame::parse(b"no json").is_err());
        let refused = json!({ "type": "control_response",
            "response": { "subtype": "error", "request_id": "r1", "error": "no" } });
        assert_eq!(
            frame(refused),
            Frame::Answer { request_id: "r1".to_owned(), answer: Err("no".to_owned()) }
        );
        // The order of keys is not stable, and `null` stands for what is not there.
        let result = json!({ "is_error": true, "origin": { "kind": "task-notification" },
            "stop_reason": null, "errors": ["a"], "type": "result", "subtype": "success" });
        let Frame::Result(result) = frame(result) else { panic!("a result") };
        assert_eq!(result.origin.as_deref(), Some("task-notification"));
        assert!(result.is_error && result.stop_reason.is_none());
        assert_eq!(result.errors, ["a"]);
    }
}
