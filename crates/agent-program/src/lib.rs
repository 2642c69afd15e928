//! Finds an agent's program on this machine: where it was configured or on the `PATH`, through
//! npm's wrapper to the native program, by what it says when it is asked for its version; and reads
//! the lines it prints, within a bound.
//!
//! It owns what is the same for every agent and knows none by name: each client crate describes its
//! own with an [`Agent`].

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Host, Spec, Status, which};
use semver::Version;

pub mod lines;

/// How long a program may take to say its version.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much of what it says is kept, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;
/// How many lines of it are told, the last ones.
const LINES: usize = 20;

/// What is to be known of an agent to find it.
#[derive(Debug, Clone)]
pub struct Agent {
    /// What people call it: `Kilo`.
    pub name: &'static str,
    /// The names of its command, the usual one first.
    pub commands: &'static [&'static str],
    /// The npm package whose command is a wrapper of the native program.
    pub package: &'static str,
    /// The oldest version that can be used.
    pub minimum: Version,
    /// Variables that are set while it is asked for its version.
    pub env: &'static [(&'static str, &'static str)],
    /// Variables that are taken away meanwhile.
    pub unset: &'static [&'static str],
    /// The native program, given the directory of the npm package.
    pub native: fn(&Path) -> Option<PathBuf>,
    /// The version, out of the lines it printed; none when it did not speak as the agent does.
    pub version: fn(&[String]) -> Option<Version>,
}

/// A usable agent on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// What was found under the agent's name, or was configured.
    pub found: PathBuf,
    /// What to run: the native program behind npm's wrapper where that can be told, so that one
    /// process runs and not two; else the same.
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
}

/// Why there is no usable agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// There is none. Nothing was started to find that out.
    #[error("no {command} was found{}", .configured.as_ref().map(|p| format!(" at {}", p.display())).unwrap_or_default())]
    NotFound {
        /// The usual name of its command.
        command: &'static str,
        /// The path that was configured, if one was.
        configured: Option<PathBuf>,
    },
    /// A program of that name does not say a version as the agent does.
    #[error("{path} is not {agent}; asked for its version, it said: {said}")]
    WrongProgram {
        /// The agent.
        agent: &'static str,
        /// Its path.
        path: PathBuf,
        /// The end of what it said.
        said: String,
    },
    /// It is too old.
    #[error("{path} is version {version}; at least {minimum} is needed")]
    TooOld {
        /// Its path.
        path: PathBuf,
        /// Its version.
        version: Version,
        /// The oldest that can be used.
        minimum: Version,
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

impl Agent {
    /// Finds the program without starting anything: the configured path if there is one, else one
    /// of the agent's commands in the directories of `path` (the value of a `PATH` variable).
    #[must_use]
    pub fn find(&self, configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
        match configured {
            Some(configured) => which(configured, path),
            None => self.commands.iter().find_map(|name| which(name, path)),
        }
    }

    /// Finds the program, sees through npm's wrapper and asks for the version.
    ///
    /// # Errors
    /// As [`LocateError`] says.
    pub async fn locate(
        &self,
        host: &Host,
        configured: Option<&Path>,
        path: &OsStr,
    ) -> Result<Installed, LocateError> {
        let found = self.find(configured, path).ok_or_else(|| LocateError::NotFound {
            command: self.commands.first().copied().unwrap_or(self.name),
            configured: configured.map(Path::to_owned),
        })?;
        let native = {
            let (agent, found) = (self.clone(), found.clone());
            tokio::task::spawn_blocking(move || agent.native_program(&found)).await.ok().flatten()
        };
        let program = native.unwrap_or_else(|| found.clone());
        let version = self.ask_version(host, &program).await?;
        if version < self.minimum {
            return Err(LocateError::TooOld {
                path: found,
                version,
                minimum: self.minimum.clone(),
            });
        }
        Ok(Installed { found, program, version })
    }

    /// The native program behind npm's wrapper; `None` if this is no such wrapper.
    #[must_use]
    pub fn native_program(&self, found: &Path) -> Option<PathBuf> {
        // npm links its commands to files one directory below the package's own.
        let command = found.canonicalize().ok()?;
        let package = command.parent()?.parent()?;
        let manifest = std::fs::read(package.join("package.json")).ok()?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
        let is_ours =
            manifest.get("name").and_then(serde_json::Value::as_str) == Some(self.package);
        is_ours.then(|| (self.native)(package)).flatten()
    }

    async fn ask_version(&self, host: &Host, program: &Path) -> Result<Version, LocateError> {
        let path = program.to_owned();
        let spec = Spec::new(program).arg("--version");
        let spec = self.env.iter().fold(spec, |spec, (name, value)| spec.env(name, value));
        let spec = self.unset.iter().fold(spec, Spec::env_remove);
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
        match (output.status, (self.version)(&said)) {
            (Status::Code(0), Some(version)) => Ok(version),
            (Status::Code(0), None) => {
                let said = said.last().cloned().unwrap_or_default();
                Err(LocateError::WrongProgram { agent: self.name, path, said })
            }
            (status, _) => Err(LocateError::Broken {
                path,
                reason: format!("asked for its version, it ended with {status}"),
                stderr: last_lines(&output.stderr),
            }),
        }
    }
}

fn last_lines(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(LINES)).map(|&l| l.to_owned()).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
