//! Installs the real agents the tests need and prints where they are, as one JSON object.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let mut installed = BTreeMap::new();
    for pin in testkit::agents::PINS {
        let found = testkit::agents::install(pin)
            .with_context(|| format!("cannot install {} {}", pin.name, pin.version))?;
        installed.insert(pin.name, found);
    }
    println!("{}", serde_json::to_string_pretty(&installed)?);
    Ok(())
}
