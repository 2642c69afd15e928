//! Threads, their turns, items and requests.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{
    IdError, ItemId, NewTurn, ProjectId, RequestId, Thread, ThreadId, ThreadPatch, Timestamp, Turn,
    TurnId, Window,
};
use engine::NewThread;
use protocol::{AnswerRequest, AnswerTaken, CreateThread, SendMessage, TextWhole, ThreadList};
use serde::Deserialize;
use store::{MAX_THREADS, ThreadQuery};
use uuid::Uuid;

use crate::extract::{self, MAX_MESSAGE_BODY, Params, QueryOf};
use crate::problem::Failure;
use crate::state::App;

/// Which threads to list.
#[derive(Deserialize)]
pub(crate) struct Listing {
    #[serde(default)]
    archived: bool,
    project: Option<ProjectId>,
    before: Option<After>,
}

/// A place in the list.
#[derive(Deserialize)]
#[serde(try_from = "String")]
enum After {
    /// Behind this thread.
    Thread(ThreadId),
    /// Behind all that were active at this moment or later.
    Moment(Timestamp),
}

impl TryFrom<String> for After {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse().map(Self::Moment).or_else(|_| ThreadId::parse(&text).map(Self::Thread))
    }
}

/// Lists threads, last active first.
#[utoipa::path(get, path = "/api/threads", tag = "threads",
    params(
        ("archived" = Option<bool>, Query, description = "Those that are archived; else those that are not"),
        ("project" = Option<String>, Query, description = "Of this project only"),
        ("before" = Option<String>, Query, description = "Those that come after this thread in the list, or were last active before this moment"),
    ),
    responses((status = 200, body = ThreadList)))]
pub(crate) async fn list(
    State(app): State<App>,
    QueryOf(listing): QueryOf<Listing>,
) -> Result<Json<ThreadList>, Failure> {
    let before = match listing.before {
        None => None,
        Some(After::Thread(id)) => Some((app.engine.thread(&id).await?.active_at, id)),
        Some(After::Moment(at)) => Some((at, ThreadId::from_uuid(Uuid::nil()))),
    };
    let (archived, project) = (listing.archived, listing.project);
    let query = ThreadQuery { archived, project, before, limit: MAX_THREADS };
    let (threads, more) = app.engine.threads(query).await?;
    Ok(Json(ThreadList { threads, more }))
}

/// Makes a thread. The same id again gives the same thread.
#[utoipa::path(post, path = "/api/threads", tag = "threads", request_body = CreateThread,
    responses((status = 200, body = Thread)))]
pub(crate) async fn create(
    State(app): State<App>,
    extract::Json(new): extract::Json<CreateThread>,
) -> Result<Json<Thread>, Failure> {
    let CreateThread { id, project_id, provider, model, access, mode, title } = new;
    if title.as_ref().is_some_and(|title| title.chars().count() > domain::MAX_TITLE_CHARS) {
        return Err(engine::EngineError::Refused(domain::Refusal::BadTitle).into());
    }
    let new = NewThread { id, project_id, provider, model, access, mode, title };
    Ok(Json(app.engine.create_thread(new).await?))
}

/// Gives a thread's row.
#[utoipa::path(get, path = "/api/threads/{id}", tag = "threads",
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = Thread)))]
pub(crate) async fn read(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
) -> Result<Json<Thread>, Failure> {
    Ok(Json(app.engine.thread(&id).await?))
}

/// Changes a thread; what is absent stays.
#[utoipa::path(patch, path = "/api/threads/{id}", tag = "threads", request_body = ThreadPatch,
    params(("id" = String, Path, description = "The thread")),
    responses((status = 200, body = Thread)))]
pub(crate) async fn change(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
    extract::Json(patch): extract::Json<ThreadPatch>,
) -> Result<Json<Thread>, Failure> {
    Ok(Json(app.engine.patch_thread(&id, patch).await?))
}

/// Deletes a thread, whatever it does. The session stays with the agent, unless it is to be deleted
/// as well; when the agent does not do that, the thread stays.
#[utoipa::path(delete, path = "/api/threads/{id}", tag = "threads",
    params(
        ("id" = String, Path, description = "The thread"),
        ("session" = Option<bool>, Query, description = "Whether to delete the agent's own session first"),
    ),
    responses((status = 204, description = "Deleted")))]
