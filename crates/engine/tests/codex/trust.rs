//! What a project's own configuration would start is started only where a person trusts it.

use domain::TurnState;
use testkit::model::Script;
use testkit::wait::{PATIENT, until_true};

use crate::harness::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_project_s_own_servers_start_once_it_is_trusted_and_not_before() {
    let bench = Bench::start().await;
    let marker = bench.sandbox.home.path().join("started");
    let config = format!(
        "[mcp_servers.theirs]\ncommand = \"/bin/sh\"\nargs = [\"-c\", \"touch {}; cat\"]\n",
        marker.display()
    );
    std::fs::create_dir(bench.sandbox.project.join(".codex")).unwrap();
    std::fs::write(bench.sandbox.project.join(".codex/config.toml"), config).unwrap();
    let thread = bench.thread().await;
    let project = bench.row(&thread).await.project_id;
    let (looked, startup) = bench.engine.trust(&project).await.unwrap();
    assert!(!looked.is_trusted() && startup.acts.iter().any(|act| act.detail.contains("touch")));
    let turn = bench.run(&thread, &Script::new().text("ok")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(!marker.exists(), "it was started unasked");
    assert!(!bench.config().contains("trust_level"));

    bench.engine.decide_trust(&project, true, startup.fingerprint).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("ok")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    // A new session goes by it in any case; the one that is open as far as Codex reads it anew.
    let other = bench.thread().await;
    bench.run(&other, &Script::new().text("ok")).await;
    until_true(PATIENT, || marker.exists()).await;
    assert!(!bench.config().contains("trust_level"));
    bench.engine.shutdown().await;
}
