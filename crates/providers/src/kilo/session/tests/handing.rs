//! Handing messages over, and stopping: what reaches Kilo, and in which order.

use domain::{ErrorCode, TurnId};
use kilo_sdk::MessageId;

use super::{PROMPT, ROOT, World, turn};
use crate::kilo::session::reading;
use crate::{Prompt, Session as _};

fn next() -> TurnId {
    TurnId::parse(&format!("trn_{:032x}", 2)).unwrap()
}

/// The message of the turn after the one that runs.
fn prompt() -> Prompt {
    Prompt { turn: next(), ..super::prompt() }
}

fn asked(world: &World) -> Vec<String> {
    world.seen().into_iter().map(|seen| seen.what).collect()
}

#[tokio::test]
async fn a_stop_that_comes_late_leaves_the_turn_that_runs_alone() {
    let world = World::new().await;
    world.session.send(prompt()).await.unwrap();
    assert_eq!(asked(&world), ["POST /session/ses_root/prompt_async"]);
    world.session.interrupt(&turn()).await.unwrap();
    world.session.inner.quiet(&turn()).await;
    assert_eq!(asked(&world), [""; 0], "whatever runs in the session would be stopped");
    world.session.interrupt(&next()).await.unwrap();
    assert_eq!(asked(&world), ["POST /session/ses_root/abort", "GET /session/status"]);
}

#[tokio::test]
async fn what_was_stopped_before_it_was_handed_over_never_is() {
    let world = World::new().await;
    world.session.inner.mapper().abandon();
    world.session.interrupt(&next()).await.unwrap();
    world.seen();
    let refused = world.session.send(prompt()).await.unwrap_err();
    assert_eq!((refused.code, asked(&world)), (ErrorCode::Rejected, Vec::new()));
}

#[tokio::test]
async fn what_a_stopped_turn_left_running_is_ended_before_the_next_message() {
    let world = World::new().await;
    world.session.inner.note_stop(&turn());
    world.session.inner.mapper().forget(&turn());
    world.answer_next("GET /session/status", 200, r#"{ "ses_root": { "type": "busy" } }"#);
    world.session.send(prompt()).await.unwrap();
    assert_eq!(
        asked(&world),
        [
            "GET /session/status",
            "POST /session/ses_root/abort",
            "GET /session/status",
            "GET /permission",
            "GET /question",
            "POST /session/ses_root/prompt_async",
        ]
    );
}

#[tokio::test]
async fn a_message_is_missing_only_if_its_session_is_there_without_it() {
    let world = World::new().await;
    let (instance, message) = (&world.session.inner.instance, MessageId::from(PROMPT));
    let look = || reading::is_present(instance, &world.session.inner.id, &message);
    const OF: &str = "GET /session/ses_root/message/msg_1";
    let missing = r#"{ "name": "NotFoundError", "data": {} }"#;

    // Of what shape it is is of no matter.
    world.answer_next(OF, 200, r#"{ "odd": true }"#);
    assert!(look().await.unwrap());
    world.answer_next(OF, 404, missing);
    world.answer_next("GET /session/ses_root", 200, r#"{ "id": "ses_root" }"#);
    assert!(!look().await.unwrap());
    world.answer_next(OF, 404, missing);
    world.answer_next("GET /session/ses_root", 404, missing);
    assert!(look().await.unwrap_err().is_not_found(), "{ROOT} is gone");
    world.answer_next(OF, 500, "{}");
    assert!(look().await.is_err(), "it is not known");
}
