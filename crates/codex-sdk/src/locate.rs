use std::env::consts::{ARCH, OS};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use agent_program::{Agent, Installed, LocateError};
use process::Host;
use semver::Version;

/// The oldest version this crate works with: the one that was measured. Earlier ones take sessions
/// back by another method.
pub const MINIMUM_VERSION: Version = Version::new(0, 169, 0);

/// How Codex is found. Asked for its version, it takes 0.1 s (0.169.0).
const CODEX: Agent = Agent {
    name: "Codex",
    commands: &["codex"],
    package: "@openai/codex",
    minimum: MINIMUM_VERSION,
    env: &[],
    unset: &[],
    native: native_program,
    // Warnings go to standard error.
    version: |said| {
        let version = said.iter().find_map(|line| line.strip_prefix("codex-cli "));
        version.and_then(|version| Version::parse(version.trim()).ok())
    },
};

/// Finds the program without starting anything: the configured path if there is one, else `codex`
/// in the directories of `path` (the value of a `PATH` variable).
#[must_use]
pub fn find(configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    CODEX.find(configured, path)
}

/// Finds the program, sees through npm's wrapper and asks for the version.
///
/// # Errors
/// As [`LocateError`] says.
pub async fn locate(
    host: &Host,
    configured: Option<&Path>,
    path: &OsStr,
) -> Result<Installed, LocateError> {
    CODEX.locate(host, configured, path).await
}

/// The native program of npm's package, whose `bin/codex.js` is a script for Node, found as the
/// script finds it (0.169.0): that of the platform's package in a `node_modules` above, else beside
/// the script.
fn native_program(package: &Path) -> Option<PathBuf> {
    let (name, triple) = platform(OS, ARCH)?;
    let below = Path::new("vendor").join(triple).join("bin/codex");
    package
        .join("bin")
        .ancestors()
        .map(|dir| dir.join("node_modules").join(name).join(&below))
        .chain([package.join(&below)])
        .find(|candidate| candidate.is_file())
}

/// The package that holds the program, and the directory in it.
fn platform(os: &str, arch: &str) -> Option<(&'static str, &'static str)> {
    match (os, arch) {
        ("linux", "x86_64") => Some(("@openai/codex-linux-x64", "x86_64-unknown-linux-musl")),
        ("linux", "aarch64") => Some(("@openai/codex-linux-arm64", "aarch64-unknown-linux-musl")),
        ("macos", "x86_64") => Some(("@openai/codex-darwin-x64", "x86_64-apple-darwin")),
        ("macos", "aarch64") => Some(("@openai/codex-darwin-arm64", "aarch64-apple-darwin")),
        _ => None,
    }
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
