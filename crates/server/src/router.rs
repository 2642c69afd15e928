//! The table of routes.

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, patch, post};
use protocol::ProblemCode;
use tower_http::compression::CompressionLayer;

use crate::api::{
    attachments, devices, files, projects, providers, queue, search, server, sessions, settings,
    threads,
};
use crate::assets::{method_not_allowed, page};
use crate::guard::{UPLOADS, credential, door};
use crate::live::live;
use crate::openapi::openapi;
use crate::problem::Failure;
use crate::state::App;

/// How long an answer may take; looking at a provider starts programs, and is the slowest.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// A route: method, path, handler. The method is named to be compared with the document.
pub(crate) type Route = (&'static str, &'static str, MethodRouter<App>);

/// Routes that need no credential.
pub(crate) fn open_routes() -> Vec<Route> {
    vec![("get", "/api/health", get(server::health)), ("post", "/api/pair", post(devices::pair))]
}

/// Routes that need a credential: everything else.
#[rustfmt::skip]
pub(crate) fn closed_routes() -> Vec<Route> {
    vec![
        ("get",    "/api/bootstrap", get(server::bootstrap)),
        ("get",    "/api/diagnostics", get(server::diagnostics)),
        ("get",    "/api/openapi.json", get(openapi)),
        ("get",    "/api/live", get(live)),
        ("post",   "/api/pair/new", post(devices::new_code)),
        ("get",    "/api/devices", get(devices::list)),
        ("delete", "/api/devices/{id}", delete(devices::revoke)),
        ("get",    "/api/settings", get(settings::read)),
        ("patch",  "/api/settings", patch(settings::change)),
        ("get",    "/api/directories", get(projects::directories)),
        ("get",    "/api/projects", get(projects::list)),
        ("post",   "/api/projects", post(projects::add)),
        ("post",   "/api/projects/look", post(projects::look)),
        ("delete", "/api/projects/{id}", delete(projects::remove)),
        ("get",    "/api/projects/{id}/trust", get(projects::trust)),
        ("post",   "/api/projects/{id}/trust", post(projects::decide_trust)),
        ("get",    "/api/projects/{id}/extras", get(projects::extras)),
        ("get",    "/api/projects/{id}/files", get(files::find)),
        ("get",    "/api/projects/{id}/sessions", get(sessions::list)),
        ("post",   "/api/sessions/continue", post(sessions::go_on)),
        ("post",   "/api/threads/{id}/files", post(files::write)),
        ("post",   "/api/threads/{id}/fork", post(sessions::fork)),
        ("post",   "/api/threads/{id}/compact", post(sessions::compact)),
        ("post",   "/api/threads/{id}/renew", post(sessions::renew)),
        ("post",   "/api/threads/{id}/back", post(sessions::go_back)),
        ("delete", "/api/threads/{id}/back", delete(sessions::bring_back)),
        ("get",    "/api/threads/{id}/command", get(sessions::command)),
        ("post",   UPLOADS, post(attachments::upload)),
        ("get",    "/api/attachments/{id}", get(attachments::read)),
        ("get",    "/api/search", get(search::search)),
        ("get",    "/api/threads", get(threads::list)),
        ("post",   "/api/threads", post(threads::create)),
        ("get",    "/api/threads/{id}", get(threads::read)),
        ("patch",  "/api/threads/{id}", patch(threads::change)),
        ("delete", "/api/threads/{id}", delete(threads::remove)),
        ("get",    "/api/threads/{id}/window", get(threads::window)),
        ("post",   "/api/threads/{id}/turns", post(threads::send)),
        ("patch",  "/api/threads/{id}/turns/{turn}", patch(queue::edit)),
        ("delete", "/api/threads/{id}/turns/{turn}", delete(queue::withdraw)),
        ("post",   "/api/threads/{id}/turns/{turn}/move", post(queue::reorder)),
        ("post",   "/api/threads/{id}/turns/{turn}/steer", post(queue::promote)),
        ("get",    "/api/threads/{id}/turns/{turn}/text", get(threads::turn_text)),
        ("get",    "/api/threads/{id}/items/{item}/body", get(threads::item_body)),
        ("post",   "/api/threads/{id}/stop", post(threads::stop)),
        ("post",   "/api/threads/{id}/release", post(queue::release)),
        ("post",   "/api/threads/{id}/requests/{request}/answer", post(threads::answer)),
        ("get",    "/api/providers", get(providers::list)),
        ("patch",  "/api/providers/{id}", patch(providers::configure)),
        ("post",   "/api/providers/{id}/refresh", post(providers::refresh)),
        ("post",   "/api/providers/{id}/warm", post(providers::warm)),
        ("post",   "/api/providers/{id}/restart", post(providers::restart)),
        ("get",    "/api/providers/{id}/processes", get(providers::processes)),
        ("get",    "/api/providers/{id}/models", get(providers::models)),
    ]
}

/// Everything a server answers.
pub(crate) fn router(app: App) -> Router {
    let table = |routes: Vec<Route>| {
        routes.into_iter().fold(Router::new(), |router, (_, path, route)| router.route(path, route))
    };
    table(closed_routes())
        .route_layer(from_fn_with_state(app.clone(), credential))
        .merge(table(open_routes()))
        .layer(from_fn(in_time))
        .layer(CompressionLayer::new())
        .fallback(page)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), door))
        .with_state(app)
}

/// Gives up on an answer that takes too long.
async fn in_time(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(path = path.as_ref().map(MatchedPath::as_str), "no answer in time");
            Failure::new(ProblemCode::TimedOut, "The answer took too long.")
                .detail("What was asked for may still happen; look before asking again.")
                .into_response()
        }
    }
}
