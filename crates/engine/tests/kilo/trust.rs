//! What a project's own configuration would start, before and after a person's decision.

use domain::{ErrorCode, Project, ProviderId, StartupKind, Trust, TurnState};
use engine::EngineError;
use providers::SessionQuery;
use serde_json::json;
use testkit::model::Script;
use testkit::wait::{PATIENT, until};

use crate::harness::{Bench, said};

/// A tool server that touches a file as soon as it is started.
fn configure(bench: &Bench, touched: &str) {
    let file = bench.sandbox.project.join(touched);
    let command = json!(["sh", "-c", format!("touch '{}'; cat", file.display())]);
    let config = json!({ "mcp": { "toucher": { "type": "local", "command": command } } });
    std::fs::write(bench.sandbox.project.join("kilo.json"), config.to_string()).unwrap();
}

async fn project(bench: &Bench) -> Project {
    bench.engine.projects().await.unwrap().remove(0)
}

async fn answer(bench: &Bench, thread: &domain::ThreadId, text: &str) {
    let turn = bench.run(thread, &Script::new().text(text)).await;
    assert_eq!(turn.state, TurnState::Completed, "{turn:?}");
    assert!(said(&bench.window(thread).await).contains(&text));
}

#[tokio::test]
async fn a_project_s_tool_server_starts_only_when_it_is_trusted() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    // It comes after the project was added, as with `git pull`, and is seen by whatever asks next.
    configure(&bench, "first");
    let query = SessionQuery { search: None, offset: 0, limit: 10 };
    let id = project(&bench).await.id;
    bench.engine.sessions(&id, &ProviderId::known("kilo"), query).await.unwrap();
    assert!(bench.kilo.untrusted_server_pid().await.is_some(), "it is asked where nothing starts");
    let shown = project(&bench).await;
    assert!(shown.asks_trust(), "{shown:?}");
    answer(&bench, &thread, "unread").await;
    let session = bench.row(&thread).await.session;
    assert_eq!(bench.file("first"), None, "nothing is started before it is decided");

    let (shown, startup) = bench.engine.trust(&shown.id).await.unwrap();
    let act = &startup.acts[0];
    assert_eq!((act.kind, act.name.as_str()), (StartupKind::Command, "toucher"));
    assert!(act.detail.contains("touch"), "{act:?}");
    let wrong = bench.engine.decide_trust(&shown.id, true, Some("other".to_owned())).await;
    assert!(matches!(wrong, Err(EngineError::TrustChanged)), "{wrong:?}");
    bench.engine.decide_trust(&shown.id, true, shown.fingerprint).await.unwrap();
    answer(&bench, &thread, "read").await;
    until(PATIENT, || async { bench.file("first").ok_or("the server did not start") }).await;
    assert_eq!(bench.row(&thread).await.session, session, "the conversation goes on");

    configure(&bench, "second");
    answer(&bench, &thread, "unread again").await;
    let changed = project(&bench).await;
    assert!(changed.trust == Trust::Undecided && changed.asks_trust(), "{changed:?}");
    assert_eq!(bench.file("second"), None, "what changed is asked again");
}

#[tokio::test]
async fn where_kilo_starts_programs_even_untrusted_nothing_is_asked_of_it_until_it_is_trusted() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let file = bench.sandbox.project.join("touched");
    let line = format!("touch '{}'; cat", file.display());
    let servers = json!({ "mcpServers": { "old": { "command": "sh", "args": ["-c", line] } } });
    std::fs::create_dir(bench.sandbox.project.join(".kilocode")).unwrap();
    let path = bench.sandbox.project.join(".kilocode/mcp.json");
    std::fs::write(path, servers.to_string()).unwrap();
    let turn = bench.run(&thread, &Script::new().text("not said")).await;
    let error = turn.error.expect("it is not worked in");
    assert_eq!((turn.state, error.code), (TurnState::Failed, ErrorCode::Rejected));
    assert!(error.message.contains("mcp.json") && error.hint.is_some(), "{error:?}");
    let id = project(&bench).await.id;
    let extras = bench.engine.extras(&id, &ProviderId::known("kilo")).await;
    assert!(extras.is_err(), "{extras:?}");
    assert_eq!(bench.file("touched"), None);

    let (shown, _) = bench.engine.trust(&id).await.unwrap();
    bench.engine.decide_trust(&id, true, shown.fingerprint).await.unwrap();
    answer(&bench, &thread, "said").await;
    until(PATIENT, || async { bench.file("touched").ok_or("the server did not start") }).await;
}
