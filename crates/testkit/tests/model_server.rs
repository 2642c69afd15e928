//! The model server as a client sees it: over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::model::{Kind, ModelServer, Outcome, Script};
use testkit::wait::{self, PATIENT};

fn body(prompt: &str, stream: bool) -> Value {
    json!({
        "model": "m2",
        "stream": stream,
        "reasoning_effort": "high",
        "messages": [
            { "role": "system", "content": "You are a test." },
            { "role": "user", "content": [{ "type": "text", "text": prompt }] },
        ],
        "tools": [{ "type": "function", "function": { "name": "bash" } }],
    })
}

async fn ask(
    server: &ModelServer,
    prompt: &str,
    stream: bool,
) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/chat/completions", server.url());
    reqwest::Client::new().post(url).json(&body(prompt, stream)).send().await
}

/// The events of a streamed answer; `[DONE]` is `null`.
fn events(text: &str) -> Vec<Value> {
    let data = text.split("\n\n").filter_map(|frame| frame.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or(Value::Null)).collect()
}

#[tokio::test]
async fn streams_a_step_as_openai_does() {
    let server = ModelServer::start().await.unwrap();
    let script = Script::new()
        .reasoning("hm")
        .stream("Hello", 2, Duration::ZERO)
        .tool("bash", json!({ "command": "ls" }));
    let response = ask(&server, &script.prompt("go"), true).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let events = events(&response.text().await.unwrap());

    let deltas: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["delta"]).collect();
    assert_eq!(deltas[0], &json!({ "role": "assistant", "content": "" }));
    assert_eq!(deltas[1], &json!({ "reasoning_content": "hm" }));
    let texts: Vec<&str> =
        deltas[2..5].iter().map(|delta| delta["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["He", "ll", "o"]);
    assert_eq!(deltas[5]["tool_calls"][0]["function"]["name"], "bash");
    assert_eq!(events[6]["choices"][0]["finish_reason"], "tool_calls");
    assert!(events[7]["usage"]["total_tokens"].as_u64().unwrap() > 0);
    assert_eq!(events.last(), Some(&Value::Null), "[DONE] ends it");

    let call = server.calls().pop().unwrap();
    assert_eq!((call.kind, call.outcome), (Kind::Script(0), Outcome::Completed));
    assert_eq!((call.model.as_str(), call.reasoning_effort.as_deref()), ("m2", Some("high")));
    assert_eq!(call.tools, ["bash"]);
}

#[tokio::test]
async fn answers_whole_when_not_streaming() {
    let server = ModelServer::start().await.unwrap();
    let script = Script::new().stream("Hello", 2, Duration::ZERO).usage(3, 4);
    let answer: Value =
        ask(&server, &script.prompt("go"), false).await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "Hello");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["total_tokens"], 7);
}

#[tokio::test]
async fn gates_hold_until_released() {
    let server = ModelServer::start().await.unwrap();
    let prompt = Script::new().text("before").wait("gate").text("after").prompt("go");
    let mut response = ask(&server, &prompt, true).await.unwrap();
    server.reached("gate").await;
    assert_eq!(server.connections().running, 1);
    let control = format!("http://{}/control/release/gate", server.address());
    reqwest::Client::new().post(control).send().await.unwrap().error_for_status().unwrap();
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text += std::str::from_utf8(&chunk).unwrap();
    }
    assert!(text.contains("before") && text.contains("after"), "{text}");
    // A gate stays open.
    let again = ask(&server, &prompt, true).await.unwrap().text().await.unwrap();
    assert!(again.contains("after"));
}

#[tokio::test]
async fn refuses_as_often_as_told() {
    let server = ModelServer::start().await.unwrap();
    let prompt = Script::new().status_times(429, "slow down", 2).text("at last").prompt("go");
    for _ in 0..2 {
        let response = ask(&server, &prompt, true).await.unwrap();
        assert_eq!(response.status(), 429);
        assert!(response.text().await.unwrap().contains("slow down"));
    }
    let text = ask(&server, &prompt, true).await.unwrap().text().await.unwrap();
    assert!(text.contains("at last"));
    let outcomes: Vec<Outcome> = server.calls().into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Refused, Outcome::Refused, Outcome::Completed]);
}

#[tokio::test]
async fn cuts_before_and_in_the_middle_of_an_answer() {
    let server = ModelServer::start().await.unwrap();
    let before = ask(&server, &Script::new().cut().prompt("go"), true).await;
    assert!(before.is_err(), "no headers come");
    let mut response =
        ask(&server, &Script::new().text("part").cut().prompt("go"), true).await.unwrap();
    let mut text = String::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => text += std::str::from_utf8(&chunk).unwrap(),
            Ok(None) => panic!("it must not end properly: {text}"),
            Err(error) => break error,
        }
    };
    assert!(text.contains("part"), "{error}");
    assert!(server.calls().iter().all(|call| call.outcome == Outcome::Cut));
}

#[tokio::test]
async fn ends_without_a_reason_and_reports_errors_in_the_stream() {
    let server = ModelServer::start().await.unwrap();
    let ended = ask(&server, &Script::new().text("part").end().prompt("go"), true).await.unwrap();
    let ended = events(&ended.text().await.unwrap());
    assert_eq!(ended.last().unwrap()["choices"][0]["delta"]["content"], "part");
    let failed = Script::new().error_chunk("boom").end().prompt("go");
    let failed = ask(&server, &failed, true).await.unwrap();
    let failed = events(&failed.text().await.unwrap());
    assert_eq!(failed.last().unwrap()["error"]["message"], "boom");
}

#[tokio::test]
async fn notices_a_client_that_gives_up() {
    let server = ModelServer::start().await.unwrap();
    let hang = Script::new().text("part").hang().prompt("go");
    let response = ask(&server, &hang, true).await.unwrap();
    assert_eq!(server.connections().abandoned, 0);
    drop(response);
    wait::until(PATIENT, || {
        let now = server.connections();
        let over = now.abandoned == 1 && now.running == 0 && now.closed == now.opened;
        async move { if over { Ok(()) } else { Err(now) } }
    })
    .await;
}