pub(crate) async fn remove(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
    QueryOf(what): QueryOf<What>,
) -> Result<StatusCode, Failure> {
    if what.session {
        app.engine.delete_thread_and_session(&id).await?;
    } else {
        app.engine.delete_thread(&id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What to delete with a thread.
#[derive(Deserialize)]
pub(crate) struct What {
    #[serde(default)]
    session: bool,
}

/// Which part of a conversation.
#[derive(Deserialize)]
pub(crate) struct Part {
    before: Option<u64>,
}

/// Gives the newest part of a conversation, or the part before a position.
#[utoipa::path(get, path = "/api/threads/{id}/window", tag = "threads",
    params(
        ("id" = String, Path, description = "The thread"),
        ("before" = Option<u64>, Query, description = "The `older` of the part that follows"),
    ),
    responses((status = 200, body = Window)))]
pub(crate) async fn window(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
    QueryOf(part): QueryOf<Part>,
) -> Result<Json<Window>, Failure> {
    Ok(Json(app.engine.window(&id, part.before).await?))
}

/// Takes a message. It is stored when this answers. The same id again gives the same turn.
#[utoipa::path(post, path = "/api/threads/{id}/turns", tag = "threads", request_body = SendMessage,
    params(("id" = String, Path, description = "The thread")),
    responses((status = 202, body = Turn)))]
pub(crate) async fn send(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
    extract::Json(message): extract::Json<SendMessage, MAX_MESSAGE_BODY>,
) -> Result<(StatusCode, Json<Turn>), Failure> {
    let SendMessage { id: turn, text, attachments, delivery, model, access, mode } = message;
    if attachments.len() > domain::MAX_ATTACHMENTS {
        return Err(engine::EngineError::Refused(domain::Refusal::TooManyAttachments).into());
    }
    let named = attachments.into_iter().map(|file| (file.id, file.name)).collect();
    let attachments = app.engine.attachments(named).await?;
    let new = NewTurn { id: turn, text, attachments, delivery, model, access, mode };
    Ok((StatusCode::ACCEPTED, Json(app.engine.send(&id, new).await?)))
}

/// Gives the whole of a message that is shortened in its turn.
#[utoipa::path(get, path = "/api/threads/{id}/turns/{turn}/text", tag = "threads",
    params(
        ("id" = String, Path, description = "The thread"),
        ("turn" = String, Path, description = "The turn"),
    ),
    responses((status = 200, body = TextWhole)))]
pub(crate) async fn turn_text(
    State(app): State<App>,
    Params((id, turn)): Params<(ThreadId, TurnId)>,
) -> Result<Json<TextWhole>, Failure> {
    Ok(Json(TextWhole { text: app.engine.turn_text(&id, &turn).await? }))
}

/// Gives the whole of an item's text that is shortened in the item.
#[utoipa::path(get, path = "/api/threads/{id}/items/{item}/body", tag = "threads",
    params(
        ("id" = String, Path, description = "The thread"),
        ("item" = String, Path, description = "The item"),
    ),
    responses((status = 200, body = TextWhole)))]
pub(crate) async fn item_body(
    State(app): State<App>,
    Params((id, item)): Params<(ThreadId, ItemId)>,
) -> Result<Json<TextWhole>, Failure> {
    Ok(Json(TextWhole { text: app.engine.item_body(&id, &item).await? }))
}

/// Stops what runs. Stopping nothing is a success.
#[utoipa::path(post, path = "/api/threads/{id}/stop", tag = "threads",
    params(("id" = String, Path, description = "The thread")),
    responses((status = 202, description = "Being stopped")))]
pub(crate) async fn stop(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
) -> Result<StatusCode, Failure> {
    app.engine.stop(&id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Answers a request.
#[utoipa::path(post, path = "/api/threads/{id}/requests/{request}/answer", tag = "threads",
    request_body = AnswerRequest,
    params(
        ("id" = String, Path, description = "The thread"),
        ("request" = String, Path, description = "The request"),
    ),
    responses((status = 202, description = "On its way to the agent", body = AnswerTaken)))]
pub(crate) async fn answer(
    State(app): State<App>,
    Params((id, request)): Params<(ThreadId, RequestId)>,
    extract::Json(answer): extract::Json<AnswerRequest, MAX_MESSAGE_BODY>,
) -> Result<(StatusCode, Json<AnswerTaken>), Failure> {
    let built_in = app.engine.answer(&id, &request, answer.answer).await?;
    Ok((StatusCode::ACCEPTED, Json(AnswerTaken { built_in })))
}
