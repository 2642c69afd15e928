use serde::Deserialize;
use serde_json::Value;

use super::{Item, RateLimits, ThreadState, Turn, TurnError, lenient};

/// Something the server tells of a thread, or of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The thread it happened in.
    pub thread: Option<String>,
    /// The turn it happened in.
    pub turn: Option<String>,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody {
    /// A turn began.
    TurnStarted(Turn),
    /// A turn ended.
    TurnCompleted(Turn),
    /// An item began.
    ItemStarted(Item),
    /// An item is whole.
    ItemCompleted(Item),
    /// A message of the agent grew.
    MessageDelta {
        /// Which.
        item: String,
        /// By this.
        delta: String,
    },
    /// A plan grew.
    PlanDelta {
        /// Which.
        item: String,
        /// By this.
        delta: String,
    },
    /// A summary of reasoning grew.
    SummaryDelta {
        /// Which.
        item: String,
        /// In which of its parts.
        index: u64,
        /// By this.
        delta: String,
    },
    /// Reasoning grew, word for word.
    ReasoningDelta {
        /// Which.
        item: String,
        /// In which of its parts.
        index: u64,
        /// By this.
        delta: String,
    },
    /// A command wrote something.
    OutputDelta {
        /// Which.
        item: String,
        /// This.
        delta: String,
    },
    /// The todo list, whole.
    Todos {
        /// Its entries.
        plan: Vec<PlanStep>,
    },
    /// What was used so far.
    Usage(TokenUsage),
    /// Something failed; it may be tried again.
    Error {
        /// What.
        error: TurnError,
        /// Whether it is tried again.
        will_retry: bool,
    },
    /// What the thread is doing changed.
    Status(ThreadState),
    /// The thread was named.
    Named(Option<String>),
    /// The thread was unloaded.
    Closed,
    /// The thread was deleted.
    Deleted,
    /// The thread was put away.
    Archived,
    /// A request of the server is settled, by whom ever.
    Resolved {
        /// Its id.
        id: Value,
    },
    /// Something to be known.
    Warning {
        /// In words.
        message: String,
    },
    /// Something in Codex's configuration is not as it should be.
    Configuration {
        /// In words.
        message: String,
        /// The file.
        path: Option<String>,
    },
    /// The account changed.
    Account,
    /// The skills changed.
    Skills,
    /// The limits of the account, as far as told.
    RateLimits(RateLimits),
    /// Anything else.
    Other,
}

/// An entry of the todo list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PlanStep {
    /// What is to be done.
    #[serde(deserialize_with = "lenient")]
    pub step: String,
    /// `pending`, `inProgress` or `completed`.
    #[serde(deserialize_with = "lenient")]
    pub status: String,
}

/// What a thread used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenUsage {
    /// In all.
    #[serde(deserialize_with = "lenient")]
    pub total: Tokens,
    /// By the last answer of the model.
    #[serde(deserialize_with = "lenient")]
    pub last: Tokens,
    /// How much fits the model's context.
    #[serde(deserialize_with = "lenient")]
    pub model_context_window: Option<u64>,
}

/// Numbers of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tokens {
    /// All.
    #[serde(deserialize_with = "lenient")]
    pub total_tokens: u64,
    /// Read, the cached included.
    #[serde(deserialize_with = "lenient")]
    pub input_tokens: u64,
    /// Read from the cache.
    #[serde(deserialize_with = "lenient")]
    pub cached_input_tokens: u64,
    /// Written to the cache.
    #[serde(deserialize_with = "lenient")]
    pub cache_write_input_tokens: u64,
    /// Written, reasoning included.
    #[serde(deserialize_with = "lenient")]
    pub output_tokens: u64,
    /// Of reasoning.
    #[serde(deserialize_with = "lenient")]
    pub reasoning_output_tokens: u64,
}

impl Event {
    /// Reads a notification. One that is unknown, or does not fit, is [`EventBody::Other`].
    #[must_use]
    pub fn read(method: &str, mut params: Value) -> Self {
        let text = |name: &str| params.get(name).and_then(Value::as_str).map(str::to_owned);
        let thread = text("threadId");
        let turn = text("turnId")
            .or_else(|| params.pointer("/turn/id").and_then(Value::as_str).map(str::to_owned));
        let item = text("itemId").unwrap_or_default();
        let delta = text("delta").unwrap_or_default();
        let index = |name: &str| params.get(name).and_then(Value::as_u64).unwrap_or_default();
        let body = match method {
            "turn/started" => EventBody::TurnStarted(take(&mut params, "turn")),
            "turn/completed" => EventBody::TurnCompleted(take(&mut params, "turn")),
            "item/started" => EventBody::ItemStarted(Item::read(take(&mut params, "item"))),
            "item/completed" => EventBody::ItemCompleted(Item::read(take(&mut params, "item"))),
            "item/agentMessage/delta" => EventBody::MessageDelta { item, delta },
            "item/plan/delta" => EventBody::PlanDelta { item, delta },
            "item/reasoning/summaryTextDelta" => {
                EventBody::SummaryDelta { item, index: index("summaryIndex"), delta }
            }
            "item/reasoning/textDelta" => {
                EventBody::ReasoningDelta { item, index: index("contentIndex"), delta }
            }
            "item/commandExecution/outputDelta" => EventBody::OutputDelta { item, delta },
            "turn/plan/updated" => EventBody::Todos { plan: take(&mut params, "plan") },
            "thread/tokenUsage/updated" => EventBody::Usage(take(&mut params, "tokenUsage")),
            "error" => EventBody::Error {
                will_retry: params.get("willRetry").and_then(Value::as_bool).unwrap_or_default(),
                error: take(&mut params, "error"),
            },
            "thread/status/changed" => EventBody::Status(take(&mut params, "status")),
            "thread/name/updated" => EventBody::Named(text("threadName").or_else(|| text("name"))),
            "thread/closed" => EventBody::Closed,
            "thread/deleted" => EventBody::Deleted,
            "thread/archived" => EventBody::Archived,
            "serverRequest/resolved" => EventBody::Resolved { id: take(&mut params, "requestId") },
            "warning" | "guardianWarning" => {
                EventBody::Warning { message: text("message").unwrap_or_default() }
            }
            "configWarning" => {
                let parts = [text("summary"), text("details")];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                EventBody::Configuration { message: parts.join(" "), path: text("path") }
            }
            "account/updated" | "account/login/completed" => EventBody::Account,
            "skills/changed" => EventBody::Skills,
            "account/rateLimits/updated" => EventBody::RateLimits(take(&mut params, "rateLimits")),
            _ => EventBody::Other,
        };
        Self { thread, turn, body }
    }
}

fn take<T: serde::de::DeserializeOwned + Default>(params: &mut Value, name: &str) -> T {
    let value = params.get_mut(name).map(Value::take).unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unknown_or_does_not_fit_is_never_fatal() {
        let event = Event::read("dance/began", json!({"threadId": "t", "turnId": "u"}));
        assert_eq!((event.thread.as_deref(), event.body), (Some("t"), EventBody::Other));
        for method in ["turn/started", "item/completed", "error", "thread/tokenUsage/updated"] {
            let strange = json!({"turn": 3, "item": [], "error": "x"});
            for params in [json!(null), json!({}), json!([1]), json!("x"), json!(1), strange] {
                let event = Event::read(method, params);
                assert_ne!(event.body, EventBody::Closed);
            }
        }
    }
}
