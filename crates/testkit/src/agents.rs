//! Installs the real agents from npm, at pinned versions, into the build directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// One agent of the table: what to ask npm for, and where its programs then are.
#[derive(Debug, Clone, Copy)]
pub struct Pin {
    /// The agent's short name, also its directory's: `kilo`.
    pub name: &'static str,
    /// The npm package that holds the agent's command.
    pub package: &'static str,
    /// The exact version the tests were written against.
    pub version: &'static str,
    /// The command npm links under `node_modules/.bin`, if any.
    command: Option<&'static str>,
    /// What the native program says to `--version`, among other things.
    answers: &'static str,
    /// The npm scope of the per-platform packages with the native program.
    native_scope: &'static str,
    /// What the names of those packages start with, before `<os>-<arch>`.
    native_prefix: &'static str,
    /// The native program inside such a package; `*` stands for any one directory.
    native_path: &'static str,
}

/// Kilo's command line tool.
///
/// Its post-install script only copies the native program beside the wrapper, which looks for it
/// in the platform package anyway (Kilo 7.7.7, `bin/kilo`), so scripts stay off.
pub const KILO: Pin = Pin {
    name: "kilo",
    package: "@kilocode/cli",
    version: "7.7.7",
    command: Some("kilo"),
    answers: "7.7.7",
    native_scope: "@kilocode",
    native_prefix: "cli-",
    native_path: "bin/kilo",
};

/// The search program that Kilo's `glob` and `grep` tools run.
///
/// Kilo 7.7.7 takes `rg` from the `PATH` or its own cache, and else downloads it from GitHub.
pub const RIPGREP: Pin = Pin {
    name: "ripgrep",
    package: "@vscode/ripgrep",
    version: "1.18.0",
    command: None,
    answers: "ripgrep ",
    native_scope: "@vscode",
    native_prefix: "ripgrep-",
    native_path: "bin/rg",
};

/// Codex's command line tool.
///
/// It has no install scripts. Its platform packages are the package itself at other versions,
/// under names of their own (Codex 0.169.0).
pub const CODEX: Pin = Pin {
    name: "codex",
    package: "@openai/codex",
    version: "0.169.0",
    command: Some("codex"),
    answers: "0.169.0",
    native_scope: "@openai",
    native_prefix: "codex-",
    native_path: "vendor/*/bin/codex",
};

/// Claude Code's command line tool.
///
/// What npm links as `claude` only says that something is missing until the post-install script
/// has put the native program in its place (Claude Code 2.1.197), so there is no wrapper here.
pub const CLAUDE: Pin = Pin {
    name: "claude",
    package: "@anthropic-ai/claude-code",
    version: "2.1.197",
    command: None,
    answers: "2.1.197",
    native_scope: "@anthropic-ai",
    native_prefix: "claude-code-",
    native_path: "claude",
};

/// Every program the tests know how to install.
pub const PINS: &[Pin] = &[KILO, RIPGREP, CODEX, CLAUDE];

/// An agent that is installed and has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// The native program.
    pub binary: PathBuf,
    /// The Node script npm puts on a user's `PATH`, where the package has one; it starts the
    /// native program as its child.
    pub wrapper: Option<PathBuf>,
    /// The pinned version.
    pub version: String,
}

