//! Files that go with messages.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Attachment, AttachmentId};
use serde::Deserialize;

use crate::extract::{Params, QueryOf, Raw};
use crate::problem::Failure;
use crate::state::App;

/// What a file is called.
#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

/// Takes a file, as the body of the request, to go with a message that is sent later. What it is
/// is found by looking into it. A file that no message is sent with is deleted after a day.
#[utoipa::path(post, path = "/api/attachments", tag = "threads",
    params(("name" = String, Query, description = "What the file is called")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment)))]
pub(crate) async fn upload(
    State(app): State<App>,
    QueryOf(named): QueryOf<Named>,
    Raw(bytes): Raw,
) -> Result<(StatusCode, Json<Attachment>), Failure> {
    Ok((StatusCode::CREATED, Json(app.engine.attach(&named.name, bytes).await?)))
}

/// Gives a file. Only images are shown in place; nothing in it can run.
#[utoipa::path(get, path = "/api/attachments/{id}", tag = "threads",
    params(("id" = String, Path, description = "The file")),
    responses((status = 200, description = "The file", content_type = "application/octet-stream")))]
pub(crate) async fn read(
    State(app): State<App>,
    Params(id): Params<AttachmentId>,
) -> Result<Response, Failure> {
    let (kind, bytes) = app.engine.attachment(&id).await?;
    let disposition = if kind.is_image() { "inline" } else { "attachment" };
    let headers = [
        (header::CONTENT_TYPE, kind.mime()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, Body::from(bytes)).into_response())
}
