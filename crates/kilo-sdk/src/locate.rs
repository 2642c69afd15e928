use std::env::consts::{ARCH, OS};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Host, Spec, Status, which};
use semver::Version;

/// The oldest version this crate works with: older ones lack the resume route.
pub const MINIMUM_VERSION: Version = Version::new(7, 7, 0);

/// A usable Kilo on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// What was found under Kilo's name, or was configured.
    pub found: PathBuf,
    /// What to run: the native program behind npm's wrapper where that can be told, so that one
    /// process runs and not two; else the same.
    pub program: PathBuf,
    /// What the wrapper would add to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// Its version.
    pub version: Version,
}

/// Why there is no usable Kilo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// There is none. Nothing was started to find that out.
    #[error("no kilo was found{}", .configured.as_ref().map(|p| format!(" at {}", p.display())).unwrap_or_default())]
    NotFound {
        /// The path that was configured, if one was.
        configured: Option<PathBuf>,
    },
    /// A program of that name does not say a version as Kilo does.
    #[error("{path} is not Kilo; asked for its version, it said: {said}")]
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

/// Finds the program without starting anything: the configured path if there is one, else `kilo`,
/// else `kilocode` in the directories of `path` (the value of a `PATH` variable).
#[must_use]
pub fn find(configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    match configured {
        Some(configured) => which(configured, path),
        None => ["kilo", "kilocode"].iter().find_map(|name| which(name, path)),
    }
}

/// Finds the program, sees through npm's wrapper and asks for the version (0.3 s warm, some
/// seconds cold).
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
    let env = native.as_deref().map(wrapper_env).unwrap_or_default();
    let program = native.unwrap_or_else(|| found.clone());
    let version = version(host, &program).await?;
    if version < MINIMUM_VERSION {
        return Err(LocateError::TooOld { path: found, version });
    }
    Ok(Installed { found, program, env, version })
}

async fn version(host: &Host, program: &Path) -> Result<Version, LocateError> {
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_OUTPUT: usize = 64 * 1024;
    let path = program.to_owned();
    let spec = Spec::new(program).arg("--version").env("KILO_DISABLE_AUTOUPDATE", "1");
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
    // The first run prints more before it.
    let said = last_lines(&output.stdout);
    let version = said.last().and_then(|line| Version::parse(line).ok());
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

/// The native program behind npm's wrapper (`@kilocode/cli/bin/kilo`, a script for Node), chosen
/// as the wrapper chooses it (7.7.7): `.kilo` beside it, put there when it was installed, else
/// that of the platform's package in a `node_modules` above. `None` if this is no such wrapper.
fn native_program(found: &Path) -> Option<PathBuf> {
    let script = found.canonicalize().ok()?;
    let bin = script.parent()?;
    let manifest = std::fs::read(bin.parent()?.join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    if manifest.get("name")?.as_str()? != "@kilocode/cli" {
        return None;
    }
    let beside = bin.join(".kilo");
    if beside.is_file() {
        return Some(beside);
    }
    let packages = packages(&Platform::current()?);
    bin.ancestors()
        .flat_map(|dir| {
            packages.iter().map(move |p| dir.join("node_modules").join(p).join("bin/kilo"))
        })
        .find(|candidate| candidate.is_file())
}

struct Platform {
    os: &'static str,
    arch: &'static str,
    avx2: bool,
    musl: bool,
}

impl Platform {
    fn current() -> Option<Self> {
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
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let avx2 = os != "linux" || cpu.split_ascii_whitespace().any(|flag| flag == "avx2");
        Some(Self { os, arch, avx2, musl: Path::new("/etc/alpine-release").exists() })
    }
}

/// The packages that may hold the program, best first.
fn packages(platform: &Platform) -> Vec<String> {
    let base = format!("@kilocode/cli-{}-{}", platform.os, platform.arch);
    let (plain, slow) = (String::new(), "-baseline".to_owned());
    let speeds = match platform {
        Platform { arch: "x64", avx2: true, .. } => vec![plain, slow],
        Platform { arch: "x64", .. } => vec![slow, plain],
        Platform { .. } => vec![plain],
    };
    let libcs = match platform {
        Platform { os: "linux", musl: true, .. } => vec!["-musl", ""],
        Platform { os: "linux", .. } => vec!["", "-musl"],
        Platform { .. } => vec![""],
    };
    let mut names = Vec::new();
    for libc in libcs {
        names.extend(speeds.iter().map(|speed| format!("{base}{speed}{libc}")));
    }
    names
}

/// What the wrapper adds to the environment (7.7.7).
fn wrapper_env(native: &Path) -> Vec<(OsString, OsString)> {
    let dir = native.with_file_name("tree-sitter");
    if dir.join("tree-sitter.wasm").is_file() {
        vec![("KILO_TREE_SITTER_WASM_DIR".into(), dir.into())]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
