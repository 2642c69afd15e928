//! Whole sessions: listing them, going on with one, forking, compacting, opening one elsewhere.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{ProjectId, ProviderId, Thread, ThreadId, Turn};
use engine::{ContinueSession, MAX_SESSIONS, SessionQuery};
use protocol::{
    BackRequest, CompactRequest, ContinueRequest, ForkRequest, SessionCommand, SessionPage,
};
use serde::Deserialize;

use crate::extract::{self, Params, QueryOf};
use crate::problem::Failure;
use crate::state::App;

/// Which sessions to list.
#[derive(Deserialize)]
pub(crate) struct Listing {
    provider: ProviderId,
    search: Option<String>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

/// Lists the conversations that an agent has in a project, last used first. Starts the agent.
#[utoipa::path(get, path = "/api/projects/{id}/sessions", tag = "sessions",
    params(
        ("id" = String, Path, description = "The project"),
        ("provider" = String, Query, description = "Whose sessions"),
        ("search" = Option<String>, Query, description = "Only those with this in their title"),
        ("offset" = Option<usize>, Query, description = "How many are passed over"),
        ("limit" = Option<usize>, Query, description = "How many at most; at most 50"),
    ),
    responses((status = 200, body = SessionPage)))]
pub(crate) async fn list(
    State(app): State<App>,
    Params(project): Params<ProjectId>,
    QueryOf(listing): QueryOf<Listing>,
) -> Result<Json<SessionPage>, Failure> {
    let Listing { provider, search, offset, limit } = listing;
    let query = SessionQuery { search, offset, limit: limit.unwrap_or(MAX_SESSIONS) };
    let (sessions, more) = app.engine.sessions(&project, &provider, query).await?;
    Ok(Json(SessionPage { sessions, more }))
}

/// Makes a thread that goes on with a session. The same session again gives the same thread.
#[utoipa::path(post, path = "/api/sessions/continue", tag = "sessions",
    request_body = ContinueRequest, responses((status = 200, body = Thread)))]
pub(crate) async fn go_on(
    State(app): State<App>,
    extract::Json(wanted): extract::Json<ContinueRequest>,
) -> Result<Json<Thread>, Failure> {
    let ContinueRequest { id, project_id, provider, session, access, anyway } = wanted;
    let wanted = ContinueSession { id, project_id, provider, session, access, anyway };
    Ok(Json(app.engine.continue_session(wanted).await?))
}

/// Makes a thread of what was said up to and with a turn. The same id again gives the same thread.
#[utoipa::path(post, path = "/api/threads/{id}/fork", tag = "sessions",
    request_body = ForkRequest,
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = Thread)))]
pub(crate) async fn fork(
    State(app): State<App>,
    Params(thread): Params<ThreadId>,
    extract::Json(wanted): extract::Json<ForkRequest>,
) -> Result<Json<Thread>, Failure> {
    Ok(Json(app.engine.fork_thread(&thread, &wanted.turn, wanted.id).await?))
}

/// Has the agent shorten its context, after what waits already.
#[utoipa::path(post, path = "/api/threads/{id}/compact", tag = "sessions",
    request_body = CompactRequest,
    params(("id" = String, Path, description = "The thread")),
    responses((status = 202, body = Turn)))]
pub(crate) async fn compact(
    State(app): State<App>,
    Params(thread): Params<ThreadId>,
    extract::Json(wanted): extract::Json<CompactRequest>,
) -> Result<(StatusCode, Json<Turn>), Failure> {
    Ok((StatusCode::ACCEPTED, Json(app.engine.compact(&thread, wanted.id).await?)))
}

/// Lets a thread go on in a new session, because the one it had is gone.
#[utoipa::path(post, path = "/api/threads/{id}/renew", tag = "sessions",
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = Thread)))]
pub(crate) async fn renew(
    State(app): State<App>,
    Params(thread): Params<ThreadId>,
) -> Result<Json<Thread>, Failure> {
    Ok(Json(app.engine.renew_session(&thread).await?))
}

/// Takes the conversation back to before a message, from the next message on. Files stay.
#[utoipa::path(post, path = "/api/threads/{id}/back", tag = "sessions",
    request_body = BackRequest,
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = Thread)))]
pub(crate) async fn go_back(
    State(app): State<App>,
    Params(thread): Params<ThreadId>,
    extract::Json(wanted): extract::Json<BackRequest>,
) -> Result<Json<Thread>, Failure> {
    Ok(Json(app.engine.go_back(&thread, &wanted.turn).await?))
}

/// Undoes that, as long as no message was sent. Doing it twice, or for nothing, succeeds.
#[utoipa::path(delete, path = "/api/threads/{id}/back", tag = "sessions",
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = Thread)))]
pub(crate) async fn bring_back(
    State(app): State<App>,
    Params(thread): Params<ThreadId>,
) -> Result<Json<Thread>, Failure> {
    Ok(Json(app.engine.bring_back(&thread).await?))
}

/// Gives the command that opens a thread's session in the agent's own interface.
#[utoipa::path(get, path = "/api/threads/{id}/command", tag = "sessions",
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = SessionCommand)))]
pub(crate) async fn command(
    State(app): State<App>,
    Params(thread): Params<ThreadId>,
) -> Result<Json<SessionCommand>, Failure> {
    Ok(Json(SessionCommand { command: app.engine.session_command(&thread).await? }))
}
