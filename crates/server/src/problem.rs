//! Refusals and failures on their way out.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{ErrorCode, Refusal};
use engine::EngineError;
use protocol::{Problem, ProblemCode};
use store::StoreError;

/// A refusal or failure of a request.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    retry_after_seconds: Option<u64>,
}

impl Failure {
    /// A refusal with this code, saying in a sentence what happened.
    pub(crate) fn new(code: ProblemCode, title: impl Into<String>) -> Self {
        let status = status(code).as_u16();
        let problem = Problem { status, code, title: title.into(), detail: None, stands: None };
        Self { problem: Box::new(problem), retry_after_seconds: None }
    }

    /// Adds what to do about it, or more facts.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.problem.detail = Some(detail.into());
        self
    }

    /// Adds when to try again.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// A refusal for the moment. Commands have ids, so trying again repeats nothing.
    pub(crate) fn busy(title: impl Into<String>) -> Self {
        Self::new(ProblemCode::Busy, title).detail("Try again in a moment.").retry_after(1)
    }

    /// What is told on a socket instead of a response.
    pub(crate) fn into_problem(self) -> Problem {
        *self.problem
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::warn!(code = ?self.problem.code, title = self.problem.title, "request failed");
        }
        let mut response = (status, Json(self.problem)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The one table of codes and statuses.
fn status(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::BadRequest => StatusCode::BAD_REQUEST,
        ProblemCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ProblemCode::BadPairingCode | ProblemCode::ForbiddenOrigin | ProblemCode::PathOutside => {
            StatusCode::FORBIDDEN
        }
        ProblemCode::NotFound
        | ProblemCode::UnknownProject
        | ProblemCode::UnknownThread
        | ProblemCode::UnknownTurn
        | ProblemCode::UnknownItem
        | ProblemCode::UnknownDevice
        | ProblemCode::UnknownAttachment
        | ProblemCode::UnknownProvider => StatusCode::NOT_FOUND,
        ProblemCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemCode::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        ProblemCode::ProviderBusy
        | ProblemCode::ProjectBusy
        | ProblemCode::ThreadArchived
        | ProblemCode::QueueFull
        | ProblemCode::NotQueued
        | ProblemCode::RequestClosed
        | ProblemCode::AlreadyAnswering
        | ProblemCode::BroadDirectory
        | ProblemCode::FileExists
        | ProblemCode::TrustChanged
        | ProblemCode::Untrustworthy
        | ProblemCode::IdTaken
        | ProblemCode::SessionBusy
        | ProblemCode::SessionTaken
        | ProblemCode::MessagesWait
        | ProblemCode::TakenBack
        | ProblemCode::WentBack
        | ProblemCode::TooOftenBack
        | ProblemCode::TurnRuns => StatusCode::CONFLICT,
        ProblemCode::SessionLost => StatusCode::GONE,
        ProblemCode::TooLarge | ProblemCode::AttachmentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemCode::UnsupportedMediaType | ProblemCode::AttachmentUnsupported => {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        }
        ProblemCode::UnknownModel
        | ProblemCode::NotADirectory
        | ProblemCode::NotWritten
        | ProblemCode::EmptyMessage
        | ProblemCode::MessageTooLong
        | ProblemCode::NoModel
        | ProblemCode::TooManyAttachments
        | ProblemCode::ModelCannotRead
        | ProblemCode::WrongAnswer
        | ProblemCode::SteerUnsupported
        | ProblemCode::NotOffered
        | ProblemCode::NoSession
        | ProblemCode::NotAMessage
        | ProblemCode::NeverSent
        | ProblemCode::AgentRefused
        | ProblemCode::BadTitle => StatusCode::UNPROCESSABLE_ENTITY,
        ProblemCode::TooMany | ProblemCode::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
        ProblemCode::ProviderUnavailable
        | ProblemCode::DirectorySilent
        | ProblemCode::Busy
        | ProblemCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        ProblemCode::StorageFailed => StatusCode::INSUFFICIENT_STORAGE,
        ProblemCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let title = sentence(&error.to_string());
        match error {
            EngineError::UnknownProject => Self::new(ProblemCode::UnknownProject, title),
            EngineError::UnknownThread => Self::new(ProblemCode::UnknownThread, title),
            EngineError::UnknownTurn => Self::new(ProblemCode::UnknownTurn, title),
            EngineError::UnknownItem => Self::new(ProblemCode::UnknownItem, title),
            EngineError::UnknownProvider => Self::new(ProblemCode::UnknownProvider, title),
            EngineError::UnknownModel { near, .. } => {
                let advice =
                    "choose one of the models the provider lists, or add it to its settings.";
                let failure = Self::new(ProblemCode::UnknownModel, title);
                match near.as_slice() {
                    [] => failure.detail(sentence(advice)),
                    near => failure.detail(format!("Near it: {}. Or {advice}", near.join(", "))),
                }
            }
            EngineError::ProviderUnavailable { fix, .. } => {
                let failure = Self::new(ProblemCode::ProviderUnavailable, title);
                match fix {
                    Some(fix) => failure.detail(format!("Run `{fix}` in a terminal.")),
                    None => failure,
                }
            }
            EngineError::ProviderBusy { .. } => Self::new(ProblemCode::ProviderBusy, title)
                .detail("Stop what runs first, or restart anyway."),
            EngineError::UnknownAttachment => {
                Self::new(ProblemCode::UnknownAttachment, title).detail("Attach it again.")
            }
            EngineError::AttachmentTooLarge => Self::new(ProblemCode::AttachmentTooLarge, title)
                .detail("Put it into the workspace and name its path in the message."),
            EngineError::AttachmentUnsupported => {
                Self::new(ProblemCode::AttachmentUnsupported, title)
                    .detail("Put it into the workspace and name its path in the message.")
            }
            EngineError::ModelCannotRead { .. } => Self::new(ProblemCode::ModelCannotRead, title)
                .detail("Choose a model that takes such files, or remove it."),
            EngineError::SteerUnsupported => Self::new(ProblemCode::SteerUnsupported, title)
                .detail("Send it with delivery `queue`, to be taken after what runs now."),
            EngineError::ProjectBusy => Self::new(ProblemCode::ProjectBusy, title)
                .detail("Stop them first, or wait until they are done."),
            EngineError::TrustChanged => Self::new(ProblemCode::TrustChanged, title)
                .detail("Look at it again before you decide."),
            EngineError::Untrustworthy => Self::new(ProblemCode::Untrustworthy, title)
                .detail("Mend the files that are named, or go on without the configuration."),
            EngineError::DirectorySilent => Self::new(ProblemCode::DirectorySilent, title)
                .detail("Bring its file system back, or work in another project."),
            EngineError::Agent(error) => {
                let code = match error.code {
                    ErrorCode::SessionLost => ProblemCode::SessionLost,
                    ErrorCode::SessionBusy => ProblemCode::SessionBusy,
                    ErrorCode::SessionTaken => ProblemCode::SessionTaken,
                    ErrorCode::Rejected => ProblemCode::AgentRefused,
                    _ => ProblemCode::ProviderUnavailable,
                };
                let failure = Self::new(code, title);
                match error.hint {
                    Some(hint) => failure.detail(sentence(&hint)),
                    None => failure,
                }
            }
            EngineError::NotOffered => Self::new(ProblemCode::NotOffered, title),
            EngineError::SessionBusy => Self::new(ProblemCode::SessionBusy, title).detail(
                "Wait until it has finished there, or go on anyway: two that write into one \
                 session take each other's words for their own.",
            ),
            EngineError::TurnRuns => Self::new(ProblemCode::TurnRuns, title)
                .detail("Wait until it has ended, or stop it."),
            EngineError::IdTaken => Self::new(ProblemCode::IdTaken, title)
                .detail("Draw a new id; an id is repeated only to repeat the same command."),
            EngineError::Refused(refusal) => Self::new(refusal_code(&refusal), title),
            EngineError::Settings(_) => {
                Self::new(ProblemCode::BadRequest, title).detail("Nothing was changed.")
            }
            EngineError::SettingsUnreadable => Self::new(ProblemCode::Internal, title).detail(
                "Nothing was changed, so that nothing of them is lost. They may be of a newer Baton; \
                 the log says what is not understood.",
            ),
            EngineError::TooLate { refusal, state } => {
                let mut failure = Self::new(refusal_code(&refusal), title);
                failure.problem.stands = Some(*state);
                failure
            }
            // Also when the thread's task ended before it answered, so the command may be done.
            EngineError::Busy => {
                Self::busy("The thread is busy, and it is not known whether the command was taken.")
            }
            EngineError::Storage(error) => error.into(),
            EngineError::ShuttingDown => Self::new(ProblemCode::ShuttingDown, title),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let title = sentence(&error.to_string());
        match error {
            StoreError::Full | StoreError::Io { .. } => {
                Self::new(ProblemCode::StorageFailed, title)
                    .detail("Nothing was changed. Look at the disk of the data directory.")
            }
            StoreError::Busy => Self::busy("The database is busy."),
            StoreError::Closed => Self::new(ProblemCode::ShuttingDown, "Baton is ending."),
            StoreError::NoThread => {
                Self::new(ProblemCode::UnknownThread, "There is no such thread.")
            }
            StoreError::SessionTaken { .. } => Self::new(ProblemCode::SessionTaken, title),
            StoreError::Corrupt { .. }
            | StoreError::Damaged { .. }
            | StoreError::Refused { .. } => Self::new(ProblemCode::Internal, title),
        }
    }
}

fn refusal_code(refusal: &Refusal) -> ProblemCode {
    match refusal {
        Refusal::EmptyMessage => ProblemCode::EmptyMessage,
        Refusal::MessageTooLong { .. } => ProblemCode::MessageTooLong,
        Refusal::TooManyAttachments => ProblemCode::TooManyAttachments,
        Refusal::NoModel => ProblemCode::NoModel,
        Refusal::Archived => ProblemCode::ThreadArchived,
        Refusal::QueueFull => ProblemCode::QueueFull,
        Refusal::NotQueued => ProblemCode::NotQueued,
        Refusal::RequestClosed => ProblemCode::RequestClosed,
        Refusal::AlreadyAnswering => ProblemCode::AlreadyAnswering,
        Refusal::WrongAnswer { .. } => ProblemCode::WrongAnswer,
        Refusal::Working => ProblemCode::TurnRuns,
        Refusal::NotAMessage => ProblemCode::NotAMessage,
        Refusal::NoSession => ProblemCode::NoSession,
        Refusal::MessagesWait => ProblemCode::MessagesWait,
        Refusal::NeverSent => ProblemCode::NeverSent,
        Refusal::TakenBack => ProblemCode::TakenBack,
        Refusal::WentBack => ProblemCode::WentBack,
        Refusal::TooOftenBack => ProblemCode::TooOftenBack,
        Refusal::BadTitle => ProblemCode::BadTitle,
    }
}

/// Makes an error's message a sentence for a person.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_in_the_store_is_told_apart() {
        let reason = || "reason".to_owned();
        let cases = [
            (StoreError::Full, 507, ProblemCode::StorageFailed),
            (StoreError::Io { reason: reason() }, 507, ProblemCode::StorageFailed),
            (StoreError::Busy, 503, ProblemCode::Busy),
            (StoreError::Closed, 503, ProblemCode::ShuttingDown),
            (StoreError::NoThread, 404, ProblemCode::UnknownThread),
            (StoreError::Damaged { what: reason() }, 500, ProblemCode::Internal),
            (StoreError::Corrupt { reason: reason() }, 500, ProblemCode::Internal),
            (StoreError::Refused { reason: reason() }, 500, ProblemCode::Internal),
        ];
        for (error, status, code) in cases {
            let problem = Failure::from(EngineError::Storage(error)).into_problem();
            assert_eq!((problem.status, problem.code), (status, code), "{problem:?}");
            assert!(problem.title.ends_with('.'), "{problem:?}");
        }
        let busy = Failure::from(EngineError::Busy).into_problem();
        assert_eq!((busy.status, busy.code), (503, ProblemCode::Busy));
    }
}
