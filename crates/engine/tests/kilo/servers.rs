//! The life of `kilo serve`: which server a thread gets, and what becomes of servers.

use std::sync::Arc;

use domain::{Access, AgentEvent, Mode, ModelSelection, ThreadId, TurnEvent, TurnId};
use providers::{OpenSession, Opened, Prompt, Provider};
use testkit::model::Script;
use testkit::wait::{PATIENT, until, until_true};
use uuid::Uuid;

use crate::harness::Bench;

/// Opens a session past the engine.
async fn open(bench: &Bench, trusted: bool) -> Opened {
    let request = OpenSession {
        thread: ThreadId::from_uuid(Uuid::now_v7()),
        session: None,
        workspace: bench.sandbox.project.clone(),
        access: Access::Supervised,
        title: String::new(),
        trusted,
    };
    bench.kilo.open(request).await.expect("an open session")
}

/// Runs a turn in such a session until its end.
async fn run(opened: &mut Opened, script: &Script) {
    let session = Arc::clone(&opened.session);
    let prompt = Prompt {
        turn: TurnId::from_uuid(Uuid::now_v7()),
        key: session.prompt_key(),
        text: script.prompt("Please do this."),
        model: ModelSelection { model: "mock/m1".to_owned(), option: None },
        mode: Mode::Build,
        access: Access::Supervised,
    };
    session.send(prompt).await.expect("a message that is taken");
    let ended = async {
        while let Some(event) = opened.events.recv().await {
            if matches!(event, AgentEvent::Turn { event: TurnEvent::Ended(_), .. }) {
                return;
            }
        }
        panic!("the session ended before its turn");
    };
    tokio::time::timeout(PATIENT, ended).await.expect("an ended turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_project_would_start_is_started_for_trusted_threads_only() {
    let bench = Bench::start().await;
    let marks = bench.data().join("marks.txt");
    // It says which of the servers started it.
    let command = format!("echo \"[$KILO_DISABLE_PROJECT_CONFIG]\" >> '{}'", marks.display());
    let config = serde_json::json!({
        "mcp": { "theirs": { "type": "local", "command": ["sh", "-c", command], "enabled": true } }
    });
    std::fs::write(bench.sandbox.project.join("kilo.json"), config.to_string()).unwrap();

    let mut untrusted = open(&bench, false).await;
    run(&mut untrusted, &Script::new().text("Nothing was started.")).await;
    let mut trusted = open(&bench, true).await;
    run(&mut trusted, &Script::new().text("It was.")).await;
    let read = || async {
        let text = std::fs::read_to_string(&marks).unwrap_or_default();
        if text.is_empty() { Err("nothing started") } else { Ok(text) }
    };
    let started = until(PATIENT, read).await;
    assert!(started.lines().all(|line| line == "[]"), "an untrusted start: {started}");

    let (first, second) = (bench.kilo.server_pid().await, bench.kilo.untrusted_server_pid().await);
    let (first, second) = (first.expect("a server"), second.expect("another server"));
    assert_ne!(first, second);
    // Another untrusted thread shares the second one.
    let mut other = open(&bench, false).await;
    run(&mut other, &Script::new().text("I as well.")).await;
    assert_eq!(bench.kilo.untrusted_server_pid().await, Some(second));
    bench.engine.shutdown().await;
    for pid in [first, second] {
        let process = std::path::PathBuf::from(format!("/proc/{pid}"));
        until_true(PATIENT, || !process.exists()).await;
    }
}
