//! A small project for agents to work on.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Writes the sample project into `dir`: a word counter in JavaScript with passing tests, in a
/// git repository of two commits. Byte for byte the same each time, commit ids included.
///
/// # Errors
/// When `dir` holds something already, cannot be written to, or git is missing.
pub fn sample(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    if fs::read_dir(dir)?.next().is_some() {
        bail!("{} is not empty", dir.display());
    }
    git(dir, &["init", "--quiet", "--initial-branch=main"])?;
    let (first, rest) = FILES.split_at(FIRST_COMMIT);
    commit(dir, first, "Count words", "2025-03-01T09:00:00Z")?;
    commit(dir, rest, "Add the command line and tests", "2025-03-02T10:30:00Z")
}

const FILES: &[(&str, &str)] = &[
    (".gitignore", include_str!("../sample/gitignore")),
    ("package.json", include_str!("../sample/package.json")),
    ("src/tally.js", include_str!("../sample/src/tally.js")),
    ("README.md", include_str!("../sample/README.md")),
    ("src/cli.js", include_str!("../sample/src/cli.js")),
    ("test/tally.test.js", include_str!("../sample/test/tally.test.js")),
];

/// How many of [`FILES`] the first commit holds.
const FIRST_COMMIT: usize = 3;

fn commit(dir: &Path, files: &[(&str, &str)], message: &str, date: &str) -> Result<()> {
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    git(dir, &["add", "--all"])?;
    let date = &[("GIT_AUTHOR_DATE", date), ("GIT_COMMITTER_DATE", date)];
    git_with(dir, &["commit", "--quiet", "--no-verify", "-m", message], date)
}

fn git(dir: &Path, arguments: &[&str]) -> Result<()> {
    git_with(dir, arguments, &[])
}

#[expect(
    clippy::disallowed_methods,
    reason = "short-lived git calls of the test kit, which the product's process care is not about"
)]
fn git_with(dir: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Result<()> {
    let output = Command::new("git")
        .args(["-c", "user.name=Sam Sample", "-c", "user.email=sam@example.invalid"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`git {}` failed in {}: {}", arguments.join(" "), dir.display(), said.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_same_each_time() -> Result<()> {
        let head = || -> Result<String> {
            let dir = tempfile::tempdir()?;
            sample(dir.path())?;
            assert!(sample(dir.path()).is_err(), "an existing project must not be overwritten");
            Ok(fs::read_to_string(dir.path().join(".git/refs/heads/main"))?)
        };
        assert_eq!(head()?, head()?);
        Ok(())
    }
}
