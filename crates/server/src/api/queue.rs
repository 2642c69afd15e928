//! Messages that wait: changed, moved, taken back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{ThreadId, Turn, TurnId, TurnPatch};
use protocol::MoveTurn;

use crate::extract::{self, MAX_MESSAGE_BODY, Params};
use crate::problem::Failure;
use crate::state::App;

/// Changes a waiting message; what is absent stays. `not_queued` when it does not wait any more.
#[utoipa::path(patch, path = "/api/threads/{id}/turns/{turn}", tag = "threads",
    request_body = TurnPatch,
    params(
        ("id" = String, Path, description = "The thread"),
        ("turn" = String, Path, description = "The waiting turn"),
    ),
    responses((status = 200, body = Turn)))]
pub(crate) async fn edit(
    State(app): State<App>,
    Params((id, turn)): Params<(ThreadId, TurnId)>,
    extract::Json(patch): extract::Json<TurnPatch, MAX_MESSAGE_BODY>,
) -> Result<Json<Turn>, Failure> {
    Ok(Json(app.engine.edit_queued(&id, &turn, patch).await?))
}

/// Gives a waiting message another place.
#[utoipa::path(post, path = "/api/threads/{id}/turns/{turn}/move", tag = "threads",
    request_body = MoveTurn,
    params(
        ("id" = String, Path, description = "The thread"),
        ("turn" = String, Path, description = "The waiting turn"),
    ),
    responses((status = 204, description = "Moved")))]
pub(crate) async fn reorder(
    State(app): State<App>,
    Params((id, turn)): Params<(ThreadId, TurnId)>,
    extract::Json(place): extract::Json<MoveTurn>,
) -> Result<StatusCode, Failure> {
    app.engine.move_queued(&id, &turn, place.before).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a waiting message sent now: into what runs, where the provider can do that.
#[utoipa::path(post, path = "/api/threads/{id}/turns/{turn}/steer", tag = "threads",
    params(
        ("id" = String, Path, description = "The thread"),
        ("turn" = String, Path, description = "The waiting turn"),
    ),
    responses((status = 202, description = "On its way to the agent")))]
pub(crate) async fn promote(
    State(app): State<App>,
    Params((id, turn)): Params<(ThreadId, TurnId)>,
) -> Result<StatusCode, Failure> {
    app.engine.promote(&id, &turn).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Takes a waiting message back.
#[utoipa::path(delete, path = "/api/threads/{id}/turns/{turn}", tag = "threads",
    params(
        ("id" = String, Path, description = "The thread"),
        ("turn" = String, Path, description = "The waiting turn"),
    ),
    responses((status = 204, description = "Taken back")))]
pub(crate) async fn withdraw(
    State(app): State<App>,
    Params((id, turn)): Params<(ThreadId, TurnId)>,
) -> Result<StatusCode, Failure> {
    app.engine.withdraw(&id, &turn).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the held queue go on.
#[utoipa::path(post, path = "/api/threads/{id}/release", tag = "threads",
    params(("id" = String, Path, description = "The thread")),
    responses((status = 202, description = "Going on")))]
pub(crate) async fn release(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
) -> Result<StatusCode, Failure> {
    app.engine.release(&id).await?;
    Ok(StatusCode::ACCEPTED)
}
