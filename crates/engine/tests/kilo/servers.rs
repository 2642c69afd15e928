//! The life of `kilo serve`: which server a thread gets, and what becomes of servers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, AgentEndReason, AgentEvent, ErrorCode, Mode, ModelSelection, ProviderId,
    ProviderProblem, ProviderProblemKind, ProviderSettings, ProviderState, ProviderStatus,
    ThreadId, TurnEvent, TurnId, TurnOutcome, TurnState,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use providers::kilo::Bounds;
use providers::{OpenSession, Opened, Place, Prompt, Provider, ReadSession, RestartError};
use serde_json::{Value, json};
use testkit::mcp::Notes;
use testkit::model::Script;
use testkit::wait::{PATIENT, until, until_true};
use uuid::Uuid;

use crate::harness::{Bench, said};

/// What opens a session past the engine.
fn request(bench: &Bench, trusted: bool) -> OpenSession {
    OpenSession {
        thread: ThreadId::from_uuid(Uuid::now_v7()),
        session: None,
        workspace: bench.sandbox.project.clone(),
        access: Access::Supervised,
        title: String::new(),
        trusted,
    }
}

async fn open(bench: &Bench, trusted: bool) -> Opened {
    bench.kilo.open(request(bench, trusted)).await.expect("an open session")
}

fn prompt(opened: &Opened, text: String) -> Prompt {
    Prompt {
        turn: TurnId::from_uuid(Uuid::now_v7()),
        key: opened.session.prompt_key(domain::InputKind::Message),
        kind: domain::InputKind::Message,
        text,
        attachments: Vec::new(),
        model: ModelSelection { model: "mock/m1".to_owned(), option: None },
        mode: Mode::Build,
    }
}

