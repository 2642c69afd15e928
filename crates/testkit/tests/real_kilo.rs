//! The real Kilo in a sandbox plays scripts. What Baton makes of Kilo is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{Seek as _, Write as _};
use std::process::{Command, Output};

use serde_json::json;
use testkit::model::{Kind, Script};
use testkit::sandbox::Sandbox;

/// Runs one prompt to its end with Kilo's own command line, which quotes prompts it gets as
/// arguments, but takes them as they are from its standard input.
#[expect(clippy::disallowed_methods, reason = "a short-lived program, ended by the test itself")]
async fn run(sandbox: &Sandbox, prompt: &str) -> Output {
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(prompt.as_bytes()).unwrap();
    input.rewind().unwrap();
    let mut command = Command::new(&sandbox.kilo.binary);
    command
        .args(["run", "--model", "mock/m1", "--title", "a test"])
        .current_dir(&sandbox.project)
        // Kilo 7.7.7 believes this rather than the directory it is started in.
        .env("PWD", &sandbox.project)
        .envs(sandbox.env.iter().cloned())
        .stdin(input);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_real_kilo_plays_a_script() {
    let sandbox = Sandbox::new().await.unwrap();
    assert_eq!(sandbox.kilo.version, testkit::kilo::VERSION);
    let readme = sandbox.project.join("README.md");
    let child = Script::new().text("child heard").prompt("survey");
    let task = json!({ "description": "Survey", "prompt": child, "subagent_type": "general" });
    let prompt = Script::new()
        .text("looking")
        .tool("read", json!({ "filePath": readme }))
        .tool("glob", json!({ "pattern": "**/*.js" }))
        .step()
        .tool("task", task)
        .step()
        .text("all seen")
        .prompt("look around");
    let output = run(&sandbox, &prompt).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("all seen"), "{output:?}");

    let calls = sandbox.model.calls();
    let kinds: Vec<&Kind> = calls.iter().map(|call| &call.kind).collect();
    let [first, second, child, last] = [0, 1, 0, 2].map(Kind::Script);
    assert_eq!(kinds, [&first, &second, &child, &last], "{output:?}");
    let seen = calls.last().unwrap();
    assert!(seen.mentions("src/tally.js"), "glob needs its search program: {seen:?}");
    assert!(seen.mentions("child heard"), "the sub-agent plays its own script: {seen:?}");
}
