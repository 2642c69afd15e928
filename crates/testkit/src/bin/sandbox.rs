//! Runs a sandbox for programs that are not written in Rust: `sandbox [--dir DIR] [--port N]`.
//!
//! Prints one line of JSON (`model_url`, `control_url`, `home`, `project`, `kilo`, `kilo_wrapper`,
//! `env`) when everything is there, and stays until its standard input ends, so that it never
//! outlives whoever started it. Without `--dir` the sandbox is deleted then.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use testkit::arguments;
use testkit::sandbox::Sandbox;

const USAGE: &str = "sandbox [--dir DIR] [--port N]";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let given = match arguments::read(USAGE, &["dir", "port"], std::env::args().skip(1)) {
        Ok(given) => given,
        Err(code) => return Ok(code),
    };
    let Ok(port) = given.get("port").map_or(Ok(0), |port| port.parse()) else {
        return Ok(arguments::refuse(USAGE, "--port takes a number"));
    };
    let sandbox = match given.get("dir") {
        Some(dir) => Sandbox::at(Path::new(dir), port).await?,
        None => Sandbox::new().await?,
    };
    println!("{}", sandbox.describe());
    tokio::select! {
        () = stdin_ended() => {}
        signal = tokio::signal::ctrl_c() => signal?,
    }
    Ok(ExitCode::SUCCESS)
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
