//! Shows Baton without an account: `demo --baton PATH [--port N]`.
//!
//! Starts a sandbox in `target/demo` (the real Kilo, Codex and Claude Code, a scripted model, a
//! sample project), Baton in it with the project added, and ends everything on Ctrl-C.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use testkit::arguments;
use testkit::sandbox::{Agent, Sandbox};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "demo --baton PATH [--port N]";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(code) => return Ok(code),
    };
    let dir = testkit::agents::agents_dir().with_file_name("demo");
    println!("preparing the demo in {}", dir.display());
    let sandbox = Sandbox::at_with(&dir, 0, Agent::ALL).await?;
    let data = dir.join("data");
    let mut terminate = signal(SignalKind::terminate())?;
    let mut baton = start(&arguments, &sandbox, &data)?;
    let output = baton.stdout.take().context("Baton has no output")?;
    let mut shown = pin!(show(output, &sandbox, &data));
    tokio::select! {
        () = &mut shown => {
            let status = baton.wait().await?;
            ensure!(status.success(), "Baton ended by itself ({status})");
            return Ok(ExitCode::SUCCESS);
        }
        signal = tokio::signal::ctrl_c() => signal?,
        _ = terminate.recv() => {}
    }
    println!("\nstopping");
    ask_to_stop(&baton)?;
    // Its output is shown to the end: a pipe that nobody reads would end it the hard way.
    let stopped = async {
        shown.await;
        baton.wait().await
    };
    let status = tokio::time::timeout(GRACE, stopped).await;
    status.with_context(|| format!("Baton did not stop within {GRACE:?} and is killed"))??;
    Ok(ExitCode::SUCCESS)
}

struct Arguments {
    baton: PathBuf,
    port: Option<u16>,
}

impl Arguments {
    fn read(given: impl Iterator<Item = String>) -> Result<Self, ExitCode> {
        let given = arguments::read(USAGE, &["baton", "port"], given)?;
        let port = given.get("port").map(|port| port.parse()).transpose();
        let port = port.map_err(|_| arguments::refuse(USAGE, "--port takes a number"))?;
        let baton = given.get("baton").map(PathBuf::from);
        let baton = baton.ok_or_else(|| arguments::refuse(USAGE, "--baton is missing"))?;
        Ok(Self { baton, port })
    }
}

#[expect(clippy::disallowed_methods, reason = "the demo ends what it starts, below")]
fn start(arguments: &Arguments, sandbox: &Sandbox, data: &Path) -> Result<Child> {
    let mut baton = Command::new(&arguments.baton);
    baton.args(["serve", "--no-open", "--data-dir"]).arg(data);
    if let Some(port) = arguments.port {
        baton.args(["--port", &port.to_string()]);
    }
    baton
        .envs(sandbox.env.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        // Of a Ctrl-C in the terminal it hears from us, once.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", arguments.baton.display()))
}

/// Passes Baton's output on until it ends; adds the project when Baton says that it listens.
async fn show(output: ChildStdout, sandbox: &Sandbox, data: &Path) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        println!("{line}");
        if line.starts_with("baton listening on ") {
            match add_project(sandbox, data).await {
                Ok(()) => println!("{HINT}"),
                Err(error) => eprintln!("cannot add the sample project: {error:#}"),
            }
        }
    }
}

const HINT: &str = "
The sample project `tally` is there, and Kilo, Codex and Claude Code with a scripted model behind
them. Start a thread and write, say, \"run the tests\". Ctrl-C ends the demo.
";

async fn add_project(sandbox: &Sandbox, data: &Path) -> Result<()> {
    let server = data.join("server.json");
    let server = std::fs::read(&server).with_context(|| format!("no {}", server.display()))?;
    let server: Value = serde_json::from_slice(&server)?;
    let url = server["url"].as_str().context("server.json holds no url")?;
    let token = server["token"].as_str().context("server.json holds no token")?;
    let answer = reqwest::Client::new()
        .post(format!("{}/api/projects", url.trim_end_matches('/')))
        .bearer_auth(token)
        .json(&json!({ "path": sandbox.project }))
        .send()
        .await?;
    let status = answer.status();
    // From an earlier demo it may be there already.
    if !status.is_success() && status != reqwest::StatusCode::CONFLICT {
        bail!("{status}: {}", answer.text().await?);
    }
    Ok(())
}

/// How long Baton has to end its agents and itself.
const GRACE: Duration = Duration::from_secs(15);

fn ask_to_stop(baton: &Child) -> Result<()> {
    let Some(pid) = baton.id().and_then(|pid| i32::try_from(pid).ok()) else {
        return Ok(());
    };
    kill(Pid::from_raw(pid), Signal::SIGTERM).context("cannot stop Baton")
}
