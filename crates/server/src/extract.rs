//! Bodies, path parameters and queries, with every failure as a problem.

use std::error::Error;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use http_body_util::LengthLimitError;
use protocol::ProblemCode;
use serde::de::DeserializeOwned;

use crate::guard::is_json;
use crate::problem::Failure;

/// The largest body of a command that carries no message, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// The largest body that carries a message, in bytes.
pub(crate) const MAX_MESSAGE_BODY: usize = 4 * 1024 * 1024;
/// The largest change of the settings, in bytes: all of them at once fit.
pub(crate) const MAX_SETTINGS_BODY: usize = 512 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How long a file may take to arrive; less than any answer may.
const UPLOAD_TIME: Duration = Duration::from_secs(55);

/// A JSON body of at most `MAX` bytes.
pub(crate) struct Json<T, const MAX: usize = MAX_BODY>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync, const MAX: usize> FromRequest<S> for Json<T, MAX> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        if !request.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
            return Err(Failure::new(ProblemCode::UnsupportedMediaType, "The body is not JSON.")
                .detail("Send it as `Content-Type: application/json`."));
        }
        let reading = axum::body::to_bytes(request.into_body(), MAX);
        let bytes = match tokio::time::timeout(BODY_TIME, reading).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
                return Err(Failure::new(ProblemCode::TooLarge, "The body is too large.")
                    .detail(format!("At most {MAX} bytes are accepted here.")));
            }
            Ok(Err(_)) => {
                let title = "The body did not arrive whole.";
                return Err(Failure::new(ProblemCode::BadRequest, title));
            }
            Err(_) => {
                let title = "The body took too long to arrive.";
                return Err(Failure::new(ProblemCode::TimedOut, title));
            }
        };
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Failure::new(ProblemCode::BadRequest, "The body cannot be read.")
                .detail(error.to_string())
        })
    }
}

/// A body as it is: a file to attach.
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let most = usize::try_from(domain::MAX_ATTACHMENT_BYTES).unwrap_or(usize::MAX);
        let reading = axum::body::to_bytes(request.into_body(), most);
        match tokio::time::timeout(UPLOAD_TIME, reading).await {
            Ok(Ok(bytes)) => Ok(Self(bytes.into())),
            Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
                Err(engine::EngineError::AttachmentTooLarge.into())
            }
            Ok(Err(_)) => {
                Err(Failure::new(ProblemCode::BadRequest, "The file did not arrive whole."))
            }
            Err(_) => Err(Failure::new(ProblemCode::TimedOut, "The file took too long to arrive.")),
        }
    }
}

/// The parameters in a path.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(params) = Path::from_request_parts(parts, state).await.map_err(|rejection| {
            Failure::new(ProblemCode::BadRequest, "The address has an id that cannot be read.")
                .detail(rejection.body_text())
        })?;
        Ok(Self(params))
    }
}

/// The parameters in a query.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(query) = Query::from_request_parts(parts, state).await.map_err(|rejection| {
            Failure::new(ProblemCode::BadRequest, "The query cannot be read.")
                .detail(rejection.body_text())
        })?;
        Ok(Self(query))
    }
}
