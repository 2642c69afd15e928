//! The `baton` program: command line, composition, shutdown.
//!
//! It owns what a process owns (arguments, environment, signals, exit codes, the data directory)
//! and hands it to the other crates, which read none of it themselves. It has no logic of threads
//! or providers: its commands are clients of a server, of their own if none runs.

mod cli;
mod client;
mod compose;
mod data;
mod doctor;
mod link;
mod log;
mod models;
mod pair;
mod printer;
mod run;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;
use server::RecentLog;

use crate::cli::{Cli, Command};

/// Threads that run the server; it waits most of the time, and each costs memory.
const WORKERS: std::ops::RangeInclusive<usize> = 2..=4;
/// Threads that wait for the file system.
const BLOCKING_THREADS: usize = 16;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    let recent = log::start(matches!(command, Command::Serve(_)));
    let workers = std::thread::available_parallelism().map_or(*WORKERS.start(), usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.clamp(*WORKERS.start(), *WORKERS.end()))
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(obey(command, recent));
            // A blocking read that never returns, e.g. of a dead network drive, is not waited for.
            runtime.shutdown_timeout(std::time::Duration::from_secs(2));
            done
        }
        Err(error) => Err(anyhow::Error::new(error).context("no threads can be started")),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("baton: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn obey(command: Command, recent: RecentLog) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(options) => serve::serve(options, recent).await,
        Command::Run(options) => run::run(options).await,
        Command::Models(options) => models::models(options).await,
        Command::Pair(options) => pair::pair(options).await,
        Command::Doctor(options) => doctor::doctor(options).await,
        Command::KiloRules => {
            println!("{}", providers::kilo::rules());
            Ok(ExitCode::SUCCESS)
        }
    }
}
