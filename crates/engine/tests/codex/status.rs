//! What is said of Codex on this machine, and what of it that cannot be used.

use domain::{ProviderSettings, ProviderState, TurnState};
use engine::EngineError;
use providers::Provider as _;
use testkit::model::Script;

use crate::driver::message;
use crate::harness::{Bench, program};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_is_told_with_what_mends_it() {
    let bench = Bench::start().await;
    let status = bench.codex.status().borrow().clone();
    assert_eq!((status.state, status.version.as_deref()), (ProviderState::Ready, Some("0.169.0")));
    assert!(status.models > 0 && status.running && status.fix.is_none(), "{status:?}");

    let dir = tempfile::tempdir().unwrap();
    let (none, other) = (dir.path().join("none"), dir.path().join("codex"));
    for (said, state) in [
        (None, ProviderState::NotInstalled),
        (Some("echo 'Codex, of another kind'"), ProviderState::WrongProgram),
        (Some("echo codex-cli 0.20.0"), ProviderState::TooOld),
        (Some("echo no such library >&2; exit 127"), ProviderState::Broken),
    ] {
        let binary = match said {
            Some(script) => program(&other, script),
            None => none.clone(),
        };
        let binary = Some(binary.to_string_lossy().into_owned());
        bench.codex.configure(ProviderSettings { binary, ..ProviderSettings::default() }).await;
        let status = bench.codex.status().borrow().clone();
        assert_eq!(status.state, state, "{status:?}");
        assert!(status.message.contains("settings"), "{status:?}");
    }
    // A message says so too, and is not taken.
    let thread = bench.thread().await;
    let refused = bench.engine.send(&thread, message("Hello.")).await;
    assert!(matches!(refused, Err(EngineError::ProviderUnavailable { .. })), "{refused:?}");

    let off = ProviderSettings { enabled: false, ..ProviderSettings::default() };
    bench.codex.configure(off).await;
    let status = bench.codex.status().borrow().clone();
    assert_eq!((status.state, status.running), (ProviderState::Disabled, false));
    assert_eq!(bench.codex.server_pid().await, None);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_is_told_or_how_to() {
    let bench = Bench::start().await;
    // Without a provider of one's own Codex wants an account.
    std::fs::write(bench.codex_home().join("config.toml"), "").unwrap();
    bench.codex.restart(true).await.unwrap();
    let status = bench.codex.status().borrow().clone();
    assert_eq!(status.state, ProviderState::SignedOut, "{status:?}");
    assert_eq!(status.fix.as_deref(), Some("codex login"));
    let key = r#"{"OPENAI_API_KEY":"sk-none"}"#;
    std::fs::write(bench.codex_home().join("auth.json"), key).unwrap();
    bench.codex.restart(true).await.unwrap();
    let status = bench.codex.status().borrow().clone();
    assert_eq!(status.state, ProviderState::Ready, "{status:?}");
    assert!(status.message.contains("API key"), "{status:?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_broken_is_told_and_fails_the_turn() {
    let bench = Bench::start().await;
    std::fs::write(bench.codex_home().join("config.toml"), "model = [").unwrap();
    bench.codex.restart(true).await.unwrap();
    let thread = bench.thread().await;
    let turn = bench.run(&thread, &Script::new().text("no")).await;
    assert_eq!(turn.state, TurnState::Failed);
    let error = turn.error.expect("an error");
    assert!(error.message.contains("config.toml") && error.hint.is_some(), "{error:?}");
    let status = bench.codex.status().borrow().clone();
    assert!(status.problems.iter().any(|p| p.message.contains("config.toml")), "{status:?}");
    bench.engine.shutdown().await;
}
