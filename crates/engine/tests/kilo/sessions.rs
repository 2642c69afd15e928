//! Sessions as wholes: made in Kilo's own interfaces and gone on with here, forked, compacted.

use domain::{Access, InputKind, ItemContent, ItemStatus, Thread, ThreadId, TurnOrigin, TurnState};
use engine::{ContinueSession, EngineError, SessionQuery};
use kilo_sdk::types::{ModelRef, Rule};
use kilo_sdk::{
    Client, Connection, Instance, Launch, Limits, MessageId, NewSession, Prompt, PromptPart,
    SessionId, launch, locate,
};
use providers::Provider;
use serde_json::json;
use testkit::model::Script;
use testkit::wait::{PATIENT, until, until_true};
use uuid::Uuid;

use crate::harness::{Bench, said};

/// A Kilo of the user's own beside Baton's, on the same data, as its terminal interface is one.
struct Elsewhere {
    server: kilo_sdk::Server,
    instance: Instance,
}

impl Elsewhere {
    async fn start(bench: &Bench) -> Self {
        let host = process::Host::default();
        let binary = bench.sandbox.kilo.binary.clone();
        let installed = locate(&host, Some(&binary), std::ffi::OsStr::new("")).await.expect("Kilo");
        let mut start = Launch::new(&installed, &bench.sandbox.project);
        let env = bench.sandbox.env.iter();
        start.env.extend(env.map(|(n, v)| (n.clone().into(), Some(v.clone().into()))));
        let server = launch(&host, start).await.expect("a second server");
        let instance = server.client().at(&bench.sandbox.project.to_string_lossy());
        Self { server, instance }
    }

    async fn session(&self, title: &str) -> SessionId {
        let allow = |permission: &str| Rule {
            permission: permission.to_owned(),
            pattern: "*".to_owned(),
            action: kilo_sdk::types::Action::Allow,
        };
        let new = NewSession {
            title: Some(title.to_owned()),
            permission: ["bash", "task"].map(allow).to_vec(),
            ..NewSession::default()
        };
        self.instance.create_session(&new).await.expect("a session").id
    }

    async fn say(&self, session: &SessionId, script: &Script) -> MessageId {
        say(&self.instance, session, script).await
    }

    /// Says something and waits for the end of the answer.
    async fn run(&self, session: &SessionId, script: &Script) -> MessageId {
        self.run_as(MessageId::ascending(), session, script).await
    }

    async fn run_as(&self, id: MessageId, session: &SessionId, script: &Script) -> MessageId {
        let message = say_as(id, &self.instance, session, script).await;
        let wanted = &message;
        until(PATIENT, || async move {
            let page = self.instance.messages(session, 50, None).await.expect("messages");
            let busy = self.instance.statuses().await.expect("states").contains_key(session);
            let answered = page.messages.iter().any(|m| {
                matches!(&m.info,
                kilo_sdk::types::Message::Assistant(a)
                    if a.parent_id == *wanted && a.finish.as_deref() == Some("stop"))
            });
            if answered && !busy { Ok(()) } else { Err(page) }
        })
        .await;
        message
    }

    async fn end(self) {
        self.server.stop("the test is over", std::time::Duration::from_secs(5)).await;
    }
}

/// Says something as another client of a server does.
async fn say(instance: &Instance, session: &SessionId, script: &Script) -> MessageId {
    say_as(MessageId::ascending(), instance, session, script).await
}

async fn say_as(
    id: MessageId,
    instance: &Instance,
    session: &SessionId,
    script: &Script,
) -> MessageId {
    let prompt = Prompt {
        message_id: id.clone(),
        agent: Some("code".to_owned()),
        model: ModelRef::parse("mock/m1"),
        parts: vec![PromptPart::text(script.prompt("Said elsewhere."))],
        ..Prompt::default()
    };
    instance.prompt(session, &prompt).await.expect("a message");
    id
}

/// Another client of the server that Baton runs.
async fn beside(bench: &Bench) -> Instance {
    let report = bench.kilo.report().await;
    let server = report.processes.first().expect("a server");
    let environ = std::fs::read(format!("/proc/{}/environ", server.pid.expect("our own")));
    let environ = String::from_utf8_lossy(&environ.expect("its environment")).into_owned();
    let named = |entry: &str| entry.strip_prefix("KILO_SERVER_PASSWORD=").map(str::to_owned);
    let password = environ.split('\0').find_map(named).expect("its password");
    let connection = Connection::new(server.url.clone(), password);
    let client = Client::new(connection, Limits::default()).expect("a client");
    client.at(&bench.sandbox.project.to_string_lossy())
}

