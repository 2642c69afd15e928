//! Finding one's way in an OpenAPI document.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// References and alternatives that are followed before a schema counts as endless.
const MAX_DEPTH: u32 = 40;

pub(super) struct Document<'a> {
    paths: &'a Map<String, Value>,
    schemas: &'a Map<String, Value>,
}

impl<'a> Document<'a> {
    pub(super) fn read(doc: &'a Value) -> Option<Self> {
        let paths = doc.get("paths")?.as_object()?;
        let schemas = doc.pointer("/components/schemas")?.as_object()?;
        Some(Self { paths, schemas })
    }

    /// An operation, whatever the varying parts of its path are called.
    pub(super) fn operation(&self, method: &str, path: &str) -> Option<&'a Value> {
        let wanted = nameless(path);
        let (_, found) = self.paths.iter().find(|(path, _)| nameless(path) == wanted)?;
        found.get(method.to_ascii_lowercase())
    }

    pub(super) fn body(&self, operation: &'a Value) -> Option<&'a Value> {
        operation.pointer("/requestBody/content/application~1json/schema")
    }

    /// What it answers when it succeeds.
    pub(super) fn answer(&self, operation: &'a Value) -> Option<&'a Value> {
        let responses = operation.get("responses")?.as_object()?;
        let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        good.pointer("/content/application~1json/schema")
    }

    /// The properties of a kind of event.
    pub(super) fn event(&self, kind: &str) -> Option<&'a Value> {
        let found = self.schemas.values().find(|schema| event_kind(schema) == Some(kind))?;
        found.pointer("/properties/properties")
    }

    pub(super) fn everything(&self) -> BTreeSet<String> {
        const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
        let operations = self.paths.iter().flat_map(|(path, methods)| {
            let here = METHODS.iter().filter(|method| methods.get(**method).is_some());
            here.map(move |method| format!("{} {path}", method.to_ascii_uppercase()))
        });
        let events = self.schemas.values().filter_map(event_kind);
        operations.chain(events.map(|kind| format!("event {kind}"))).collect()
    }

    /// Whether a schema has a field, named by its path with dots between.
    pub(super) fn has(&self, schema: &Value, field: &str) -> bool {
        let path: Vec<&str> = field.split('.').collect();
        self.follow(schema, &path, 0)
    }

    fn follow(&self, schema: &Value, path: &[&str], depth: u32) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            let found = self.schemas.get(name);
            return found.is_some_and(|schema| self.follow(schema, path, depth + 1));
        }
        let Some((first, rest)) = path.split_first() else { return true };
        for alternatives in ["anyOf", "oneOf", "allOf"] {
            let several = schema.get(alternatives).and_then(Value::as_array);
            if several.is_some_and(|all| all.iter().any(|s| self.follow(s, path, depth + 1))) {
                return true;
            }
        }
        let next = match *first {
            "[]" => schema.get("items"),
            "*" => schema.get("additionalProperties"),
            name => schema.get("properties").and_then(|properties| properties.get(name)),
        };
        match next {
            // Anything may stand here.
            Some(Value::Bool(true)) => true,
            Some(next) => self.follow(next, rest, depth + 1),
            None => schema.as_object().is_some_and(Map::is_empty),
        }
    }
}

/// A path without the names of what varies in it.
pub(super) fn nameless(path: &str) -> String {
    let segments =
        path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// The kind of event a schema describes, if it describes one.
fn event_kind(schema: &Value) -> Option<&str> {
    // Events have an id, a type and properties, and their type is one word alone.
    schema.pointer("/properties/properties")?;
    let kind = schema.pointer("/properties/type")?;
    let one = kind.get("enum").and_then(Value::as_array).filter(|all| all.len() == 1);
    one.and_then(|all| all.first()).or_else(|| kind.get("const"))?.as_str()
}
