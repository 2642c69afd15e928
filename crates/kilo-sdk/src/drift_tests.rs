use serde_json::json;

use super::schema::nameless;
use super::*;

/// A route as the sources name it: the strings of calls, with what varies left out.
fn called() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "rs") || path.to_string_lossy().contains("_tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        let code = code.split("#[cfg(test)]").next().unwrap();
        if !code.contains("Call::") {
            continue;
        }
        for literal in code.split('"').skip(1).step_by(2) {
            let plain = |c: char| c.is_ascii_lowercase() || "/_-{}".contains(c);
            if literal.starts_with('/') && literal.len() > 1 && literal.chars().all(plain) {
                found.insert(nameless(literal));
            }
        }
    }
    found
}

#[test]
fn every_route_the_client_calls_is_listed_and_no_other() {
    let listed: BTreeSet<String> = OPERATIONS.iter().map(|o| nameless(o.path)).collect();
    let mut called = called();
    // The description does not describe itself.
    assert!(called.remove("/doc"));
    // What follows a session's id is named without it.
    let session = |rest: &String| format!("/session/{{}}{rest}");
    let unlisted = |route: &&String| !listed.contains(*route) && !listed.contains(&session(route));
    let unlisted: Vec<&String> = called.iter().filter(unlisted).collect();
    assert_eq!(unlisted, Vec::<&String>::new(), "add them to `drift/table.rs`");
    // A session itself is asked for with nothing after its id.
    called.insert("/session/{}".to_owned());
    let uncalled = |route: &&String| {
        let rest = route.strip_prefix("/session/{}").unwrap_or_default();
        !called.contains(*route) && !called.contains(rest)
    };
    let uncalled: Vec<&String> = listed.iter().filter(uncalled).collect();
    assert_eq!(uncalled, Vec::<&String>::new(), "nothing calls them any more");
}

#[test]
fn every_event_that_is_typed_is_listed() {
    let source = include_str!("event.rs");
    for EventKind { kind, .. } in EVENTS {
        assert!(source.contains(&format!("\"{kind}\"")), "{kind} is not typed");
    }
    let typed = source.split('"').skip(1).step_by(2).filter(|word| {
        let dotted = word.contains('.') && !word.ends_with('.');
        dotted && word.chars().all(|c| c.is_ascii_lowercase() || c == '.')
    });
    for word in typed.filter(|word| *word != "server.heartbeat") {
        assert!(EVENTS.iter().any(|event| event.kind == word), "{word} is not listed");
    }
}

/// The smallest document that has a route, its fields, and an event.
fn document() -> Value {
    json!({
        "paths": { "/permission/{requestID}/reply": { "post": {
            "requestBody": { "content": { "application/json": { "schema": {
                "$ref": "#/components/schemas/Reply" } } } },
            "responses": { "200": { "content": { "application/json": { "schema": {
                "type": "boolean" } } } } } } } },
        "components": { "schemas": {
            "Reply": { "anyOf": [
                { "type": "object", "properties": { "reply": { "type": "string" } } },
                { "type": "object", "properties": { "message": {} } } ] },
            "EventSessionIdle": { "properties": {
                "type": { "enum": ["session.idle"] },
                "properties": { "properties": { "sessionID": { "type": "string" } } } } } } },
    })
}

#[test]
fn what_is_gone_is_named() {
    assert_eq!(compare(&json!({ "html": true })), [Drift::NoDescription]);
    let told = |doc: &Value| compare(doc).iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut doc = document();
    let about = |said: &[String]| {
        let ours = |s: &&String| s.contains("/permission/{id}/reply") || s.contains("session.idle");
        said.iter().filter(ours).cloned().collect::<Vec<_>>()
    };
    assert_eq!(about(&told(&doc)), Vec::<String>::new());
    assert!(told(&doc).contains(&"GET /agent: there is no such route any more".to_owned()));
    doc["components"]["schemas"]["Reply"]["anyOf"][1] = json!({ "properties": {} });
    doc["components"]["schemas"]["EventSessionIdle"]["properties"]["properties"] = json!({
        "properties": { "session": {} } });
    assert_eq!(
        about(&told(&doc)),
        [
            "POST /permission/{id}/reply: it no longer takes `message`, which is sent",
            "the event session.idle: it no longer has `sessionID`, which is read",
        ]
    );
}
