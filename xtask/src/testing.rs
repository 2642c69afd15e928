//! Running the tests, and installing what they need.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::command::{Cmd, built};
use crate::count::Count;
use crate::{browser, tasks, web};

/// Crates whose integration tests, too, need neither agents nor a browser.
const PURE: &[&str] = &["domain", "protocol", "store"];

pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let rest: Vec<&String> = arguments.iter().filter(|argument| *argument != "--quick").collect();
    let filter = match rest.as_slice() {
        [] => None,
        [filter] if !filter.starts_with('-') => Some(filter.as_str()),
        _ => bail!("usage: cargo xtask test [--quick] [FILTER]"),
    };
    web::install()?;
    let needs = if quick { None } else { Some(Needs::install()?) };
    let mut count = if quick { rust_quick(filter)? } else { rust(filter)? };
    if filter.is_none() {
        count = count + Count::one(report(&tasks::types(&["--check".to_owned()])));
        count = count + Count::one(report(&Cmd::npm().args(&["run", "check"]).run()));
    }
    count = count + Cmd::npm().args(&["test", "--"]).args(&vitest(filter)).count()?;
    if let Some(needs) = needs.filter(|_| web::has_e2e()) {
        count = count + needs.browser_tests(filter)?;
    }
    finish(count)
}

pub(crate) fn e2e(arguments: &[String]) -> Result<()> {
    let filter = match arguments {
        [] => None,
        [filter] if !filter.starts_with('-') => Some(filter.as_str()),
        _ => bail!("usage: cargo xtask e2e [FILTER]"),
    };
    web::install()?;
    finish(Needs::install()?.browser_tests(filter)?)
}

/// Prints the line that sums it all up, the last one.
fn finish(count: Count) -> Result<()> {
    println!("\n{count}");
    if count.failed > 0 {
        bail!("not everything passed");
    }
    Ok(())
}

fn report(result: &Result<()>) -> bool {
    if let Err(error) = result {
        eprintln!("{error:#}");
    }
    result.is_ok()
}

fn rust(filter: Option<&str>) -> Result<Count> {
    let filter: Vec<&str> = filter.into_iter().collect();
    if !has_nextest() {
        let all = Cmd::cargo("test").args(&["--workspace", "--no-fail-fast", "--"]);
        return all.args(&filter).count();
    }
    let run = ["run", "--workspace", "--no-fail-fast", "--no-tests=pass"];
    // What a test says of its failure is not buried under frames of the runtime.
    let tests = Cmd::cargo("nextest").args(&run).args(&filter).env("RUST_BACKTRACE", "0");
    let tests = tests.count()?;
    // nextest leaves the examples in the documentation out.
    let examples = ["--workspace", "--doc", "--no-fail-fast", "--"];
    Ok(tests + Cmd::cargo("test").args(&examples).args(&filter).count()?)
}

fn rust_quick(filter: Option<&str>) -> Result<Count> {
    let filter: Vec<&str> = filter.into_iter().collect();
    let mut others = vec!["--workspace", "--lib", "--bins", "--no-fail-fast"];
    let mut pure = vec!["--no-fail-fast"];
    for name in PURE {
        others.extend(["--exclude", *name]);
        pure.extend(["-p", *name]);
    }
    let run = |which: Vec<&str>| {
        if has_nextest() {
            let run = Cmd::cargo("nextest").arg("run").args(&which).arg("--no-tests=pass");
            run.args(&filter).count()
        } else {
            Cmd::cargo("test").args(&which).arg("--").args(&filter).count()
        }
    };
    Ok(run(others)? + run(pure)?)
}

fn has_nextest() -> bool {
    Cmd::cargo("nextest").arg("--version").succeeds()
}

fn vitest(filter: Option<&str>) -> Vec<&str> {
    filter.map(|filter| vec!["-t", filter]).unwrap_or_default()
}

/// What the tests need on this machine, installed.
pub(crate) struct Needs {
    kilo: PathBuf,
    chromium: PathBuf,
}

impl Needs {
    pub(crate) fn install() -> Result<Self> {
        println!("installing the real agents from npm into target/agents, unless they are there");
        let agents =
            Cmd::cargo("run").args(&["-q", "-p", "testkit", "--bin", "agents"]).output()?;
        let agents: Value = serde_json::from_str(&agents).context("unexpected list of agents")?;
        let kilo = agents["kilo"]["binary"].as_str().context("no Kilo among the agents")?.into();
        Ok(Self { kilo, chromium: browser::chromium()? })
    }

    /// Runs the browser tests against the real binary.
    fn browser_tests(&self, filter: Option<&str>) -> Result<Count> {
        if !web::has_e2e() {
            bail!("there are no browser tests in web/e2e");
        }
        match self.browser(Cmd::npm().args(&["run", "e2e", "--"])) {
            Ok(tests) => tests.args(&vitest(filter)).count(),
            Err(error) => {
                eprintln!("{error:#}");
                Ok(Count::one(false))
            }
        }
    }

    /// Builds what a program needs that drives a browser, and names it in the program's
    /// environment: `BATON_BIN`, `BATON_KILO_BIN`, `BATON_SANDBOX_BIN` (the test kit's `sandbox`,
    /// which gives them a home, a project and a scripted model), `BATON_SEED_BIN` (which stores a
    /// long thread of the past) and `CHROMIUM`.
    pub(crate) fn browser(&self, program: Cmd) -> Result<Cmd> {
        let build = [
            "-p", "baton", "--bin", "baton", "-p", "testkit", "--bin", "sandbox", "-p", "bench",
            "--bin", "seed",
        ];
        Cmd::cargo("build").args(&build).run()?;
        Ok(program
            .env("BATON_BIN", built("baton")?)
            .env("BATON_KILO_BIN", &self.kilo)
            .env("BATON_SANDBOX_BIN", built("sandbox")?)
            .env("BATON_SEED_BIN", built("seed")?)
            .env("CHROMIUM", &self.chromium))
    }
}
