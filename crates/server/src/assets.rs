//! The web app's files, which are part of the program.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::ProblemCode;

use crate::guard::is_api;
use crate::problem::Failure;
use crate::state::App;

/// One file of the web app.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its path without a leading slash, e.g. `assets/index-3f2a.js`.
    pub path: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its bytes compressed with gzip, when that is worth it.
    pub gzip: Option<&'static [u8]>,
    /// A text that changes with its bytes.
    pub tag: &'static str,
}

/// The web app.
#[derive(Debug, Clone, Copy, Default)]
pub struct Assets(pub &'static [Asset]);

impl Assets {
    fn find(&self, path: &str) -> Option<&'static Asset> {
        self.0.iter().find(|asset| asset.path == path)
    }
}

/// What is served where no route is: a file of the web app, the app itself for addresses within
/// it, a problem for the rest.
pub(crate) async fn page(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    if is_api(path) {
        return Failure::new(ProblemCode::NotFound, "Nothing is served at this address.")
            .detail("GET /api/openapi.json describes what is.")
            .into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return method_not_allowed().await.into_response();
    }
    let path = path.trim_start_matches('/');
    // A missing file is missing: the page in its place would only confuse whoever wants a script.
    let inside = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let found =
        app.assets.find(path).or_else(|| if inside { app.assets.find("index.html") } else { None });
    match found {
        Some(asset) => file(asset, request.headers()),
        None => Failure::new(ProblemCode::NotFound, "There is no such file.").into_response(),
    }
}

/// What is answered when an address does not serve a method.
pub(crate) async fn method_not_allowed() -> Failure {
    Failure::new(ProblemCode::MethodNotAllowed, "This address does not serve this method.")
}

fn file(asset: &Asset, headers: &HeaderMap) -> Response {
    let names = |name, text: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| {
            let mut parts = value.split(';').map(str::trim);
            parts.next() == Some(text) && !parts.any(|part| part == "q=0")
        })
    };
    let tag = format!("\"{}\"", asset.tag);
    let hashed = asset.path.starts_with("assets/");
    let caching = if hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut builder = Response::builder()
        .header(header::CACHE_CONTROL, caching)
        .header(header::VARY, "accept-encoding")
        .header(header::ETAG, &tag)
        .header(header::CONTENT_TYPE, HeaderValue::from_static(kind(asset.path)));
    let body = if names(header::IF_NONE_MATCH, &tag) {
        builder = builder.status(StatusCode::NOT_MODIFIED);
        Body::empty()
    } else if let Some(gzip) = asset.gzip.filter(|_| names(header::ACCEPT_ENCODING, "gzip")) {
        builder = builder.header(header::CONTENT_ENCODING, "gzip");
        Body::from(gzip)
    } else {
        Body::from(asset.bytes)
    };
    builder.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
