//! What holds on all devices: changed by one, told to the others.

use domain::{Delivery, Settings, ShellChange};
use protocol::{ClientMessage, ProblemCode, ServerMessage, Topic};
use serde_json::{Value, json};

use crate::kit::{Server, Socket, problem};

async fn change(server: &Server, patch: &Value) -> Settings {
    let response = server.request("patch", "/api/settings").json(patch).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn follow(server: &Server) -> (Socket, Settings) {
    let mut socket = server.live().await;
    socket.say(&ClientMessage::Subscribe { topic: Topic::Shell, cursor: None }).await;
    let ServerMessage::ShellGap { snapshot, .. } = socket.next().await else {
        panic!("a snapshot comes first")
    };
    (socket, snapshot.settings)
}

async fn told(socket: &mut Socket) -> Settings {
    loop {
        if let ServerMessage::ShellChanges { changes, .. } = socket.next().await {
            for change in changes {
                if let ShellChange::Settings { settings } = change {
                    return settings;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_change_is_stored_and_told_to_everyone() {
    let server = Server::start().await;
    let (mut one, before) = follow(&server).await;
    let (mut other, _) = follow(&server).await;
    assert_eq!(before, Settings::default());

    let patch = json!({
        "keys": { "thread.new": ["Alt+N"] },
        "enter": "steer",
        "marks": [{ "model": "fake fake/echo", "mark": "favourite" }],
    });
    let settings = change(&server, &patch).await;
    assert_eq!((settings.revision, settings.enter), (1, Delivery::Steer));
    assert_eq!(told(&mut one).await, settings);
    assert_eq!(told(&mut other).await, settings);
    assert_eq!(follow(&server).await.1, settings);
    assert_eq!(server.get::<Settings>("/api/settings").await, settings);

    // What changes nothing is not told; two that change different things both count.
    assert_eq!(change(&server, &patch).await.revision, 1);
    let (used, keys) = (json!({ "used": ["fake fake/echo"] }), json!({ "keys": { "a": [] } }));
    tokio::join!(change(&server, &used), change(&server, &keys));
    // Who is slow is told both at once.
    let mut last = told(&mut one).await;
    if last.revision == 2 {
        last = told(&mut one).await;
    }
    assert_eq!((last.revision, last.keys.len(), last.models.recent.len()), (3, 2, 1));
    assert_eq!(server.get::<Settings>("/api/settings").await, last);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let check = async |patch: Value, title: &str| {
        let response = server.request("patch", "/api/settings").json(&patch).send().await.unwrap();
        let found = problem(response, 400, ProblemCode::BadRequest).await;
        assert!(found.title.contains(title), "{found:?}");
    };
    check(json!({ "theme": "dark" }), "cannot be read").await;
    check(json!({ "enter": "both" }), "cannot be read").await;
    check(json!({ "enter": "steer", "keys": { "a b": [] } }), "`a b` is no name").await;
    check(json!({ "enter": "steer", "used": ["echo"] }), "`echo` does not name").await;
    let many: Vec<Value> =
        (0..101).map(|i| json!({ "model": format!("fake m{i}"), "mark": "favourite" })).collect();
    check(json!({ "marks": many }), "At most 100 models can be favourites").await;
    let huge =
        server.request("patch", "/api/settings").json(&json!({ "used": ["x".repeat(600_000)] }));
    problem(huge.send().await.unwrap(), 413, ProblemCode::TooLarge).await;
    assert_eq!(server.get::<Settings>("/api/settings").await, Settings::default());
}
