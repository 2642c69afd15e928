//! Sessions as wholes: made in Claude Code's own command line and gone on with here, forked, taken
//! back, shortened, named, deleted.

use std::time::Duration;

use domain::{
    Access, InputKind, ItemContent, ProviderId, Thread, ThreadId, ThreadPatch, TurnId, TurnOrigin,
    TurnState,
};
use engine::{ContinueSession, EngineError, SessionQuery};
use serde_json::json;
use testkit::model::Script;
use testkit::wait::{PATIENT, until};
use uuid::Uuid;

use crate::harness::{Bench, said};

/// Says something in the command line; with a session it goes on there. Gives the session's id.
async fn elsewhere(bench: &Bench, script: &Script, session: Option<&str>) -> String {
    let mut spec = process::Spec::new(bench.program())
        .args(["-p", &script.prompt("Said elsewhere."), "--model", "sonnet"])
        .args(["--output-format", "json"])
        .cwd(&bench.sandbox.project);
    if let Some(session) = session {
        spec = spec.args(["--resume", session]);
    }
    for (name, value) in &bench.sandbox.env {
        spec = spec.env(name, value);
    }
    let host = process::Host::default();
    let output = host.run(spec, Duration::from_secs(60), 1024 * 1024).await.expect("an answer");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    answer["session_id"].as_str().expect("a session").to_owned()
}

fn claude() -> ProviderId {
    ProviderId::known("claude")
}

