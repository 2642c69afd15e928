//! Rules of permissions in settings: those that allow do not count, those that forbid do.

use domain::{
    Access, AgentEvent, Answer, Decision, Item, ItemContent, ItemStatus, ModelSelection,
    ThreadPatch, TurnEvent, TurnOutcome, TurnState,
};
use providers::{OpenSession, Opened, Provider as _};
use serde_json::{Value, json};
use testkit::model::Script;
use testkit::wait::PATIENT;
use uuid::Uuid;

use crate::access::wrong;
use crate::harness::{Bench, said};
use crate::lookup::{outcome, prompt, request};

fn everything() -> Value {
    json!({ "allow": ["Bash", "Write", "Edit", "Read", "Bash(touch:*)"] })
}

/// Writes a person's own rules.
fn own(bench: &Bench, rules: &Value) {
    let file = bench.sandbox.home.path().join(".claude/settings.json");
    std::fs::write(file, json!({ "permissions": rules }).to_string()).unwrap();
}

/// Writes the project's rules.
fn project(bench: &Bench, file: &str, rules: &Value) {
    let dir = bench.sandbox.project.join(".claude");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(file), json!({ "permissions": rules }).to_string()).unwrap();
}

fn bash(command: &str) -> Value {
    json!({ "command": command, "description": "Do it" })
}

/// Runs a tool in a thread that may do everything; whether it was refused by a rule.
async fn is_denied(bench: &Bench, thread: &domain::ThreadId, tool: &str, args: Value) -> bool {
    let script = Script::new().tool(tool, args).step().text("Done.");
    let turn = bench.run(thread, &script).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(thread).await;
    let of_turn = |i: &&Item| i.turn_id == turn.id;
    let is_call =
        |i: &&Item| matches!(i.content, ItemContent::Command { .. } | ItemContent::Read { .. });
    let call = window.items.iter().filter(of_turn).find(is_call).expect("a call");
    // Files that may not be read are refused before it is looked at who may allow what.
    matches!(call.status, ItemStatus::Declined | ItemStatus::Failed)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_s_own_settings_allow_is_asked_about_all_the_same() {
    let bench = Bench::start().await;
    own(&bench, &everything());
    for access in [Access::Supervised, Access::AutoEdit] {
        let wrong = wrong(&bench, access).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    assert!(bench.claude.status().borrow().problems.is_empty(), "there is nothing to warn of");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trusted_project_s_settings_allow_is_asked_about_all_the_same() {
    let bench = Bench::start().await;
    project(&bench, "settings.json", &everything());
    project(&bench, "settings.local.json", &everything());
    let thread = bench.thread().await;
    let id = bench.row(&thread).await.project_id;
    let (shown, _) = bench.engine.trust(&id).await.unwrap();
    bench.engine.decide_trust(&id, true, shown.fingerprint).await.unwrap();
    let wrong = wrong(&bench, Access::Supervised).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_settings_forbid_is_forbidden_and_follows_them() {
    let bench = Bench::start().await;
    let private = bench.sandbox.home.path().join(".claude/private");
    std::fs::create_dir_all(&private).unwrap();
    std::fs::write(private.join("key"), "marmalade").unwrap();
    let deny = json!(["Bash(git status:*)", "Read(/private/**)", "Bash("]);
    own(&bench, &json!({ "deny": deny, "ask": ["Bash(ls:*)"], "allow": ["Bash"] }));
    let thread = bench.thread_with(Access::Full).await;
    let read = json!({ "file_path": private.join("key") });
    assert!(is_denied(&bench, &thread, "Read", read).await, "a path from the settings' directory");
    assert!(is_denied(&bench, &thread, "Bash", bash("git status")).await);
    assert!(!is_denied(&bench, &thread, "Bash", bash("git log")).await);
    // What is forbidden meanwhile is so from the next message on.
    own(&bench, &json!({ "deny": ["Bash(touch:*)"] }));
    assert!(is_denied(&bench, &thread, "Bash", bash("touch no.txt")).await);
    assert_eq!(bench.file("no.txt"), None);
    assert!(!is_denied(&bench, &thread, "Bash", bash("git status")).await);
    // What settings want to be asked about is asked about where nothing else would.
    own(&bench, &json!({ "ask": ["Bash(ls:*)"] }));
    bench.set_access(&thread, Access::Supervised).await;
    let turn = bench.send(&thread, &Script::new().tool("Bash", bash("ls"))).await;
    let request = bench.asked(&thread).await;
    bench.decide(&request, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_for_the_session_holds_when_the_effort_changes() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let choose = |option: &str| ThreadPatch {
        model: Some(ModelSelection {
            model: "default".to_owned(),
            option: Some(option.to_owned()),
        }),
        ..ThreadPatch::default()
    };
    bench.engine.patch_thread(&thread, choose("low")).await.unwrap();
    let script = || Script::new().tool("Bash", bash("touch n.txt")).step().text("Done.");
    let turn = bench.send(&thread, &script()).await;
    let request = bench.asked(&thread).await;
    bench.decide(&request, Decision::Session).await;
    bench.ended(&thread, &turn).await;
    for option in ["high", "low"] {
        bench.engine.patch_thread(&thread, choose(option)).await.unwrap();
        let turn = bench.run(&thread, &script()).await;
        assert_eq!(turn.state, TurnState::Completed, "it is not asked about again");
    }
    assert_eq!(said(&bench.window(&thread).await), ["Done."; 3]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_for_the_session_holds_after_it_was_closed() {
    let bench = Bench::start().await;
    let open = |session| OpenSession { access: Access::Supervised, ..request(&bench, session) };
    let script = |file: &str| {
        let write = json!({ "file_path": bench.sandbox.project.join(file), "content": "x" });
        let script = Script::new().tool("Bash", bash("touch n.txt")).step();
        script.tool("Write", write).step().text("Done.")
    };
    let Opened { session, mut events, .. } = bench.claude.open(open(None)).await.expect("one");
    let first = prompt(session.as_ref(), &script("a.txt"));
    session.send(first.clone()).await.expect("sent");
    let mut asked = 0;
    loop {
        let event = tokio::time::timeout(PATIENT, events.recv()).await.expect("in time");
        match event.expect("a session") {
            AgentEvent::Turn { event: TurnEvent::Asked(new), .. } => {
                asked += 1;
                let request = domain::Request {
                    id: domain::RequestId::from_uuid(Uuid::now_v7()),
                    thread_id: domain::ThreadId::from_uuid(Uuid::now_v7()),
                    turn_id: first.turn.clone(),
                    item_id: None,
                    key: new.key,
                    from: None,
                    body: new.body,
                    state: domain::RequestState::Open { problem: None },
                    created_at: 0,
                    closed_at: None,
                };
                let answer = Answer::Approval { decision: Decision::Session, message: None };
                session.answer(&request, &answer).await.expect("taken");
            }
            AgentEvent::Turn { event: TurnEvent::Ended(outcome), .. } => {
                assert_eq!(outcome, TurnOutcome::Completed);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(asked, 2);
    let id = session.id();
    session.close().await;

    let Opened { session, mut events, .. } =
        bench.claude.open(open(Some(id))).await.expect("the session");
    session.send(prompt(session.as_ref(), &script("b.txt"))).await.expect("sent");
    // It would wait for an answer that nobody gives.
    assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    assert!(bench.file("b.txt").is_some());
    session.close().await;
    bench.engine.shutdown().await;
}
