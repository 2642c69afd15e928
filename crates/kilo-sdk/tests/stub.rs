//! Against a server that misbehaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use kilo_sdk::{
    Client, Connection, Error, Limits, MessageId, Prompt, StreamItem, StreamOptions, Why,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const FOREVER: Duration = Duration::from_secs(600);

/// Answers each connection with the next of `answers`, whatever is asked; keeps it open when the
/// answer is to `hang`. Gives the heads of the requests.
async fn stub(answers: Vec<(String, bool)>) -> (Client, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for (answer, hang) in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                let mut byte = [0; 1024];
                let n = socket.read(&mut byte).await.unwrap();
                head.extend_from_slice(&byte[..n]);
            }
            heads.send(String::from_utf8(head).unwrap()).unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            if hang {
                tokio::spawn(async move {
                    tokio::time::sleep(FOREVER).await;
                    drop(socket);
                });
            }
        }
    });
    let limits =
        Limits { quick: Duration::from_millis(300), max_body: 10_000, ..Limits::default() };
    (Client::new(Connection::new(url, "secret"), limits).unwrap(), received)
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

async fn health(raw: String, hang: bool) -> Error {
    let (client, _heads) = stub(vec![(raw, hang)]).await;
    client.health().await.unwrap_err()
}

#[tokio::test]
async fn failures_are_told_apart() {
    let page = "<!doctype html><title>Kilo</title>";
    let error = health(answer("200 OK", "text/html", page), false).await;
    assert!(matches!(error, Error::NotJson { .. }), "{error:?}");
    let error = health(answer("502 Bad Gateway", "text/html", page), false).await;
    assert!(matches!(error, Error::NotJson { status: 502, .. }), "{error:?}");
    let error =
        health(answer("200 OK", "application/json", "[1]").replace("[1]", "[{]"), false).await;
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let error = health(answer("200 OK", "application/json", &"1".repeat(20_000)), false).await;
    assert!(matches!(error, Error::TooLarge(10_000)), "{error:?}");
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let error = health(format!("{endless}4e20\r\n{}", "1".repeat(20_000)), true).await;
    assert!(matches!(error, Error::TooLarge(10_000)), "{error:?}");
    let error = health(String::new(), true).await;
    assert!(matches!(error, Error::Timeout(_)) && error.outcome_unknown(), "{error:?}");
    let error = health("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".into(), false).await;
    assert!(matches!(error, Error::Broken(_)) && error.outcome_unknown(), "{error:?}");

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Connection::new(format!("http://{free}"), "");
    let error = Client::new(nobody, Limits::default()).unwrap().health().await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)) && !error.outcome_unknown(), "{error:?}");
}

#[tokio::test]
async fn the_directory_and_the_credentials_go_in_headers() {
    let done = || answer("204 No Content", "", "");
    let (client, mut heads) = stub(vec![(done(), false), (done(), false)]).await;
    let prompt = Prompt { message_id: MessageId::ascending(), ..Prompt::default() };
    client.at("/home/ü ser/a%b").prompt(&"ses_/../x".into(), &prompt).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(head.contains("x-kilo-directory: /home/%C3%BC%20ser/a%25b\r\n"), "{head}");
    // base64 of `kilo:secret`.
    assert!(head.contains("authorization: Basic a2lsbzpzZWNyZXQ=\r\n"), "{head}");
    client.at_home().prompt(&"ses_1".into(), &prompt).await.unwrap();
    assert!(!heads.recv().await.unwrap().contains("x-kilo-directory"));
}

#[tokio::test]
async fn the_event_stream_reopens_over_http() {
    let event = |id: u32| {
        let event = "\"type\":\"session.idle\",\"properties\":{\"sessionID\":\"ses_1\"}";
        format!("data: {{\"payload\":{{\"id\":\"evt_{id}\",{event}}}}}\n\n")
    };
    let open = |body: String| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}"
        )
    };
    let (client, _heads) = stub(vec![
        (open(event(1)), false),
        (answer("200 OK", "text/html", "<html>"), false),
        (open(event(2)), true),
    ])
    .await;
    let backoff = Duration::from_millis(1);
    let mut stream = client.events(StreamOptions { backoff, ..StreamOptions::default() });
    let mut seen = Vec::new();
    while seen.len() < 6 {
        seen.push(match stream.next().await.unwrap() {
            StreamItem::Connected => "connected".to_owned(),
            StreamItem::Event { envelope, .. } => envelope.id.unwrap(),
            StreamItem::Disconnected(Why::Failed(Error::NotJson { .. })) => "a page".to_owned(),
            StreamItem::Disconnected(_) => "closed".to_owned(),
            StreamItem::Malformed { error, .. } => error,
        });
    }
    assert_eq!(seen, ["connected", "evt_1", "closed", "a page", "connected", "evt_2"]);
}

#[tokio::test]
async fn one_odd_request_keeps_no_other_from_being_read() {
    let list = r#"["nothing", {"sessionID": "ses_1"}, {"id": "per_1", "sessionID": "ses_1",
        "patterns": 7, "metadata": {"command": "echo \ud83d"}}]"#;
    let (client, _heads) = stub(vec![(answer("200 OK", "application/json", list), false)]).await;
    let listed = client.at("/repo").permissions().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id.as_str(), listed[0].patterns.clone()),
        ("per_1", vec!["7".to_owned()])
    );
    assert_eq!(listed[0].metadata["command"], "echo \u{fffd}");
}