async fn go_on(bench: &Bench, session: &str) -> Result<Thread, EngineError> {
    let path = bench.sandbox.project.clone();
    let project = bench.engine.add_project(path, "tally".to_owned()).await.expect("a project");
    let wanted = ContinueSession {
        id: ThreadId::from_uuid(Uuid::now_v7()),
        project_id: project.id,
        provider: claude(),
        session: session.to_owned(),
        access: Access::Supervised,
        anyway: false,
    };
    bench.engine.continue_session(wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_command_line_is_listed_read_gone_on_with_and_followed() {
    let bench = Bench::start().await;
    let bash = json!({ "command": "ls", "description": "List" });
    let script = Script::new().reasoning("Let me see.").text("I look.").tool("Bash", bash).step();
    let session = elsewhere(&bench, &script.text("The word is marmalade."), None).await;
    let mine = bench.thread().await;
    bench.run(&mine, &Script::new().text("Mine.")).await;
    let project = bench.row(&mine).await.project_id;
    let all = SessionQuery { limit: 10, ..SessionQuery::default() };
    let (sessions, more) = bench.engine.sessions(&project, &claude(), all.clone()).await.unwrap();
    assert_eq!((sessions.len(), more), (2, false), "{sessions:#?}");
    assert_eq!(sessions[0].thread.as_ref(), Some(&mine));
    assert_eq!(
        (sessions[1].id.as_str(), sessions[1].title.as_str()),
        (&*session, "Said elsewhere.")
    );
    let one = SessionQuery { limit: 1, offset: 1, ..all.clone() };
    let (page, more) = bench.engine.sessions(&project, &claude(), one).await.unwrap();
    assert_eq!((page[0].id.as_str(), more), (&*session, false));
    let none = SessionQuery { search: Some("no such".to_owned()), ..all };
    assert!(bench.engine.sessions(&project, &claude(), none).await.unwrap().0.is_empty());

    let thread = go_on(&bench, &session).await.expect("a thread").id;
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["I look.", "The word is marmalade."]);
    let [turn] = window.turns.as_slice() else { panic!("one turn: {:?}", window.turns) };
    assert_eq!((turn.state, turn.origin), (TurnState::Completed, TurnOrigin::Elsewhere));
    assert!(turn.input.text.head.starts_with("Said elsewhere."));
    let list = window.items.iter().find(|i| matches!(i.content, ItemContent::Command { .. }));
    assert!(list.is_some_and(|item| item.body.head.contains("package.json")), "{list:?}");
    let model = domain::ModelSelection { model: "sonnet".to_owned(), option: None };
    let patch = ThreadPatch { model: Some(model), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let next = bench.run(&thread, &Script::new().text("Gone on.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    let row = bench.row(&thread).await;
    assert_eq!(row.session.as_deref(), Some(&*session), "it is the same session");
    let command = bench.engine.session_command(&thread).await.unwrap().unwrap();
    assert!(command.ends_with(&format!("--resume {session}")), "{command}");
    let twice = go_on(&bench, &session).await;
    assert!(twice.is_err() || twice.is_ok_and(|same| same.id == thread));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_elsewhere_meanwhile_is_read_before_the_next_message() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("First.")).await;
    let session = bench.row(&thread).await.session.unwrap();
    bench.restart().await;
    elsewhere(&bench, &Script::new().text("In between."), Some(&session)).await;
    let last = bench.run(&thread, &Script::new().text("Last.")).await;
    assert_eq!((last.state, &last.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&thread).await), ["First.", "In between.", "Last."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_forked_before_a_message_and_taken_back_to_one() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let mut turns = Vec::new();
    for word in ["One.", "Two.", "Three."] {
        turns.push(bench.run(&thread, &Script::new().text(word)).await.id);
    }
    let id = ThreadId::from_uuid(Uuid::now_v7());
    let fork = bench.engine.fork_thread(&thread, &turns[0], id).await.expect("a fork");
    assert_eq!(said(&bench.window(&fork.id).await), ["One."]);
    let next = bench.run(&fork.id, &Script::new().text("Other.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&fork.id).await), ["One.", "Other."]);
    let (own, other) = (bench.row(&thread).await.session, bench.row(&fork.id).await.session);
    assert!(other.is_some() && own != other, "{own:?} {other:?}");
    let calls = bench.sandbox.model.calls_with("Other.");
    let sent = calls.last().expect("a call").body.to_string();
    assert!(sent.contains("One.") && !sent.contains("Three."), "what was after is not known");

    bench.engine.go_back(&thread, &turns[2]).await.expect("taken back");
    let next = bench.run(&thread, &Script::new().text("Instead.")).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    let calls = bench.sandbox.model.calls_with("Instead.");
    let sent = calls.last().expect("a call").body.to_string();
    assert!(sent.contains("Two.") && !sent.contains("Three."), "what was after is not known");
    assert_eq!(bench.row(&thread).await.session, own, "it is the same session");
    assert_eq!(said(&bench.window(&thread).await).last(), Some(&"Instead."));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_context_is_shortened_at_a_wish_and_a_command_is_the_agent_s_own() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Little was said.")).await;
    let early = TurnId::from_uuid(Uuid::now_v7());
    bench.engine.compact(&thread, early.clone()).await.expect("a turn");
    let refused = bench.ended(&thread, &early).await;
    assert_eq!(refused.state, TurnState::Failed);
    assert!(refused.error.is_some_and(|e| e.message.contains("Not enough")));
    for _ in 0..3 {
        bench.run(&thread, &Script::new().text("Much was said.")).await;
    }
    let wish = TurnId::from_uuid(Uuid::now_v7());
    let turn = bench.engine.compact(&thread, wish.clone()).await.expect("a turn");
    assert_eq!(turn.input.kind, InputKind::Compact);
    let turn = bench.ended(&thread, &wish).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    let shortened = |c: &ItemContent| matches!(c, ItemContent::Compaction { automatic: false });
    let summary = window
        .items
        .iter()
        .find(|item| shortened(&item.content))
        .unwrap_or_else(|| panic!("a summary: {:#?}", window.items));
    assert!(!summary.body.head.is_empty());
    let cost = bench.say(&thread, "/cost").await;
    assert_eq!(bench.ended(&thread, &cost).await.state, TurnState::Completed);
    assert!(said(&bench.window(&thread).await).iter().any(|text| text.contains("cost")));
    // Neither is found again as a turn of others.
    bench.restart().await;
    bench.run(&thread, &Script::new().text("After it.")).await;
    let window = bench.window(&thread).await;
    assert_eq!(window.turns.len(), 8, "{:#?}", window.turns);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_takes_its_thread_s_name_and_goes_with_it() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("First.")).await;
    let session = bench.row(&thread).await.session.unwrap();
    let patch = ThreadPatch { title: Some("Marmalade".to_owned()), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let file = bench.transcript(&session);
    until(PATIENT, || async {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.contains("Marmalade") { Ok(()) } else { Err(text.len()) }
    })
    .await;
    bench.engine.delete_thread_and_session(&thread).await.expect("deleted");
    assert!(!file.exists());
    bench.engine.shutdown().await;
}
