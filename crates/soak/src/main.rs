//! Wears Baton out, and counts what is left: the real program, the real Kilo, a scripted model, a
//! bad link between them, people who work in many threads at once, and somebody who kills things.
//!
//! When the time is up everything is let settle, and what was accepted is compared with what
//! became of it, here and in Kilo's own sessions. Whatever does not agree is a row that says so and
//! an exit code that is not zero. The seed and the log of events are printed, so that a run can be
//! looked into and repeated as far as chance allows.

mod accounts;
mod baton;
mod chaos;
mod checks;
mod follower;
mod person;
mod processes;
mod samples;
mod scripts;
mod sessions;
mod table;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use testkit::faults::FaultProxy;
use testkit::sandbox::Sandbox;

use crate::accounts::Accounts;
use crate::baton::Baton;
use crate::follower::{Follower, Manner};
use crate::person::Person;
use crate::samples::Samples;

/// Wears Baton out and counts what is left.
#[derive(Debug, Clone, Parser)]
#[command(name = "soak")]
struct Options {
    /// How long, in minutes
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// How many threads are worked in at once
    #[arg(long, default_value_t = 20)]
    threads: u32,
    /// What chance is drawn from [default: the clock]
    #[arg(long)]
    seed: Option<u64>,
    /// How long Baton is left alone before it is ended, in minutes: it lets go of threads five minutes
    /// after their last sign
    #[arg(long, default_value_t = 6.0)]
    rest: f64,
    /// Nothing is killed and the link is good
    #[arg(long)]
    calm: bool,
    /// Writes the table into `docs/performance.md`
    #[arg(long)]
    write: bool,
    /// The `baton` to wear out
    #[arg(long, value_name = "FILE")]
    baton: PathBuf,
}

/// What everybody in a run has in hand.
#[derive(Clone)]
struct World {
    baton: Arc<Baton>,
    accounts: Arc<Accounts>,
    sandbox: Arc<Sandbox>,
    proxy: Arc<FaultProxy>,
    seed: u64,
    /// The time is up: nothing new is begun.
    over: Arc<AtomicBool>,
    /// Everything has settled: whoever looks on stops.
    closed: Arc<AtomicBool>,
}

impl World {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("soak: no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(soak(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs; says whether everything was as it should be.
async fn soak(options: &Options) -> Result<bool> {
    let seed = options.seed.unwrap_or_else(clock);
    let dir = testkit::agents::agents_dir().with_file_name("soak").join(format!("run-{seed}"));
    std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    println!("seed {seed}; log and data in {}", dir.display());
    let sandbox = Arc::new(Sandbox::at(&dir, 0).await?);
    sandbox.model.keep_calls(50);
    let proxy = FaultProxy::start(&dir.join("faults"), &sandbox.kilo.binary).await?;
    let accounts = Arc::new(Accounts::new(&dir.join("events.jsonl"))?);
    let baton = Arc::new(Baton::new(options.baton.clone(), &dir, &sandbox, proxy.program())?);
    baton.start().await?;
    let world = World {
        baton,
        accounts,
        sandbox,
        proxy: Arc::new(proxy),
        seed,
        over: Arc::default(),
        closed: Arc::default(),
    };
    let time = Duration::from_secs_f64(options.minutes * 60.0);
    let begun = Instant::now();
    let samples = Arc::new(Samples::new(begun));
    let sampling = tokio::spawn(samples.clone().take(world.clone()));
    let projects = world.baton.projects(3).await?;
    let mut people = Vec::new();
    for number in 0..options.threads {
        let place = usize::try_from(number).unwrap_or(0) % projects.len().max(1);
        let project = projects.get(place).cloned().unwrap_or_default();
        people.push(tokio::spawn(Person::new(world.clone(), number, project).work()));
    }
    let lookers = [Manner::Steady, Manner::Restless, Manner::Slow]
        .map(|manner| Follower::start(world.clone(), format!("{manner:?}"), manner, None));
    let chaos = (!options.calm).then(|| tokio::spawn(chaos::reign(world.clone(), begun, time)));
    progress(&world, begun, time).await;
    world.over.store(true, Ordering::Relaxed);
    world.accounts.event("over", "the time is up; everything settles");
    if let Some(chaos) = chaos {
        chaos.await.context("the chaos broke")?;
    }
    for person in people {
        person.await.context("a person broke")?;
    }
    let counted = checks::settle(&world, &lookers).await?;
    world.closed.store(true, Ordering::Relaxed);
    sampling.await.context("the sampling broke")?;
    let rested = rest(&world, options).await;
    let ended = checks::end(&world).await?;
    let read = sessions::compare(&world, &counted.threads).await?;
    let took = begun.elapsed();
    let found = table::Found { counted, ended, read, rested, took };
    let report = table::Report::new(&world, options, &samples, &found);
    println!("\n{}", report.text());
    for wrong in world.accounts.wrong() {
        println!("WRONG: {wrong}");
    }
    println!("seed {seed}, log {}", dir.join("events.jsonl").display());
    if options.write {
        bench::document::write("soak", &report.text())?;
    }
    Ok(report.is_clean() && world.accounts.wrong().is_empty())
}

/// Leaves Baton alone, and gives the memory it has then, in MB.
async fn rest(world: &World, options: &Options) -> f64 {
    println!("everything has settled; Baton rests for {} minutes", options.rest);
    tokio::time::sleep(Duration::from_secs_f64(options.rest * 60.0)).await;
    let memory = world.baton.pid().and_then(|pid| bench::machine::memory_mb(pid).ok());
    memory.map_or(f64::NAN, |(resident, _)| resident)
}

async fn progress(world: &World, begun: Instant, time: Duration) {
    const EVERY: Duration = Duration::from_secs(30);
    while begun.elapsed() < time {
        tokio::time::sleep(EVERY.min(time.saturating_sub(begun.elapsed()))).await;
        let (accepted, ended) = world.accounts.counts();
        let wrong = world.accounts.wrong().len();
        let at = begun.elapsed().as_secs();
        println!("{at:>5} s: {accepted} accepted, {ended} seen ended, {wrong} wrong");
    }
}

fn clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}
