//! What is chosen is what the model's provider is asked for, and the list follows the user's
//! configuration without a restart.

use domain::{ModelSelection, ThreadPatch, TurnState, UpstreamState};
use engine::EngineError;
use providers::Provider as _;
use serde_json::{Value, json};
use testkit::model::Script;
use testkit::wait::{PATIENT, until};

use crate::harness::{Bench, message};

fn selection(model: &str, option: Option<&str>) -> ModelSelection {
    ModelSelection { model: model.to_owned(), option: option.map(str::to_owned) }
}

/// Changes the models in the user's own configuration, as another terminal would.
fn reconfigure(bench: &Bench, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    let file = bench.sandbox.home.path().join(".config/kilo/kilo.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    change(config["provider"]["mock"]["models"].as_object_mut().unwrap());
    std::fs::write(&file, config.to_string()).unwrap();
}

async fn offered(bench: &Bench, model: &str, wanted: bool) {
    let kilo = domain::ProviderId::known("kilo");
    until(PATIENT, || async {
        let list = bench.engine.models(&kilo).unwrap();
        let there = list.models.iter().any(|m| m.id == model);
        if there == wanted { Ok(()) } else { Err(list.models.len()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_in_another_terminal_shows_while_kilo_runs_and_stops_nothing() {
    let both = json!({ "enabled_providers": ["mock", "groq"] });
    let bench = Bench::start_with_config(&both).await;
    let kilo = domain::ProviderId::known("kilo");
    let mut settings = bench.kilo.status().borrow().settings.clone();
    settings.custom_models = vec!["groq/no-such-model".to_owned()];
    bench.engine.configure_provider(&kilo, settings).await.unwrap();
    let becomes = async |wanted: UpstreamState| {
        until(PATIENT, || async {
            let list = bench.engine.models(&kilo).unwrap();
            let groq = list.upstreams.into_iter().find(|upstream| upstream.id == "groq");
            let there = list.models.iter().any(|m| m.group == "Groq" && m.unverified.is_none());
            let is = groq.as_ref().is_some_and(|groq| groq.state == wanted);
            let fits = is && there == (wanted == UpstreamState::Connected);
            if fits { Ok(()) } else { Err(groq) }
        })
        .await;
    };
    becomes(UpstreamState::SignedOut).await;
    let thread = bench.thread().await;
    let turn = bench.send(&thread, &Script::new().text("Still").wait("gate").text(" here.")).await;
    bench.reached("gate").await;
    let pid = bench.kilo.server_pid().await;
    let file = bench.sandbox.home.path().join(".local/share/kilo/auth.json");
    let key = json!({ "groq": { "type": "api", "key": "not a real one" } });
    std::fs::write(&file, key.to_string()).unwrap();
    becomes(UpstreamState::Connected).await;
    bench.sandbox.model.release("gate");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    std::fs::remove_file(&file).unwrap();
    becomes(UpstreamState::SignedOut).await;
    assert_eq!(bench.kilo.server_pid().await, pid, "it is the same server");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_sent_as_chosen_and_come_and_go_with_the_configuration() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("before")).await;
    let deep = json!({ "name": "Deep", "tool_call": true });
    reconfigure(&bench, |models| {
        models.insert("org/team/deep:free".to_owned(), deep);
        models.remove("m-vision");
    });
    offered(&bench, "mock/org/team/deep:free", true).await;
    offered(&bench, "mock/m-vision", false).await;

    for (model, option, seen, effort) in [
        ("mock/m2", Some("high"), "m2", Some("high")),
        ("mock/vendor/name:free", None, "vendor/name:free", None),
        ("mock/org/team/deep:free", None, "org/team/deep:free", None),
    ] {
        let patch = ThreadPatch { model: Some(selection(model, option)), ..Default::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
        let words = format!("an answer of {seen}");
        let turn = bench.run(&thread, &Script::new().text(&words)).await;
        assert_eq!(turn.state, TurnState::Completed, "{turn:?}");
        let calls = bench.sandbox.model.calls_with(&words);
        let call = calls.last().expect("a call of the model");
        assert_eq!((call.model.as_str(), call.reasoning_effort.as_deref()), (seen, effort));
    }

    // Two that a person names are checked when they are saved, and the one that Kilo does not
    // have fails its turn with the reason.
    let kilo = domain::ProviderId::known("kilo");
    let mut settings = bench.kilo.status().borrow().settings.clone();
    settings.custom_models = vec!["mock/m2".to_owned(), "mock/unheard-of".to_owned()];
    bench.engine.configure_provider(&kilo, settings.clone()).await.unwrap();
    let doubts = || {
        let list = bench.engine.models(&kilo).unwrap().models;
        let doubt = |id| list.iter().find(|m| m.id == id).map(|m| m.unverified.clone());
        (doubt("mock/m2"), doubt("mock/unheard-of"))
    };
    let (listed, unheard) = doubts();
    assert_eq!(listed, Some(None), "what Kilo lists is not in doubt");
    let why = unheard.flatten().expect("offered, with the reason for the doubt");
    let patch =
        ThreadPatch { model: Some(selection("mock/unheard-of", None)), ..Default::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("never")).await;
    let hint = turn.error.as_ref().and_then(|error| error.hint.clone());
    assert!(hint.is_some_and(|hint| hint.contains(&why)), "{turn:?}");
    settings.custom_models.clear();
    bench.engine.configure_provider(&kilo, settings).await.unwrap();
    assert_eq!(doubts(), (Some(None), None), "it went with the setting");

    reconfigure(&bench, |models| drop(models.remove("org/team/deep:free")));
    offered(&bench, "mock/org/team/deep:free", false).await;
    let refused = bench.engine.send(&thread, message("gone")).await;
    assert!(matches!(refused, Err(EngineError::UnknownModel { .. })), "{refused:?}");
}
