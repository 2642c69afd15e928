//! Claude Code's errors in Baton's codes. Decisions rest on its names and on HTTP statuses; its
//! words are passed on as they are.

use claude_sdk::{LaunchError, TurnResult};
use domain::{ErrorCode, TurnError};

use crate::contract::unavailable;
use crate::shared::looks::plain;
use crate::{OpenError, SendError};

/// Longest message of an error that is passed on, in characters.
const MAX_MESSAGE: usize = 2_000;

/// The command that signs in.
pub(super) const SIGN_IN: &str = "claude auth login";

/// What a failed turn says of its end; `failure` is what an answer told of it: its name, its words.
pub(super) fn of_result(result: &TurnResult, failure: Option<&(String, String)>) -> TurnError {
    let name = failure.map(|(name, _)| name.as_str()).unwrap_or_default();
    let code = code(name, result);
    let words = failure.map(|(_, words)| words.as_str()).filter(|words| !words.is_empty());
    let words = words.or_else(|| Some(result.result.as_str()).filter(|said| !said.is_empty()));
    // Those in brackets are for the developers of the agent.
    let plain = |error: &&String| !error.starts_with('[');
    let words = words.or_else(|| result.errors.iter().find(plain).map(String::as_str));
    let message = words.map_or_else(
        || format!("Claude Code ended the turn with {}", result.subtype.replace('_', " ")),
        |words| words.chars().take(MAX_MESSAGE).collect(),
    );
    TurnError {
        code,
        message,
        hint: hint(code).map(str::to_owned),
        retryable: !matches!(code, ErrorCode::ModelUnavailable | ErrorCode::ContextOverflow),
    }
}

/// An answer whose stream ended before the answer did, which the agent takes for its end (2.1.197).
pub(super) fn broken_off() -> TurnError {
    TurnError {
        code: ErrorCode::ProviderError,
        message: "the model's answer broke off before it was finished".to_owned(),
        hint: Some("send the message again".to_owned()),
        retryable: true,
    }
}

fn code(name: &str, result: &TurnResult) -> ErrorCode {
    if result.terminal_reason == "prompt_too_long" {
        return ErrorCode::ContextOverflow;
    }
    match (name, result.api_error_status) {
        ("authentication_failed" | "oauth_org_not_allowed" | "cloud_credential_error", _) => {
            ErrorCode::Unauthorized
        }
        ("billing_error" | "account_on_hold" | "verification_required", _) => ErrorCode::Payment,
        ("rate_limit", _) => ErrorCode::RateLimited,
        ("model_not_found", _) => ErrorCode::ModelUnavailable,
        // It has no other reason for a refusal that it names so but the length (2.1.197).
        ("invalid_request", Some(413)) => ErrorCode::ContextOverflow,
        ("invalid_request", None) if result.stop_reason.as_deref() == Some("refusal") => {
            ErrorCode::ContentFiltered
        }
        ("server_error", None) => ErrorCode::Network,
        (_, Some(401 | 403)) => ErrorCode::Unauthorized,
        (_, Some(402)) => ErrorCode::Payment,
        (_, Some(404)) => ErrorCode::ModelUnavailable,
        (_, Some(429)) => ErrorCode::RateLimited,
        _ => ErrorCode::ProviderError,
    }
}

fn hint(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::Unauthorized => Some("sign in: claude auth login"),
        ErrorCode::Payment => Some("look at the account's plan and credit, or sign in to another"),
        ErrorCode::RateLimited => Some("wait a little and try again, or choose another model"),
        ErrorCode::ModelUnavailable => Some("choose another model"),
        ErrorCode::ContextOverflow => Some("shorten the context, or begin a new thread"),
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

/// Why the agent did not start for a message.
pub(super) fn of_launch(error: &LaunchError, resumes: bool) -> SendError {
    match error {
        LaunchError::Exited { failed: true, .. } if resumes => {
            let OpenError { code, message, .. } = gone();
            SendError { code, message }
        }
        other => SendError {
            code: ErrorCode::AgentUnavailable,
            message: plain(&format!("Claude Code could not be started: {other}")),
        },
    }
}

/// Why nothing is started after too many failures.
pub(super) fn left_alone(error: OpenError) -> SendError {
    let OpenError { code, message, hint } = error;
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    SendError { code, message: format!("{message}{hint}") }
}

/// Why a message was not handed over to an agent that ended just then.
pub(super) fn ended() -> SendError {
    SendError {
        code: ErrorCode::AgentDied,
        message: "Claude Code ended before it had the message".to_owned(),
    }
}

pub(super) fn stopped_before() -> SendError {
    SendError {
        code: ErrorCode::Rejected,
        message: "the turn was stopped before its message was handed over".to_owned(),
    }
}

pub(super) fn closed() -> SendError {
    SendError { code: ErrorCode::AgentDied, message: "the session is closed".to_owned() }
}

/// The session is gone.
pub(super) fn gone() -> OpenError {
    OpenError {
        code: ErrorCode::SessionLost,
        message: "Claude Code no longer has this session: its transcript is gone".to_owned(),
        hint: Some("go on in a new session, which knows nothing of what was said".to_owned()),
    }
}

pub(super) fn not_usable(message: &str) -> OpenError {
    unavailable(message, Some("look at Claude Code in the settings, or run: baton doctor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_their_names_and_statuses() {
        let check = |name: &str, status: Option<u64>, reason: &str, wanted: ErrorCode| {
            let result = TurnResult {
                is_error: true,
                api_error_status: status,
                terminal_reason: reason.to_owned(),
                result: "words".to_owned(),
                ..TurnResult::default()
            };
            let error = of_result(&result, Some(&(name.to_owned(), String::new())));
            assert_eq!((error.code, error.message.as_str()), (wanted, "words"), "{name}");
        };
        check("authentication_failed", Some(401), "completed", ErrorCode::Unauthorized);
        check("authentication_failed", None, "completed", ErrorCode::Unauthorized);
        check("billing_error", Some(400), "completed", ErrorCode::Payment);
        check("invalid_request", Some(400), "prompt_too_long", ErrorCode::ContextOverflow);
        check("invalid_request", Some(400), "completed", ErrorCode::ProviderError);
        check("rate_limit", Some(429), "completed", ErrorCode::RateLimited);
        check("model_not_found", Some(404), "completed", ErrorCode::ModelUnavailable);
        check("server_error", Some(529), "completed", ErrorCode::ProviderError);
        check("server_error", None, "completed", ErrorCode::Network);
        check("", Some(500), "api_error", ErrorCode::ProviderError);
    }
}
