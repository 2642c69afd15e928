//! The real Codex and the real Claude Code in a sandbox play scripts. What Baton makes of them is
//! tested elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::process::Stdio;

use serde_json::{Value, json};
use testkit::model::{Call, Kind, Protocol, Script};
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::PATIENT;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A program that is spoken with in lines of JSON. It is killed when dropped.
struct Peer {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    #[expect(clippy::disallowed_methods, reason = "the test ends what it starts")]
    fn start(sandbox: &Sandbox, agent: Agent, arguments: &[&str]) -> Self {
        let mut child = Command::new(sandbox.program(agent).unwrap())
            .args(arguments)
            .current_dir(&sandbox.project)
            .envs(sandbox.env.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    async fn say(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// Reads until a message is what is waited for, and returns it.
    async fn hear(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let line = self.output.next_line().await.unwrap().expect("the agent has ended");
                let message: Value = serde_json::from_str(&line).unwrap();
                if wanted(&message) {
                    return message;
                }
            }
        };
        tokio::time::timeout(PATIENT, found).await.expect("it does not come")
    }

    /// Ends its input, which ends it.
    async fn end(self) {
        let Self { mut child, input, output: _output } = self;
        drop(input);
        let status = tokio::time::timeout(PATIENT, child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}");
    }
}

fn kinds(calls: &[Call]) -> Vec<Kind> {
    calls.iter().map(|call| call.kind.clone()).collect()
}

#[tokio::test]
async fn the_real_codex_plays_a_script() {
    let sandbox = Sandbox::with(&[Agent::Codex]).await.unwrap();
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+patched\n*** End Patch\n";
    let prompt = Script::new()
        .reasoning("where to look")
        .text("looking")
        .tool("exec_command", json!({ "cmd": "cat README.md" }))
        .tool("exec_command", json!({ "cmd": "ls src" }))
        .step()
        .tool_raw("apply_patch", patch)
        .step()
        .text("all seen")
        .usage(30, 4)
        .prompt("look around");

    let mut codex = Peer::start(&sandbox, Agent::Codex, &["app-server"]);
    let client = json!({ "clientInfo": { "name": "test", "title": "Test", "version": "0" } });
    codex.say(&json!({ "id": 1, "method": "initialize", "params": client })).await;
    codex.hear(|message| message["id"] == 1).await;
    codex.say(&json!({ "method": "initialized" })).await;
    let thread = json!({ "cwd": sandbox.project, "approvalPolicy": "never",
        "sandbox": "danger-full-access" });
    codex.say(&json!({ "id": 2, "method": "thread/start", "params": thread })).await;
    let started = codex.hear(|message| message["id"] == 2).await;
    let thread = &started["result"]["thread"]["id"];
    let input = json!([{ "type": "text", "text": prompt, "text_elements": [] }]);
    let turn = json!({ "threadId": thread, "input": input, "effort": "high" });
    codex.say(&json!({ "id": 3, "method": "turn/start", "params": turn })).await;
    let usage = codex
        .hear(|message| {
            let usage = &message["params"]["tokenUsage"]["last"];
            usage["inputTokens"] == 30 && usage["outputTokens"] == 4
        })
        .await;
    assert_eq!(usage["method"], "thread/tokenUsage/updated");
    let end = codex.hear(|message| message["method"] == "turn/completed").await;
    codex.end().await;

    assert_eq!(end["params"]["turn"]["status"], "completed", "{end}");
    assert_eq!(end["params"]["turn"]["items"][0]["text"], "all seen", "{end}");
    let patched = std::fs::read_to_string(sandbox.project.join("new.txt")).unwrap();
    assert_eq!(patched, "patched\n");
    let calls = sandbox.model.calls_with("look around");
    assert_eq!(kinds(&calls), [0, 1, 2].map(Kind::Script));
    let last = calls.last().unwrap();
    assert_eq!(last.protocol, Protocol::Responses);
    assert_eq!((last.model.as_str(), last.reasoning_effort.as_deref()), ("gpt-5.5", Some("high")));
    assert!(last.tools.iter().any(|tool| tool == "apply_patch"), "{:?}", last.tools);
    assert!(last.mentions("tally.js"), "{:?}", last.messages());
}

#[tokio::test]
async fn the_real_claude_plays_a_script() {
    let sandbox = Sandbox::with(&[Agent::Claude]).await.unwrap();
    let readme = sandbox.project.join("README.md");
    let child = Script::new().text("child heard").prompt("survey");
    let task = json!({ "description": "Survey", "prompt": child,
        "subagent_type": "general-purpose" });
    let prompt = Script::new()
        .reasoning("where to look")
        .text("looking")
        .tool("Read", json!({ "file_path": readme }))
        .tool("Bash", json!({ "command": "ls src", "description": "List files" }))
        .step()
        .tool("Agent", task)
        .step()
        .text("all seen")
        .usage(30, 4)
        .prompt("look around");

    let mut arguments = vec!["--verbose", "--input-format", "stream-json"];
    arguments.extend(["--output-format", "stream-json", "--effort", "low"]);
    let mut claude = Peer::start(&sandbox, Agent::Claude, &arguments);
    let message = json!({ "role": "user", "content": prompt });
    claude.say(&json!({ "type": "user", "message": message })).await;
    let end = claude.hear(|message| message["type"] == "result").await;
    claude.end().await;

    assert_eq!((&end["result"], &end["is_error"]), (&json!("all seen"), &json!(false)), "{end}");
    let calls = sandbox.model.calls_with("look around");
    assert_eq!(kinds(&calls), [0, 1, 2].map(Kind::Script));
    let last = calls.last().unwrap();
    assert_eq!(last.protocol, Protocol::Messages);
    assert_eq!(last.reasoning_effort.as_deref(), Some("low"));
    assert!(last.tools.iter().any(|tool| tool == "Bash"), "{:?}", last.tools);
    assert!(last.mentions("tally.js"), "{:?}", last.messages());
    assert!(last.mentions("child heard"), "the sub-agent plays its own script");
}
