//! Codex's errors in Baton's codes. Decisions rest on Codex's codes and HTTP statuses; its words
//! are passed on as they are.

use codex_sdk::Error;
use codex_sdk::types::{ErrorKind, TurnError as NativeError};
use domain::{ErrorCode, TurnError};
use serde_json::Value;

use crate::SendError;

/// Longest message of an error that is passed on, in characters.
const MAX_MESSAGE: usize = 2_000;

/// What a failed turn says of Codex's error.
pub(super) fn turn_error(error: &NativeError) -> TurnError {
    let code = code(error.kind());
    let said = words(error.message.trim());
    let message = if said.is_empty() {
        "Codex reported an error without a message".to_owned()
    } else {
        said.chars().take(MAX_MESSAGE).collect()
    };
    TurnError {
        code,
        message,
        hint: hint(code).map(str::to_owned),
        retryable: !matches!(code, ErrorCode::ModelUnavailable),
    }
}

/// The words of an error. A refused request comes as the provider's JSON (Codex 0.169.0).
fn words(message: &str) -> String {
    let json = serde_json::from_str::<Value>(message).ok();
    let inner = json.as_ref().and_then(|json| {
        let nested = json.get("error").and_then(|e| e.get("message"));
        nested.or_else(|| json.get("message")).and_then(Value::as_str)
    });
    inner.unwrap_or(message).to_owned()
}

fn code(kind: ErrorKind) -> ErrorCode {
    match kind {
        ErrorKind::Unauthorized | ErrorKind::Http(Some(401 | 403)) => ErrorCode::Unauthorized,
        ErrorKind::UsageLimitExceeded | ErrorKind::Http(Some(402)) => ErrorCode::Payment,
        ErrorKind::RateLimited | ErrorKind::Http(Some(429)) => ErrorCode::RateLimited,
        ErrorKind::ModelNotFound | ErrorKind::Http(Some(404)) => ErrorCode::ModelUnavailable,
        ErrorKind::ContextWindowExceeded => ErrorCode::ContextOverflow,
        ErrorKind::Policy => ErrorCode::ContentFiltered,
        ErrorKind::Http(None) | ErrorKind::Disconnected => ErrorCode::Network,
        ErrorKind::Overloaded
        | ErrorKind::InternalServerError
        | ErrorKind::BadRequest
        | ErrorKind::Sandbox
        | ErrorKind::Http(Some(_))
        | ErrorKind::Other => ErrorCode::ProviderError,
    }
}

fn hint(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::Unauthorized => Some("sign in again: codex login"),
        ErrorCode::Payment => Some("wait for the limit to be renewed, or add credit"),
        ErrorCode::RateLimited => Some("wait a little and try again, or choose another model"),
        ErrorCode::ModelUnavailable => Some("choose another model"),
        ErrorCode::ContextOverflow => Some("begin a new thread, or shorten the context"),
        ErrorCode::Network => Some("check the connection to the model's provider and try again"),
        ErrorCode::ContentFiltered => Some("ask for it in other words, or choose another model"),
        ErrorCode::ProviderError => Some("try again, or choose another model"),
        ErrorCode::Rejected
        | ErrorCode::NotAccepted
        | ErrorCode::AgentUnavailable
        | ErrorCode::AgentDied
        | ErrorCode::Silent
        | ErrorCode::SessionLost
        | ErrorCode::SessionBusy
        | ErrorCode::SessionTaken
        | ErrorCode::Internal => None,
    }
}

/// What is said when a message did not get to Codex.
pub(super) fn send_error(error: &Error) -> SendError {
    let code = match error {
        Error::Gone => ErrorCode::AgentDied,
        Error::Refused(_) => ErrorCode::Rejected,
        Error::Timeout(_) | Error::Decode { .. } => ErrorCode::AgentUnavailable,
    };
    SendError { code, message: format!("Codex did not take it: {error}") }
}

/// What the turns are told that ran when the process ended by itself.
pub(super) fn died(said: &str) -> TurnError {
    let message = if said.is_empty() {
        "Codex ended while the turn ran".to_owned()
    } else {
        format!("Codex ended while the turn ran: {said}")
    };
    TurnError {
        code: ErrorCode::AgentDied,
        message,
        hint: Some("send the message again; Codex goes on in the same session".to_owned()),
        retryable: true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_and_statuses_decide_and_words_are_passed_on() {
        let said = |info: Value, message: &str| {
            let error = NativeError {
                message: message.to_owned(),
                codex_error_info: info,
                additional_details: None,
            };
            let error = turn_error(&error);
            (error.code, error.message)
        };
        let (code, message) = said(
            json!({"httpConnectionFailed": {"httpStatusCode": 401}}),
            r#"{"error":{"message":"no such key"}}"#,
        );
        assert_eq!((code, message.as_str()), (ErrorCode::Unauthorized, "no such key"));
        assert_eq!(said(json!("usageLimitExceeded"), "").0, ErrorCode::Payment);
        assert_eq!(said(json!("contextWindowExceeded"), "").0, ErrorCode::ContextOverflow);
        assert_eq!(said(json!("other"), "").0, ErrorCode::ProviderError);
        assert_eq!(said(json!({"new": 1}), "x").1, "x");
    }
}
