//! The developer commands: `cargo xtask help` lists them.
//!
//! It starts other programs and reports on them. It knows where things are in this repository,
//! and depends on none of its crates, so that it builds in seconds.

mod browser;
mod command;
mod count;
mod shots;
mod tasks;
mod testing;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// One developer command.
struct Task {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const TASKS: &[Task] = &[
    Task { name: "help", arguments: "", help: "list the commands", run: help },
    Task {
        name: "run",
        arguments: "[ARGS]",
        help: "build Baton for release and run it with ARGS",
        run: tasks::run,
    },
    Task {
        name: "demo",
        arguments: "[--port N]",
        help: "Baton with the real Kilo, a scripted model and a sample project; no account needed",
        run: tasks::demo,
    },
    Task {
        name: "test",
        arguments: "[--quick] [FILTER]",
        help: "all tests, installing what they need; --quick: no agents, no browser",
        run: testing::test,
    },
    Task { name: "e2e", arguments: "[FILTER]", help: "the browser tests alone", run: testing::e2e },
    Task {
        name: "shots",
        arguments: "[DIR] [OPTIONS]",
        help: "pictures of every screen and state (--only NAME, --readme: those of the README)",
        run: shots::shots,
    },
    Task {
        name: "bench",
        arguments: "[ARGS]",
        help: "the benchmarks, on a release build",
        run: tasks::bench,
    },
    Task {
        name: "soak",
        arguments: "[--minutes N] [ARGS]",
        help: "wear out a release build with the real Kilo, and count what is left",
        run: tasks::soak,
    },
    Task {
        name: "drift",
        arguments: "[--kilo PATH]",
        help: "what a Kilo no longer has of what Baton relies on [default: the pinned one]",
        run: tasks::drift,
    },
    Task {
        name: "types",
        arguments: "[--check]",
        help: "write the web app's TypeScript types from the Rust types",
        run: tasks::types,
    },
    Task { name: "fmt", arguments: "[--check]", help: "format the Rust code", run: tasks::fmt },
    Task {
        name: "lint",
        arguments: "",
        help: "clippy without warnings, and the web app's type check",
        run: tasks::lint,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = arguments.collect();
    match dispatch(&name, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(name: &str, arguments: &[String]) -> Result<()> {
    let name = if matches!(name, "--help" | "-h") { "help" } else { name };
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        bail!("there is no such command; `cargo xtask help` lists them");
    };
    (task.run)(arguments)
}

fn help(_: &[String]) -> Result<()> {
    println!("cargo xtask COMMAND\n");
    for task in TASKS {
        let usage = format!("{} {}", task.name, task.arguments);
        println!("  {usage:<26}{}", task.help);
    }
    Ok(())
}
