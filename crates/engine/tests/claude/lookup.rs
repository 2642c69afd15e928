//! What is found out about a message of which it is unsure whether it arrived.

use domain::{
    Access, AgentEvent, ErrorCode, InputKind, Mode, ModelSelection, ThreadId, TurnEvent, TurnId,
    TurnOutcome,
};
use providers::{OpenSession, Opened, Origin, Place, Prompt, Provider, Session, Sighting};
use testkit::model::Script;
use testkit::wait::PATIENT;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::harness::Bench;

pub(crate) fn request(bench: &Bench, session: Option<String>) -> OpenSession {
    OpenSession {
        thread: ThreadId::from_uuid(Uuid::now_v7()),
        session,
        workspace: bench.sandbox.project.clone(),
        access: Access::Full,
        title: String::new(),
        trusted: true,
    }
}

pub(crate) fn prompt(session: &dyn Session, script: &Script) -> Prompt {
    Prompt {
        turn: TurnId::from_uuid(Uuid::now_v7()),
        key: session.prompt_key(InputKind::Message),
        kind: InputKind::Message,
        text: script.prompt("Please do this."),
        attachments: Vec::new(),
        model: ModelSelection { model: "sonnet".to_owned(), option: None },
        mode: Mode::Build,
    }
}

/// Reads until a turn ends; its outcome, and what the agent said in it.
pub(crate) async fn outcome(events: &mut mpsc::Receiver<AgentEvent>) -> (TurnOutcome, Vec<String>) {
    let mut said = Vec::new();
    let read = async {
        while let Some(event) = events.recv().await {
            match event {
                AgentEvent::Turn { event: TurnEvent::Ended(outcome), .. } => return outcome,
                AgentEvent::Turn { event: TurnEvent::Item(item), .. } => {
                    said.extend(item.body.map(|body| body.as_str().to_owned()));
                }
                _ => {}
            }
        }
        panic!("the session ended");
    };
    let outcome = tokio::time::timeout(PATIENT, read).await.expect("in time");
    (outcome, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_with_what_became_of_it_or_certainly_not_there() {
    let bench = Bench::start().await;
    let Opened { session, mut events, .. } =
        bench.claude.open(request(&bench, None)).await.expect("a session");
    let first = prompt(session.as_ref(), &Script::new().text("Done with it."));
    session.send(first.clone()).await.expect("sent");
    assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    let bash = serde_json::json!({ "command": "sleep 600", "description": "Wait" });
    let second = prompt(session.as_ref(), &Script::new().text("Begun.").tool("Bash", bash));
    session.send(second.clone()).await.expect("sent");
    let begun = async {
        while let Some(event) = events.recv().await {
            if let AgentEvent::Turn { event: TurnEvent::Item(item), .. } = event
                && item.key.starts_with("toolu")
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENT, begun).await.expect("the command begins");
    let id = session.id();
    // As if Baton had ended with it: nothing of the second turn was told to its end.
    let transcript = bench.transcript(&id);
    testkit::wait::until_true(PATIENT, || {
        std::fs::read_to_string(&transcript).is_ok_and(|text| text.contains("sleep 600\",\"desc"))
    })
    .await;
    session.close().await;

    let Opened { session, mut events, origin } =
        bench.claude.open(request(&bench, Some(id))).await.expect("the session");
    assert_eq!(origin, Origin::Resumed);
    let found = session.look_up(&first.turn, &first.key).await.expect("looked up");
    assert_eq!(found, Sighting::Present);
    let (end, said) = outcome(&mut events).await;
    assert_eq!((end, said), (TurnOutcome::Completed, vec!["Done with it.".to_owned()]));
    let found = session.look_up(&second.turn, &second.key).await.expect("looked up");
    assert_eq!(found, Sighting::Present);
    let (end, said) = outcome(&mut events).await;
    let TurnOutcome::Failed(error) = end else { panic!("{end:?}") };
    assert_eq!((error.code, said), (ErrorCode::AgentDied, vec!["Begun.".to_owned()]));
    let never = prompt(session.as_ref(), &Script::new());
    let found = session.look_up(&never.turn, &never.key).await.expect("looked up");
    assert_eq!(found, Sighting::Absent);
    session.close().await;
    bench.engine.shutdown().await;
}

/// A message as it is, without a script.
fn plain(session: &dyn Session, text: &str) -> Prompt {
    Prompt { text: text.to_owned(), ..prompt(session, &Script::new()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_does_by_itself_is_found_although_it_keeps_it_under_another_name() {
    let bench = Bench::start().await;
    let Opened { session, mut events, .. } =
        bench.claude.open(request(&bench, None)).await.expect("a session");
    let first = prompt(session.as_ref(), &Script::new().text("First."));
    session.send(first).await.expect("sent");
    assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    let cost = plain(session.as_ref(), "/cost");
    session.send(cost.clone()).await.expect("sent");
    assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    let (id, lost) = (session.id(), plain(session.as_ref(), "/cost"));
    let transcript = bench.transcript(&id);
    testkit::wait::until_true(PATIENT, || {
        std::fs::read_to_string(&transcript).is_ok_and(|text| text.contains("Total cost"))
    })
    .await;
    session.close().await;

    let Opened { session, mut events, .. } =
        bench.claude.open(request(&bench, Some(id))).await.expect("the session");
    let found = session.look_up(&cost.turn, &cost.key).await.expect("looked up");
    assert_eq!(found, Sighting::Present);
    let (end, said) = outcome(&mut events).await;
    assert_eq!(end, TurnOutcome::Completed);
    assert!(said.iter().any(|said| said.contains("Total cost")), "{said:?}");
    let found = session.look_up(&lost.turn, &lost.key).await.expect("looked up");
    assert_eq!(found, Sighting::Absent, "the one before is not taken for it");
    session.close().await;
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_to_go_back_does_so_after_baton_began_anew_too() {
    let bench = Bench::start().await;
    let Opened { session, mut events, .. } =
        bench.claude.open(request(&bench, None)).await.expect("a session");
    let mut keys = Vec::new();
    for word in ["One.", "Two."] {
        let prompt = prompt(session.as_ref(), &Script::new().text(word));
        keys.push(prompt.key.clone());
        session.send(prompt).await.expect("sent");
        assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    }
    let id = session.id();
    let place = Place { workspace: bench.sandbox.project.clone(), trusted: true };
    let sessions = bench.claude.sessions().expect("sessions");
    sessions.take_back(&place, &id, Some(&keys[1])).await.expect("taken back");
    // It has its name, and Baton ends before it is given.
    let instead = prompt(session.as_ref(), &Script::new().text("Instead."));
    session.close().await;

    let Opened { session, mut events, .. } =
        bench.claude.open(request(&bench, Some(id))).await.expect("the session");
    let found = session.look_up(&instead.turn, &instead.key).await.expect("looked up");
    assert_eq!(found, Sighting::Absent);
    session.send(instead).await.expect("sent");
    assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    let after = prompt(session.as_ref(), &Script::new().text("After."));
    session.send(after).await.expect("sent");
    assert_eq!(outcome(&mut events).await.0, TurnOutcome::Completed);
    for word in ["Instead.", "After."] {
        let calls = bench.sandbox.model.calls_with(word);
        let sent = calls.last().expect("a call").body.to_string();
        assert!(sent.contains("One.") && !sent.contains("Two."), "{word}");
    }
    session.close().await;
    bench.engine.shutdown().await;
}
