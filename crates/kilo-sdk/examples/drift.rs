//! Says what an installed Kilo no longer has of what is relied on.
//!
//! ```sh
//! cargo run -p kilo-sdk --example drift               # the pinned version
//! cargo run -p kilo-sdk --example drift -- --kilo PATH
//! cargo run -p kilo-sdk --example drift -- --list     # all that it describes, a line each
//! ```
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use kilo_sdk::{Launch, drift};
use testkit::home::{Home, KiloSetup};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let (mut kilo, mut list) = (None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--kilo" => kilo = arguments.next().map(PathBuf::from),
            "--list" => list = true,
            _ => return Err("usage: drift [--kilo PATH] [--list]".into()),
        }
    }
    let kilo = match kilo {
        Some(kilo) => kilo,
        None => testkit::kilo::install_async().await?.binary,
    };
    // A home of its own: the user's is not to be touched by a version they may not want.
    let home = Home::new()?;
    let mut launch = Launch::program(kilo, home.path());
    for (name, value) in home.kilo_env_with(&KiloSetup::new("http://127.0.0.1:9/v1"))? {
        launch = launch.env(name, value);
    }
    launch.timeout = Duration::from_secs(120);
    let server = kilo_sdk::launch(&process::Host::default(), launch).await?;
    let version = server.health().version.clone();
    let doc = server.client().description().await;
    server.stop("it was asked", Duration::from_secs(10)).await;
    let doc = doc?;
    if list {
        for line in drift::everything(&doc) {
            println!("{line}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let found = drift::compare(&doc);
    let relied = (drift::OPERATIONS.len(), drift::EVENTS.len());
    println!("Kilo {version}, compared with {} routes and {} events:", relied.0, relied.1);
    for drift in &found {
        println!("  {drift}");
    }
    if found.is_empty() {
        println!("  everything Baton relies on is there");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}
