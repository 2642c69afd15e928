//! The live socket: verdicts, changes, bounds.

use domain::{Change, ItemContent, ShellChange, Thread, ThreadId, TurnId, TurnState};
use protocol::{ClientMessage, Cursor, ProblemCode, ServerMessage, Topic};
use serde_json::json;
use uuid::Uuid;

use crate::kit::{DEADLINE, Server, Socket, problem};

fn subscribe(topic: &Topic, cursor: Option<Cursor>) -> ClientMessage {
    ClientMessage::Subscribe { topic: topic.clone(), cursor }
}

async fn send(server: &Server, thread: &Thread, text: &str) -> TurnId {
    let id = TurnId::from_uuid(Uuid::now_v7());
    let path = format!("/api/threads/{}/turns", thread.id);
    let response = server.post(&path, &json!({ "id": id, "text": text })).await;
    assert_eq!(response.status(), 202);
    id
}

/// Follows a thread until a turn is over; gives the agent's text and where the thread stands.
async fn until_over(socket: &mut Socket, turn: &TurnId) -> (String, Cursor) {
    let mut text = String::new();
    loop {
        let (cursor, changes) = match socket.next().await {
            ServerMessage::ThreadChanges { cursor, changes, .. } => (cursor, changes),
            ServerMessage::Ok { .. } => continue,
            other => panic!("unexpected {other:?}"),
        };
        let mut over = false;
        for change in changes {
            match change {
                Change::Item { item } if item.content == ItemContent::AgentMessage => {
                    text = item.body.head;
                }
                Change::Text { text: piece, at, .. } => {
                    assert_eq!(at, domain::units(&text), "a hole");
                    text.push_str(&piece);
                }
                Change::Turn { turn: now } if now.id == *turn => over = now.state.is_terminal(),
                _ => {}
            }
        }
        if over {
            return (text, cursor);
        }
    }
}