/// Runs a turn in such a session until its end.
async fn run(opened: &mut Opened, script: &Script) {
    let session = Arc::clone(&opened.session);
    let prompt = prompt(opened, script.prompt("Please do this."));
    session.send(prompt).await.expect("a message that is taken");
    let ended = async {
        while let Some(event) = opened.events.recv().await {
            if matches!(event, AgentEvent::Turn { event: TurnEvent::Ended(_), .. }) {
                return;
            }
        }
        panic!("the session ended before its turn");
    };
    tokio::time::timeout(PATIENT, ended).await.expect("an ended turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_project_would_start_is_started_for_trusted_threads_only() {
    let unused = Duration::from_secs(5);
    let bounds = Bounds { server_unused: unused, ..Bounds::default() };
    let bench = Bench::start_bounded(bounds).await;
    let marks = bench.data().join("marks.txt");
    // It says which of the servers started it.
    let command = format!("echo $PPID >> '{}'", marks.display());
    let config = json!({
        "mcp": { "theirs": { "type": "local", "command": ["sh", "-c", command], "enabled": true } }
    });
    std::fs::write(bench.sandbox.project.join("kilo.json"), config.to_string()).unwrap();

    let mut untrusted = open(&bench, false).await;
    run(&mut untrusted, &Script::new().text("Nothing was started.")).await;
    let mut trusted = open(&bench, true).await;
    run(&mut trusted, &Script::new().text("It was.")).await;
    let read = || async {
        let text = std::fs::read_to_string(&marks).unwrap_or_default();
        if text.is_empty() { Err("nothing started") } else { Ok(text) }
    };
    let started = until(PATIENT, read).await;
    let (first, second) = (bench.kilo.server_pid().await, bench.kilo.untrusted_server_pid().await);
    let (first, second) = (first.expect("a server"), second.expect("another server"));
    assert_ne!(first, second);
    assert!(started.lines().all(|by| by == first.to_string()), "{started} and {second}");
    // Another untrusted thread shares the second one.
    let mut other = open(&bench, false).await;
    run(&mut other, &Script::new().text("I as well.")).await;
    assert_eq!(bench.kilo.untrusted_server_pid().await, Some(second));
    // One that no session is open on ends after a while, and none other.
    untrusted.session.close().await;
    other.session.close().await;
    let runs = |pid: u32| std::path::Path::new(&format!("/proc/{pid}")).exists();
    until_true(PATIENT, || !runs(second)).await;
    let ends = bench.kilo.report().await.ends;
    let end = ends.iter().find(|end| end.pid == Some(second)).expect("a remembered end");
    assert_eq!((end.why, end.turns), (AgentEndReason::Unused, 0));
    assert!(runs(first), "a session is open on it");
    bench.engine.shutdown().await;
    until_true(PATIENT, || !runs(first)).await;
}

/// Bounds that a test can wait for.
fn narrow() -> Bounds {
    Bounds {
        check_every: Duration::from_millis(500),
        answer_within: Duration::from_secs(3),
        silent_for: Duration::from_secs(20),
        hung_for: Duration::from_secs(20),
        ..Bounds::default()
    }
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

/// A turn that has begun to answer and waits at a gate.
async fn answering(bench: &Bench, thread: &ThreadId, gate: &str) -> TurnId {
    let turn = bench.send(thread, &Script::new().text("Half").wait(gate).text(" done.")).await;
    bench.reached(gate).await;
    bench.see(thread, |w| said(w).contains(&"Half").then_some(())).await;
    turn
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_nothing_is_replaced_and_its_threads_go_on() {
    let bench = Bench::start_bounded(narrow()).await;
    let (one, two) = (bench.thread().await, bench.thread().await);
    let stopped = answering(&bench, &one, "one").await;
    let lost = answering(&bench, &two, "two").await;
    let session = bench.row(&two).await.session;
    let pid = bench.kilo.server_pid().await.expect("a running server");
    let mut status = bench.kilo.status();

    // Its port stays open, and nothing is answered any more.
    signal(pid, Signal::SIGSTOP);
    let wedged =
        |s: &ProviderStatus| s.problems.iter().any(|p| p.kind == ProviderProblemKind::NotAnswering);
    tokio::time::timeout(PATIENT, status.wait_for(wedged)).await.expect("told").unwrap();
    bench.engine.stop(&one).await.unwrap();
    // By the clock: the server takes no stop.
    let turn = bench.ended(&one, &stopped).await;
    assert_eq!(turn.state, TurnState::Interrupted);
    let turn = bench.ended(&two, &lost).await;
    assert_eq!(turn.state, TurnState::Failed);
    assert_eq!(turn.error.map(|e| e.code), Some(ErrorCode::AgentDied));

    for thread in [&one, &two] {
        let turn = bench.run(thread, &Script::new().text("Here I am again.")).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    assert_eq!(bench.row(&two).await.session, session, "another session");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it still runs");
    let report = bench.kilo.report().await;
    let end = report.ends.first().expect("a remembered end");
    assert_eq!((end.why, end.pid, end.trusted), (AgentEndReason::NotAnswering, Some(pid), true));
    assert!(report.processes.iter().all(|p| p.answering && p.pid != Some(pid)), "{report:?}");
    assert!(!wedged(&bench.kilo.status().borrow()));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_asks_first_and_many_opens_at_once_start_one_server() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let turn = answering(&bench, &thread, "never").await;
    let session = bench.row(&thread).await.session;
    let before = bench.kilo.report().await;
    assert_eq!((before.processes.len(), before.processes[0].turns), (1, 1));

    assert_eq!(bench.kilo.restart(false).await, Err(RestartError::Busy { turns: 1 }));
    let runs = || async {
        let processes = bench.kilo.report().await.processes;
        processes.iter().map(|process| process.turns).sum::<u32>() == 1
    };
    assert!(runs().await, "it was ended unasked");
    // What Kilo does not understand is found at the next look, and named.
    let file = bench.sandbox.home.path().join(".config/kilo/kilo.json");
    let good = std::fs::read_to_string(&file).unwrap();
    let mut bad: Value = serde_json::from_str(&good).unwrap();
    bad["permission"] = json!({ "bash": "perhaps" });
    std::fs::write(&file, bad.to_string()).unwrap();
    let status = bench.engine.refresh_provider(&ProviderId::known("kilo")).await.unwrap();
    let named = |p: &ProviderProblem| {
        p.kind == ProviderProblemKind::Configuration && p.message.contains("permission.bash")
    };
    assert!(status.problems.iter().any(named), "{status:?}");
    assert!(runs().await, "a look ended it");
    std::fs::write(&file, good).unwrap();

    bench.kilo.restart(true).await.unwrap();
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!(turn.error.map(|e| e.code), Some(ErrorCode::AgentDied));
    assert_eq!(bench.kilo.status().borrow().problems, []);
    let after = bench.kilo.report().await;
    assert_eq!(after.ends.first().map(|e| (e.why, e.turns)), Some((AgentEndReason::Restarted, 1)));
    assert_ne!(after.processes[0].pid, before.processes[0].pid);
    let turn = bench.run(&thread, &Script::new().text("Here I am again.")).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    assert_eq!(bench.row(&thread).await.session, session, "another session");

    // Many at once when none runs.
    signal(after.processes[0].pid.unwrap(), Signal::SIGKILL);
    let mut opens = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (kilo, request) = (bench.kilo.clone(), request(&bench, true));
        opens.spawn(async move { kilo.open(request).await.map(|opened| opened.session.id()) });
    }
    let opened = opens.join_all().await;
    let sessions: HashSet<_> = opened.into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(sessions.len(), 50);
    let report = bench.kilo.report().await;
    assert_eq!((report.starts, report.processes.len()), (after.starts + 1, 1));
    assert_eq!(report.ends.first().map(|e| e.why), Some(AgentEndReason::Died));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_too_much_is_told_of_and_replaced_once_nothing_runs() {
    let bench = Bench::start_bounded(Bounds {
        sample_every: Duration::from_millis(300),
        memory_bytes: 1,
        recycle_after: Duration::ZERO,
        ..Bounds::default()
    })
    .await;
    let thread = bench.thread().await;
    let mut status = bench.kilo.status();
    let turn = answering(&bench, &thread, "gate").await;
    let pid = bench.kilo.server_pid().await;
    let large =
        |s: &ProviderStatus| s.problems.iter().any(|p| p.kind == ProviderProblemKind::Memory);
    tokio::time::timeout(PATIENT, status.wait_for(large)).await.expect("a warning").unwrap();
    let report = bench.kilo.report().await;
    let process = report.processes.first().expect("it runs");
    assert!(process.memory_bytes.is_some_and(|bytes| bytes > 50_000_000), "{process:?}");
    // Not under a turn.
    assert_eq!(process.pid, pid);
    bench.sandbox.model.release("gate");
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);

    let ended = || async {
        let report = bench.kilo.report().await;
        let end = report.ends.iter().find(|end| end.pid == pid).cloned();
        end.ok_or(report)
    };
    let end = until(PATIENT, ended).await;
    assert_eq!((end.why, end.turns), (AgentEndReason::Memory, 0));
    bench.engine.shutdown().await;
}

/// A directory whose configuration has Kilo run a program for as long as it is in use there.
struct Kept {
    path: PathBuf,
    mark: PathBuf,
}

impl Kept {
    fn new(bench: &Bench, name: &str) -> Self {
        let (path, mark) = (bench.data().join(name), bench.data().join(format!("{name}.pid")));
        std::fs::create_dir(&path).unwrap();
        let mut server = Notes::at(&path).unwrap().kilo_config();
        // A real one: Kilo ends by itself what does not speak its protocol.
        let command = server["command"].as_array_mut().expect("a command");
        let noted = format!("echo $$ > '{}'; exec sh \"$@\"", mark.display());
        command.splice(1..1, ["-c", &noted, "sh"].map(Value::from));
        let config = json!({ "mcp": { "theirs": server } });
        std::fs::write(path.join("kilo.json"), config.to_string()).unwrap();
        Self { path, mark }
    }

    /// Gives a session there a message, and closes it while the answer waits at the gate.
    async fn leave_running(&self, bench: &Bench, gate: &str) -> OpenSession {
        let request = OpenSession { workspace: self.path.clone(), ..request(bench, true) };
        let opened = bench.kilo.open(request.clone()).await.expect("an open session");
        let text = Script::new().text("Alone.").wait(gate).text(" Done.").prompt("Do this.");
        opened.session.send(prompt(&opened, text)).await.expect("a message that is taken");
        bench.reached(gate).await;
        self.program().await;
        opened.session.close().await;
        OpenSession { session: Some(opened.session.id()), ..request }
    }

    /// The process of the program, once it runs.
    async fn program(&self) -> PathBuf {
        let read = || async {
            let text = std::fs::read_to_string(&self.mark).unwrap_or_default();
            text.lines().next().map(|pid| Path::new("/proc").join(pid)).ok_or("nothing started")
        };
        until(PATIENT, read).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_directory_keeps_running_is_freed_when_nothing_uses_it() {
    let bench = Bench::start_bounded(Bounds {
        directory_unused: Duration::from_secs(2),
        ..Bounds::default()
    })
    .await;
    let thread = bench.thread().await;
    let turn = answering(&bench, &thread, "gate").await;

    // A turn runs on there although no session of Baton's is open any more.
    let busy = Kept::new(&bench, "busy");
    let left = busy.leave_running(&bench, "busy").await;
    let busy = busy.program().await;
    // Others come and are freed: the second is looked at only after the first was unused for so
    // long, and so when nothing was heard of that turn for longer.
    for name in ["idle", "later"] {
        let idle = Kept::new(&bench, name);
        idle.leave_running(&bench, name).await;
        let idle = idle.program().await;
        bench.sandbox.model.release(name);
        until_true(PATIENT, || !idle.exists()).await;
    }
    assert!(busy.exists(), "it was freed under a turn");
    let place = Place { workspace: left.workspace.clone(), trusted: true };
    let session = left.session.expect("a session's id");
    bench.sandbox.model.release("busy");
    until_true(PATIENT, || !busy.exists()).await;
    let of = ReadSession { session, thread: left.thread, known: Vec::new() };
    let reading = bench.kilo.sessions().expect("sessions").read(&place, &of).await;
    let turns = reading.expect("a session that can be read").history.turns;
    let end = turns.last().and_then(|turn| turn.events.last()).map(|(_, event)| event);
    assert_eq!(end, Some(&TurnEvent::Ended(TurnOutcome::Completed)), "it was ended under a turn");

    // The other directory's turn is none the wiser.
    bench.sandbox.model.release("gate");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_takes_over_when_no_turn_runs() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let turn = answering(&bench, &thread, "gate").await;
    let pid = bench.kilo.server_pid().await;
    // Another way to the same Kilo.
    let link = bench.data().join("another-kilo");
    std::os::unix::fs::symlink(&bench.sandbox.kilo.binary, &link).unwrap();
    let binary = Some(link.to_string_lossy().into_owned());
    let settings = ProviderSettings { binary, ..ProviderSettings::default() };
    let id = ProviderId::known("kilo");
    bench.engine.configure_provider(&id, settings).await.unwrap();
    assert_eq!(bench.kilo.server_pid().await, pid, "it was ended under a turn");
    bench.sandbox.model.release("gate");
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);

    let next = bench.thread().await;
    let turn = bench.run(&next, &Script::new().text("By another program.")).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    assert_ne!(bench.kilo.server_pid().await, pid);
    let ends = bench.kilo.report().await.ends;
    assert_eq!(ends.first().map(|e| e.why), Some(AgentEndReason::SettingsChanged));
    // The thread of before goes on there.
    let turn = bench.run(&thread, &Script::new().text("I as well.")).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    bench.engine.shutdown().await;
}

/// A `kilo serve` that is none of Baton's, and its address.
async fn theirs(bench: &Bench, rules: Option<String>) -> (process::Child, String) {
    let mut spec = process::Spec::new(&bench.sandbox.kilo.binary)
        .args(["serve", "--hostname", "127.0.0.1", "--port", "0"])
        .env("KILO_SERVER_PASSWORD", "their password");
    for (name, value) in &bench.sandbox.env {
        spec = spec.env(name, value);
    }
    if let Some(rules) = rules {
        spec = spec.env("KILO_CONFIG_CONTENT", rules);
    }
    let mut child = process::Host::default().spawn(spec).await.expect("a server");
    let mut lines = child.take_lines().expect("its lines");
    let listening = async {
        while let Some(line) = lines.next().await {
            if let Some((_, url)) = line.text.split_once("listening on ") {
                return url.to_owned();
            }
        }
        panic!("it ended");
    };
    let url = tokio::time::timeout(PATIENT, listening).await.expect("an address");
    (child, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_is_used_when_it_goes_by_batons_rules_and_is_never_ended() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let id = ProviderId::known("kilo");
    let own = bench.kilo.server_pid().await.expect("a server of our own");
    let named = |server: &str| ProviderSettings {
        server: Some(server.to_owned()),
        ..bench.kilo.status().borrow().settings.clone()
    };
    // It asks less than Baton promises.
    let (loose, url) = theirs(&bench, None).await;
    bench.engine.entrust_provider(&id, Some("their password".to_owned())).await.unwrap();
    let status = bench.engine.configure_provider(&id, named(&url)).await.unwrap();
    assert_eq!(status.state, ProviderState::Broken);
    assert!(status.message.contains("baton kilo-rules"), "{}", status.message);
    assert!(bench.kilo.open(request(&bench, true)).await.is_err(), "it was used all the same");
    loose.stop("the test", Duration::ZERO).await;

    let (child, url) = theirs(&bench, Some(providers::kilo::rules().to_string())).await;
    bench.engine.entrust_provider(&id, Some("wrong".to_owned())).await.unwrap();
    let status = bench.engine.configure_provider(&id, named(&url)).await.unwrap();
    assert!(status.message.contains("refused the password"), "{}", status.message);
    // As `kilo daemon` writes it down.
    let directory = bench.sandbox.home.path().join(".local/state/kilo");
    std::fs::create_dir_all(&directory).unwrap();
    let daemon = json!({
        "pid": child.pid(), "url": url, "username": "kilo", "password": "their password",
    });
    std::fs::write(directory.join("daemon.json"), daemon.to_string()).unwrap();
    let status = bench.engine.configure_provider(&id, named("daemon")).await.unwrap();
    assert_eq!(status.state, ProviderState::Ready, "{}", status.message);

    let turn = bench.send(&thread, &Script::new().bash("echo theirs > theirs.txt")).await;
    let asked = bench.asked(&thread).await;
    assert_eq!(bench.file("theirs.txt"), None, "it was not asked first");
    bench.decide(&asked, domain::Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let report = bench.kilo.report().await;
    let used: Vec<_> = report.processes.iter().map(|p| (p.pid, p.url.as_str())).collect();
    assert_eq!(used, [(None, url.as_str())]);
    assert!(!std::path::Path::new(&format!("/proc/{own}")).exists(), "ours still runs");

    // What a project would start is not known to stay unread there: until it is trusted, its
    // threads go on, in the same conversation, on a server of our own.
    let session = bench.row(&thread).await.session;
    let touched = bench.data().join("touched");
    let command = json!(["sh", "-c", format!("touch '{}'; cat", touched.display())]);
    let config = json!({ "mcp": { "it": { "type": "local", "command": command } } });
    std::fs::write(bench.sandbox.project.join("kilo.json"), config.to_string()).unwrap();
    let turn = bench.run(&thread, &Script::new().text("On our own.")).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    assert_eq!((bench.row(&thread).await.session, touched.exists()), (session, false));
    let report = bench.kilo.report().await;
    let mut used: Vec<_> = report.processes.iter().map(|p| (p.trusted, p.pid.is_some())).collect();
    used.sort_unstable();
    assert_eq!(used, [(false, true), (true, false)]);
    // Where none can be started, that is what is said.
    let binary = Some("/no/such/kilo".to_owned());
    let lacking = ProviderSettings { binary, ..named("daemon") };
    bench.engine.configure_provider(&id, lacking).await.unwrap();
    let Err(error) = bench.kilo.open(request(&bench, false)).await else { panic!("it opened") };
    assert!(error.message.contains("not trusted"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("trust")), "{error:?}");

    bench.engine.shutdown().await;
    assert!(child.exit().get().is_none(), "it was ended");
    child.stop("the test", Duration::ZERO).await;
}
