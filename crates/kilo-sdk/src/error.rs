use std::time::Duration;

use serde_json::Value;

/// Why a request to the server did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server was not reached, so the request had no effect.
    #[error("the server could not be reached: {0}")]
    Connect(#[source] reqwest::Error),
    /// The connection broke after the request was under way; whether it had an effect is unknown.
    #[error("the connection to the server broke: {0}")]
    Broken(#[source] reqwest::Error),
    /// No full answer in time; whether the request had an effect is unknown.
    #[error("the server did not answer within {0:?}")]
    Timeout(Duration),
    /// The password or user name is wrong (401).
    #[error("the server refused the credentials")]
    Unauthorized,
    /// What the request names does not exist, or not in this directory (404).
    #[error("not found: {0}")]
    NotFound(ApiError),
    /// The server does not know the route: it is older, or no Kilo.
    #[error("the server has no such route: {0}")]
    NoRoute(String),
    /// The session is busy (409).
    #[error("busy: {0}")]
    Busy(ApiError),
    /// The request is wrong or out of place (other 4xx).
    #[error("refused: {0}")]
    Refused(ApiError),
    /// The server failed (5xx). Kilo 7.7.7 also answers so to a malformed session id.
    #[error("the server failed: {0}")]
    Server(ApiError),
    /// The answer is not JSON where JSON was due, an HTML page perhaps.
    #[error("the answer (status {status}, {content_type}) is not JSON: {head}")]
    NotJson {
        /// HTTP status.
        status: u16,
        /// Its declared type; empty if it had none.
        content_type: String,
        /// Its first characters.
        head: String,
    },
    /// The answer is JSON of an unexpected shape.
    #[error("the answer of {path} is not understood: {source}")]
    Decode {
        /// The path asked for.
        path: String,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// The answer is larger than the bound for it.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The request cannot be made: a bad URL or header.
    #[error("the request cannot be made: {0}")]
    Unusable(String),
}

impl Error {
    /// Says whether the request may have had its effect although it failed. A prompt must then
    /// not be sent again without looking into the session first.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Broken(_)
            | Self::Timeout(_)
            | Self::Server(_)
            | Self::NotJson { .. }
            | Self::Decode { .. }
            | Self::TooLarge(_) => true,
            Self::Connect(_)
            | Self::Unauthorized
            | Self::NotFound(_)
            | Self::NoRoute(_)
            | Self::Busy(_)
            | Self::Refused(_)
            | Self::Unusable(_) => false,
        }
    }

    /// Says whether what the request names does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    pub(crate) fn transport(error: reqwest::Error, timeout: Duration) -> Self {
        // A connect time-out is also a time-out, but one before anything was sent.
        if error.is_connect() {
            Self::Connect(error.without_url())
        } else if error.is_timeout() {
            Self::Timeout(timeout)
        } else if error.is_builder() {
            Self::Unusable(error.without_url().to_string())
        } else {
            Self::Broken(error.without_url())
        }
    }

    /// Decodes an answer that is not a success, by its status and its body's shape.
    pub(crate) fn from_answer(path: &str, status: u16, content_type: &str, body: &[u8]) -> Self {
        let api = match ApiError::decode(status, body) {
            Body::Api(api) => api,
            Body::Route if status == 404 => return Self::NoRoute(path.to_owned()),
            Body::Route => ApiError { status, ..ApiError::default() },
            Body::Other if status == 401 => return Self::Unauthorized,
            Body::Other => return Self::not_json(status, content_type, body),
        };
        match status {
            401 => Self::Unauthorized,
            404 => Self::NotFound(api),
            409 => Self::Busy(api),
            500.. => Self::Server(api),
            _ => Self::Refused(api),
        }
    }

    pub(crate) fn not_json(status: u16, content_type: &str, body: &[u8]) -> Self {
        const HEAD: usize = 200;
        let head = String::from_utf8_lossy(body.get(..HEAD.min(body.len())).unwrap_or_default());
        Self::NotJson { status, content_type: content_type.to_owned(), head: head.into_owned() }
    }
}

/// What the server said about a failure. Kilo 7.7.7 says it in five shapes; this is what they
/// have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Kilo's name of the failure (`NotFoundError`, `SessionBusyError`, …), if it gave one.
    pub name: Option<String>,
    /// A message for people, if it gave one.
    pub message: Option<String>,
    /// The reference under which the server logged it (`err_…`), if it gave one.
    pub reference: Option<String>,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.as_deref().unwrap_or("no name");
        let message = self.message.as_deref().unwrap_or("no message");
        write!(f, "{message} ({name}, status {})", self.status)?;
        self.reference.as_ref().map_or(Ok(()), |r| write!(f, ", reference {r}"))
    }
}

enum Body {
    Api(ApiError),
    /// `{"error":"Not Found"}`: no route of that name.
    Route,
    Other,
}

impl ApiError {
    fn decode(status: u16, body: &[u8]) -> Body {
        if body.iter().all(u8::is_ascii_whitespace) {
            return if status == 401 {
                Body::Other
            } else {
                Body::Api(Self { status, ..Self::default() })
            };
        }
        let Ok(Value::Object(object)) = serde_json::from_slice(&crate::json::mended(body)) else {
            return Body::Other;
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let data = object.get("data");
        let inner = |key: &str| data.and_then(|d| d.get(key));
        let name = text(object.get("name")).or_else(|| text(object.get("_tag")));
        if name.is_none() && object.len() == 1 && object.get("error").is_some_and(Value::is_string)
        {
            return Body::Route;
        }
        Body::Api(Self {
            status,
            name,
            message: text(inner("message"))
                .or_else(|| text(object.get("message")))
                .or_else(|| text(object.get("error"))),
            reference: text(inner("ref")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: &str) {
        let error = Error::from_answer("/x", status, "text/html", body.as_bytes());
        assert_eq!(format!("{error:?}"), expected, "{status} {body}");
    }

    #[test]
    fn every_shape_of_failure_is_decoded() {
        let api = |status: u16, name: &str, message: &str, reference: &str| {
            format!(
                "ApiError {{ status: {status}, name: {name}, message: {message}, reference: {reference} }}"
            )
        };
        check(
            400,
            r#"{"name":"BadRequest","data":{"message":"bad","kind":"Body"}}"#,
            &format!("Refused({})", api(400, r#"Some("BadRequest")"#, r#"Some("bad")"#, "None")),
        );
        check(
            404,
            r#"{"name":"NotFoundError","data":{"message":"gone"}}"#,
            &format!(
                "NotFound({})",
                api(404, r#"Some("NotFoundError")"#, r#"Some("gone")"#, "None")
            ),
        );
        check(
            409,
            r#"{"_tag":"SessionBusyError","message":"busy"}"#,
            &format!(
                "Busy({})",
                api(409, r#"Some("SessionBusyError")"#, r#"Some("busy")"#, "None")
            ),
        );
        check(
            500,
            r#"{"name":"UnknownError","data":{"message":"oops","ref":"err_1"}}"#,
            &format!(
                "Server({})",
                api(500, r#"Some("UnknownError")"#, r#"Some("oops")"#, r#"Some("err_1")"#)
            ),
        );
        check(404, r#"{"error":"Not Found"}"#, r#"NoRoute("/x")"#);
        check(401, "", "Unauthorized");
        check(401, r#"{"_tag":"Unauthorized"}"#, "Unauthorized");
        check(503, "", &format!("Server({})", api(503, "None", "None", "None")));
        check(
            502,
            "<html>bad gateway</html>",
            r#"NotJson { status: 502, content_type: "text/html", head: "<html>bad gateway</html>" }"#,
        );
    }
}
