use std::env::consts::{ARCH, OS};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use agent_program::{Agent, Installed, LocateError};
use process::Host;
use semver::Version;

/// The oldest version this crate works with: it is the one that was measured.
pub const MINIMUM_VERSION: Version = Version::new(2, 1, 197);

/// How Claude Code is found.
const CLAUDE: Agent = Agent {
    name: "Claude Code",
    commands: &["claude"],
    package: "@anthropic-ai/claude-code",
    minimum: MINIMUM_VERSION,
    env: &[("DISABLE_AUTOUPDATER", "1")],
    unset: &["NODE_OPTIONS"],
    native: native_program,
    // `2.1.197 (Claude Code)`.
    version: |said| {
        let version = said.iter().find_map(|line| line.strip_suffix("(Claude Code)"));
        version.and_then(|version| Version::parse(version.trim()).ok())
    },
};

/// Finds the program without starting anything: the configured path if there is one, else `claude`
/// in the directories of `path` (the value of a `PATH` variable).
#[must_use]
pub fn find(configured: Option<&Path>, path: &OsStr) -> Option<PathBuf> {
    CLAUDE.find(configured, path)
}

/// Finds the program, sees through npm's package and asks for the version (0.25 s).
///
/// # Errors
/// As [`LocateError`] says.
pub async fn locate(
    host: &Host,
    configured: Option<&Path>,
    path: &OsStr,
) -> Result<Installed, LocateError> {
    CLAUDE.locate(host, configured, path).await
}

/// The native program of npm's platform package: the post-install script puts a copy of it in the
/// place of the package's command, which without that script is a stub that says what is missing
/// (2.1.197).
fn native_program(package: &Path) -> Option<PathBuf> {
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
