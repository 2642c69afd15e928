//! The real Kilo, at the version Baton's Kilo provider was measured against.

use std::path::PathBuf;

use anyhow::Result;

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
    /// What the native program answered to `--version`.
    pub version: String,
}

/// Installs Kilo from npm into `target/agents`, once for all test processes. Blocks.
///
/// # Errors
/// As [`agents::install`].
pub fn install() -> Result<KiloInstall> {
    agents::install(&agents::KILO).map(KiloInstall::from)
}

/// Installs like [`install`], without blocking the async runtime.
///
/// # Errors
/// As [`agents::install`].
pub async fn install_async() -> Result<KiloInstall> {
    agents::install_async(&agents::KILO).await.map(KiloInstall::from)
}

impl From<agents::Install> for KiloInstall {
    fn from(found: agents::Install) -> Self {
        Self { binary: found.binary, wrapper: found.wrapper, version: found.version }
    }
}
