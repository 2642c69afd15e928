//! Search over messages: what was said is found, and no question is a failure.

use domain::{Thread, TurnId, Window};
use protocol::{ProblemCode, SearchPage};
use serde_json::json;
use uuid::Uuid;

use crate::kit::{DEADLINE, Server, problem};

/// Sends a message and waits until the agent has answered.
async fn say(server: &Server, thread: &Thread, text: &str) -> TurnId {
    let id = TurnId::from_uuid(Uuid::now_v7());
    let message = json!({ "id": id, "text": text });
    let taken = server.post(&format!("/api/threads/{}/turns", thread.id), &message).await;
    assert_eq!(taken.status(), 202);
    let ended = async {
        loop {
            let window: Window = server.get(&format!("/api/threads/{}/window", thread.id)).await;
            if window.turns.iter().any(|turn| turn.id == id && turn.state.is_terminal()) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, ended).await.expect("an end in time");
    id
}

#[tokio::test]
async fn what_was_said_is_found_in_pieces_and_by_page() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let turn = say(&server, &thread, "Look at the Parser's crème brûlée").await;
    let find =
        async |query: &str| -> SearchPage { server.get(&format!("/api/search?{query}")).await };
    let all = find("q=creme").await;
    let mine = all.hits.iter().find(|hit| hit.item.is_none()).unwrap();
    assert_eq!((&mine.turn, &mine.thread_id), (&turn, &thread.id));
    assert_eq!(mine.title, "Look at the Parser's crème brûlée");
    let marked: Vec<_> = mine.pieces.iter().filter(|piece| piece.hit).collect();
    assert_eq!(marked.len(), 1);
    assert_eq!(marked[0].text, "crème");
    // The agent says what it was told, so there are two.
    assert_eq!(all.hits.len(), 2);
    let first = find("q=pars&limit=1").await;
    assert_eq!(first.hits.len(), 1);
    let second = find(&format!("q=pars&limit=1&before={}", first.before.unwrap())).await;
    assert_ne!(first.hits[0].item, second.hits[0].item);
    assert_eq!(find(&format!("q=parser&project={}", thread.project_id)).await.hits.len(), 2);
    let other = "prj_00000000-0000-7000-8000-000000000000";
    assert!(find(&format!("q=parser&project={other}")).await.hits.is_empty());
    let path = format!("/api/threads/{}", thread.id);
    server.request("patch", &path).json(&json!({ "archived": true })).send().await.unwrap();
    assert!(find("q=parser").await.hits.is_empty());
    assert_eq!(find("q=parser&archived=true").await.hits.len(), 2);
    server.request("delete", &path).send().await.unwrap();
    assert!(find("q=parser&archived=true").await.hits.is_empty());
}

#[tokio::test]
async fn no_question_is_a_failure() {
    let server = Server::start().await;
    let thread = server.thread().await;
    say(&server, &thread, "one two 😀 three").await;
    let long = "word%20".repeat(1_500);
    for odd in [
        "",
        "%22",
        "%22%22%22",
        "*",
        "%5E",
        "NEAR(a%20b)",
        "a%20AND",
        "OR",
        "-two",
        "text%3Atwo",
        "%F0%9F%98%80",
        "%00",
        "%27%3B%20DROP%20TABLE%20search",
        "(",
        "%7Btext%7D",
        &long,
    ] {
        let _: SearchPage = server.get(&format!("/api/search?q={odd}")).await;
    }
    let found: SearchPage = server.get("/api/search?q=%22two%20-three%22%20%F0%9F%98%80").await;
    assert!(!found.hits.is_empty(), "operators are words like any other");
    for bad in ["q=a&before=x", "q=a&limit=-1", "q=a&project=x", "archived=perhaps"] {
        let answer = server.request("get", &format!("/api/search?{bad}")).send().await.unwrap();
        problem(answer, 400, ProblemCode::BadRequest).await;
    }
    let bare = server.bare("get", "/api/search?q=two").send().await.unwrap();
    problem(bare, 401, ProblemCode::Unauthorized).await;
}
