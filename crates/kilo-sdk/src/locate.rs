use std::env::consts::{ARCH, OS};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use agent_program::{Agent, LocateError};
use process::Host;
use semver::Version;

/// The oldest version this crate works with: older ones lack the resume route.
pub const MINIMUM_VERSION: Version = Version::new(7, 7, 0);

/// How Kilo is found. Asked for its version, it takes 0.3 s warm and some seconds cold (7.7.7).
const KILO: Agent = Agent {
    name: "Kilo",
    commands: &["kilo", "kilocode"],
    package: "@kilocode/cli",
    minimum: MINIMUM_VERSION,
    env: &[("KILO_DISABLE_AUTOUPDATE", "1")],
    unset: &[],
    native: native_program,
    // The first run prints more before it.
    version: |said| said.last().and_then(|line| Version::parse(line).ok()),
};

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

/// Finds the program without starting anything: the configured path if there is one, else `kilo`,
/// else `kilocode` in the directories of `path` (the value of a `PATH` variable).
#[must_use]
pub fn find(configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    KILO.find(configured, path)
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
    let installed = KILO.locate(host, configured, path).await?;
    let agent_program::Installed { found, program, version } = installed;
    let env = if program == found { Vec::new() } else { wrapper_env(&program) };
    Ok(Installed { found, program, env, version })
}

/// The native program of npm's package, whose `bin/kilo` is a script for Node, chosen as the
/// script chooses it (7.7.7): `.kilo` beside it, put there when it was installed, else that of the
/// platform's package in a `node_modules` above.
fn native_program(package: &Path) -> Option<PathBuf> {
    let bin = package.join("bin");
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
