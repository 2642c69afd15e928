use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::error::RpcError;

/// The server's name of a request of its own, counted from 0 in each process: it must never be
/// mixed up with the ids of our requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Value);

impl RequestId {
    /// As it travels.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for RequestId {
    fn from(id: Value) -> Self {
        Self(id)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            other => write!(f, "{other}"),
        }
    }
}

/// What the server says by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// Something happened.
    Notification {
        /// What.
        method: String,
        /// The rest.
        params: Value,
    },
    /// It wants exactly one answer ([`Client::answer`](crate::Client::answer) or
    /// [`Client::refuse`](crate::Client::refuse)); it waits without end.
    Request {
        /// Its name.
        id: RequestId,
        /// What is wanted.
        method: String,
        /// The rest.
        params: Value,
    },
}

impl Incoming {
    /// What happened or is wanted.
    #[must_use]
    pub fn method(&self) -> &str {
        match self {
            Self::Notification { method, .. } | Self::Request { method, .. } => method,
        }
    }

    /// The rest.
    #[must_use]
    pub fn params(&self) -> &Value {
        match self {
            Self::Notification { params, .. } | Self::Request { params, .. } => params,
        }
    }
}

/// One line of the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// It says something by itself.
    Incoming(Incoming),
    /// The answer to a request of ours.
    Response {
        /// Our id of it.
        id: u64,
        /// What it came to.
        result: Result<Value, RpcError>,
    },
}

#[derive(Deserialize)]
struct Wire {
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    error: Option<RpcError>,
}

impl Frame {
    /// Reads a line; `None` for what is no message of the protocol. Kinds are told apart by which
    /// of `method` and `id` are there.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(line).ok()?;
        let Wire { id, method, params, result, error } = wire;
        match (id.filter(|id| !id.is_null()), method) {
            (None, Some(method)) => Some(Self::Incoming(Incoming::Notification { method, params })),
            (Some(id), Some(method)) => {
                Some(Self::Incoming(Incoming::Request { id: RequestId(id), method, params }))
            }
            (Some(id), None) => {
                let result = match error {
                    Some(error) => Err(error.shortened()),
                    None => Ok(result),
                };
                Some(Self::Response { id: id.as_u64()?, result })
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_told_apart_by_what_is_there() {
        let told = Frame::parse(br#"{"method":"turn/started","params":{"a":1},"emittedAtMs":7}"#);
        let told = told.unwrap();
        let Frame::Incoming(Incoming::Notification { method, params }) = &told else {
            panic!("{told:?}")
        };
        assert_eq!((method.as_str(), params), ("turn/started", &json!({"a": 1})));
        let asked = Frame::parse(br#"{"id":0,"method":"item/tool/call","params":{}}"#).unwrap();
        assert!(matches!(&asked, Frame::Incoming(Incoming::Request { id, .. })
            if id.to_string() == "0"));
        let answered = Frame::parse(br#"{"id":3,"result":{"ok":true}}"#).unwrap();
        assert_eq!(answered, Frame::Response { id: 3, result: Ok(json!({"ok": true})) });
        let refused = Frame::parse(br#"{"id":3,"error":{"code":-32600,"message":"no"}}"#).unwrap();
        let no = RpcError { code: -32600, message: "no".to_owned() };
        assert_eq!(refused, Frame::Response { id: 3, result: Err(no) });
    }

    #[test]
    fn what_is_no_message_is_nothing() {
        for line in ["", "warning: x", "[]", "{}", "{\"id\":null}", "{\"id\":\"a\",\"result\":1}"] {
            assert_eq!(Frame::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_long_refusal_is_cut() {
        let long = json!({"id": 1, "error": {"message": "é".repeat(5_000)}}).to_string();
        let Some(Frame::Response { result: Err(error), .. }) = Frame::parse(long.as_bytes()) else {
            panic!("no refusal")
        };
        assert!(error.message.len() < 2_010 && error.message.ends_with('…'));
    }
}
