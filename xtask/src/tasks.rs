//! The commands that are not tests.

use anyhow::{Result, bail};

use crate::command::{Cmd, built, root};
use crate::web;

/// Where the TypeScript types go.
const TYPES: &str = "web/src/generated/wire.ts";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    Cmd::cargo("run").args(&["--release", "-p", "baton", "--"]).args(arguments).replace_us()
}

pub(crate) fn demo(arguments: &[String]) -> Result<()> {
    Cmd::cargo("build")
        .args(&["-p", "testkit", "--bin", "demo", "-p", "baton", "--bin", "baton"])
        .run()?;
    Cmd::new(built("demo")?).arg("--baton").arg(built("baton")?).args(arguments).replace_us()
}

pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    Cmd::cargo("run").args(&["--release", "-p", "bench", "--"]).args(arguments).replace_us()
}

pub(crate) fn soak(arguments: &[String]) -> Result<()> {
    let mut soak = Cmd::cargo("run").args(&["--release", "-p", "soak", "--"]);
    if !arguments.iter().any(|argument| argument == "--baton") {
        Cmd::cargo("build").args(&["--release", "-p", "baton"]).run()?;
        let release = root().join("target/release");
        soak = soak.arg("--baton").arg(release.join("baton"));
    }
    soak.args(arguments).replace_us()
}

pub(crate) fn drift(arguments: &[String]) -> Result<()> {
    let drift = ["-q", "-p", "kilo-sdk", "--example", "drift", "--"];
    Cmd::cargo("run").args(&drift).args(arguments).replace_us()
}

pub(crate) fn types(arguments: &[String]) -> Result<()> {
    let check = flag("types", "--check", arguments)?;
    let run = Cmd::cargo("run").args(&["-q", "-p", "protocol", "--bin", "types", "--", TYPES]);
    if check { run.arg("--check").run() } else { run.run() }
}

pub(crate) fn fmt(arguments: &[String]) -> Result<()> {
    let check = flag("fmt", "--check", arguments)?;
    let fmt = Cmd::cargo("fmt").arg("--all");
    if check { fmt.args(&["--", "--check"]).run() } else { fmt.run() }
}

pub(crate) fn lint(_: &[String]) -> Result<()> {
    web::install()?;
    let clippy = ["--workspace", "--all-targets", "--", "-D", "warnings"];
    Cmd::cargo("clippy").args(&clippy).run()?;
    Cmd::npm().args(&["run", "check"]).run()?;
    Cmd::npm().args(&["run", "--if-present", "lint"]).run()
}

fn flag(task: &str, flag: &str, arguments: &[String]) -> Result<bool> {
    match arguments {
        [] => Ok(false),
        [one] if one == flag => Ok(true),
        _ => bail!("usage: cargo xtask {task} [{flag}]"),
    }
}
