//! The client with the real Codex, without an account and without a model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use codex_sdk::types::{AccountRead, Event, EventBody, Model, Opened, Page, Thread};
use codex_sdk::{Error, Launch, LaunchError, LocateError, locate};
use process::Host;
use serde_json::json;
use testkit::agents::{self, CODEX};
use testkit::home::Home;

const GRACE: Duration = Duration::from_secs(10);

/// A launch of the real Codex in a home of its own.
fn launch(home: &Home) -> Launch {
    let installed = agents::install(&CODEX).expect("Codex");
    let mut launch = Launch::new(installed.binary, home.path());
    let env = home.env().into_iter().map(|(n, v)| (OsString::from(n), Some(OsString::from(v))));
    launch.env.extend(env);
    launch.env.push(("CODEX_HOME".into(), Some(home.path().join(".codex").into())));
    std::fs::create_dir_all(home.path().join(".codex")).unwrap();
    launch
}

#[tokio::test]
async fn it_is_found_behind_npm_s_wrapper() {
    let installed = agents::install(&CODEX).expect("Codex");
    let wrapper = installed.wrapper.expect("a wrapper");
    let found = locate(&Host::default(), Some(&wrapper), &OsString::new()).await.unwrap();
    assert_eq!(found.version.to_string(), CODEX.version);
    assert_eq!(found.found, wrapper);
    assert_eq!(found.program, installed.binary.canonicalize().unwrap());
    let none = locate(&Host::default(), None, home_without().path().as_os_str()).await;
    assert_eq!(none, Err(LocateError::NotFound { command: "codex", configured: None }));
}

fn home_without() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn it_starts_answers_and_ends_by_itself_when_its_input_is_closed() {
    let home = Home::new().unwrap();
    let (server, _incoming) = codex_sdk::launch(&Host::default(), launch(&home)).await.unwrap();
    assert_eq!(server.about().version(), CODEX.version);
    let client = server.client();
    let account: AccountRead = client.request("account/read", json!({})).await.unwrap();
    assert!(account.needs_sign_in());
    let models: Page<Model> = client.request("model/list", json!({})).await.unwrap();
    let default: Vec<_> = models.data.iter().filter(|model| model.is_default).collect();
    assert_eq!(default.len(), 1);
    assert!(!default[0].supported_reasoning_efforts.is_empty() && !default[0].id.is_empty());
    let refused = client.ask("no/such/method", json!({})).await;
    assert!(matches!(&refused, Err(Error::Refused(e)) if e.message.len() < 2_100), "{refused:?}");

    let params = json!({ "cwd": home.path(), "sandbox": "read-only" });
    let opened: Opened = client.request("thread/start", params).await.unwrap();
    assert!(!opened.thread.id.is_empty() && !opened.model.is_empty());
    // Nothing of it is stored before its first turn.
    let listed: Page<Thread> =
        client.request("thread/list", json!({ "cwd": home.path() })).await.unwrap();
    assert_eq!(listed.data, []);
    let exit = server.stop("the test is over", GRACE).await.unwrap();
    assert!(exit.status.success(), "{exit:?}");
    assert_eq!(server.client().ask("model/list", json!({})).await, Err(Error::Gone));
}

#[tokio::test]
async fn a_configuration_that_is_broken_is_told_and_lets_no_thread_begin() {
    let home = Home::new().unwrap();
    let launch = launch(&home);
    std::fs::write(home.path().join(".codex/config.toml"), "model = [").unwrap();
    let (server, mut incoming) = codex_sdk::launch(&Host::default(), launch).await.unwrap();
    let told = async {
        while let Some(told) = incoming.recv().await {
            let event = Event::read(told.method(), told.params().clone());
            if let EventBody::Configuration { message, path: Some(path) } = event.body {
                return (message, path);
            }
        }
        panic!("it ended")
    };
    let (message, path) = tokio::time::timeout(GRACE, told).await.unwrap();
    assert!(path.ends_with("config.toml") && message.contains("unclosed array"), "{message}");
    let params = json!({ "cwd": home.path() });
    let refused = server.client().ask("thread/start", params).await;
    assert!(matches!(&refused, Err(Error::Refused(_))), "{refused:?}");
    server.stop("the test is over", GRACE).await;
}

#[tokio::test]
async fn what_ends_instead_of_shaking_hands_is_told_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("codex");
    std::fs::write(&program, "#!/bin/sh\necho no such library >&2\nexit 3\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let failed = codex_sdk::launch(&Host::default(), Launch::new(&program, dir.path())).await;
    let Err(LaunchError::Exited { exit }) = failed else { panic!("{failed:?}") };
    assert_eq!(exit.stderr, ["no such library"]);
}
