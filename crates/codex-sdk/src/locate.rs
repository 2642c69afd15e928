use std::env::consts::{ARCH, OS};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Host, Spec, Status, which};
use semver::Version;

/// The oldest version this crate works with: the one that was measured. Earlier ones take sessions
/// back by another method.
pub const MINIMUM_VERSION: Version = Version::new(0, 169, 0);

/// A usable Codex on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// What was found under Codex's name, or was configured.
    pub found: PathBuf,
    /// What to run: the native program behind npm's wrapper where that can be told, so that one
    /// process runs and not two; else the same.
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
}

/// Why there is no usable Codex.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// There is none. Nothing was started to find that out.
    #[error("no codex was found{}", .configured.as_ref().map(|p| format!(" at {}", p.display())).unwrap_or_default())]
    NotFound {
        /// The path that was configured, if one was.
        configured: Option<PathBuf>,
    },
    /// A program of that name does not say a version as Codex does.
    #[error("{path} is not Codex; asked for its version, it said: {said}")]
    WrongProgram {
        /// Its path.
        path: PathBuf,
        /// The end of what it said.
        said: String,
    },
    /// It is too old.
    #[error("{path} is version {version}; at least {MINIMUM_VERSION} is needed")]
    TooOld {
        /// Its path.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// It cannot be run, fails or does not end.
    #[error("{path} does not work: {reason}")]
    Broken {
        /// Its path.
        path: PathBuf,
        /// What happened.
        reason: String,
        /// The last lines of what it said.
        stderr: Vec<String>,
    },
}

/// Finds the program without starting anything: the configured path if there is one, else `codex`
/// in the directories of `path` (the value of a `PATH` variable).
#[must_use]
pub fn find(configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    match configured {
        Some(configured) => which(configured, path),
        None => which("codex", path),
    }
}

/// Finds the program, sees through npm's wrapper and asks for the version (0.1 s).
///
/// # Errors
/// As [`LocateError`] says.
pub async fn locate(
    host: &Host,
    configured: Option<&Path>,
    path: &OsStr,
) -> Result<Installed, LocateError> {
    let found = find(configured, path)
        .ok_or_else(|| LocateError::NotFound { configured: configured.map(Path::to_owned) })?;
    let native = {
        let found = found.clone();
        tokio::task::spawn_blocking(move || native_program(&found)).await.ok().flatten()
    };
    let program = native.unwrap_or_else(|| found.clone());
    let version = version(host, &program).await?;
    if version < MINIMUM_VERSION {
        return Err(LocateError::TooOld { path: found, version });
    }
    Ok(Installed { found, program, version })
}

async fn version(host: &Host, program: &Path) -> Result<Version, LocateError> {
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_OUTPUT: usize = 64 * 1024;
    let path = program.to_owned();
    let spec = Spec::new(program).arg("--version");
    let output = match host.run(spec, TIMEOUT, MAX_OUTPUT).await {
        Ok(output) => output,
        Err(error) => {
            let stderr = match &error {
                process::Error::TimedOut { stderr, .. } => last_lines(stderr),
                process::Error::Spawn { .. }
                | process::Error::NoSpawner
                | process::Error::Ledger { .. }
                | process::Error::Pipe { .. } => Vec::new(),
            };
            return Err(LocateError::Broken { path, reason: error.to_string(), stderr });
        }
    };
    // Warnings go to standard error.
    let said = last_lines(&output.stdout);
    let version = said
        .iter()
        .find_map(|line| line.strip_prefix("codex-cli "))
        .and_then(|version| Version::parse(version.trim()).ok());
    match (output.status, version) {
        (Status::Code(0), Some(version)) => Ok(version),
        (Status::Code(0), None) => {
            let said = said.last().cloned().unwrap_or_default();
            Err(LocateError::WrongProgram { path, said })
        }
        (status, _) => Err(LocateError::Broken {
            path,
            reason: format!("asked for its version, it ended with {status}"),
            stderr: last_lines(&output.stderr),
        }),
    }
}

fn last_lines(output: &[u8]) -> Vec<String> {
    const LINES: usize = 20;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(LINES)).map(|&l| l.to_owned()).collect()
}

/// The native program behind npm's wrapper (`@openai/codex/bin/codex.js`, a script for Node), found
/// as the wrapper finds it (0.169.0): that of the platform's package in a `node_modules` above,
/// else beside the script. `None` if this is no such wrapper.
fn native_program(found: &Path) -> Option<PathBuf> {
    let script = found.canonicalize().ok()?;
    let bin = script.parent()?;
    let manifest = std::fs::read(bin.parent()?.join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    if manifest.get("name")?.as_str()? != "@openai/codex" {
        return None;
    }
    let (package, triple) = platform(OS, ARCH)?;
    let below = Path::new("vendor").join(triple).join("bin/codex");
    bin.ancestors()
        .map(|dir| dir.join("node_modules").join(package).join(&below))
        .chain([bin.parent()?.join(&below)])
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
