//! The web app's packages.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::{Cmd, root};

/// Installs the web app's packages with `npm ci`, unless the lock file is the one they were
/// installed from: `node_modules/.baton-lock` holds a copy of that.
///
/// # Errors
/// When npm is missing or fails.
pub(crate) fn install() -> Result<()> {
    let web = root().join("web");
    let lock = fs::read(web.join("package-lock.json")).context("cannot read the web lock file")?;
    let stamp = web.join("node_modules/.baton-lock");
    if fs::read(&stamp).is_ok_and(|stamp| stamp == lock) {
        return Ok(());
    }
    Cmd::npm()
        .args(&["ci", "--no-audit", "--no-fund"])
        .run()
        .context("the web app's packages cannot be installed; npm says why above")?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Tells whether there are browser tests.
pub(crate) fn has_e2e() -> bool {
    root().join("web/e2e").is_dir()
}