pub(crate) async fn go_on(bench: &Bench, session: &SessionId) -> Result<Thread, EngineError> {
    let path = bench.sandbox.project.clone();
    let project = bench.engine.add_project(path, "tally".to_owned()).await.expect("a project");
    let wanted = ContinueSession {
        id: ThreadId::from_uuid(Uuid::now_v7()),
        project_id: project.id,
        provider: domain::ProviderId::known("kilo"),
        session: session.as_str().to_owned(),
        access: Access::Supervised,
        anyway: false,
    };
    bench.engine.continue_session(wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_made_below_or_outside_its_project_starts_nothing_unseen() {
    let bench = Bench::start().await;
    let below = bench.sandbox.project.join("vendor");
    std::fs::create_dir(&below).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::start(&bench).await;
    let made = async |directory: &std::path::Path| {
        let instance = elsewhere.server.client().at(&directory.to_string_lossy());
        instance.create_session(&NewSession::default()).await.expect("a session").id
    };
    let (inside, other) = (made(&below).await, made(outside.path()).await);
    elsewhere.end().await;
    let touched = below.join("touched");
    let command = json!(["sh", "-c", format!("touch '{}'; cat", touched.display())]);
    let config = json!({ "mcp": { "toucher": { "type": "local", "command": command } } });
    std::fs::write(below.join("kilo.json"), config.to_string()).unwrap();

    let refused = go_on(&bench, &other).await;
    let rejected = domain::ErrorCode::Rejected;
    assert!(matches!(&refused, Err(EngineError::Agent(e)) if e.code == rejected), "{refused:?}");
    // The project itself brings nothing, so it is trusted; what lies below it was not shown.
    let thread = go_on(&bench, &inside).await.expect("a thread");
    let model = domain::ModelSelection { model: "mock/m1".to_owned(), option: None };
    let patch = domain::ThreadPatch { model: Some(model), ..Default::default() };
    bench.engine.patch_thread(&thread.id, patch).await.unwrap();
    let turn = bench.run(&thread.id, &Script::new().text("ok")).await;
    assert_eq!(turn.state, TurnState::Completed, "{turn:?}");
    assert!(!touched.exists(), "it was started without a question");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_made_elsewhere_is_listed_and_gone_on_with_once() {
    let bench = Bench::start().await;
    let elsewhere = Elsewhere::start(&bench).await;
    let session = elsewhere.session("Made in the terminal").await;
    elsewhere.session("Never used").await;
    let sub = Script::new().text("Found nothing.").prompt("Look.");
    let script = Script::new()
        .reasoning("Let me see.")
        .text("I will look.")
        .bash("printf 'one\\ntwo\\n'")
        .step()
        .tool("task", json!({"description": "Look", "prompt": sub, "subagent_type": "explore"}))
        .step()
        .text("The word is marmalade.");
    let first = elsewhere.run(&session, &script).await;
    let model = ModelRef::parse("mock/m1").unwrap();
    elsewhere.instance.summarize(&session, &model).await.expect("a compaction");
    elsewhere.run(&session, &Script::new().text("After the compaction.")).await;

    let mine = bench.thread().await;
    bench.run(&mine, &Script::new().text("Mine.")).await;
    let row = bench.row(&mine).await;
    let (project, provider) = (row.project_id.clone(), row.provider.clone());
    let list = |query| bench.engine.sessions(&project, &provider, query);
    let all = SessionQuery { limit: 50, ..SessionQuery::default() };
    let (sessions, more) = list(all.clone()).await.expect("sessions");
    // The sub-agent's is none of them.
    assert_eq!((sessions.len(), more), (3, false), "{sessions:#?}");
    let own = sessions.iter().find(|s| s.thread.is_some()).expect("the thread's own");
    assert_eq!((own.thread.as_ref(), Some(&own.id)), (Some(&mine), row.session.as_ref()));
    let search = SessionQuery { search: Some("terminal".to_owned()), ..all.clone() };
    let (found, _) = list(search).await.expect("sessions");
    let [found] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        (found.id.as_str(), found.title.as_str()),
        (session.as_str(), "Made in the terminal")
    );
    assert_eq!((found.model.as_deref(), found.thread.as_ref()), (Some("mock/m1"), None));
    assert!(found.tokens > 0 && !found.busy, "{found:?}");
    let (page, more) = list(SessionQuery { limit: 1, offset: 1, ..all }).await.expect("a page");
    assert_eq!((page.len(), more), (1, true));
    assert_eq!(page[0].id, sessions[1].id);

    let thread = go_on(&bench, &session).await.expect("a thread");
    assert_eq!(thread.title, "Made in the terminal");
    assert_eq!(thread.model.as_ref().map(|m| m.model.as_str()), Some("mock/m1"));
    assert_eq!(thread.status, domain::ThreadStatus::Idle);
    let window = bench.window(&thread.id).await;
    let kinds: Vec<_> = window.turns.iter().map(|t| (t.input.kind, t.origin, t.state)).collect();
    let past = |kind| (kind, TurnOrigin::Elsewhere, TurnState::Completed);
    assert_eq!(kinds, [InputKind::Message, InputKind::Compact, InputKind::Message].map(past));
    assert_eq!(window.turns[0].prompt_key.as_deref(), Some(first.as_str()));
    assert!(window.turns[0].input.text.head.starts_with("Said elsewhere."));
    assert!(window.turns.iter().all(|t| t.usage.tokens() > 0), "{:#?}", window.turns);
    assert!(window.items.iter().all(|i| i.status == ItemStatus::Done), "{:#?}", window.items);
    let said = said(&window);
    assert_eq!(
        said,
        ["I will look.", "The word is marmalade.", "Found nothing.", "After the compaction."]
    );
    let command = crate::harness::item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert!(command.body.head.contains("one\ntwo"), "{command:?}");
    assert!(command.ended_at > Some(command.started_at), "its time was kept: {command:?}");
    let agent = crate::harness::item(&window, |c| matches!(c, ItemContent::SubAgent { .. }));
    let nested = window.items.iter().filter(|i| i.parent.as_ref() == Some(&agent.id)).count();
    assert!(nested > 0, "{:#?}", window.items);
    crate::harness::item(&window, |c| matches!(c, ItemContent::Compaction { automatic: false }));

    // The same session again is the same thread, and the list says so.
    assert_eq!(go_on(&bench, &session).await.expect("a thread").id, thread.id);
    assert_eq!(bench.window(&thread.id).await.items.len(), window.items.len());

    let turn = bench.run(&thread.id, &Script::new().text("Going on here.")).await;
    assert_eq!((turn.state, turn.origin), (TurnState::Completed, TurnOrigin::Here));
    assert_eq!(bench.row(&thread.id).await.session.as_deref(), Some(session.as_str()));
    let calls = bench.sandbox.model.calls();
    let last = calls.iter().rev().find(|call| !call.tools.is_empty()).expect("a call");
    assert!(last.messages().iter().any(|m| m.to_string().contains("After the compaction.")));
    let command = bench.engine.session_command(&thread.id).await.unwrap().expect("a command");
    assert!(
        command.ends_with(&format!(" -s {session}")) && command.starts_with("cd "),
        "{command}"
    );

    // A name that a person gives is the session's too; what Kilo names later does not replace it.
    let title = Some("About marmalade".to_owned());
    let patch = domain::ThreadPatch { title, ..domain::ThreadPatch::default() };
    bench.engine.patch_thread(&thread.id, patch).await.expect("renamed");
    let (instance, session) = (&elsewhere.instance, &session);
    until(PATIENT, || async move {
        let title = instance.session(session).await.expect("the session").title;
        if title == "About marmalade" { Ok(()) } else { Err(title) }
    })
    .await;

    elsewhere.end().await;
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_at_work_elsewhere_is_told() {
    let bench = Bench::start().await;
    let elsewhere = Elsewhere::start(&bench).await;
    let session = elsewhere.session("At work").await;
    elsewhere.say(&session, &Script::new().text("Half").wait("later").text("!")).await;
    bench.reached("later").await;
    let refused = go_on(&bench, &session).await;
    assert!(matches!(refused, Err(EngineError::SessionBusy)), "{refused:?}");
    bench.sandbox.model.release("later");
    let gone = go_on(&bench, &SessionId::from("ses_dfb1e307affevNoru0yn93Zqym")).await;
    let lost = domain::ErrorCode::SessionLost;
    assert!(matches!(&gone, Err(EngineError::Agent(e)) if e.code == lost), "{gone:?}");
    elsewhere.end().await;
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_has_what_was_said_up_to_a_turn_and_a_compaction_is_a_turn() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::AutoEdit).await;
    let first = bench.run(&thread, &Script::new().text("One.")).await;
    let second = bench.run(&thread, &Script::new().text("Two.")).await;
    let id = ThreadId::from_uuid(Uuid::now_v7());
    let fork = bench.engine.fork_thread(&thread, &first.id, id.clone()).await.expect("a fork");
    let again = bench.engine.fork_thread(&thread, &first.id, id).await.expect("the same");
    assert_eq!((again.id, &again.session), (fork.id.clone(), &fork.session));
    assert_ne!(fork.session, bench.row(&thread).await.session);
    assert_eq!(fork.access, Access::AutoEdit);
    // It is new, though what was said in it is not.
    let last = first.ended_at.expect("it ended");
    assert!(fork.created_at >= last && fork.active_at >= fork.created_at, "{fork:?}");
    let turns = bench.window(&fork.id).await.turns;
    assert_eq!(turns.iter().map(|t| t.origin).collect::<Vec<_>>(), [TurnOrigin::Forked]);
    assert!(turns[0].created_at < last, "{turns:?}");
    assert_eq!(said(&bench.window(&fork.id).await), ["One."]);
    let whole = ThreadId::from_uuid(Uuid::now_v7());
    let whole = bench.engine.fork_thread(&thread, &second.id, whole).await.expect("a fork");
    assert_eq!(said(&bench.window(&whole.id).await), ["One.", "Two."]);
    bench.run(&fork.id, &Script::new().text("Another way.")).await;
    assert_eq!(said(&bench.window(&fork.id).await), ["One.", "Another way."]);
    assert_eq!(said(&bench.window(&thread).await), ["One.", "Two."]);

    let compaction = domain::TurnId::from_uuid(Uuid::now_v7());
    let asked = bench.engine.compact(&thread, compaction.clone()).await.expect("a turn");
    assert_eq!(asked.input.kind, InputKind::Compact);
    let ended = bench.ended(&thread, &compaction).await;
    assert_eq!((ended.state, &ended.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    let summary = crate::harness::item(&window, |c| matches!(c, ItemContent::Compaction { .. }));
    assert_eq!((&summary.turn_id, summary.status), (&compaction, ItemStatus::Done));
    let before = bench.row(&thread).await.context.expect("a context").used;
    assert!(before < 200, "only the summary counts: {before}");
    bench.run(&thread, &Script::new().text("Three.")).await;
    assert_eq!(said(&bench.window(&thread).await), ["One.", "Two.", "Three."]);
    let sessions = bench.engine.sessions(
        &fork.project_id,
        &fork.provider,
        SessionQuery { limit: 50, ..SessionQuery::default() },
    );
    let (sessions, _) = sessions.await.expect("sessions");
    assert!(sessions.iter().all(|s| s.thread.is_some()), "none is left over: {sessions:#?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_deleted_elsewhere_is_told_by_code_and_the_thread_goes_on_in_a_new_one() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("Remember marmalade.")).await;
    let session = bench.row(&thread).await.session.expect("a session");
    for _ in 0..5 {
        bench.restart().await;
    }
    let turn = bench.run(&thread, &Script::new().text("Still here.")).await;
    assert_eq!(turn.state, TurnState::Completed);
    assert_eq!(bench.row(&thread).await.session.as_ref(), Some(&session), "five restarts");

    // What is said in it elsewhere comes before the next message, whether or not it is open here.
    let elsewhere = Elsewhere::start(&bench).await;
    let gone = SessionId::from(session.as_str());
    elsewhere.run(&gone, &Script::new().text("While it was open.")).await;
    bench.run(&thread, &Script::new().text("Here again.")).await;
    bench.restart().await;
    elsewhere.run(&gone, &Script::new().text("While it was closed.")).await;
    elsewhere.run(&gone, &Script::new().text("And once more.")).await;
    bench.run(&thread, &Script::new().text("And here.")).await;
    bench.run(&thread, &Script::new().text("Nothing new.")).await;
    let window = bench.window(&thread).await;
    let told = ["While it was open.", "Here again.", "While it was closed.", "And once more."];
    let told = [&["Remember marmalade.", "Still here."][..], &told, &["And here.", "Nothing new."]];
    assert_eq!(said(&window), told.concat());
    let origins: Vec<_> = window.turns.iter().map(|t| t.origin == TurnOrigin::Elsewhere).collect();
    assert_eq!(origins, [false, false, true, false, true, true, false, false]);
    assert!(window.turns.iter().all(|t| t.state == TurnState::Completed), "{:#?}", window.turns);

    bench.restart().await;
    elsewhere.instance.delete_session(&gone).await.expect("deleted");
    elsewhere.end().await;
    let turn = bench.run(&thread, &Script::new().text("Never said.")).await;
    let lost = Some(domain::ErrorCode::SessionLost);
    assert_eq!((turn.state, turn.error.map(|e| e.code)), (TurnState::Failed, lost));
    assert_eq!(bench.row(&thread).await.session.as_ref(), Some(&session), "nothing by itself");

    let renewed = bench.engine.renew_session(&thread).await.expect("renewed");
    assert_eq!(renewed.session, None);
    let turn = bench.run(&thread, &Script::new().text("A new beginning.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_ne!(bench.row(&thread).await.session.as_ref(), Some(&session));
    let window = bench.window(&thread).await;
    let told =
        |i: &&domain::Item| i.turn_id == turn.id && matches!(i.content, ItemContent::Notice { .. });
    assert_eq!(window.items.iter().filter(told).count(), 1, "{:#?}", window.items);
    let calls = bench.sandbox.model.calls();
    let last = calls.iter().rev().find(|call| !call.tools.is_empty()).expect("a call");
    assert!(!last.messages().iter().any(|m| m.to_string().contains("marmalade")), "injected");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_client_says_meanwhile_becomes_a_turn_with_its_answer_and_ours_ends_well() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let mine =
        bench.send(&thread, &Script::new().text("Mine").wait("mine").text(" is said.")).await;
    bench.reached("mine").await;
    let session = SessionId::from(bench.row(&thread).await.session.expect("a session").as_str());
    let other = beside(&bench).await;
    // While this thread's turn runs.
    let first = say(&other, &session, &Script::new().text("Theirs.")).await;
    bench.sandbox.model.release("mine");
    let mine = bench.ended(&thread, &mine).await;
    assert_eq!((mine.state, &mine.error), (TurnState::Completed, &None));
    let turn = made(&bench, &thread, &first).await;
    assert!(turn.input.text.head.starts_with("Said elsewhere."), "{turn:?}");
    // While nothing runs: nobody has to send a message for it to be seen.
    let second = say(&other, &session, &Script::new().text("Theirs again.")).await;
    made(&bench, &thread, &second).await;
    // While it is answered a message of this thread comes, which waits for it at Kilo.
    let third = say(&other, &session, &Script::new().text("Theirs").wait("theirs").text("!")).await;
    bench.reached("theirs").await;
    let next = bench.send(&thread, &Script::new().text("Mine again.")).await;
    bench
        .see(&thread, |w| w.turns.iter().find(|t| t.id == next && t.prompt_key.is_some()).cloned())
        .await;
    bench.sandbox.model.release("theirs");
    let next = bench.ended(&thread, &next).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    made(&bench, &thread, &third).await;

    let window = bench.window(&thread).await;
    let mut said = said(&window);
    said.sort_unstable();
    let all = ["Mine again.", "Mine is said.", "Theirs again.", "Theirs!", "Theirs."];
    assert_eq!(said, all, "each once");
    assert_eq!(window.turns.len(), 5);
    bench.engine.shutdown().await;
}

/// Waits for a turn that was made elsewhere.
async fn made(bench: &Bench, thread: &ThreadId, message: &MessageId) -> domain::Turn {
    let turn = bench
        .see(thread, |w| {
            let made = |t: &&domain::Turn| t.prompt_key.as_deref() == Some(message.as_str());
            w.turns.iter().find(made).cloned()
        })
        .await;
    assert_eq!((turn.origin, turn.state), (TurnOrigin::Elsewhere, TurnState::Completed));
    turn
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_back_to_a_message_over_a_restart_and_files_stay() {
    let mut bench = Bench::start().await;
    let thread = bench.thread_with(Access::AutoEdit).await;
    bench.run(&thread, &Script::new().text("First.")).await;
    let path = bench.sandbox.project.join("kept.txt");
    let write = json!({ "filePath": path, "content": "kept\n" });
    let script = Script::new().text("Second.").tool("write", write).step().text("Written.");
    let second = bench.run(&thread, &script).await;
    assert_eq!((second.state, &second.error), (TurnState::Completed, &None));
    let third = bench.run(&thread, &Script::new().text("Third.")).await;
    let session = SessionId::from(bench.row(&thread).await.session.expect("a session").as_str());

    // What is brought back is there for the next message.
    let row = bench.engine.go_back(&thread, &second.id).await.expect("it goes back");
    assert_eq!(row.back.map(|back| (back.turns.first, back.turns.last)), Some((2, 3)));
    assert_eq!(bench.engine.bring_back(&thread).await.expect("undone").back, None);
    bench.run(&thread, &Script::new().text("Fourth.")).await;
    let told = heard(&bench);
    for word in ["First.", "Second.", "Written.", "Third."] {
        assert!(told.contains(word), "{word} in {told}");
    }

    // Baton ends, and somebody undoes it at the agent: the row is what counts.
    bench.engine.go_back(&thread, &second.id).await.expect("it goes back");
    bench.restart().await;
    let elsewhere = Elsewhere::start(&bench).await;
    let shown = elsewhere.instance.session(&session).await.expect("a session").revert;
    assert_eq!(shown.map(|r| r.message_id.as_str().to_owned()), second.prompt_key);
    elsewhere.instance.unrevert(&session).await.expect("undone elsewhere");
    elsewhere.end().await;
    let instead = bench.run(&thread, &Script::new().text("Instead.")).await;
    assert_eq!((instead.state, &instead.error), (TurnState::Completed, &None));
    let told = heard(&bench);
    assert!(told.contains("First."), "{told}");
    for word in ["Second.", "Written.", "Third.", "Fourth.", "kept.txt"] {
        assert!(!told.contains(word), "{word} in {told}");
    }
    assert_eq!(bench.file("kept.txt").as_deref(), Some("kept\n"), "files stay");
    let row = bench.row(&thread).await;
    assert_eq!((row.back, row.taken_back), (None, vec![domain::Span { first: 2, last: 4 }]));
    let again = bench.engine.go_back(&thread, &third.id).await;
    let gone = EngineError::Refused(domain::Refusal::TakenBack);
    assert_eq!(again.map(|row| row.id).unwrap_err().to_string(), gone.to_string());
    // A fork of what was kept has nothing of what was taken back.
    let first = bench.window(&thread).await.turns[0].id.clone();
    let id = ThreadId::from_uuid(Uuid::now_v7());
    let fork = bench.engine.fork_thread(&thread, &first, id).await.expect("a fork");
    assert_eq!(said(&bench.window(&fork.id).await), ["First."]);
    bench.engine.shutdown().await;
}

/// What the model was told with the last message.
fn heard(bench: &Bench) -> String {
    let calls = bench.sandbox.model.calls();
    let last = calls.iter().rev().find(|call| !call.tools.is_empty()).expect("a call");
    last.messages().iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_with_greater_ids_than_todays_stay_in_their_turns() {
    let (bench, proxy) = Bench::behind_faults().await;
    let elsewhere = Elsewhere::start(&bench).await;
    let session = elsewhere.session("From before the ids wrapped").await;
    // As a message has it that was written shortly before the ids' numbers began anew.
    let old = MessageId::from("msg_fffffff00001AAAAAAAAAAAAAA");
    elsewhere.run_as(old, &session, &Script::new().text("The old answer.")).await;
    elsewhere.end().await;
    let thread = go_on(&bench, &session).await.expect("a thread").id;
    let before = bench.window(&thread).await;
    assert_eq!(said(&before), ["The old answer."]);

    let script = Script::new().text("One ").wait("amid").text("two.");
    let turn = bench.send(&thread, &script).await;
    bench.reached("amid").await;
    // The session is read once the link is back.
    let reads = proxy.streams_opened();
    proxy.cut_streams();
    until_true(PATIENT, || proxy.streams_opened() > reads).await;
    bench.sandbox.model.release("amid");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let after = bench.window(&thread).await;
    assert_eq!(said(&after), ["The old answer.", "One two."]);
    let own: Vec<_> = after.items.iter().filter(|i| i.turn_id == turn.id).collect();
    assert_eq!(own.len(), 1, "{own:#?}");
    let old: Vec<_> = after.items.iter().filter(|i| i.turn_id != turn.id).collect();
    let were: Vec<_> = before.items.iter().collect();
    assert_eq!(old, were);
    let next = bench.run(&thread, &Script::new().text("Three.")).await;
    assert_eq!(next.state, TurnState::Completed);
    assert_eq!(said(&bench.window(&thread).await), ["The old answer.", "One two.", "Three."]);
    bench.engine.shutdown().await;
}
