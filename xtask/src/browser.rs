//! The browser for the browser tests: found, or installed where that is ours to do.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::command::Cmd;

// One list of browsers for the tests and for who runs them; the test kit is too large to link.
#[path = "../../crates/testkit/src/browser.rs"]
#[expect(unreachable_pub, reason = "public where it lives, in the test kit")]
mod find;

/// Finds a Chromium, or installs Debian's when run as root where there is `apt-get`.
///
/// # Errors
/// When there is none and it cannot be installed; the message says what to do.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(found) = find::find() {
        return Ok(found);
    }
    let names = find::NAMES.join(", ");
    let advice = format!(
        "the browser tests need Chromium, and none of {names} is on the PATH. Install it \
         (Debian: `apt-get install chromium`) or name it with CHROMIUM=/path/to/chromium. \
         `cargo xtask test --quick` does without"
    );
    if !is_root() || !Cmd::new("apt-get").arg("--version").succeeds() {
        bail!(advice);
    }
    println!("installing Chromium with apt-get, for the browser tests");
    let apt = |arguments: &[&str]| {
        Cmd::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments).run()
    };
    apt(&["update", "-qq"])
        .and_then(|()| apt(&["install", "-y", "-qq", "--no-install-recommends", "chromium"]))
        .context(advice.clone())?;
    find::find().context(advice)
}

fn is_root() -> bool {
    Cmd::new("id").arg("-u").output().is_ok_and(|id| id.trim() == "0")
}
