//! The real Kilo, at the version Baton's Kilo provider was measured against.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::agents;

/// The version [`install`] installs.
pub const VERSION: &str = agents::KILO.version;

/// An installed Kilo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KiloInstall {
    /// The native program: one process, and the one to prefer.
    pub binary: PathBuf,
    /// The Node script that npm links as `kilo`; it starts the native program as its child.
    pub wrapper: PathBuf,
    /// The pinned version, which the native program reports.
    pub version: String,
}

/// Installs Kilo from npm into `target/agents`, once for all test processes, with the search
/// program it needs. Blocks.
///
/// # Errors
/// As [`agents::install`].
pub fn install() -> Result<KiloInstall> {
    agents::install(&agents::RIPGREP)?;
    let found = agents::install(&agents::KILO)?;
    let wrapper = found.wrapper.context("the package links no command")?;
    Ok(KiloInstall { binary: found.binary, wrapper, version: found.version })
}

/// Installs like [`install`], without blocking the async runtime.
///
/// # Errors
/// As [`agents::install`].
pub async fn install_async() -> Result<KiloInstall> {
    tokio::task::spawn_blocking(install).await.context("the installer panicked")?
}

/// The files of native libraries in and below a folder, which Kilo unpacks for itself.
#[must_use]
pub fn libraries(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => libraries(&path),
            path => usize::from(path.extension().is_some_and(|ending| ending == "so")),
        })
        .sum()
}
