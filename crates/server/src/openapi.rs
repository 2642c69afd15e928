//! The document that describes the routes.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::{ClientMessage, Problem, ServerMessage};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::api::{
    attachments, devices, files, projects, providers, queue, search, server, sessions, settings,
    threads,
};
use crate::live;

/// The OpenAPI document of this server.
#[utoipa::path(get, path = "/api/openapi.json", tag = "server", responses(
    (status = 200, description = "The OpenAPI document", content_type = "application/json")
))]
pub(crate) async fn openapi() -> Response {
    static DOCUMENT: LazyLock<String> =
        LazyLock::new(|| Document::openapi().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// The document, made from the handlers.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Baton",
        description = "Commands are idempotent by the ids their clients choose. Refusals and \
                       failures are application/problem+json; decide on their `code`."
    ),
    paths(
        openapi,
        live::live,
        server::health,
        server::bootstrap,
        server::diagnostics,
        devices::pair,
        devices::new_code,
        devices::list,
        devices::revoke,
        settings::read,
        settings::change,
        projects::directories,
        projects::list,
        projects::add,
        projects::look,
        projects::remove,
        projects::trust,
        projects::decide_trust,
        projects::extras,
        files::find,
        files::write,
        sessions::list,
        sessions::go_on,
        sessions::fork,
        sessions::compact,
        sessions::renew,
        sessions::go_back,
        sessions::bring_back,
        sessions::command,
        attachments::upload,
        attachments::read,
        search::search,
        threads::list,
        threads::create,
        threads::read,
        threads::change,
        threads::remove,
        threads::window,
        threads::send,
        queue::edit,
        queue::withdraw,
        queue::reorder,
        queue::promote,
        threads::turn_text,
        threads::item_body,
        threads::stop,
        queue::release,
        threads::answer,
        providers::list,
        providers::configure,
        providers::refresh,
        providers::warm,
        providers::restart,
        providers::processes,
        providers::models,
    ),
    components(schemas(Problem, ClientMessage, ServerMessage)),
    security(("token" = []), ("cookie" = [])),
    modifiers(&Everywhere)
)]
pub(crate) struct Document;

/// What holds for every route.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut document.components {
            let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
            components.add_security_scheme("token", SecurityScheme::Http(token));
            let cookie = ApiKey::Cookie(ApiKeyValue::new("baton_*"));
            components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
        }
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let refusal = ResponseBuilder::new()
            .description("A refusal or failure")
            .content("application/problem+json", problem)
            .build();
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                let refusal = RefOr::T(refusal.clone());
                operation.responses.responses.insert("default".to_owned(), refusal);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::router::{closed_routes, open_routes};

    #[test]
    fn the_document_describes_exactly_the_routes_there_are() {
        let mut document = Document::openapi();
        let mut described = BTreeSet::new();
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in [
                ("get", &item.get),
                ("post", &item.post),
                ("patch", &item.patch),
                ("delete", &item.delete),
                ("put", &item.put),
            ] {
                if operation.is_some() {
                    described.insert((method, path.as_str()));
                }
            }
            assert!(operations(&mut item.clone()).all(|o| o.responses.responses.len() > 1));
        }
        let routes: BTreeSet<_> = open_routes()
            .iter()
            .chain(&closed_routes())
            .map(|(method, path, _)| (*method, *path))
            .collect();
        assert_eq!(described, routes);
    }
}
