//! Against the real Kilo, with a scripted model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::time::Duration;

use kilo_sdk::types::{ErrorKind, Message, ModelRef, PartBody, Rule, ToolStatus};
use kilo_sdk::{
    Client, CloseReason, Connection, Error, Event, EventStream, Instance, Launch, LaunchError,
    Limits, LocateError, MessageId, NewSession, Prompt, PromptPart, Reply, Server, SessionFilter,
    SessionId, SessionUpdate, StreamItem, StreamOptions, locate,
};
use process::{Cause, Host, HostConfig, Ledger};
use serde_json::json;
use testkit::model::Script;
use testkit::sandbox::Sandbox;
use testkit::wait::PATIENT;

struct Rig {
    // The server before what it lives in.
    server: Server,
    instance: Instance,
    events: EventStream,
    sandbox: Sandbox,
}

impl Rig {
    async fn new() -> Self {
        Self::with(&Host::default()).await
    }

    async fn with(host: &Host) -> Self {
        let sandbox = Sandbox::new().await.unwrap();
        let server = start(host, &sandbox).await;
        let (instance, events) = view(&server, &sandbox).await;
        Self { server, instance, events, sandbox }
    }

    async fn connect(&mut self, server: Server) {
        (self.instance, self.events) = view(&server, &self.sandbox).await;
        self.server = server;
    }

    async fn session(&self) -> SessionId {
        let new = NewSession { title: Some("test".into()), ..NewSession::default() };
        self.instance.create_session(&new).await.unwrap().id
    }

    async fn prompt(&self, session: &SessionId, text: String) -> MessageId {
        let message_id = MessageId::ascending();
        let prompt = Prompt {
            message_id: message_id.clone(),
            agent: Some("code".into()),
            model: ModelRef::parse("mock/m1"),
            parts: vec![PromptPart::text(text)],
            ..Prompt::default()
        };
        self.instance.prompt(session, &prompt).await.unwrap();
        message_id
    }

