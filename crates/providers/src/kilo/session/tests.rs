//! What a session asks of Kilo, before a server that a test plays.

use std::sync::Arc;

use domain::{Access, Answer, Decision, Mode, ModelSelection, PlanDecision, TurnId};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::super::router::{Fault, Generation, Router};
use super::Known;
use crate::{AnswerError, Prompt, Session};

use world::{PROMPT, ROOT, Seen, World};

mod handing;
mod world;

fn turn() -> TurnId {
    TurnId::parse(&format!("trn_{:032x}", 1)).unwrap()
}

/// The message after the first.
fn prompt() -> Prompt {
    Prompt {
        kind: domain::InputKind::Message,
        turn: turn(),
        key: "msg_2".to_owned(),
        text: "go on".to_owned(),
        attachments: Vec::new(),
        model: ModelSelection { model: "mock/m1".to_owned(), option: None },
        mode: Mode::Build,
    }
}

fn decide(decision: Decision) -> Answer {
    Answer::Approval { decision, message: None }
}

fn seen(what: &str, directory: &str, body: Value) -> Seen {
    Seen { what: what.to_owned(), directory: directory.to_owned(), body }
}

#[tokio::test]
async fn an_answer_goes_to_the_directory_that_asked() {
    let world = World::new().await;
    let here = world.permission("/repo", "per_1", ROOT);
    let child = json!({ "id": "ses_child", "parentID": ROOT, "directory": "/worktree" });
    world.event("/worktree", "session.created", &json!({ "sessionID": "x", "info": child }));
    let there = world.permission("/worktree", "per_2", "ses_child");
    world.answer(&here, &decide(Decision::Once)).await.unwrap();
    world.answer(&there, &decide(Decision::Session)).await.unwrap();
    let rule = json!({ "permission": "bash", "pattern": "ls *", "action": "allow" });
    assert_eq!(
        world.seen(),
        [
            seen("POST /permission/per_1/reply", "/repo", json!({ "reply": "once" })),
            seen("PATCH /session/ses_child", "/worktree", json!({ "permission": [rule] })),
            seen("POST /permission/per_2/reply", "/worktree", json!({ "reply": "once" })),
        ]
    );
    // Kilo's own question says `global`, which is no directory.
    let plan = world.asked("global", "question.asked", &plan("que_1"));
    let refine = Answer::Plan { decision: PlanDecision::Refine, message: Some("shorter".into()) };
    world.answer(&plan, &refine).await.unwrap();
    let said = json!({ "answers": [["shorter"]] });
    assert_eq!(world.seen(), [seen("POST /question/que_1/reply", "/repo", said)]);
}

fn plan(id: &str) -> Value {
    let option = |key: &str, label: &str| json!({ "label": label, "labelKey": format!("plan.followup.answer.{key}") });
    json!({ "id": id, "sessionID": ROOT, "questions": [{
        "question": "Ready?", "questionKey": "plan.followup.question",
        "options": [option("newSession", "Neu"), option("continue", "Weiter"),
            option("keepRefining", "Nein")] }] })
}

#[tokio::test]
async fn a_plan_is_answered_in_kilos_words_and_never_with_a_session_of_its_own() {
    let world = World::new().await;
    let answers = [
        (PlanDecision::Accept, Some(json!([["Weiter"]]))),
        (PlanDecision::Refine, Some(json!([["Nein"]]))),
        (PlanDecision::AcceptInNewThread, None),
        (PlanDecision::Dismiss, None),
    ];
    for (decision, said) in answers {
        let request = world.asked("global", "question.asked", &plan("que_1"));
        world.answer(&request, &Answer::Plan { decision, message: None }).await.unwrap();
        let what = match &said {
            Some(answers) => {
                seen("POST /question/que_1/reply", "/repo", json!({ "answers": answers }))
            }
            None => seen("POST /question/que_1/reject", "/repo", Value::Null),
        };
        assert_eq!(world.seen(), [what]);
        let replied = json!({ "sessionID": ROOT, "requestID": "que_1" });
        world.event("global", "question.replied", &replied);
    }
}

#[tokio::test]
async fn labels_too_long_to_be_shown_are_sent_whole() {
    let world = World::new().await;
    let long = format!("{} end", "word ".repeat(2000));
    let ask = json!({ "id": "que_1", "sessionID": ROOT, "questions": [
        { "question": "Which?", "options": [{ "label": "short" }, { "label": long }] },
        { "question": "And?", "options": [] },
    ] });
    let request = world.asked("/repo", "question.asked", &ask);
    let domain::RequestBody::Question { questions } = &request.body else { panic!() };
    let shown = questions[0].options[1].label.clone();
    assert!(shown.len() < long.len());
    let answers = vec![vec![shown], vec!["own words".to_owned()]];
    world.answer(&request, &Answer::Question { answers }).await.unwrap();
    assert_eq!(world.seen()[0].body, json!({ "answers": [[long], ["own words"]] }));
}

