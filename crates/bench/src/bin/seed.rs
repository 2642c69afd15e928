//! Stores a long thread of the past for tests that are not written in Rust: `seed DATA PROJECT
//! ITEMS`, while no Baton runs on that data. Prints the thread's id.

use std::path::Path;

use anyhow::{Context as _, Result};
use bench::history;
use store::Store;

#[tokio::main]
async fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [data, project, items] = given.as_slice() else {
        anyhow::bail!("usage: seed DATA PROJECT ITEMS");
    };
    let items = items.parse().context("ITEMS is a number")?;
    let store = Store::open(Path::new(data))?;
    println!("{}", history::seed_long_at(&store, project, items).await?);
    Ok(())
}
