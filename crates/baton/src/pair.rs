//! `baton pair`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use protocol::PairingLink;

use crate::cli::Pair;
use crate::client::Client;
use crate::data::DataDir;

/// Prints a new one-time link of the running server.
pub(crate) async fn pair(options: Pair) -> Result<ExitCode> {
    let data = DataDir::open(&options.data)?;
    let Some(server) = data.announced() else {
        bail!("no Baton runs on {}. Start one with `baton`", data.path().display());
    };
    let client = Client::new(&server)?;
    if !client.is_healthy().await {
        bail!("the Baton at {} does not answer. Start it again with `baton`", server.url);
    }
    let link: PairingLink = client.post("/api/pair/new", &()).await?;
    println!("{}", link.url);
    eprintln!("It pairs one browser, once, within 15 minutes.");
    Ok(ExitCode::SUCCESS)
}
