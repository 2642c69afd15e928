//! What is said of the installation, the sign-in and the models.

use domain::{ProviderSettings, ProviderState};
use providers::Provider;
use providers::claude::{Claude, ClaudeConfig};
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::PATIENT;

fn claude(sandbox: &Sandbox, path: &std::path::Path, key: bool) -> Claude {
    let env = sandbox.env.iter().filter(|(name, _)| key || name != "ANTHROPIC_API_KEY");
    Claude::new(ClaudeConfig {
        host: process::Host::default(),
        path: path.into(),
        cwd: sandbox.home.path().to_owned(),
        home: sandbox.home.path().to_owned(),
        config_dir: None,
        env: env.map(|(n, v)| (n.clone().into(), v.clone().into())).collect(),
        quiet: true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_is_told_with_what_mends_it() {
    let sandbox = Sandbox::with(&[Agent::Claude]).await.expect("a sandbox");
    let nowhere = tempfile::tempdir().unwrap();
    let none = claude(&sandbox, nowhere.path(), true);
    none.configure(ProviderSettings::default()).await;
    let status = none.status().borrow().clone();
    assert_eq!(status.state, ProviderState::NotInstalled, "{status:?}");
    assert!(status.fix.is_some_and(|fix| fix.contains("@anthropic-ai/claude-code")));

    let place = sandbox.program(Agent::Claude).unwrap().parent().unwrap();
    let signed_out = claude(&sandbox, place, false);
    signed_out.configure(ProviderSettings::default()).await;
    let status = signed_out.status().borrow().clone();
    assert_eq!(status.state, ProviderState::SignedOut, "{status:?}");
    assert_eq!(status.fix.as_deref(), Some("claude auth login"));

    let ready = claude(&sandbox, place, true);
    let custom = vec!["claude-own-model".to_owned()];
    let settings = ProviderSettings { custom_models: custom, ..ProviderSettings::default() };
    ready.configure(settings.clone()).await;
    // The process that was asked for the models is ended behind the answer.
    let mut told = ready.status();
    let rests = tokio::time::timeout(PATIENT, told.wait_for(|status| !status.running));
    let status = rests.await.expect("it rests").expect("a status").clone();
    assert_eq!(status.state, ProviderState::Ready, "{status:?}");
    assert_eq!(status.version.as_deref(), Some("2.1.197"));
    assert!(status.message.contains("ANTHROPIC_API_KEY"), "{status:?}");
    let inventory = ready.inventory().borrow().clone();
    let model = |id: &str| inventory.models.iter().find(|model| model.id == id);
    assert!(model("default").is_some_and(|m| m.default && m.options.contains(&"high".to_owned())));
    assert!(model("haiku").is_some_and(|m| m.options.is_empty()), "{inventory:#?}");
    assert!(model("claude-own-model").is_some_and(|m| m.custom && m.unverified.is_some()));

    ready.configure(ProviderSettings { enabled: false, ..settings }).await;
    assert_eq!(ready.status().borrow().state, ProviderState::Disabled);
    ready.shutdown().await;
}
