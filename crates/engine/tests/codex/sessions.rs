//! Whole sessions: those made in Codex itself, forks, going back, names, deletions.

use domain::{
    Access, Delivery, ItemContent, ProviderId, ThreadId, ThreadPatch, TurnOrigin, TurnState,
};
use engine::ContinueSession;
use providers::SessionQuery;
use testkit::model::Script;
use testkit::sandbox::Agent;
use uuid::Uuid;

use crate::driver::message;
use crate::harness::{Bench, said};

/// A conversation made, or gone on with, with Codex's own command line.
async fn in_terminal(bench: &Bench, session: Option<&str>, prompt: &str) {
    let program = bench.sandbox.program(Agent::Codex).expect("Codex");
    let mut spec = process::Spec::new(program)
        .args(["exec", "--skip-git-repo-check"])
        .args(session.into_iter().flat_map(|session| ["resume", session]))
        .arg(prompt)
        .cwd(&bench.sandbox.project);
    for (name, value) in &bench.sandbox.env {
        spec = spec.env(name, value);
    }
    let host = process::Host::default();
    let ran = host.run(spec, testkit::wait::PATIENT, 1 << 20).await.expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

async fn listed(bench: &Bench) -> Vec<domain::NativeSession> {
    let project = bench.row(&bench.thread().await).await.project_id;
    let query = SessionQuery { limit: 20, ..SessionQuery::default() };
    bench.engine.sessions(&project, &ProviderId::known("codex"), query).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_of_the_command_line_is_listed_and_goes_on_with_its_history() {
    let bench = Bench::start().await;
    in_terminal(&bench, None, &Script::new().text("The word is heron.").prompt("Say a word."))
        .await;
    let sessions = listed(&bench).await;
    let [session] = sessions.as_slice() else { panic!("{sessions:?}") };
    assert!(session.title.contains("Say a word."), "{session:?}");
    assert!(session.thread.is_none() && session.created_at > 0);
    let project = bench.row(&bench.thread().await).await.project_id;
    let new = ContinueSession {
        id: ThreadId::from_uuid(Uuid::now_v7()),
        project_id: project,
        provider: ProviderId::known("codex"),
        session: session.id.clone(),
        access: Access::Supervised,
        anyway: false,
    };
    let thread = bench.engine.continue_session(new.clone()).await.unwrap().id;
    let again = ContinueSession { id: ThreadId::from_uuid(Uuid::now_v7()), ..new };
    assert_eq!(bench.engine.continue_session(again).await.unwrap().id, thread);
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["The word is heron."]);
    assert_eq!(window.turns.len(), 1);
    let turn = &window.turns[0];
    assert_eq!((turn.origin, turn.state), (TurnOrigin::Elsewhere, TurnState::Completed));
    assert!(turn.input.text.head.contains("Say a word."));

    let patch = ThreadPatch { model: Some(bench.model.clone()), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let turn = bench.say(&thread, &Script::new().text("Going on.").prompt("marker-1")).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.row(&thread).await.session.as_ref(), Some(&session.id));
    assert!(bench.sandbox.model.calls_with("marker-1")[0].mentions("heron"));
    let command = bench.engine.session_command(&thread).await.unwrap().unwrap();
    assert!(command.ends_with(&format!(" resume {}", session.id)), "{command}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_the_command_line_meanwhile_is_taken_in_once() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("One.")).await;
    let session = bench.row(&thread).await.session.unwrap();
    bench.restart().await;
    // One writer: Baton's Codex does not have it open now.
    let prompt = Script::new().text("Two, elsewhere.").prompt("More, please.");
    in_terminal(&bench, Some(&session), &prompt).await;
    let turn = bench.run(&thread, &Script::new().text("Three.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["One.", "Two, elsewhere.", "Three."]);
    bench.restart().await;
    bench.run(&thread, &Script::new().text("Four.")).await;
    assert_eq!(bench.window(&thread).await.turns.len(), 4);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_knows_what_was_said_before_it_and_nothing_after() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let first = bench.run(&thread, &Script::new().text("The word is heron.")).await;
    bench.run(&thread, &Script::new().text("The number is 42.")).await;
    let id = ThreadId::from_uuid(Uuid::now_v7());
    let fork = bench.engine.fork_thread(&thread, &first.id, id.clone()).await.unwrap();
    assert_ne!(fork.session, bench.row(&thread).await.session);
    assert_eq!(said(&bench.window(&id).await), ["The word is heron."]);
    let turn = bench.say(&id, &Script::new().text("Forked.").prompt("marker-fork")).await;
    let turn = bench.ended(&id, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let call = &bench.sandbox.model.calls_with("marker-fork")[0];
    assert!(call.mentions("heron") && !call.mentions("42"));
    // The first goes on untouched.
    let turn = bench.run(&thread, &Script::new().text("Still here.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_holds_from_the_next_message_and_can_be_undone_before() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("The word is heron.")).await;
    let second = bench.run(&thread, &Script::new().text("The number is 42.")).await;
    bench.engine.go_back(&thread, &second.id).await.unwrap();
    bench.engine.bring_back(&thread).await.unwrap();
    let turn = bench.say(&thread, &Script::new().text("ok").prompt("marker-kept")).await;
    let kept = bench.ended(&thread, &turn).await;
    assert!(bench.sandbox.model.calls_with("marker-kept")[0].mentions("42"));

    bench.engine.go_back(&thread, &kept.id).await.unwrap();
    bench.engine.go_back(&thread, &second.id).await.unwrap();
    let turn = bench.say(&thread, &Script::new().text("Anew.").prompt("marker-back")).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let call = &bench.sandbox.model.calls_with("marker-back")[0];
    assert!(call.mentions("heron") && !call.mentions("42"));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_named_and_deleted_with_its_session() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Hello.")).await;
    let title = Some("A name of mine".to_owned());
    let patch = ThreadPatch { title, ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    testkit::wait::until(testkit::wait::PATIENT, || async {
        let sessions = listed(&bench).await;
        let named = sessions.iter().any(|session| session.title == "A name of mine");
        if named { Ok(()) } else { Err(sessions) }
    })
    .await;
    bench.engine.delete_thread_and_session(&thread).await.unwrap();
    let left = listed(&bench).await;
    assert!(left.is_empty(), "{left:?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_is_a_turn_and_is_not_taken_for_one_made_elsewhere() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Hello.")).await;
    let id = domain::TurnId::from_uuid(Uuid::now_v7());
    bench.engine.compact(&thread, id.clone()).await.unwrap();
    let turn = bench.ended(&thread, &id).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    let compacted = |c: &ItemContent| *c == ItemContent::Compaction { automatic: false };
    assert!(window.items.iter().any(|i| compacted(&i.content)), "{:?}", window.items);
    bench.restart().await;
    let mut new = message(&Script::new().text("After.").prompt("Go on."));
    new.delivery = Delivery::Queue;
    let turn = bench.engine.send(&thread, new).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn.id).await.state, TurnState::Completed);
    assert_eq!(bench.window(&thread).await.turns.len(), 3);
    bench.engine.shutdown().await;
}