/// Installs the agent of `pin` unless it is there already, and says where its programs are.
///
/// Any number of test processes may call this at once: one installs, the others wait for it.
/// An install becomes visible whole or not at all.
///
/// # Errors
/// When npm is missing or fails (its last words are in the error), or when no native program of
/// the package answers `--version` as expected.
pub fn install(pin: &Pin) -> Result<Install> {
    let agents = agents_dir();
    fs::create_dir_all(&agents).with_context(|| format!("cannot create {}", agents.display()))?;
    let home = agents.join(format!("{}-{}", pin.name, pin.version));
    if let Some(found) = read_stamp(&home) {
        return Ok(found);
    }
    let lock_path = agents.join(format!(".{}-{}.lock", pin.name, pin.version));
    let lock = File::create(&lock_path)
        .with_context(|| format!("cannot create {}", lock_path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;
    if let Some(found) = read_stamp(&home) {
        return Ok(found);
    }
    fetch(pin, &agents, &home)
    // The lock is let go when `lock` is dropped.
}

/// Installs like [`install`], without blocking the async runtime.
///
/// # Errors
/// As [`install`].
pub async fn install_async(pin: Pin) -> Result<Install> {
    tokio::task::spawn_blocking(move || install(&pin)).await.context("the installer panicked")?
}

/// Returns the directory agents are installed into: `BATON_AGENTS_DIR`, or `target/agents` of
/// this workspace whatever the target directory of the running build is, so that builds share it.
#[must_use]
pub fn agents_dir() -> PathBuf {
    if let Some(told) = std::env::var_os("BATON_AGENTS_DIR") {
        return PathBuf::from(told);
    }
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.ancestors().nth(2).unwrap_or(crate_dir).join("target/agents")
}

/// The file whose presence says that an install is complete.
const STAMP: &str = "installed.json";

fn read_stamp(home: &Path) -> Option<Install> {
    let text = fs::read(home.join(STAMP)).ok()?;
    let stamp: Install = serde_json::from_slice(&text).ok()?;
    // Paths in the stamp are relative: the whole build directory may have been moved.
    let home = home.canonicalize().ok()?;
    let found = Install {
        binary: home.join(stamp.binary),
        wrapper: stamp.wrapper.map(|wrapper| home.join(wrapper)),
        version: stamp.version,
    };
    let there = found.binary.is_file() && found.wrapper.as_ref().is_none_or(|path| path.exists());
    there.then_some(found)
}

fn fetch(pin: &Pin, agents: &Path, home: &Path) -> Result<Install> {
    let staging = tempfile::Builder::new().prefix(".staging-").tempdir_in(agents)?;
    let root = staging.path();
    npm_install(pin, root)?;
    let binary = native_program(pin, root)?;
    let stamp = Install {
        binary: binary.strip_prefix(root)?.to_owned(),
        wrapper: pin.command.map(|command| Path::new("node_modules/.bin").join(command)),
        version: pin.version.to_owned(),
    };
    fs::write(root.join(STAMP), serde_json::to_vec_pretty(&stamp)?)?;
    if home.exists() {
        // An install without its stamp is what an interrupted older version of us left.
        fs::remove_dir_all(home).with_context(|| format!("cannot replace {}", home.display()))?;
    }
    fs::rename(root, home).with_context(|| format!("cannot create {}", home.display()))?;
    read_stamp(home).with_context(|| format!("the install in {} is incomplete", home.display()))
}

fn npm_install(pin: &Pin, root: &Path) -> Result<()> {
    let spec = format!("{}@{}", pin.package, pin.version);
    let output = command("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        .arg("--prefix")
        .arg(root)
        .arg(&spec)
        .stdin(Stdio::null())
        .output()
        .context("cannot run npm: install Node.js 20 or newer, which brings it")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`npm install {spec}` failed ({}):\n{}", output.status, said.trim());
    }
    Ok(())
}

/// Picks the native program by asking each candidate for its version: a machine may have been
/// given several (glibc and musl, with and without AVX2), and only trying tells which one runs.
fn native_program(pin: &Pin, root: &Path) -> Result<PathBuf> {
    let scope = root.join("node_modules").join(pin.native_scope);
    let mut candidates: Vec<PathBuf> = entries(&scope)
        .into_iter()
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name.starts_with(pin.native_prefix))
        })
        .flat_map(|path| places(path, pin.native_path))
        .filter(|path| path.is_file())
        .collect();
    // The shorter name is the faster build: `…-x64` before `…-x64-baseline`.
    candidates.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    ensure!(!candidates.is_empty(), "{} has no native program for this machine", pin.package);
    let mut said = String::new();
    for candidate in candidates {
        match reported_version(&candidate) {
            Ok(version) if version.contains(pin.answers) => return Ok(candidate),
            Ok(version) => said += &format!("\n{} says {version:?}", candidate.display()),
            Err(error) => said += &format!("\n{}: {error:#}", candidate.display()),
        }
    }
    bail!("no native program of {}@{} works here:{said}", pin.package, pin.version)
}

/// Finds what a path with `*` for directories may stand for below `root`.
fn places(root: PathBuf, path: &str) -> Vec<PathBuf> {
    path.split('/').fold(vec![root], |found, name| match name {
        "*" => found.iter().flat_map(|dir| entries(dir)).collect(),
        name => found.into_iter().map(|dir| dir.join(name)).collect(),
    })
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(dir).into_iter().flatten();
    found.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn reported_version(program: &Path) -> Result<String> {
    // A home of its own: even `--version` writes logs and state into the user's.
    let home = crate::home::Home::new()?;
    let output = command(program)
        .arg("--version")
        .envs(home.env())
        .stdin(Stdio::null())
        .output()
        .context("cannot run it")?;
    ensure!(output.status.success(), "`--version` failed ({})", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "short-lived tools of the test kit, which the product's process care is not about"
)]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}