    /// The next event that `pick` gives something for.
    async fn next<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let found = async {
            loop {
                match self.events.next().await {
                    Some(StreamItem::Event { envelope, .. }) => {
                        if let Some(found) = pick(envelope.event) {
                            return found;
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENT, found).await.expect("the event never came")
    }

    async fn closed(&mut self, session: &SessionId) -> CloseReason {
        self.next(|event| match event {
            Event::TurnClose { session_id, reason, .. } if session_id == *session => Some(reason),
            _ => None,
        })
        .await
    }
}

async fn view(server: &Server, sandbox: &Sandbox) -> (Instance, EventStream) {
    let instance = server.client().at(sandbox.project.to_str().unwrap());
    let options = StreamOptions { exit: Some(server.exit()), ..StreamOptions::default() };
    let mut events = server.client().events(options);
    assert!(matches!(events.next().await, Some(StreamItem::Connected)));
    // Not a wait for something: what the server itself needs (see `SETTLE`).
    tokio::time::sleep(StreamItem::SETTLE).await;
    (instance, events)
}

async fn start(host: &Host, sandbox: &Sandbox) -> Server {
    let mut launch = launch_of(sandbox);
    launch.config = Some(json!({ "snapshot": false, "permission": { "bash": "ask" } }));
    kilo_sdk::launch(host, launch).await.unwrap()
}

fn launch_of(sandbox: &Sandbox) -> Launch {
    let mut launch = Launch::program(&sandbox.kilo.binary, &sandbox.project);
    for (name, value) in &sandbox.env {
        launch = launch.env(name, value);
    }
    launch.timeout = PATIENT;
    launch
}

#[tokio::test]
async fn the_wrapper_is_located_as_the_native_program() {
    let kilo = testkit::kilo::install_async().await.unwrap();
    let host = Host::default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = locate(&host, Some(&kilo.wrapper), &path).await.unwrap();
    assert_eq!(installed.version.to_string(), kilo.version);
    let magic = &std::fs::read(&installed.program).unwrap()[..4];
    assert_eq!(magic, b"\x7fELF", "{} is the native program", installed.program.display());
    let none = locate(&host, Some("/no/such/kilo".as_ref()), &path).await;
    assert!(matches!(none, Err(LocateError::NotFound { .. })));
}

#[tokio::test]
async fn a_server_is_launched_protected_asked_and_stopped() {
    let rig = Rig::new().await;
    assert_eq!(rig.server.health().version, rig.sandbox.kilo.version);

    let wrong = Connection::new(rig.server.client().url(), "wrong");
    let stranger = Client::new(wrong, Limits::default()).unwrap();
    assert!(matches!(stranger.health().await, Err(Error::Unauthorized)));
    let mut refused = stranger.events(StreamOptions::default());
    let Some(StreamItem::Disconnected(why)) = refused.next().await else { panic!() };
    assert!(why.ended(), "{why:?}");

    let inventory = rig.instance.providers().await.unwrap();
    assert_eq!(inventory.connected, ["mock"]);
    let mock = &inventory.providers[0];
    let models: HashMap<&str, _> = mock.models.iter().map(|m| (m.id.as_str(), m)).collect();
    assert!(models["m1"].capabilities.toolcall && models["m1"].capabilities.output.text);
    assert!(models.contains_key("vendor/name:free"));
    assert!(models["m-vision"].capabilities.input.image);
    assert!(["low", "medium", "high"].iter().all(|v| models["m2"].variants.contains(&(*v).into())));
    assert!((models["m1"].limit.context - 100_000.0).abs() < 0.5);

    assert_eq!(rig.instance.config_warnings().await.unwrap(), []);
    let config = rig.instance.config().await.unwrap();
    assert_eq!(config.permission["bash"], "ask");
    assert_eq!((config.snapshot, config.model.as_deref()), (Some(false), Some("mock/m1")));
    let agents = rig.instance.agents().await.unwrap();
    assert!(agents.iter().any(|a| a.name == "code" && a.mode == "primary"));
    assert!(rig.instance.commands().await.unwrap().iter().any(|c| c.name == "init"));
    assert!(!rig.instance.auth_status().await.unwrap().authenticated);
    assert!(rig.instance.mcp().await.unwrap().is_empty());
    let paths = rig.instance.paths().await.unwrap();
    assert_eq!(paths.directory, rig.sandbox.project.to_str().unwrap());
    let file = rig.instance.file_content("package.json").await.unwrap();
    assert!(file.content.contains("tally"));

    let missing = rig.instance.session(&"ses_none".into()).await;
    assert!(missing.is_err_and(|e| e.is_not_found()));

    let (pid, usage) = (rig.server.pid(), rig.server.usage().unwrap());
    assert!(usage.rss_bytes > 100_000_000 && usage.processes >= 1);
    let exit = rig.server.stop("test", Duration::from_secs(20)).await.unwrap();
    assert_eq!(exit.cause, Cause::Stopped { reason: "test".into(), forced: false });
    assert!(exit.status.success(), "it tidied up: {exit:?}");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    let gone = rig.instance.statuses().await.unwrap_err();
    assert!(matches!(gone, Error::Connect(_)) && !gone.outcome_unknown(), "{gone:?}");
}

#[tokio::test]
async fn a_turn_is_streamed_and_its_snapshot_agrees() {
    let mut rig = Rig::new().await;
    let session = rig.session().await;
    let text = "One two three, caffè ☕ four five.";
    let script = Script::new().reasoning("Let me think.").stream(text, 3, Duration::from_millis(2));
    let message_id = rig.prompt(&session, script.prompt("say it")).await;

    let mut kinds = HashMap::new();
    let mut deltas: HashMap<_, String> = HashMap::new();
    let mut opened = false;
    let reason = rig
        .next(|event| {
            assert_eq!(event.session_id().unwrap_or_else(|| session.clone()), session);
            match event {
                Event::TurnOpen { .. } => opened = true,
                Event::PartUpdated { part, .. } => {
                    let kind = match part.body {
                        PartBody::Text(_) => "text",
                        PartBody::Reasoning(_) => "reasoning",
                        _ => "other",
                    };
                    kinds.insert(part.id, kind);
                }
                Event::PartDelta { part_id, delta, .. } => {
                    deltas.entry(part_id).or_default().push_str(&delta);
                }
                Event::TurnClose { reason, .. } => return Some(reason),
                _ => {}
            }
            None
        })
        .await;
    assert!(opened);
    assert_eq!(reason, CloseReason::Completed);
    let streamed: HashMap<&str, &String> = deltas.iter().map(|(id, t)| (kinds[id], t)).collect();
    assert_eq!(streamed["text"], text);
    assert_eq!(streamed["reasoning"], "Let me think.");

    let page = rig.instance.messages(&session, 10, None).await.unwrap();
    assert_eq!(page.older, None);
    let [user, answer] = page.messages.as_slice() else { panic!("{page:?}") };
    assert_eq!(user.info.id(), message_id);
    let Message::Assistant(info) = &answer.info else { panic!() };
    assert_eq!((&info.parent_id, info.finish.as_deref()), (&message_id, Some("stop")));
    assert!(info.time.end.is_some() && info.error.is_none());
    let stored = answer.parts.iter().find_map(|p| match &p.body {
        PartBody::Text(part) => Some(part.text.as_str()),
        _ => None,
    });
    assert_eq!(stored, Some(text));

    let newest = rig.instance.messages(&session, 1, None).await.unwrap();
    assert_eq!(newest.messages[0].info.id(), answer.info.id());
    let older = rig.instance.messages(&session, 1, newest.older.as_deref()).await.unwrap();
    assert_eq!(older.messages[0].info.id(), message_id);
}

#[tokio::test]
async fn a_permission_is_asked_answered_and_widened() {
    let mut rig = Rig::new().await;
    let session = rig.session().await;
    let script = Script::new().bash("echo first").step().bash("echo second").step().text("Done.");
    rig.prompt(&session, script.prompt("run")).await;
    let asked = |event| match event {
        Event::PermissionAsked(request) => Some(request),
        _ => None,
    };
    let request = rig.next(asked).await;
    assert_eq!((request.permission.as_str(), &request.session_id), ("bash", &session));
    assert_eq!(request.patterns, ["echo first"]);
    assert_eq!(rig.instance.permissions().await.unwrap(), [(*request).clone()]);
    assert!(rig.instance.statuses().await.unwrap().contains_key(&session));

    let rules = request.always.iter().map(|pattern| Rule {
        permission: "bash".into(),
        pattern: pattern.clone(),
        action: kilo_sdk::types::Action::Allow,
    });
    let update = SessionUpdate { permission: rules.collect(), ..SessionUpdate::default() };
    let session_now = rig.instance.update_session(&session, &update).await.unwrap();
    assert_eq!(session_now.permission, update.permission);
    rig.instance.reply_permission(&request.id, Reply::Once, None).await.unwrap();
    let again = rig.instance.reply_permission(&request.id, Reply::Once, None).await;
    assert!(again.is_err_and(|e| e.is_not_found()), "answered already");

    let (mut outputs, mut asks) = (Vec::new(), 0);
    let reason = rig
        .next(|event| match event {
            Event::PermissionAsked(_) => {
                asks += 1;
                None
            }
            Event::PartUpdated { part, .. } => {
                if let PartBody::Tool(tool) = part.body
                    && tool.state.status == ToolStatus::Completed
                {
                    outputs.push(tool.state.output.unwrap_or_default());
                }
                None
            }
            Event::TurnClose { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!((reason, asks), (CloseReason::Completed, 0), "the second was allowed by the rule");
    assert_eq!(outputs, ["first\n", "second\n"]);
    assert_eq!(rig.instance.permissions().await.unwrap(), []);
}

#[tokio::test]
async fn a_question_is_answered_and_a_turn_aborted() {
    let mut rig = Rig::new().await;
    let session = rig.session().await;
    let question = json!({ "questions": [{ "question": "Which colour?", "header": "Colour",
        "options": [{ "label": "Red", "description": "warm" }, { "label": "Blue", "description": "cold" }] }] });
    let script =
        Script::new().tool("question", question).step().text("before").wait("never").text("after");
    rig.prompt(&session, script.prompt("ask")).await;
    let request = rig
        .next(|event| match event {
            Event::QuestionAsked(request) => Some(request),
            _ => None,
        })
        .await;
    assert_eq!(request.questions[0].options[1].label, "Blue");
    assert!(request.tool.is_some());
    assert_eq!(rig.instance.questions().await.unwrap().len(), 1);
    rig.instance.reply_question(&request.id, &[vec!["Blue".into()]]).await.unwrap();
    rig.next(|event| match event {
        Event::PartDelta { delta, .. } => (delta == "before").then_some(()),
        _ => None,
    })
    .await;

    rig.instance.abort(&session).await.unwrap();

    let mut error = None;
    let reason = rig
        .next(|event| match event {
            Event::SessionError { error: e, .. } => {
                error = Some(e.kind);
                None
            }
            Event::TurnClose { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!((reason, error), (CloseReason::Interrupted, Some(ErrorKind::Aborted)));
    rig.instance.abort(&session).await.expect("aborting an idle session is fine");
}

#[tokio::test]
async fn sessions_are_listed_changed_forked_taken_back_and_deleted() {
    let mut rig = Rig::new().await;
    let session = rig.session().await;
    let first = rig.prompt(&session, Script::new().text("one").prompt("1")).await;
    assert_eq!(rig.closed(&session).await, CloseReason::Completed);
    let second = rig.prompt(&session, Script::new().text("two").prompt("2")).await;
    assert_eq!(rig.closed(&session).await, CloseReason::Completed);

    let fork = rig.instance.fork(&session, Some(&second)).await.unwrap();
    let forked = rig.instance.messages(&fork.id, 10, None).await.unwrap();
    assert_eq!(forked.messages.len(), 2, "what came before the second prompt");

    let reverted = rig.instance.revert(&session, &second, None).await.unwrap();
    assert_eq!(reverted.revert.unwrap().message_id, second);
    assert_eq!(rig.instance.unrevert(&session).await.unwrap().revert, None);

    let title = SessionUpdate { title: Some("Renamed".into()), ..SessionUpdate::default() };
    assert_eq!(rig.instance.update_session(&session, &title).await.unwrap().title, "Renamed");
    let roots = SessionFilter { roots: true, ..SessionFilter::default() };
    let listed = rig.instance.sessions(&roots).await.unwrap();
    assert!(listed.iter().any(|s| s.id == session && s.title == "Renamed"));
    assert_eq!(rig.instance.children(&session).await.unwrap(), []);
    assert_eq!(rig.instance.todo(&session).await.unwrap(), []);
    assert_eq!(rig.instance.message(&session, &first).await.unwrap().info.id(), first);
    let never = rig.instance.message(&session, &MessageId::ascending()).await;
    assert!(never.is_err_and(|e| e.is_not_found()));
    rig.instance.delete_session(&session).await.unwrap();
    let gone = rig.instance.session(&session).await;
    assert!(gone.is_err_and(|e| e.is_not_found()));
    rig.instance.dispose().await.unwrap();
}

#[tokio::test]
async fn a_command_runs_as_a_turn_that_outlives_its_request() {
    let mut rig = Rig::new().await;
    let commands = rig.sandbox.project.join(".kilo/command");
    std::fs::create_dir_all(&commands).unwrap();
    std::fs::write(commands.join("greet.md"), "Greet. $ARGUMENTS").unwrap();
    rig.instance.dispose().await.unwrap();
    let session = rig.session().await;
    let script = Script::new().text("I say").wait("go").text(" hello");
    let run = kilo_sdk::RunCommand {
        message_id: MessageId::ascending(),
        command: "greet".into(),
        arguments: script.prompt("Sam"),
        agent: Some("code".into()),
        model: ModelRef::parse("mock/m1"),
        ..kilo_sdk::RunCommand::default()
    };
    let cut_short = async {
        tokio::select! {
            done = rig.instance.run_command(&session, &run) => panic!("{done:?}"),
            () = rig.sandbox.model.reached("go") => {}
        }
    };
    tokio::time::timeout(PATIENT, cut_short).await.unwrap();
    rig.sandbox.model.release("go");
    assert_eq!(rig.closed(&session).await, CloseReason::Completed);
    let page = rig.instance.messages(&session, 10, None).await.unwrap();
    assert_eq!(page.messages[0].info.id(), run.message_id);
    let said = page.messages[1].parts.iter().any(|p| match &p.body {
        PartBody::Text(part) => part.text == "I say hello",
        _ => false,
    });
    assert!(said, "{page:?}");
}

#[tokio::test]
async fn a_provider_s_refusal_is_told_by_its_kind() {
    let mut rig = Rig::new().await;
    let session = rig.session().await;
    rig.prompt(&session, Script::new().status(402, "pay first").prompt("go")).await;
    let error = rig
        .next(|event| match event {
            Event::SessionError { error, .. } => Some(error),
            _ => None,
        })
        .await;
    assert_eq!(
        (error.kind, error.status_code, error.retryable),
        (ErrorKind::Api, Some(402), false)
    );
    assert_eq!(rig.closed(&session).await, CloseReason::Error);
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let sandbox = Sandbox::new().await.unwrap();
    let launch = launch_of(&sandbox)
        .env("HOME", "/proc/none")
        .env("XDG_DATA_HOME", "/proc/none/data")
        .env("XDG_STATE_HOME", "/proc/none/state")
        .env("XDG_CONFIG_HOME", "/proc/none/config")
        .env("XDG_CACHE_HOME", "/proc/none/cache");
    let error = kilo_sdk::launch(&Host::default(), launch).await.unwrap_err();
    let LaunchError::Exited { exit, .. } = error else { panic!("{error}") };
    assert!(exit.stderr.iter().any(|line| line.contains("/proc/none")), "{exit:?}");
}

/// Kilo runs its tools in process groups of their own, which outlive it.
#[tokio::test]
async fn a_killed_server_takes_its_tools_along() {
    let ledger = tempfile::tempdir().unwrap();
    let host = Host::new(HostConfig {
        withhold: Vec::new(),
        ledger: Some(Ledger::new(ledger.path(), "KILO_SDK_TEST_NONCE")),
    });
    let mut rig = Rig::with(&host).await;
    let session = rig.session().await;
    let script = Script::new().bash("echo $$; exec sleep 600");
    rig.prompt(&session, script.prompt("wait")).await;
    let request = rig
        .next(|event| match event {
            Event::PermissionAsked(request) => Some(request),
            _ => None,
        })
        .await;
    rig.instance.reply_permission(&request.id, Reply::Once, None).await.unwrap();
    let tool: u32 = rig
        .next(|event| match event {
            Event::PartUpdated { part, .. } => match part.body {
                PartBody::Tool(tool) => {
                    tool.state.metadata.get("output")?.as_str()?.trim().parse().ok()
                }
                _ => None,
            },
            _ => None,
        })
        .await;
    assert!(runs(tool));
    kill(rig.server.pid());
    let exit = rig.server.exit().wait().await.unwrap();
    assert!(exit.swept >= 1, "{exit:?}");
    testkit::wait::until_true(PATIENT, || !runs(tool)).await;
    assert_eq!(std::fs::read_dir(ledger.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_turn_cut_short_by_the_server_s_death_is_resumed() {
    let mut rig = Rig::new().await;
    let session = rig.session().await;
    let script = Script::new().text("before").wait("never").then().text("after");
    let prompt = rig.prompt(&session, script.prompt("go")).await;
    rig.next(|event| matches!(event, Event::PartDelta { .. }).then_some(())).await;
    kill(rig.server.pid());
    rig.server.exit().wait().await.unwrap();

    rig.connect(start(&Host::default(), &rig.sandbox).await).await;
    assert!(!rig.instance.statuses().await.unwrap().contains_key(&session), "nothing runs");
    let page = rig.instance.messages(&session, 10, None).await.unwrap();
    let Some(Message::Assistant(last)) = page.messages.last().map(|m| &m.info) else { panic!() };
    assert_eq!((last.time.end, &last.parent_id), (None, &prompt));
    // The model is told by a message of Kilo's own, which the history does not show.
    rig.instance.resume(&session, &last.id).await.unwrap();
    assert_eq!(rig.closed(&session).await, CloseReason::Completed);
    let again = rig.instance.resume(&session, &last.id).await.unwrap_err();
    assert!(matches!(again, Error::Refused(_)), "{again:?}");
    rig.server.client().dispose_all().await.unwrap();
}

/// Not a test: run again by the one below, as the parent that is to die.
#[tokio::test]
async fn helper_parent() {
    let Ok(program) = std::env::var("KILO_SDK_TEST_PROGRAM") else { return };
    let launch = Launch::program(program, ".");
    let server = kilo_sdk::launch(&Host::default(), launch).await.unwrap();
    eprintln!("pid {}", server.pid());
    server.exit().wait().await;
}

#[tokio::test]
async fn a_server_ends_with_the_process_that_launched_it() {
    let sandbox = Sandbox::new().await.unwrap();
    let mut spec = process::Spec::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_parent", "--nocapture"])
        .env("KILO_SDK_TEST_PROGRAM", &sandbox.kilo.binary)
        .cwd(&sandbox.project);
    for (name, value) in &sandbox.env {
        spec = spec.env(name, value);
    }
    let mut parent = Host::default().spawn(spec).await.unwrap();
    let mut lines = parent.take_lines().unwrap();
    let told = async {
        loop {
            let line = lines.next().await.expect("the helper tells the pid");
            if let Some(pid) = line.text.strip_prefix("pid ") {
                return pid.parse().unwrap();
            }
        }
    };
    let server: u32 = tokio::time::timeout(PATIENT, told).await.unwrap();
    assert!(runs(server));
    kill(parent.pid());
    testkit::wait::until_true(PATIENT, || !runs(server)).await;
}

fn kill(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[tokio::test]
async fn the_stream_tells_the_server_s_death() {
    let mut rig = Rig::new().await;
    kill(rig.server.pid());
    let ended = async {
        loop {
            match rig.events.next().await {
                Some(StreamItem::Disconnected(why)) if why.ended() => return,
                None => panic!("the last item says why"),
                Some(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENT, ended).await.unwrap();
    assert!(rig.events.next().await.is_none());
    assert_eq!(rig.server.exit().wait().await.unwrap().cause, Cause::Exited);
}

#[tokio::test]
async fn the_server_has_all_that_is_relied_on_and_all_that_is_listed() {
    let rig = Rig::new().await;
    let doc = rig.server.client().description().await.unwrap();
    let drift = kilo_sdk::drift::compare(&doc);
    assert!(drift.is_empty(), "{}", drift.iter().map(|d| format!("\n{d}")).collect::<String>());
    let listed = include_str!("../kilo-7.7.7.txt").lines().map(str::to_owned).collect();
    assert_eq!(kilo_sdk::drift::everything(&doc), listed);
}
