//! A list of models that cannot be read, before a server that answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ProviderState;
use kilo_sdk::{Client, Connection, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::kilo::{Bounds, Kilo, KiloConfig};
use crate::{Inventory, Provider as _};

/// The status and body for `GET /provider`; none to leave it unanswered.
type Told = Arc<Mutex<Option<(u16, &'static str)>>>;

const LIST: &str = r#"{ "all": [{ "id": "mock", "name": "Mock", "models": { "m1": { "id": "m1",
    "capabilities": { "toolcall": true, "output": { "text": true } } } } }],
    "connected": ["mock"], "failed": [], "default": {} }"#;

async fn one(mut socket: TcpStream, told: Told) {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let mut bytes = [0; 1024];
        match socket.read(&mut bytes).await.unwrap() {
            0 => return,
            n => head.extend_from_slice(&bytes[..n]),
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let list = head.starts_with("get /provider ");
    let answer = match () {
        // For a directory that is named, Kilo makes an instance.
        () if head.contains("directory") => Some((400, "{}")),
        () if list => *told.lock().unwrap(),
        () => Some((200, "{}")),
    };
    let Some((status, body)) = answer else {
        // Open until the client gives up.
        while socket.read(&mut [0; 16]).await.is_ok_and(|n| n > 0) {}
        return;
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    socket.write_all(answer.as_bytes()).await.unwrap();
}

/// Gives a client that has the usual patience and one that has little.
async fn stub(told: Told) -> (Client, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(one(socket, Arc::clone(&told)));
        }
    });
    let client = |limits| Client::new(Connection::new(url.clone(), "secret"), limits).unwrap();
    let little = Limits { slow: Duration::from_millis(300), ..Limits::default() };
    (client(Limits::default()), client(little))
}

fn kilo() -> Kilo {
    Kilo::new(KiloConfig {
        host: process::Host::default(),
        path: "/usr/bin:/bin".into(),
        cwd: "/".into(),
        state: "/".into(),
        injected: None,
        env: Vec::new(),
        scratch: None,
        bounds: Bounds::default(),
        native_log: None,
    })
}

fn ids(inventory: &Inventory) -> Vec<&str> {
    inventory.models.iter().map(|model| model.id.as_str()).collect()
}

#[tokio::test]
async fn a_failed_or_slow_reading_keeps_the_last_good_list_and_says_so() {
    let told: Told = Arc::new(Mutex::new(Some((200, LIST))));
    let (client, impatient) = stub(Arc::clone(&told)).await;
    let kilo = kilo();
    kilo.0.face.status.send_modify(|status| status.state = ProviderState::Ready);
    kilo.0.refresh_models(&client).await;
    let good = kilo.inventory().borrow().clone();
    assert_eq!((ids(&good), good.problem.as_deref()), (vec!["mock/m1"], None));

    let page = "<!doctype html><title>Kilo</title>";
    for answer in [Some((500, "{}")), Some((200, page)), Some((200, "{ \"all\": 7 }")), None] {
        *told.lock().unwrap() = answer;
        kilo.0.refresh_models(if answer.is_some() { &client } else { &impatient }).await;
        let now = kilo.inventory().borrow().clone();
        assert!(now.problem.is_some(), "{answer:?}");
        assert_eq!(Inventory { problem: None, ..now }, good, "{answer:?}");
        let status = kilo.status().borrow().clone();
        assert_eq!((status.state, status.models), (ProviderState::Ready, 1), "{answer:?}");
        assert!(status.message.contains("not fresh"), "{}", status.message);
    }

    *told.lock().unwrap() = Some((200, LIST));
    kilo.0.refresh_models(&client).await;
    assert_eq!(*kilo.inventory().borrow(), good);
    assert_eq!(kilo.status().borrow().message, "ready, 1 model");
}
