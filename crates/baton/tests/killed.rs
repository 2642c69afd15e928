//! The real binary, killed without warning: nothing it started lives on, nothing accepted is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::kilo::libraries;
use testkit::model::Script;
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::{PATIENT, until, until_true};
use uuid::Uuid;

/// A Baton that can be killed and started again on the same data.
struct Killable {
    sandbox: Sandbox,
    data: tempfile::TempDir,
    http: reqwest::Client,
    running: Option<(Child, String, String)>,
}

impl Killable {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with agents beside Kilo.
    async fn start_with(agents: &[Agent]) -> Self {
        let sandbox = Sandbox::with(agents).await.expect("a sandbox with the real agents");
        let data = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut this = Self { sandbox, data, http, running: None };
        this.up();
        this
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what a child leaves behind is to be seen, not swept away"
    )]
    fn up(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_baton"))
            .args(["serve", "--no-open", "--port", "0", "--data-dir"])
            .arg(self.data.path())
            .envs(self.sandbox.env.iter().cloned())
            // Where Kilo unpacks is Baton's to say.
            .env_remove("BUN_TMPDIR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|l| l.unwrap().strip_prefix("baton listening on ").map(str::to_owned))
            .expect("the ready line");
        // The pipe stays open for as long as the process writes to it.
        std::thread::spawn(move || lines.count());
        let file = std::fs::read_to_string(self.data.path().join("server.json")).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        self.running = Some((child, url, file["token"].as_str().unwrap().to_owned()));
    }

    /// A `kilo serve` that is none of Baton's, in its place from now on.
    async fn with_theirs(&self) -> process::Child {
        let mut spec = process::Spec::new(&self.sandbox.kilo.binary)
            .args(["serve", "--hostname", "127.0.0.1", "--port", "0"])
            .env("KILO_SERVER_PASSWORD", "their password")
            .env("KILO_CONFIG_CONTENT", providers::kilo::rules().to_string());
        for (name, value) in &self.sandbox.env {
            spec = spec.env(name, value);
        }
        let mut child = process::Host::default().spawn(spec).await.unwrap();
        let mut lines = child.take_lines().unwrap();
        let listening = async {
            while let Some(line) = lines.next().await {
                if let Some((_, url)) = line.text.split_once("listening on ") {
                    return url.to_owned();
                }
            }
            panic!("it ended");
        };
        let url = tokio::time::timeout(PATIENT, listening).await.expect("an address");
        let used = json!({"server": url, "server_password": "their password"});
        let status = self.call("PATCH", "/api/providers/kilo", Some(used)).await;
        assert_eq!(status["state"], "ready", "{status:#}");
        child
    }

    fn kill(&mut self) {
        let (mut child, ..) = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (_, url, token) = self.running.as_ref().unwrap();
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, format!("{url}{path}")).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn thread(&self, access: &str) -> String {
        self.thread_with("kilo", "mock/m1", access).await
    }

    async fn thread_with(&self, provider: &str, model: &str, access: &str) -> String {
        let project =
            self.call("POST", "/api/projects", Some(json!({"path": self.sandbox.project}))).await;
        let id = format!("thr_{}", Uuid::now_v7().simple());
        let new = json!({
            "id": id, "project_id": project["id"], "provider": provider,
            "model": {"model": model}, "access": access,
        });
        self.call("POST", "/api/threads", Some(new)).await;
        id
    }

    async fn send(&self, thread: &str, script: &Script) -> String {
        self.say(thread, script, "queue").await
    }

    async fn say(&self, thread: &str, script: &Script, delivery: &str) -> String {
        let id = format!("trn_{}", Uuid::now_v7().simple());
        let text = script.prompt("Please do this.");
        let message = json!({"id": id, "text": text, "delivery": delivery});
        self.call("POST", &format!("/api/threads/{thread}/turns"), Some(message)).await;
        id
    }

    async fn window(&self, thread: &str) -> Value {
        self.call("GET", &format!("/api/threads/{thread}/window"), None).await
    }

    async fn see(&self, thread: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let wanted = &wanted;
        until(PATIENT, || async move {
            let window = self.window(thread).await;
            if wanted(&window) { Ok(window) } else { Err(window) }
        })
        .await
    }

    async fn ended(&self, thread: &str, turn: &str) -> String {
        let state = |window: &Value| {
            let turns = window["turns"].as_array().unwrap();
            let turn = turns.iter().find(|t| t["id"] == turn).expect("the turn");
            turn["state"].as_str().unwrap().to_owned()
        };
        let over = |s: &str| matches!(s, "completed" | "interrupted" | "failed");
        state(&self.see(thread, |w| over(&state(w))).await)
    }

    /// The processes whose environment names this sandbox's home, Baton itself aside.
    fn agents(&self) -> Vec<String> {
        let home = format!("HOME={}", self.sandbox.home.path().display());
        let ours = std::process::id().to_string();
        let process = |dir: PathBuf| {
            let pid = dir.file_name()?.to_str()?.to_owned();
            let env = std::fs::read(dir.join("environ")).ok()?;
            let hit = env.split(|b| *b == 0).any(|v| v == home.as_bytes());
            let name = std::fs::read_to_string(dir.join("comm")).ok()?;
            (hit && pid != ours && name.trim() != "baton").then(|| format!("{pid} {}", name.trim()))
        };
        let dirs = std::fs::read_dir("/proc").unwrap().filter_map(|e| Some(e.ok()?.path()));
        dirs.filter_map(process).collect()
    }

    async fn all_gone(&self) {
        self.gone(|_| true).await;
    }

    /// Waits until no process of a name that `wanted` picks is left.
    async fn gone(&self, wanted: impl Fn(&str) -> bool) {
        let wanted = &wanted;
        until(Duration::from_secs(20), || async move {
            let mut left = self.agents();
            left.retain(|found| wanted(found.split_once(' ').map_or("", |(_, name)| name)));
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        if let Some((mut child, ..)) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn said(window: &Value) -> Vec<String> {
    let items = window["items"].as_array().unwrap().iter();
    items
        .filter(|i| i["content"]["kind"] == "agent_message")
        .map(|i| i["body"]["head"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_text_it_comes_back_with_every_word_and_the_turn_ends() {
    let mut baton = Killable::start().await;
    let thread = baton.thread("supervised").await;
    let script = Script::new().text("What was said so far").wait("never").text("!");
    let turn = baton.send(&thread, &script).await;
    let window = baton.see(&thread, |w| said(w) == ["What was said so far"]).await;
    let session = window["thread"]["session"].clone();
    assert!(!baton.agents().is_empty(), "no agent was running");
    baton.kill();
    baton.all_gone().await;

    baton.up();
    assert_eq!(baton.ended(&thread, &turn).await, "interrupted");
    let window = baton.window(&thread).await;
    assert_eq!(said(&window), ["What was said so far"]);
    assert_eq!(window["thread"]["status"], "idle");
    let turn = baton.send(&thread, &Script::new().text("Back again.")).await;
    assert_eq!(baton.ended(&thread, &turn).await, "completed");
    assert_eq!(baton.window(&thread).await["thread"]["session"], session);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_a_tool_its_processes_end_and_the_request_closes() {
    let mut baton = Killable::start().await;
    let thread = baton.thread("full").await;
    let script = Script::new().bash("echo begun; sleep 600").step().text("no");
    let running = baton.send(&thread, &script).await;
    baton.see(&thread, |w| w.to_string().contains("begun\\n")).await;
    let asking = baton.thread("supervised").await;
    let asked = baton.send(&asking, &Script::new().bash("echo x").step().text("no")).await;
    let window =
        baton.see(&asking, |w| w["requests"].as_array().is_some_and(|r| !r.is_empty())).await;
    let request = window["requests"][0]["id"].as_str().unwrap();
    baton.kill();
    // Kilo ends with Baton and takes its tools along; one that it has no time for is ended by the
    // next start.
    baton.gone(|name| name.contains("kilo")).await;

    baton.up();
    // Whoever answers before it is known that nobody waits is told that it came to nothing.
    let once = json!({"answer": {"kind": "approval", "decision": "once"}});
    let path = format!("/api/threads/{asking}/requests/{request}/answer");
    baton.call("POST", &path, Some(once)).await;
    baton.gone(|name| name == "sleep" || name == "bash").await;
    for (thread, turn) in [(&thread, &running), (&asking, &asked)] {
        assert_eq!(baton.ended(thread, turn).await, "interrupted");
        let window = baton.window(thread).await;
        assert_eq!(window["thread"]["open_requests"], 0);
        assert!(window["requests"].as_array().unwrap().is_empty(), "{window:#}");
        let items = window["items"].as_array().unwrap();
        let told = items.iter().any(|item| item.to_string().contains("answer was not delivered"));
        assert_eq!(told, *thread == asking, "{window:#}");
        let command = items.iter().find(|i| i["content"]["kind"] == "command").unwrap();
        let expected = if *thread == asking { "not_run" } else { "failed" };
        assert_eq!(command["status"], expected, "{window:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_an_agent_that_outlives_it_asks_it_asks_again_and_is_answered_once() {
    let mut baton = Killable::start().await;
    let theirs = baton.with_theirs().await;
    let thread = baton.thread("supervised").await;
    let script = Script::new().bash("echo ran >> ran.txt").step().text("It ran.");
    let turn = baton.send(&thread, &script).await;
    let open = |w: &Value| w["requests"][0]["state"]["state"] == "open";
    let before = baton.see(&thread, open).await;
    baton.kill();

    baton.up();
    let window = baton.see(&thread, open).await;
    assert_eq!(window["requests"][0]["id"], before["requests"][0]["id"], "{window:#}");
    assert_eq!(window["requests"].as_array().unwrap().len(), 1, "{window:#}");
    let ran = baton.sandbox.project.join("ran.txt");
    assert!(!ran.exists(), "it ran unasked");
    let request = before["requests"][0]["id"].as_str().unwrap();
    let once = json!({"answer": {"kind": "approval", "decision": "once"}});
    let path = format!("/api/threads/{thread}/requests/{request}/answer");
    baton.call("POST", &path, Some(once)).await;
    assert_eq!(baton.ended(&thread, &turn).await, "completed");
    assert_eq!(std::fs::read_to_string(ran).unwrap(), "ran\n");
    let window = baton.window(&thread).await;
    assert_eq!(said(&window), ["It ran."]);
    assert_eq!(window["requests"].as_array().unwrap().len(), 0, "{window:#}");
    assert_eq!(window["turns"].as_array().unwrap().len(), 1, "{window:#}");
    assert_eq!(window["thread"]["session"], before["thread"]["session"]);
    assert!(theirs.exit().get().is_none(), "it was ended");
    theirs.stop("the test", Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_message_steers_it_neither_loses_it_nor_sends_it_twice() {
    let mut baton = Killable::start().await;
    let thread = baton.thread("supervised").await;
    let running = baton.send(&thread, &Script::new().text("Half").wait("never").text("!")).await;
    baton.see(&thread, |w| said(w) == ["Half"]).await;
    let steered = baton.say(&thread, &Script::new().text("Just once."), "steer").await;
    let given = |w: &Value| {
        let turns = w["turns"].as_array().unwrap();
        turns.iter().any(|t| t["id"] == steered.as_str() && !t["prompt_key"].is_null())
    };
    baton.see(&thread, given).await;
    baton.kill();
    baton.all_gone().await;

    baton.up();
    assert_ne!(baton.ended(&thread, &running).await, "completed");
    // Kilo had it and forgot about it, or never got it, and is given it once more.
    let outcome = baton.ended(&thread, &steered).await;
    let window = baton.window(&thread).await;
    let words = said(&window);
    let answers = words.iter().filter(|text| *text == "Just once.").count();
    assert_eq!(answers, usize::from(outcome == "completed"), "{outcome}: {window:#}");
    assert_eq!(words.first().map(String::as_str), Some("Half"));
    assert_eq!(window["turns"].as_array().unwrap().len(), 2);
    // What the model is told next has the message once at most.
    let next = baton.send(&thread, &Script::new().text("Going on.")).await;
    assert_eq!(baton.ended(&thread, &next).await, "completed");
    let calls = baton.sandbox.model.calls();
    let last = calls.iter().rev().find(|call| !call.tools.is_empty()).expect("a call");
    let asked = |m: &&Value| m["role"] == "user" && m.to_string().contains("Just once.");
    assert!(last.messages().iter().filter(asked).count() <= 1, "{:#?}", last.messages());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_right_after_accepting_it_still_does_what_was_asked_once() {
    let mut baton = Killable::start().await;
    let thread = baton.thread("supervised").await;
    // Accepted and killed before Kilo can have started: the message is sent after the restart.
    let turn = baton.send(&thread, &Script::new().text("Done after all.")).await;
    baton.kill();
    baton.all_gone().await;
    baton.up();
    assert_eq!(baton.ended(&thread, &turn).await, "completed");
    assert_eq!(said(&baton.window(&thread).await), ["Done after all."]);
}

/// An agent beside Kilo: its model, and how that calls for a command.
struct Beside {
    agent: Agent,
    model: &'static str,
    tool: &'static str,
    argument: &'static str,
}

const CODEX: Beside =
    Beside { agent: Agent::Codex, model: "gpt-5.5", tool: "exec_command", argument: "cmd" };
const CLAUDE: Beside =
    Beside { agent: Agent::Claude, model: "sonnet", tool: "Bash", argument: "command" };

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_turns_of_codex_nothing_of_it_runs_on_and_nothing_is_lost() {
    killed_amid_turns_of(CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_turns_of_claude_code_nothing_of_it_runs_on_and_nothing_is_lost() {
    killed_amid_turns_of(CLAUDE).await;
}

/// Three threads: one in the middle of a text, one in a command, one that asks for one.
async fn killed_amid_turns_of(Beside { agent, model, tool, argument }: Beside) {
    let mut baton = Killable::start_with(&[agent]).await;
    let run = |command: &str| Script::new().tool(tool, json!({ argument: command })).step();
    let talking = baton.thread_with(agent.name(), model, "full").await;
    let talk = Script::new().text("What was said so far").wait("never").text("!");
    let talked = baton.send(&talking, &talk).await;
    baton.see(&talking, |w| said(w) == ["What was said so far"]).await;
    let working = baton.thread_with(agent.name(), model, "full").await;
    let worked = baton.send(&working, &run("echo begun > begun.txt; sleep 600").text("no")).await;
    let begun = baton.sandbox.project.join("begun.txt");
    until_true(PATIENT, || begun.exists()).await;
    let asking = baton.thread_with(agent.name(), model, "supervised").await;
    let asked = baton.send(&asking, &run("touch unasked.txt").text("no")).await;
    baton.see(&asking, |w| w["requests"].as_array().is_some_and(|r| !r.is_empty())).await;
    let session = baton.window(&talking).await["thread"]["session"].clone();
    baton.kill();
    baton.gone(|name| name.contains(agent.name())).await;

    baton.up();
    baton.gone(|name| name == "sleep").await;
    for (thread, turn) in [(&talking, &talked), (&working, &worked), (&asking, &asked)] {
        let state = baton.ended(thread, turn).await;
        let window = baton.window(thread).await;
        // Both say that the agent ended with Baton.
        assert!(matches!(&*state, "interrupted" | "failed"), "{state}: {window:#}");
        assert!(window["requests"].as_array().unwrap().is_empty(), "{window:#}");
        let items = window["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["status"] != "running"), "{window:#}");
    }
    assert!(!baton.sandbox.project.join("unasked.txt").exists(), "it ran unasked");
    let next = baton.send(&talking, &Script::new().text("Back again.")).await;
    assert_eq!(baton.ended(&talking, &next).await, "completed");
    let window = baton.window(&talking).await;
    assert_eq!(said(&window), ["What was said so far", "Back again."]);
    assert_eq!(window["thread"]["session"], session);
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_in_order_it_leaves_nothing_running_and_no_server_file() {
    let mut baton = Killable::start().await;
    let thread = baton.thread("supervised").await;
    baton.send(&thread, &Script::new().text("Some words").wait("never")).await;
    baton.see(&thread, |w| said(w) == ["Some words"]).await;
    let (mut child, ..) = baton.running.take().unwrap();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    until_true(PATIENT, || child.try_wait().unwrap().is_some()).await;
    assert!(child.wait().unwrap().success());
    assert_eq!(baton.agents(), Vec::<String>::new());
    assert!(!Path::new(baton.data.path()).join("server.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kilo_unpacked_for_a_killed_baton_is_removed_by_the_next() {
    let temporary = tempfile::tempdir().unwrap();
    let mut baton = Killable::start().await;
    baton.kill();
    baton.all_gone().await;
    baton.sandbox.env.push(("TMPDIR".to_owned(), temporary.path().display().to_string()));
    baton.up();
    let unpacked = baton.data.path().join("kilo-unpacked");
    let thread = baton.thread("supervised").await;
    let turn = baton.send(&thread, &Script::new().text("Here.")).await;
    assert_eq!(baton.ended(&thread, &turn).await, "completed");
    until_true(PATIENT, || libraries(&unpacked) > 0).await;
    baton.kill();
    baton.all_gone().await;
    assert!(libraries(&unpacked) > 0, "nothing was left to be removed");

    baton.up();
    assert_eq!(libraries(&unpacked), 0);
    let turn = baton.send(&thread, &Script::new().text("Again.")).await;
    assert_eq!(baton.ended(&thread, &turn).await, "completed");
    assert_eq!(libraries(temporary.path()), 0);
}
