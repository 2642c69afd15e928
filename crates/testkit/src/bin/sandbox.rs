//! Runs a sandbox for programs that are not written in Rust: `sandbox [--dir DIR] [--port N]`.
//!
//! Prints one line of JSON (`model_url`, `control_url`, `home`, `project`, `kilo`, `kilo_wrapper`,
//! `env`) when everything is there, and stays until its standard input ends, so that it never
//! outlives whoever started it. Without `--dir` the sandbox is deleted then.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use testkit::sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<()> {
    let mut dir: Option<PathBuf> = None;
    let mut port = 0;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} takes a value"))?;
        match name.as_str() {
            "--dir" => dir = Some(value.into()),
            "--port" => port = value.parse().context("--port takes a number")?,
            _ => bail!("usage: sandbox [--dir DIR] [--port N]"),
        }
    }
    let sandbox = match dir {
        Some(dir) => Sandbox::at(&dir, port).await?,
        None => Sandbox::new().await?,
    };
    println!("{}", sandbox.describe());
    tokio::select! {
        () = stdin_ended() => {}
        signal = tokio::signal::ctrl_c() => signal?,
    }
    Ok(())
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