#[tokio::test]
async fn a_failed_answer_says_so_and_can_be_given_again_and_one_that_is_gone_says_that() {
    let world = World::new().await;
    let request = world.permission("/repo", "per_1", ROOT);
    world.answer_next("POST /permission", 500, r#"{"name":"UnknownError","data":{}}"#);
    let failed = world.answer(&request, &decide(Decision::Once)).await;
    assert!(matches!(failed, Err(AnswerError::Failed(_))), "{failed:?}");
    world.answer(&request, &decide(Decision::Once)).await.unwrap();
    let request = world.permission("/repo", "per_2", ROOT);
    world.answer_next("POST /permission", 404, r#"{"_tag":"PermissionNotFoundError"}"#);
    let gone = world.answer(&request, &decide(Decision::Once)).await;
    assert_eq!(gone, Err(AnswerError::Gone));
    // One whose scope cannot be widened is not let through with less than was said.
    let request = world.permission("/repo", "per_3", ROOT);
    world.seen();
    world.answer_next("PATCH", 503, "{}");
    let failed = world.answer(&request, &decide(Decision::Session)).await;
    assert!(matches!(failed, Err(AnswerError::Failed(_))), "{failed:?}");
    assert!(world.seen().iter().all(|s| !s.what.contains("reply")));
}

#[tokio::test]
async fn what_a_turn_left_waiting_is_rejected_before_the_next_though_kilo_cannot_list_it() {
    let world = World::new().await;
    world.permission("/repo", "per_1", ROOT);
    world.session.inner.mapper().abandon();
    let unlisted = r#"{"name":"BadRequest","data":{"message":"undefined","kind":"Body"}}"#;
    world.answer_next("GET /permission", 400, unlisted);
    world.session.send(prompt()).await.unwrap();
    let asked: Vec<String> = world.seen().into_iter().map(|seen| seen.what).collect();
    assert_eq!(
        asked,
        [
            "GET /session/status",
            "POST /permission/per_1/reply",
            "GET /permission",
            "GET /question",
            "POST /session/ses_root/prompt_async",
        ]
    );
}

#[tokio::test]
async fn what_a_turn_left_waiting_is_rejected_at_once_and_never_beside_another_turn() {
    let world = World::new().await;
    world.permission("/repo", "per_1", ROOT);
    world.session.inner.mapper().abandon();
    world.session.inner.tidy().await;
    world.session.inner.tidy().await;
    let rejected = json!({ "reply": "reject" });
    assert_eq!(world.seen(), [seen("POST /permission/per_1/reply", "/repo", rejected)]);
    // A stale one that is rejected while another turn runs would take that one's with it.
    let world = World::new().await;
    world.permission("/repo", "per_1", ROOT);
    let next = TurnId::parse(&format!("trn_{:032x}", 2)).unwrap();
    world.session.inner.mapper().begin(next, "msg_2".into(), domain::InputKind::Message, None);
    world.session.inner.tidy().await;
    assert_eq!(world.seen(), []);
}

/// The rules a session was given last for what runs commands.
fn commands_last(seen: &[Seen]) -> Value {
    let patch = seen.iter().rev().find(|seen| seen.what.starts_with("PATCH")).expect("rules");
    let rules = patch.body["permission"].as_array().unwrap();
    let bash = rules.iter().rev().find(|rule| rule["permission"] == "bash").expect("of commands");
    bash["action"].clone()
}

/// Full access is being put in force with a message when it is taken back; whichever of the two is
/// first, what runs asks.
#[tokio::test]
async fn access_that_is_lowered_while_a_message_is_handed_over_is_lower_afterwards() {
    for late in [true, false] {
        let world = Arc::new(World::new().await);
        world.session.inner.mapper().abandon();
        world.session.want(Access::Full, Mode::Build);
        let held = world.hold("PATCH");
        let first = world.clone();
        let first = tokio::spawn(async move {
            if late {
                first.session.send(prompt()).await
            } else {
                first.session.apply_access().await
            }
        });
        world.until("PATCH", 1).await;
        world.session.want(Access::Supervised, Mode::Build);
        let second = world.clone();
        let second = tokio::spawn(async move {
            if late {
                second.session.apply_access().await
            } else {
                second.session.send(prompt()).await
            }
        });
        held.notify_one();
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();

        let seen = world.seen();
        assert_eq!(commands_last(&seen), "ask", "{seen:?}");
        let rules = seen.iter().rposition(|seen| seen.what.starts_with("PATCH"));
        let handed = seen.iter().position(|seen| seen.what.ends_with("prompt_async"));
        assert!(rules < handed, "the agent works by the old rules for a while: {seen:?}");
        // And Baton allows nothing by itself.
        world.permission("/repo", "per_1", ROOT);
        assert_eq!(world.seen(), []);
    }
}

#[tokio::test]
async fn a_change_of_access_that_is_tried_again_applies_what_is_wanted_by_then() {
    let world = World::new().await;
    world.session.want(Access::Full, Mode::Plan);
    world.answer_next("PATCH", 503, "{}");
    world.session.apply_access().await.unwrap_err();
    world.session.want(Access::Supervised, Mode::Plan);
    world.session.apply_access().await.unwrap();
    world.seen();
    // The retry of the first.
    world.session.apply_access().await.unwrap();
    assert_eq!(world.seen(), []);
    assert_eq!(
        world.session.inner.gate.lock().await.applied,
        Some((Access::Supervised, Mode::Plan))
    );
}

#[tokio::test]
async fn a_message_that_is_being_handed_over_is_use_of_its_session() {
    let world = Arc::new(World::new().await);
    world.session.inner.mapper().abandon();
    let (task, mut events) = world.run();
    assert_eq!(world.router.turns(world.generation), 0);
    world.session.want(Access::Full, Mode::Build);
    let held = world.hold("PATCH");
    let sender = world.clone();
    let sending = tokio::spawn(async move { sender.session.send(prompt()).await });
    world.until("PATCH", 1).await;

    assert_eq!(world.router.turns(world.generation), 1);
    assert!(world.session.inner.hold().is_none(), "its directory could be disposed of");
    // The session of a program that was changed in the settings rests, unless it is in use.
    world.router.rest(world.generation);
    world.caught_up(&mut events).await;
    held.notify_one();
    sending.await.unwrap().unwrap();
    assert!(world.seen().iter().any(|seen| seen.what.ends_with("prompt_async")));

    world.session.inner.mapper().abandon();
    world.router.rest(world.generation);
    task.await.unwrap();
    let refused = world.session.send(prompt()).await.unwrap_err();
    assert_eq!(refused.code, domain::ErrorCode::AgentDied);
    assert_eq!(world.seen(), [], "nobody would hear of it");
}

#[tokio::test]
async fn a_message_waits_while_what_its_session_lives_on_is_made_anew() {
    let world = World::new().await;
    world.session.inner.mapper().abandon();
    let held = world.session.inner.hold().unwrap();
    let mut send = world.session.send(prompt());
    assert!((&mut send).now_or_never().is_none(), "it was handed over");
    assert_eq!(world.seen(), []);
    drop(held);
    send.await.unwrap();
    assert!(world.seen().iter().any(|seen| seen.what.ends_with("prompt_async")));
}

#[tokio::test]
async fn what_stops_a_turn_that_began_late_never_hits_the_next() {
    let world = Arc::new(World::new().await);
    let (_task, mut events) = world.run();
    world.session.inner.note_stop(&turn());
    world.session.inner.mapper().abandon();
    let late = json!({ "sessionID": ROOT });
    world.told("session.turn.open", &late);
    world.until("POST /session/ses_root/abort", 1).await;
    world.seen();

    // This one is told while the next message is handed over.
    let next = TurnId::parse(&format!("trn_{:032x}", 2)).unwrap();
    let next = Prompt { turn: next, ..prompt() };
    world.session.want(Access::Full, Mode::Build);
    let held = world.hold("PATCH");
    let sender = world.clone();
    let sending = tokio::spawn(async move { sender.session.send(next).await });
    world.until("PATCH", 1).await;
    world.told("session.turn.open", &late);
    world.caught_up(&mut events).await;
    held.notify_one();
    sending.await.unwrap().unwrap();
    // Whoever waits for the gate has had it before this.
    drop(world.session.inner.gate.lock().await);
    let aborted = world.seen().into_iter().any(|seen| seen.what.ends_with("/abort"));
    assert!(!aborted);
}

#[tokio::test]
async fn after_something_was_missed_no_end_is_believed_before_the_session_is_read() {
    let down_for_a_moment = |router: &Router, generation| {
        // Both before the session's task looks.
        router.link(generation, Fault::Broken, true);
        router.link(generation, Fault::Broken, false);
    };
    let missed: [fn(&Router, Generation); 2] = [down_for_a_moment, Router::missed];
    for miss in missed {
        let world = World::new().await;
        let (_task, mut events) = world.run();
        world.told("session.turn.open", &json!({ "sessionID": ROOT }));
        world.caught_up(&mut events).await;
        world.answer_next("GET /session/status", 503, "{}");
        world.answer_next("GET /session/status", 503, "{}");
        miss(&world.router, world.generation);
        world.until("GET /session/status", 1).await;
        world.told("session.turn.close", &json!({ "sessionID": ROOT, "reason": "completed" }));
        world.until("GET /session/status", 2).await;
        world.caught_up(&mut events).await;
        assert!(world.session.inner.is_running());
    }
}

#[tokio::test]
async fn what_cannot_be_answered_says_so_and_stays() {
    let world = World::new().await;
    let ask = json!({ "id": "per_1", "sessionID": ROOT, "action": "bash" });
    let request = world.asked("/repo", "permission.v2.asked", &ask);
    world.answer_next("POST /permission", 404, r#"{"_tag":"PermissionNotFoundError"}"#);
    let failed = world.answer(&request, &decide(Decision::Once)).await;
    assert!(matches!(&failed, Err(AnswerError::Failed(said)) if said.contains("in Kilo")));
}

#[tokio::test]
async fn access_that_is_lowered_while_a_command_is_looked_up_is_in_force_when_it_runs() {
    let world = Arc::new(World::new().await);
    world.session.inner.mapper().abandon();
    world.session.want(Access::Full, Mode::Build);
    world.answer_next("GET /command", 200, r#"[{"name":"x","template":"do it"}]"#);
    world.answer_next("GET /command", 200, r#"[{"name":"x","template":"do it"}]"#);
    let held = world.hold("GET /command");
    let sender = world.clone();
    let message = Prompt { text: "/x".to_owned(), ..prompt() };
    let sending = tokio::spawn(async move { sender.session.send(message).await });
    world.until("GET /command", 1).await;
    world.session.want(Access::Supervised, Mode::Build);
    held.notify_one();
    sending.await.unwrap().unwrap();
    world.until("POST /session/ses_root/command", 1).await;
    let seen = world.seen();
    let run = seen
        .iter()
        .position(|seen| seen.what.ends_with("/command") && seen.what.starts_with("POST"))
        .unwrap();
    assert_eq!(commands_last(&seen[..run]), "ask");
}

#[tokio::test]
async fn an_implied_permission_that_was_not_taken_is_given_again() {
    let world = World::new().await;
    world.session.want(Access::Full, Mode::Build);
    let (_task, _events) = world.run();
    let ask = json!({ "id": "per_1", "sessionID": ROOT, "permission": "bash", "patterns": ["ls"] });
    let listed = r#"[{"id":"per_1","sessionID":"ses_root","permission":"bash","patterns":["ls"]}]"#;
    world.answer_next("POST /permission/per_1/reply", 503, "{}");
    world.answer_next("GET /permission", 200, listed);
    world.answer_next("GET /session/status", 200, r#"{"ses_root":{"type":"busy"}}"#);
    world.told("permission.asked", &ask);
    world.until("POST /permission/per_1/reply", 2).await;
}

#[tokio::test]
async fn what_somebody_runs_elsewhere_in_a_session_is_not_stopped_by_a_message() {
    let world = World::known(Known::Resumed(Vec::new())).await;
    let busy = r#"{"ses_root":{"type":"busy"}}"#;
    for _ in 0..1000 {
        world.answer_next("GET /session/status", 200, busy);
    }
    let refused = world.session.send(prompt()).await.unwrap_err();
    assert_eq!(refused.code, domain::ErrorCode::SessionBusy);
    assert!(world.seen().iter().all(|seen| seen.what == "GET /session/status"));

    // It has finished.
    world.answers.lock().unwrap().clear();
    world.session.send(prompt()).await.unwrap();
    world.seen();
    // What was begun here is stopped before the next message.
    world.session.inner.note_stop(&turn());
    world.session.inner.mapper().abandon();
    let next = TurnId::parse(&format!("trn_{:032x}", 2)).unwrap();
    world.answer_next("GET /session/status", 200, busy);
    world.session.send(Prompt { turn: next, ..prompt() }).await.unwrap();
    assert!(world.seen().iter().any(|seen| seen.what.ends_with("/abort")));
}
