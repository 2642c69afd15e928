//! Runs a sandbox for programs that are not written in Rust: `sandbox [--dir DIR] [--port N]
//! [--agents NAMES]`.
//!
//! Prints one line of JSON (`model_url`, `control_url`, `home`, `project`, `kilo`, `kilo_wrapper`,
//! `env`) when everything is there, and stays until its standard input ends, so that it never
//! outlives whoever started it. Without `--dir` the sandbox is deleted then. `--agents codex,claude`
//! puts these beside Kilo, and their programs into the JSON under the same names.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use testkit::arguments;
use testkit::sandbox::{Agent, Sandbox};

const USAGE: &str = "sandbox [--dir DIR] [--port N] [--agents codex,claude]";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let given = match arguments::read(USAGE, &["dir", "port", "agents"], std::env::args().skip(1)) {
        Ok(given) => given,
        Err(code) => return Ok(code),
    };
    let Ok(port) = given.get("port").map_or(Ok(0), |port| port.parse()) else {
        return Ok(arguments::refuse(USAGE, "--port takes a number"));
    };
    let named = given.get("agents").map(String::as_str).unwrap_or_default();
    let Some(agents) = agents(named) else {
        return Ok(arguments::refuse(USAGE, "--agents takes names with commas between them"));
    };
    let sandbox = match given.get("dir") {
        Some(dir) => Sandbox::at_with(Path::new(dir), port, &agents).await?,
        None => Sandbox::with(&agents).await?,
    };
    println!("{}", sandbox.describe());
    tokio::select! {
        () = stdin_ended() => {}
        signal = tokio::signal::ctrl_c() => signal?,
    }
    Ok(ExitCode::SUCCESS)
}

fn agents(named: &str) -> Option<Vec<Agent>> {
    let names = named.split(',').filter(|name| !name.is_empty());
    names.map(|name| Agent::ALL.iter().copied().find(|agent| agent.name() == name)).collect()
}

/// Waits for the end of standard input, on a thread that does not hold up the end of the program.
async fn stdin_ended() {
    let (ended, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // A standard input that cannot be read has ended as well.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = wait.await;
}
