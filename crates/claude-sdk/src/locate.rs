use std::env::consts::{ARCH, OS};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Host, Spec, Status, which};
use semver::Version;

/// The oldest version this crate works with: it is the one that was measured.
pub const MINIMUM_VERSION: Version = Version::new(2, 1, 197);

/// What the version is followed by.
const NAME: &str = "(Claude Code)";

/// A usable Claude Code on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// What was found under the program's name, or was configured.
    pub found: PathBuf,
    /// What to run: the native program of npm's platform package when what was found is only the
    /// place where the post-install script would have put it; else the same.
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
}

/// Why there is no usable Claude Code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// There is none. Nothing was started to find that out.
    #[error("no claude was found{}", .configured.as_ref().map(|p| format!(" at {}", p.display())).unwrap_or_default())]
    NotFound {
        /// The path that was configured, if one was.
        configured: Option<PathBuf>,
    },
    /// A program of that name does not say a version as Claude Code does.
    #[error("{path} is not Claude Code; asked for its version, it said: {said}")]
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

/// Finds the program without starting anything: the configured path if there is one, else `claude`
/// in the directories of `path` (the value of a `PATH` variable).
#[must_use]
pub fn find(configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    which(configured.unwrap_or(Path::new("claude")), path)
}

/// Finds the program and asks for its version (0.25 s).
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
    let spec = Spec::new(program)
        .arg("--version")
        .env("DISABLE_AUTOUPDATER", "1")
        .env_remove("NODE_OPTIONS");
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
    let said = last_lines(&output.stdout);
    match (output.status, said.iter().find_map(|line| said_version(line))) {
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

/// The version in `2.1.197 (Claude Code)`.
fn said_version(line: &str) -> Option<Version> {
    let version = line.trim().strip_suffix(NAME)?;
    Version::parse(version.trim()).ok()
}

fn last_lines(output: &[u8]) -> Vec<String> {
    const LINES: usize = 20;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(LINES)).map(|&l| l.to_owned()).collect()
}

/// The native program of the platform's package, when what was found is the command of npm's
/// package (`@anthropic-ai/claude-code/bin/claude.exe`): the post-install script puts a copy of it
/// there, and without that script only a stub that says what is missing (2.1.197).
fn native_program(found: &Path) -> Option<PathBuf> {
    let command = found.canonicalize().ok()?;
    let package = command.parent()?.parent()?;
    let manifest = std::fs::read(package.join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    if manifest.get("name")?.as_str()? != "@anthropic-ai/claude-code" {
        return None;
    }
    let names = packages()?;
    let scopes = [package.parent()?.to_owned(), package.join("node_modules/@anthropic-ai")];
    scopes
        .iter()
        .flat_map(|scope| names.iter().map(|name| scope.join(name).join("claude")))
        .find(|candidate| candidate.is_file())
}

/// The packages that may hold the program, best first.
fn packages() -> Option<Vec<String>> {
    let os = match OS {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let arch = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return None,
    };
    let base = format!("claude-code-{os}-{arch}");
    let musl = format!("{base}-musl");
    let is_musl = os == "linux" && Path::new("/etc/alpine-release").exists();
    Some(if is_musl { vec![musl, base] } else { vec![base, musl] })
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
