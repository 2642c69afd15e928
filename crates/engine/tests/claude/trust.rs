//! What a project's own configuration would start, before and after a person's decision.

use domain::{StartupKind, TurnState};
use serde_json::json;
use testkit::model::Script;
use testkit::wait::{PATIENT, until};

use crate::harness::Bench;

/// A hook that touches a file when a session begins, and a tool server that touches another.
fn configure(bench: &Bench) {
    let project = &bench.sandbox.project;
    let touch = |name: &str| format!("touch '{}'", project.join(name).display());
    let hook = json!({ "type": "command", "command": touch("hooked") });
    let hooks = json!({ "hooks": { "SessionStart": [{ "hooks": [hook] }] },
        "enableAllProjectMcpServers": true });
    std::fs::create_dir_all(project.join(".claude")).unwrap();
    std::fs::write(project.join(".claude/settings.json"), hooks.to_string()).unwrap();
    let line = format!("{}; cat", touch("served"));
    let servers = json!({ "mcpServers": { "toucher": { "command": "sh", "args": ["-c", line] } } });
    std::fs::write(project.join(".mcp.json"), servers.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_s_hooks_and_servers_start_only_when_it_is_trusted() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    configure(&bench);
    let turn = bench.run(&thread, &Script::new().text("Unread.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let session = bench.row(&thread).await.session;
    assert_eq!((bench.file("hooked"), bench.file("served")), (None, None));

    let id = bench.row(&thread).await.project_id;
    let (shown, startup) = bench.engine.trust(&id).await.unwrap();
    let acts: Vec<_> = startup.acts.iter().map(|act| (act.kind, act.name.as_str())).collect();
    assert!(acts.contains(&(StartupKind::Helper, "hook SessionStart")), "{acts:?}");
    assert!(acts.contains(&(StartupKind::Command, "toucher")), "{acts:?}");
    bench.engine.decide_trust(&id, true, shown.fingerprint).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("Read.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    until(PATIENT, || async { bench.file("hooked").ok_or("the hook did not run") }).await;
    until(PATIENT, || async { bench.file("served").ok_or("the server did not start") }).await;
    assert_eq!(bench.row(&thread).await.session, session, "the conversation goes on");
    bench.engine.shutdown().await;
}