#[tokio::test]
async fn a_thread_is_followed_from_its_snapshot_and_continued_from_a_cursor() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let topic = Topic::Thread { id: thread.id.clone() };
    let mut socket = server.live().await;
    socket.say(&subscribe(&topic, None)).await;
    let ServerMessage::ThreadGap { snapshot, .. } = socket.next().await else {
        panic!("a snapshot comes first")
    };
    assert!(snapshot.turns.is_empty());
    let turn = send(&server, &thread, "one two three").await;
    let (text, cursor) = until_over(&mut socket, &turn).await;
    assert_eq!(text, "one two three");
    drop(socket);

    // What happens while nobody is there is told after the verdict, from the cursor on.
    let turn = send(&server, &thread, "four five").await;
    let mut socket = server.live().await;
    socket.say(&subscribe(&topic, Some(cursor.clone()))).await;
    let verdict = socket.next().await;
    assert_eq!(verdict, ServerMessage::Ok { topic: topic.clone(), cursor: cursor.clone() });
    assert_eq!(until_over(&mut socket, &turn).await.0, "four five");

    // A cursor of another run of the server says nothing about this one.
    let other = Cursor { epoch: "other".to_owned(), seq: cursor.seq };
    socket.say(&subscribe(&topic, Some(other))).await;
    let snapshot = loop {
        match socket.next().await {
            ServerMessage::ThreadGap { snapshot, .. } => break snapshot,
            ServerMessage::ThreadChanges { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!(snapshot.turns.len(), 2);
    assert!(snapshot.turns.iter().all(|turn| turn.state == TurnState::Completed));
}

#[tokio::test]
async fn the_shell_tells_of_new_threads() {
    let server = Server::start().await;
    let mut socket = server.live().await;
    socket.say(&subscribe(&Topic::Shell, None)).await;
    let ServerMessage::ShellGap { snapshot, .. } = socket.next().await else {
        panic!("a snapshot comes first")
    };
    assert!(snapshot.threads.is_empty() && snapshot.providers.len() == 1);
    let thread = server.thread().await;
    loop {
        let ServerMessage::ShellChanges { changes, .. } = socket.next().await else {
            panic!("changes follow")
        };
        let is_it = |change: &ShellChange| matches!(change, ShellChange::Thread { thread: row } if row.id == thread.id);
        if changes.iter().any(is_it) {
            return;
        }
    }
}

#[tokio::test]
async fn a_thread_that_does_not_answer_holds_no_other_topic_up() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let topic = Topic::Thread { id: thread.id.clone() };
    let mut socket = server.live().await;
    socket.say(&subscribe(&topic, None)).await;
    assert!(matches!(socket.next().await, ServerMessage::ThreadGap { .. }));
    let turn = send(&server, &thread, "one two three").await;
    until_over(&mut socket, &turn).await;

    let workspace = std::path::PathBuf::from(&thread.workspace);
    std::fs::write(workspace.join("hang"), "").unwrap();
    let path = format!("/api/threads/{}/back", thread.id);
    let back = server.request("POST", &path).json(&json!({ "turn": turn })).send();
    let back = tokio::spawn(back);
    let hangs = async {
        while !workspace.join("hangs").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, hangs).await.expect("the agent is asked to go back");
    let mut socket = server.live().await;
    socket.say(&subscribe(&topic, None)).await;
    socket.say(&subscribe(&Topic::Shell, None)).await;
    socket.say(&ClientMessage::Ping).await;
    let mut told = [false, false];
    while told != [true, true] {
        match socket.next().await {
            ServerMessage::ShellGap { .. } => told[0] = true,
            ServerMessage::Pong => told[1] = true,
            ServerMessage::ShellChanges { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    // It is told, and asking again is of use.
    let problem = loop {
        match socket.next().await {
            ServerMessage::Gone { topic: gone, problem } if gone == topic => break problem,
            ServerMessage::ShellChanges { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!((problem.code, problem.status), (ProblemCode::Busy, 503));
    std::fs::remove_file(workspace.join("hang")).unwrap();
    assert!(back.await.unwrap().unwrap().status().is_success());
    socket.say(&subscribe(&topic, None)).await;
    loop {
        match socket.next().await {
            ServerMessage::ThreadGap { .. } => return,
            ServerMessage::ShellChanges { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_cannot_be_followed_is_said() {
    let server = Server::start().await;
    let mut socket = server.live().await;
    let topic = Topic::Thread { id: ThreadId::from_uuid(Uuid::now_v7()) };
    socket.say(&subscribe(&topic, None)).await;
    let ServerMessage::Gone { topic: gone, problem } = socket.next().await else {
        panic!("the topic is gone")
    };
    assert_eq!((gone, problem.code), (topic, ProblemCode::UnknownThread));

    for nonsense in ["nonsense", "{}", "{\"type\":\"subscribe\",\"topic\":\"thread\",\"id\":\"x\"}"]
    {
        socket.text(nonsense).await;
        let ServerMessage::Refused { problem } = socket.next().await else { panic!("a refusal") };
        assert_eq!(problem.code, ProblemCode::BadRequest);
    }
    socket.say(&ClientMessage::Ping).await;
    assert_eq!(socket.next().await, ServerMessage::Pong);

    // A deleted thread is gone for those who follow it, too.
    let thread = server.thread().await;
    let topic = Topic::Thread { id: thread.id.clone() };
    socket.say(&subscribe(&topic, None)).await;
    assert!(matches!(socket.next().await, ServerMessage::ThreadGap { .. }));
    let path = format!("/api/threads/{}", thread.id);
    assert_eq!(server.request("delete", &path).send().await.unwrap().status(), 204);
    while !matches!(socket.next().await, ServerMessage::Gone { .. }) {}
}

#[tokio::test]
async fn messages_and_topics_of_a_client_are_bounded() {
    let server = Server::start().await;
    let mut socket = server.live().await;
    socket.text(&"x".repeat(20_000)).await;
    assert!(socket.try_next().await.is_none(), "a message that is too long ends the socket");

    let project = server.thread().await.project_id;
    let mut socket = server.live().await;
    for n in 0..=64 {
        let id = ThreadId::from_uuid(Uuid::now_v7());
        let new = json!({ "id": id, "project_id": project, "provider": "fake" });
        assert_eq!(server.post("/api/threads", &new).await.status(), 200);
        socket.say(&subscribe(&Topic::Thread { id }, None)).await;
        match socket.next().await {
            ServerMessage::ThreadGap { .. } if n < 64 => {}
            ServerMessage::Refused { problem } if n == 64 => {
                assert_eq!(problem.code, ProblemCode::TooMany);
            }
            other => panic!("unexpected {other:?} for topic {n}"),
        }
    }
}

#[tokio::test]
async fn sockets_are_bounded_and_their_places_given_back() {
    let server = Server::start().await;
    let mut sockets = Vec::new();
    for _ in 0..256 {
        sockets.push(server.live().await);
    }
    let token = format!("Bearer {}", server.token.reveal());
    let headers = [("authorization", token.as_str()), ("origin", server.url.as_str())];
    let Err(tokio_tungstenite::tungstenite::Error::Http(refused)) = server.socket(&headers).await
    else {
        panic!("one socket too many")
    };
    assert_eq!(refused.status(), 503);
    let problem: protocol::Problem =
        serde_json::from_slice(refused.body().as_deref().unwrap()).unwrap();
    assert_eq!(problem.code, ProblemCode::Busy);

    drop(sockets.pop());
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while server.socket(&headers).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the place is not given back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_brought_up_to_date_later() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let topic = Topic::Thread { id: thread.id.clone() };
    let mut slow = server.live().await;
    slow.say(&subscribe(&topic, None)).await;
    let mut quick = server.live().await;
    quick.say(&subscribe(&topic, None)).await;
    assert!(matches!(quick.next().await, ServerMessage::ThreadGap { .. }));
    let turn = send(&server, &thread, "flood 3000").await;
    let (text, cursor) = until_end_or_gap(&mut quick, &turn).await;
    // Four megabytes went by; the slow one now reads, and ends up at the same place.
    let (other, other_cursor) = until_end_or_gap(&mut slow, &turn).await;
    assert!(text.ends_with(&format!("line {:01500}\n", 2_999)), "the quick one has the end");
    assert!(other.ends_with(&format!("line {:01500}\n", 2_999)), "the slow one has the end");
    assert!(other_cursor.seq <= cursor.seq);
}

/// Follows a thread until a turn is over, by changes and snapshots alike; gives the end of the
/// agent's text.
async fn until_end_or_gap(socket: &mut Socket, turn: &TurnId) -> (String, Cursor) {
    let mut text = String::new();
    loop {
        let (cursor, over) = match socket.next().await {
            ServerMessage::ThreadGap { cursor, snapshot, .. } => {
                if let Some(item) = snapshot.items.last() {
                    text = format!("{}{}", item.body.head, item.body.tail);
                }
                let over = snapshot.turns.iter().any(|t| t.id == *turn && t.state.is_terminal());
                (cursor, over)
            }
            ServerMessage::ThreadChanges { cursor, changes, .. } => {
                let mut over = false;
                for change in changes {
                    match change {
                        Change::Item { item } if item.content == ItemContent::AgentMessage => {
                            text = format!("{}{}", item.body.head, item.body.tail);
                        }
                        Change::Text { text: piece, .. } => text.push_str(&piece),
                        Change::Turn { turn: now } if now.id == *turn => {
                            over = now.state.is_terminal();
                        }
                        _ => {}
                    }
                }
                (cursor, over)
            }
            other => panic!("unexpected {other:?}"),
        };
        if over {
            return (text, cursor);
        }
    }
}

#[tokio::test]
async fn sockets_end_with_the_server() {
    let mut server = Server::start().await;
    let mut socket = server.live().await;
    socket.say(&subscribe(&Topic::Shell, None)).await;
    assert!(matches!(socket.next().await, ServerMessage::ShellGap { .. }));
    server.stop().await;
    assert!(socket.try_next().await.is_none());
    assert!(server.bare("get", "/api/health").send().await.is_err());
}

#[tokio::test]
async fn a_request_that_is_no_socket_is_told_so() {
    let server = Server::start().await;
    let request = server.request("get", "/api/live").header("origin", &server.url);
    problem(request.send().await.unwrap(), 400, ProblemCode::BadRequest).await;
}
