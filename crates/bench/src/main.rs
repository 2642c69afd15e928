//! The benchmarks: what the budgets promise, measured.
//!
//! It starts the real program where a process is what counts (start, memory, the page), and puts
//! engine, store and server together in this process where single deltas are followed. Its agent
//! is one that says what it is told to (`puppet`). It asserts nothing: a missed budget is a row
//! that says so. It is never linked into the product.

mod agents;
mod files;
mod kilo;
mod latency;
mod opening;
mod page;
mod program;
mod puppet;
mod report;
mod rig;
mod search;
mod start;
mod stats;
mod stored;
mod sustained;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

use crate::page::{Choice, Part};
use crate::program::Program;
use crate::report::{Report, Row};

/// Measures Baton against its budgets.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// What to measure [default: everything]
    names: Vec<Bench>,
    /// Writes the table into `docs/performance.md`
    #[arg(long)]
    write: bool,
    /// The `baton` to measure [default: the one of this checkout, built for release]
    #[arg(long, value_name = "FILE")]
    baton: Option<PathBuf>,
    /// What `page` measures; the results are only printed [default: all of it]
    #[arg(long, value_name = "PART")]
    part: Vec<Part>,
    /// How long `page` watches the heap, after a warm-up
    #[arg(long, value_name = "N", default_value_t = 3)]
    minutes: u64,
    /// The built web app that `page` measures [default: the one of this checkout, built now]
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Where `page` writes traces of the browser, for its own developer tools
    #[arg(long, value_name = "DIR")]
    traces: Option<PathBuf>,
}

/// One group of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// Cold start and idle memory of the program
    Start,
    /// The way of a delta from the agent to a socket
    Latency,
    /// How many deltas one core carries
    Sustained,
    /// Reading what Kilo sends
    Kilo,
    /// The real agents: their first words and their memory
    Agents,
    /// Opening a long thread
    Open,
    /// What a delta costs on the disk
    Stored,
    /// Finding files of a large project
    Files,
    /// Finding messages
    Search,
    /// What the page loads before it is first painted
    Web,
    /// The page in a browser: first words, keystrokes, frames, changes of thread, the heap
    Page,
}

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<()> {
    let names = if options.names.is_empty() { Bench::value_variants() } else { &options.names };
    let mut report = Report::load()?;
    for bench in names {
        let name = bench.name();
        eprintln!("measuring {name} …");
        let rows = bench.run(options).with_context(|| format!("`{name}` could not be measured"))?;
        report.replace(&name, rows);
        // What is not all of a group takes no other's place.
        if options.part.is_empty() {
            report.save()?;
        }
    }
    println!("{}", report.table());
    if options.write && options.part.is_empty() {
        report.write_document()?;
    }
    Ok(())
}

impl Bench {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self, options: &Options) -> Result<Vec<Row>> {
        match self {
            // One core means a runtime, and threads, of its own.
            Self::Sustained => return sustained::sustained(),
            Self::Start
            | Self::Latency
            | Self::Kilo
            | Self::Agents
            | Self::Open
            | Self::Stored
            | Self::Files
            | Self::Search
            | Self::Web
            | Self::Page => {}
        }
        // As many workers as the program itself has on a small machine.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("no threads can be started")?;
        runtime.block_on(async {
            match self {
                Self::Start => start::start(&Program::get(options.baton.as_deref()).await?).await,
                Self::Web => web::web(&Program::get(options.baton.as_deref()).await?).await,
                Self::Agents => {
                    agents::agents(&Program::get(options.baton.as_deref()).await?).await
                }
                Self::Latency => latency::latency().await,
                Self::Kilo => kilo::kilo().await,
                Self::Open => opening::opening().await,
                Self::Stored => stored::stored().await,
                Self::Files => files::files().await,
                Self::Search => search::search().await,
                Self::Page => {
                    let Options { part, minutes, site, traces, .. } = options;
                    let parts = if part.is_empty() { Part::value_variants() } else { part };
                    let (site, traces) = (site.as_deref(), traces.as_deref());
                    page::page(Choice { parts, minutes: *minutes, site, traces }).await
                }
                Self::Sustained => Ok(Vec::new()),
            }
        })
    }
}
