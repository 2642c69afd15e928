//! What every request passes before anything looks at it: Host, Origin, credential.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use protocol::ProblemCode;

use crate::credentials::{bearer, cookie};
use crate::problem::Failure;
use crate::state::App;

/// The names a server answers to. Anything else in a request's `Host` is refused: a web page whose
/// name was rebound to this machine's address still carries its own name there.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// A server that is bound to more than loopback is reached by the machine's addresses. An
    /// address in `Host` was not rebound, since rebinding needs a name.
    any_address: bool,
    names: Vec<String>,
}

impl Hosts {
    /// The loopback names, what the server is bound to, and further names of the user's.
    #[must_use]
    pub fn new(bound: IpAddr, names: impl IntoIterator<Item = String>) -> Self {
        let names = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { any_address: !bound.is_loopback(), names }
    }

    /// Whether a `Host` header, port included, names this server. The port may be any, since
    /// tunnels change it.
    pub(crate) fn allows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if host.contains('@') {
            return false;
        }
        let name = authority.host().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) => address.is_loopback() || self.any_address || self.knows(name),
            Err(_) => name == "localhost" || name.ends_with(".localhost") || self.knows(name),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Somebody with the bearer token: a command line, a script.
    Token,
    /// A paired browser.
    Device(String),
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthorized)
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let missing = || Failure::new(ProblemCode::Internal, "The connection has no address.");
        parts.extensions.get::<Self>().copied().ok_or_else(missing)
    }
}

/// Checks Host and Origin of every request, and adds the headers every response has.
pub(crate) async fn door(State(app): State<App>, request: Request, next: Next) -> Response {
    let api = is_api(request.uri().path());
    let mut response = match check_origin(&app, &request, api) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // What a route says of itself is stricter.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Checks the credential, and leaves behind who asks.
pub(crate) async fn credential(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let caller = identify(&app, request.headers()).ok_or_else(unauthorized)?;
    let by_cookie = matches!(caller, Caller::Device(_));
    if by_cookie && is_unsafe(request.method()) && !request.headers().contains_key(header::ORIGIN) {
        return Err(forbidden("A change made with a cookie has to name its Origin."));
    }
    if let Caller::Device(id) = &caller {
        app.devices.used(id);
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Whether a path belongs to the interface for programs rather than to the page.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Who a request comes from. A bearer token that is wrong is not made good by a cookie.
fn identify(app: &App, headers: &HeaderMap) -> Option<Caller> {
    if headers.contains_key(header::AUTHORIZATION) {
        let token = bearer(headers)?;
        return app.config.token.matches(token).then_some(Caller::Token);
    }
    app.devices.find(cookie(headers, &app.cookie)?).map(Caller::Device)
}

fn check_origin(app: &App, request: &Request, api: bool) -> Result<(), Failure> {
    let headers = request.headers();
    let host = only(headers, header::HOST)
        .filter(|host| app.config.hosts.allows(host))
        .ok_or_else(|| unknown_host(headers))?;
    if request.uri().authority().is_some_and(|named| !app.config.hosts.allows(named.as_str())) {
        return Err(unknown_host(headers));
    }
    if headers.contains_key(header::ORIGIN)
        && !only(headers, header::ORIGIN).is_some_and(|origin| same_origin(origin, host))
    {
        return Err(forbidden("The request comes from a page of another origin."));
    }
    if !api {
        return Ok(());
    }
    if !headers.contains_key(header::ORIGIN) && is_upgrade(headers) {
        return Err(forbidden("A socket has to name its Origin."));
    }
    // Another port of this machine is "same site": cookies go there, pages come from there.
    if matches!(only(headers, SEC_FETCH_SITE), Some("cross-site" | "same-site")) {
        return Err(forbidden("The request was made by a page of another origin."));
    }
    check_content_type(request)
}

/// Refuses bodies that a page of another origin could send without asking first.
fn check_content_type(request: &Request) -> Result<(), Failure> {
    match request.headers().get(header::CONTENT_TYPE) {
        // A file is of any type. A page of another origin is refused by its Origin.
        Some(_) if request.uri().path() == UPLOADS => Ok(()),
        Some(kind) if is_unsafe(request.method()) && !is_json(kind) => {
            Err(Failure::new(ProblemCode::UnsupportedMediaType, "The body is not JSON.")
                .detail("Send it as `Content-Type: application/json`."))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a content type is `application/json`, parameters aside.
pub(crate) fn is_json(kind: &HeaderValue) -> bool {
    let essence = kind.to_str().ok().and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Whether an `Origin` is the one a request's `Host` belongs to.
fn same_origin(origin: &str, host: &str) -> bool {
    let (authority, port) = match (origin.strip_prefix("http://"), origin.strip_prefix("https://"))
    {
        (Some(authority), _) => (authority, ":80"),
        // A proxy in front may speak TLS.
        (_, Some(authority)) => (authority, ":443"),
        (None, None) => return false,
    };
    let plain = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    plain(authority) == plain(host)
}

fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) || headers.contains_key(header::SEC_WEBSOCKET_KEY)
}

/// The value of a header that occurs exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn unauthorized() -> Failure {
    Failure::new(ProblemCode::Unauthorized, "This browser or program is not paired.")
        .detail("Open the pairing link that Baton printed, or send the token of server.json.")
}

fn forbidden(title: &str) -> Failure {
    Failure::new(ProblemCode::ForbiddenOrigin, title)
}

fn unknown_host(headers: &HeaderMap) -> Failure {
    let host: String = only(headers, header::HOST).unwrap_or("").chars().take(100).collect();
    forbidden(&format!("This server does not answer to the name `{host}`."))
        .detail("If the name is yours, start Baton with `--allow-host NAME`.")
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where files are uploaded, whose bodies are no JSON.
pub(crate) const UPLOADS: &str = "/api/attachments";

/// What every response carries. Pages may load and reach this origin only.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_name_this_server_are_allowed() {
        let loopback = Hosts::new([127, 0, 0, 1].into(), ["Box.Example".to_owned()]);
        let open = Hosts::new([0, 0, 0, 0].into(), []);
        let check = |host: &str, on_loopback: bool, on_all: bool| {
            assert_eq!(loopback.allows(host), on_loopback, "{host} on loopback");
            assert_eq!(open.allows(host), on_all, "{host} on all addresses");
        };
        check("localhost:4777", true, true);
        check("LOCALHOST", true, true);
        check("localhost.", true, true);
        check("baton.localhost:1", true, true);
        check("127.0.0.1:4777", true, true);
        check("[::1]:4777", true, true);
        check("box.example:80", true, false);
        check("192.168.1.5:4777", false, true);
        check("[fe80::1]:4777", false, true);
        check("evil.example", false, false);
        check("localhost.evil.example", false, false);
        check("evil@localhost", false, false);
        check("127.0.0.1.evil.example", false, false);
        check("", false, false);
        check("a b", false, false);
    }

    #[test]
    fn only_the_same_origin_is_the_same() {
        let check = |origin: &str, host: &str, wanted: bool| {
            assert_eq!(same_origin(origin, host), wanted, "{origin} at {host}");
        };
        check("http://localhost:4777", "localhost:4777", true);
        check("http://localhost", "localhost:80", true);
        check("https://box.example", "box.example", true);
        check("https://box.example:443", "box.example", true);
        check("http://localhost:3000", "localhost:4777", false);
        check("http://127.0.0.1:4777", "localhost:4777", false);
        check("http://evil.example", "localhost:4777", false);
        check("http://localhost:4777.evil.example", "localhost:4777", false);
        check("null", "localhost:4777", false);
        check("", "", false);
        check("file://", "", false);
    }
}
