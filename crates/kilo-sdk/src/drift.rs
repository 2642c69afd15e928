//! What this crate relies on of Kilo's interface, and whether a server still has it.
//!
//! A server describes itself at `GET /doc` (OpenAPI 3.1; Kilo 7.7.7: 300 operations, 119 kinds of
//! events). [`compare`] holds that against [`OPERATIONS`] and [`EVENTS`]: each route that is called,
//! the fields that are sent to it, and the fields that are read of its answer and of each event.
//! A test keeps the routes equal to those the client calls.

mod schema;
mod table;

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use serde_json::Value;

use schema::Document;
pub use table::{EVENTS, OPERATIONS};

/// What Kilo 7.7.7 sends and does not describe.
const UNDESCRIBED: [&str; 2] = ["server.heartbeat", "sync"];

/// A request this crate makes.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its method, in capitals.
    pub method: &'static str,
    /// Its path; what varies stands in braces, under any name.
    pub path: &'static str,
    /// The fields of its body.
    pub sends: &'static [&'static str],
    /// What is read of its answer: a place in it, and the fields there. In a place, `[]` is an entry
    /// of a list and `*` one of a map.
    pub reads: &'static [(&'static str, &'static [&'static str])],
}

/// A kind of event this crate understands.
#[derive(Debug, Clone, Copy)]
pub struct EventKind {
    /// Kilo's name for it.
    pub kind: &'static str,
    /// What is read of its properties, as in [`Operation::reads`].
    pub reads: &'static [(&'static str, &'static [&'static str])],
}

/// Something that is relied on and is not in a server's description of itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Drift {
    /// There is no description.
    #[error("the server's description of itself is not one of an HTTP interface")]
    NoDescription,
    /// A route is gone.
    #[error("{method} {path}: there is no such route any more")]
    Operation {
        /// Its method.
        method: &'static str,
        /// Its path.
        path: &'static str,
    },
    /// A route no longer takes a field.
    #[error("{method} {path}: it no longer takes `{field}`, which is sent")]
    Sent {
        /// Its method.
        method: &'static str,
        /// Its path.
        path: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A route's answer no longer has a field.
    #[error("{method} {path}: its answer no longer has `{field}`, which is read")]
    Answered {
        /// Its method.
        method: &'static str,
        /// Its path.
        path: &'static str,
        /// The field, with its place.
        field: String,
    },
    /// A kind of event is gone.
    #[error("the event {kind}: it is no longer sent")]
    Event {
        /// Its kind.
        kind: &'static str,
    },
    /// An event no longer has a field.
    #[error("the event {kind}: it no longer has `{field}`, which is read")]
    Told {
        /// Its kind.
        kind: &'static str,
        /// The field, with its place.
        field: String,
    },
}

/// Says what is relied on and not in a server's description of itself (`GET /doc`).
#[must_use]
pub fn compare(doc: &Value) -> Vec<Drift> {
    let Some(doc) = Document::read(doc) else { return vec![Drift::NoDescription] };
    let mut found = Vec::new();
    for operation in OPERATIONS {
        let Operation { method, path, sends, reads } = *operation;
        let Some(described) = doc.operation(method, path) else {
            found.push(Drift::Operation { method, path });
            continue;
        };
        let sent = doc.body(described);
        for field in sends.iter().copied() {
            if !sent.is_some_and(|schema| doc.has(schema, field)) {
                found.push(Drift::Sent { method, path, field });
            }
        }
        let answer = doc.answer(described);
        for field in missing(&doc, answer, reads) {
            found.push(Drift::Answered { method, path, field });
        }
    }
    for EventKind { kind, reads } in EVENTS.iter().copied() {
        match doc.event(kind) {
            None => found.push(Drift::Event { kind }),
            Some(properties) => {
                let fields = missing(&doc, Some(properties), reads);
                found.extend(fields.into_iter().map(|field| Drift::Told { kind, field }));
            }
        }
    }
    found
}

/// Lists all that a server describes: `GET /agent`, …, `event session.idle`, ….
#[must_use]
pub fn everything(doc: &Value) -> BTreeSet<String> {
    Document::read(doc).map(|doc| doc.everything()).unwrap_or_default()
}

/// Whether Kilo 7.7.7 describes a kind of event, or sends it without describing it.
#[must_use]
pub fn is_described(kind: &str) -> bool {
    static DESCRIBED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let all = include_str!("../kilo-7.7.7.txt").lines();
        all.filter_map(|line| line.strip_prefix("event ")).chain(UNDESCRIBED).collect()
    });
    DESCRIBED.contains(kind)
}

fn missing(
    doc: &Document<'_>,
    schema: Option<&Value>,
    reads: &[(&'static str, &'static [&'static str])],
) -> Vec<String> {
    let places = reads.iter().flat_map(|(place, fields)| {
        let joined = |field: &&str| match *place {
            "" => (*field).to_owned(),
            place => format!("{place}.{field}"),
        };
        fields.iter().map(joined).collect::<Vec<_>>()
    });
    places.filter(|field| !schema.is_some_and(|schema| doc.has(schema, field))).collect()
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
