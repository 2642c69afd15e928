//! Stores a long thread of the past for tests that are not written in Rust: `seed DATA PROJECT
//! ITEMS [THREADS]`, while no Baton runs on that data. Prints the thread's id. THREADS short ones,
//! of the time before it, are stored beside it.

use std::path::Path;

use anyhow::{Context as _, Result};
use bench::history;
use store::Store;

#[tokio::main]
async fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [data, project, items, others @ ..] = given.as_slice() else {
        anyhow::bail!("usage: seed DATA PROJECT ITEMS [THREADS]");
    };
    let items = items.parse().context("ITEMS is a number")?;
    let others = others.first().map_or(Ok(0), |n| n.parse()).context("THREADS is a number")?;
    let store = Store::open(Path::new(data))?;
    println!("{}", history::seed_at(&store, project, items, others).await?);
    Ok(())
}
