//! The client against the real Claude Code, with a scripted model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;
use std::time::Duration;

use claude_sdk::{
    Claude, ControlError, Conversation, Frame, Frames, Incoming, Initialized, Launch, LaunchError,
    UserMessage, auth_status, launch, random_uuid,
};
use process::Host;
use serde_json::json;
use testkit::model::Script;
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::PATIENT;

const TIMEOUT: Duration = Duration::from_secs(30);

async fn sandbox() -> Sandbox {
    Sandbox::with(&[Agent::Claude]).await.expect("a sandbox with the real one")
}

fn program(sandbox: &Sandbox) -> &Path {
    sandbox.program(Agent::Claude).unwrap()
}

fn how(sandbox: &Sandbox, conversation: Conversation) -> Launch {
    let mut launch = Launch::new(program(sandbox), &sandbox.project);
    launch.conversation = conversation;
    launch.model = Some("sonnet".to_owned());
    let env = sandbox.env.iter();
    launch.env.extend(env.map(|(n, v)| (n.clone().into(), Some(v.clone().into()))));
    launch
}

async fn start(sandbox: &Sandbox, conversation: Conversation) -> (Claude, Frames, Initialized) {
    launch(&Host::default(), how(sandbox, conversation)).await.expect("a running agent")
}

/// Says something and reads until the turn's end: its last words.
async fn say(claude: &Claude, frames: &mut Frames, text: &str) -> String {
    let message = UserMessage { uuid: random_uuid().unwrap(), content: json!(text) };
    claude.send(&message).await.expect("sent");
    let read = async {
        while let Some(incoming) = frames.next().await {
            if let Incoming::Frame(Frame::Result(result)) = incoming {
                return result.result;
            }
        }
        panic!("it ended");
    };
    tokio::time::timeout(PATIENT, read).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_begun_gone_on_with_and_ended_in_order() {
    let sandbox = sandbox().await;
    let id = random_uuid().unwrap();
    let (claude, mut frames, ready) = start(&sandbox, Conversation::New(id.clone())).await;
    assert!(ready.models.iter().any(|model| model["value"] == "default"), "{ready:?}");
    let long = "x ".repeat(100_000);
    let words = format!("{long} {}", Script::new().text("Heard.").prompt("Say it."));
    assert_eq!(say(&claude, &mut frames, &words).await, "Heard.");
    let odd = claude.control(json!({ "subtype": "no_such_thing" }), TIMEOUT).await;
    assert!(matches!(odd, Err(ControlError::Refused(_))), "{odd:?}");
    let again = Script::new().text("And on.").prompt("Go on.");
    assert_eq!(say(&claude, &mut frames, &again).await, "And on.");
    let exit = claude.stop("the test is over", TIMEOUT).await.expect("an end");
    assert!(exit.status.success(), "{exit:?}");
    let late = claude.control(json!({ "subtype": "interrupt" }), TIMEOUT).await;
    assert_eq!(late, Err(ControlError::Ended));

    let resumed = Conversation::Resume { session: id.clone(), until: None };
    let (claude, mut frames, _) = start(&sandbox, resumed).await;
    let last = Script::new().text("Still here.").prompt("And now?");
    assert_eq!(say(&claude, &mut frames, &last).await, "Still here.");
    claude.stop("the test is over", TIMEOUT).await;

    let taken = launch(&Host::default(), how(&sandbox, Conversation::New(id))).await;
    let Err(LaunchError::Exited { said, failed, .. }) = taken else { panic!("it started") };
    assert!(!failed && said.join(" ").contains("already in use"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_gone_fails_its_start_and_says_so() {
    let sandbox = sandbox().await;
    let session = random_uuid().unwrap();
    let gone = Conversation::Resume { session, until: None };
    let failed = launch(&Host::default(), how(&sandbox, gone)).await;
    let Err(LaunchError::Exited { said, failed, .. }) = failed else { panic!("it started") };
    assert!(failed && said.join(" ").contains("No conversation found"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_is_asked_without_the_network() {
    let sandbox = sandbox().await;
    let env: Vec<_> =
        sandbox.env.iter().map(|(n, v)| (n.clone().into(), v.clone().into())).collect();
    let auth = auth_status(&Host::default(), program(&sandbox), sandbox.home.path(), &env).await;
    let auth = auth.expect("an answer");
    assert!(auth.logged_in, "{auth:?}");
    assert_eq!((auth.auth_method.as_str(), auth.email), ("api_key", None));
}
