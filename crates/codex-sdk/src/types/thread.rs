use serde::Deserialize;
use serde_json::Value;

use super::{Item, lenient};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Where the next one begins.
    pub next_cursor: Option<String>,
}

/// The answer to `thread/start`, `thread/resume` and `thread/fork`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The thread.
    pub thread: Thread,
    /// What it runs on.
    #[serde(default, deserialize_with = "lenient")]
    pub model: String,
}

/// The answer to `turn/start`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TurnAnswer {
    /// The turn.
    pub turn: Turn,
}

/// A conversation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Thread {
    /// Its id.
    pub id: String,
    /// What a person called it.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The beginning of its first message.
    #[serde(deserialize_with = "lenient")]
    pub preview: String,
    /// What it ran on last.
    #[serde(deserialize_with = "lenient")]
    pub model: Option<String>,
    /// The effort it ran with last.
    #[serde(deserialize_with = "lenient")]
    pub reasoning_effort: Option<String>,
    /// The thread whose sub-agent it is.
    #[serde(deserialize_with = "lenient")]
    pub parent_thread_id: Option<String>,
    /// Of a sub-agent.
    #[serde(deserialize_with = "lenient")]
    pub agent_nickname: Option<String>,
    /// Of a sub-agent.
    #[serde(deserialize_with = "lenient")]
    pub agent_role: Option<String>,
    /// Where it works.
    #[serde(deserialize_with = "lenient")]
    pub cwd: String,
    /// When it was begun, in seconds since 1970.
    #[serde(deserialize_with = "lenient")]
    pub created_at: i64,
    /// When something last happened in it, in seconds since 1970.
    #[serde(deserialize_with = "lenient")]
    pub updated_at: i64,
    /// What it is doing.
    #[serde(deserialize_with = "lenient")]
    pub status: ThreadState,
    /// Its turns, where they were asked for.
    #[serde(deserialize_with = "lenient")]
    pub turns: Vec<Turn>,
}

/// What a thread is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadState {
    /// The word for it.
    #[serde(rename = "type")]
    pub status: Status,
    /// What it waits for.
    #[serde(deserialize_with = "lenient")]
    pub active_flags: Vec<String>,
}

/// The word for what a thread is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// No process works with it.
    NotLoaded,
    /// Nothing runs.
    Idle,
    /// A turn runs.
    Active,
    /// The last turn failed; the next one works.
    SystemError,
    /// Something new.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One turn of a thread.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Turn {
    /// Its id.
    pub id: String,
    /// Where it stands.
    #[serde(deserialize_with = "lenient")]
    pub status: TurnStatus,
    /// Why it failed.
    #[serde(deserialize_with = "lenient")]
    pub error: Option<TurnError>,
    /// What happened in it; how much of it depends on who tells.
    #[serde(deserialize_with = "lenient")]
    pub items: Vec<Item>,
    /// When it began, in seconds since 1970.
    #[serde(deserialize_with = "lenient")]
    pub started_at: Option<f64>,
    /// When it ended, in seconds since 1970.
    #[serde(deserialize_with = "lenient")]
    pub completed_at: Option<f64>,
}

/// Where a turn stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TurnStatus {
    /// It runs.
    InProgress,
    /// It finished.
    Completed,
    /// It was stopped, or cut by the end of its process.
    Interrupted,
    /// It could not be finished.
    Failed,
    /// Something new.
    #[default]
    #[serde(other)]
    Unknown,
}

/// Why a turn failed, or is being tried again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TurnError {
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// The code, as it is.
    pub codex_error_info: Value,
    /// More words.
    #[serde(deserialize_with = "lenient")]
    pub additional_details: Option<String>,
}

/// The codes of errors that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The conversation no longer fits the model.
    ContextWindowExceeded,
    /// The plan of the account is used up.
    UsageLimitExceeded,
    /// Too many requests.
    RateLimited,
    /// The service is overloaded.
    Overloaded,
    /// There is no such model.
    ModelNotFound,
    /// The service failed.
    InternalServerError,
    /// The account was refused.
    Unauthorized,
    /// The request was refused.
    BadRequest,
    /// The sandbox failed.
    Sandbox,
    /// An answer was withheld by a policy.
    Policy,
    /// The service answered with this HTTP status, or could not be reached (`None`).
    Http(Option<u16>),
    /// The service's answer broke off.
    Disconnected,
    /// Anything else.
    Other,
}

impl TurnError {
    /// The code.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.codex_error_info {
            Value::String(name) => match name.as_str() {
                "contextWindowExceeded" => ErrorKind::ContextWindowExceeded,
                "usageLimitExceeded" | "sessionBudgetExceeded" => ErrorKind::UsageLimitExceeded,
                "rateLimitExceeded" => ErrorKind::RateLimited,
                "serverOverloaded" | "flexUnavailable" | "policyCapacityUnavailable" => {
                    ErrorKind::Overloaded
                }
                "modelNotFound" => ErrorKind::ModelNotFound,
                "internalServerError" => ErrorKind::InternalServerError,
                "unauthorized" => ErrorKind::Unauthorized,
                "badRequest" => ErrorKind::BadRequest,
                "sandboxError" => ErrorKind::Sandbox,
                "cyberPolicy" | "misalignmentPolicyViolation" => ErrorKind::Policy,
                _ => ErrorKind::Other,
            },
            Value::Object(one) => {
                let http = [
                    "httpConnectionFailed",
                    "responseStreamConnectionFailed",
                    "responseStreamDisconnected",
                    "responseTooManyFailedAttempts",
                ];
                let named = http.iter().find_map(|name| Some((*name, one.get(*name)?)));
                named.map_or(ErrorKind::Other, |(name, inner)| {
                    let status = inner.get("httpStatusCode").and_then(Value::as_u64);
                    match status.and_then(|status| u16::try_from(status).ok()) {
                        // Also what is said when it is not known why (0.169.0).
                        None if name == "responseStreamDisconnected" => ErrorKind::Disconnected,
                        status => ErrorKind::Http(status),
                    }
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => ErrorKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_or_missing_is_borne() {
        let text =
            r#"{"id":"u","status":"pondering","items":[{"type":"dance","id":"1"}],"error":7}"#;
        let turn: Turn = serde_json::from_str(text).unwrap();
        assert_eq!((turn.status, turn.error), (TurnStatus::Unknown, None));
        assert_eq!(turn.items.len(), 1);
        let thread: Thread =
            serde_json::from_str(r#"{"id":"t","status":{"type":"asleep"},"name":3}"#).unwrap();
        assert_eq!((thread.status.status, thread.name), (Status::Unknown, None));
    }

    #[test]
    fn errors_are_told_apart_by_their_codes() {
        let kind = |info: &str| {
            let text = format!(r#"{{"message":"m","codexErrorInfo":{info}}}"#);
            serde_json::from_str::<TurnError>(&text).unwrap().kind()
        };
        assert_eq!(kind(r#""contextWindowExceeded""#), ErrorKind::ContextWindowExceeded);
        assert_eq!(
            kind(r#"{"httpConnectionFailed":{"httpStatusCode":401}}"#),
            ErrorKind::Http(Some(401))
        );
        assert_eq!(
            kind(r#"{"responseStreamDisconnected":{"httpStatusCode":null}}"#),
            ErrorKind::Disconnected
        );
        assert_eq!(
            kind(r#"{"httpConnectionFailed":{"httpStatusCode":null}}"#),
            ErrorKind::Http(None)
        );
        assert_eq!(kind(r#"{"new":{}}"#), ErrorKind::Other);
        assert_eq!(kind("null"), ErrorKind::Other);
    }
}
