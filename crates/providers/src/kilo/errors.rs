//! Kilo's errors in Baton's codes. Decisions rest on Kilo's names and HTTP statuses; its words are
//! passed on as they are.

use domain::{ErrorCode, TurnError};
use kilo_sdk::types::{ErrorKind, MessageError};
use serde_json::Value;

/// Longest message of an error that is passed on, in characters.
const MAX_MESSAGE: usize = 2_000;

/// What a failed turn says of Kilo's error.
pub(super) fn turn_error(error: &MessageError) -> TurnError {
    let code = code(error);
    let said = words(error.message.trim());
    let message = if said.is_empty() {
        "Kilo reported an error without a message".to_owned()
    } else {
        said.chars().take(MAX_MESSAGE).collect()
    };
    TurnError {
        code,
        message,
        hint: hint(code).map(str::to_owned),
        retryable: error.retryable || !matches!(code, ErrorCode::ModelUnavailable),
    }
}

/// What a message comes to that Kilo refused before it took it: in 7.7.7 that is so when the agent
/// it names is not there, which a user's configuration can bring about.
pub(super) fn refused(error: TurnError) -> TurnError {
    let hint = "see that Kilo's configuration does not disable its agents `code` and `plan`, then \
                send the message again";
    TurnError { code: ErrorCode::Rejected, hint: Some(hint.to_owned()), ..error }
}

/// What a command comes to that Kilo refused before it had a message: it names an agent or a model
/// that is not there, or is itself gone (7.7.7).
pub(super) fn refused_command(error: TurnError) -> TurnError {
    let hint = "correct what the command's file says, then send it again; Kilo reads the file when \
                it is next started or the directory was not used for a while";
    TurnError { code: ErrorCode::Rejected, hint: Some(hint.to_owned()), ..error }
}

/// The words of an error. One inside a model's stream comes as the provider's JSON (Kilo 7.7.7).
fn words(message: &str) -> String {
    let json = serde_json::from_str::<Value>(message).ok();
    let inner = json.as_ref().and_then(|json| {
        let nested = json.get("error").and_then(|e| e.get("message"));
        nested.or_else(|| json.get("message")).and_then(Value::as_str)
    });
    inner.unwrap_or(message).to_owned()
}

/// Whether an error is only the second telling of one: Kilo 7.7.7 repeats some with the stack of
/// its own program.
pub(super) fn is_echo(error: &MessageError) -> bool {
    matches!(error.kind, ErrorKind::Other(_)) && error.message.contains("\n    at ")
}

fn code(error: &MessageError) -> ErrorCode {
    match (&error.kind, error.status_code) {
        (ErrorKind::ProviderAuth, _) | (ErrorKind::Api, Some(401 | 403)) => ErrorCode::Unauthorized,
        (ErrorKind::Api, Some(402)) => ErrorCode::Payment,
        (ErrorKind::Api, Some(404)) => ErrorCode::ModelUnavailable,
        (ErrorKind::Api, Some(429)) => ErrorCode::RateLimited,
        (ErrorKind::Api, None) => ErrorCode::Network,
        (ErrorKind::Api, Some(_)) => ErrorCode::ProviderError,
        (ErrorKind::ContextOverflow, _) => ErrorCode::ContextOverflow,
        (ErrorKind::ContentFilter, _) => ErrorCode::ContentFiltered,
        (
            ErrorKind::Aborted
            | ErrorKind::OutputLength
            | ErrorKind::StructuredOutput
            | ErrorKind::Other(_),
            _,
        ) => ErrorCode::ProviderError,
    }
}

fn hint(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::Unauthorized => Some("sign in to the model's provider: kilo auth login"),
        ErrorCode::Payment => Some("add credit with the model's provider, or choose another model"),
        ErrorCode::RateLimited => Some("wait a little and try again, or choose another model"),
        ErrorCode::ModelUnavailable => Some("choose another model"),
        ErrorCode::ContextOverflow => Some("begin a new thread, or choose a model with more room"),
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
