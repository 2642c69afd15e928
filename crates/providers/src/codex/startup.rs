//! What a directory's own configuration would have Codex start or loosen, found by reading files
//! alone.
//!
//! Codex 0.169.0, measured: in a directory that is trusted it reads `.codex/config.toml` of the
//! directory and of those above it up to the root of the repository, and starts the MCP servers
//! named there as soon as a thread begins; in one that is not it does neither. What else lies in
//! such a folder (rules by which commands run unasked, hooks, agents) is taken for as much.

use std::path::Path;

use domain::{Startup, StartupAct, StartupKind, StartupProblem};
use sha2::{Digest as _, Sha256};

use crate::shared::files::{self, Broken, Roots};

/// The most acts that are shown; what has more is not to be trusted unseen.
const MAX_ACTS: usize = 200;
/// The most files of a folder that are looked at.
const MAX_FILES: usize = 200;
/// The longest detail of an act, in characters. The fingerprint is of the whole.
const MAX_DETAIL: usize = 400;

/// The folder of a project's own configuration.
const FOLDER: &str = ".codex";

/// Looks what `directory` would have Codex start. `home` is the user's: the folder there is the
/// user's own and not the project's. Blocks on the file system.
pub(super) fn look(directory: &Path, home: Option<&Path>) -> Startup {
    let roots = Roots::of(directory);
    let top = roots.levels.last().map_or(directory, |top| top.as_path());
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let mut found = Found { base: directory, top: &top, all: Startup::default() };
    let mut digest = Sha256::new();
    let levels = roots.levels.iter().chain(&roots.primary);
    for level in levels.filter(|level| home != Some(level.as_path())) {
        let folder = level.join(FOLDER);
        let listed = files::list(&folder, true, &[], MAX_FILES);
        for file in listed.unwrap_or_else(|Broken(message)| {
            found.problem(&folder, &message);
            Vec::new()
        }) {
            match files::read(&file) {
                Ok(Some(text)) => {
                    digest.update(file.to_string_lossy().as_bytes());
                    digest.update(text.len().to_le_bytes());
                    digest.update(text.as_bytes());
                    found.file(&file, &text);
                }
                Ok(None) => {}
                Err(Broken(message)) => found.problem(&file, &message),
            }
        }
    }
    let mut all = found.all;
    if !all.acts.is_empty() || !all.problems.is_empty() {
        for problem in &all.problems {
            digest.update(problem.file.as_bytes());
            digest.update(problem.message.as_bytes());
        }
        let hex = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        all.fingerprint = Some(hex);
    }
    all
}

struct Found<'a> {
    /// Where files are named from.
    base: &'a Path,
    /// The root of what belongs to the project.
    top: &'a Path,
    all: Startup,
}

impl Found<'_> {
    fn file(&mut self, file: &Path, text: &str) {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        match ending {
            "toml" => {
                for (table, lines) in tables(text) {
                    let kind = kind_of(&table, &lines);
                    let name = if table.is_empty() { name.clone() } else { table };
                    self.act(file, kind, &name, &lines.join("; "));
                }
            }
            "rules" => self.act(file, StartupKind::Permission, &name, text),
            "json" => self.act(file, StartupKind::Helper, &name, text),
            _ => self.act(file, StartupKind::Prompt, &name, text),
        }
    }

    fn act(&mut self, file: &Path, kind: StartupKind, name: &str, detail: &str) {
        if self.all.acts.len() >= MAX_ACTS {
            return self.problem(Path::new(""), "it would do more than can be shown");
        }
        let outside = file.canonicalize().is_ok_and(|real| !real.starts_with(self.top));
        let words: Vec<&str> = detail.split_whitespace().collect();
        self.all.acts.push(StartupAct {
            kind,
            name: short(name),
            detail: short(&words.join(" ")),
            file: self.shown(file),
            outside,
        });
    }

    fn problem(&mut self, file: &Path, message: &str) {
        let problem = StartupProblem { file: self.shown(file), message: message.to_owned() };
        if self.all.problems.len() < MAX_ACTS && !self.all.problems.contains(&problem) {
            self.all.problems.push(problem);
        }
    }

    fn shown(&self, file: &Path) -> String {
        file.strip_prefix(self.base).unwrap_or(file).to_string_lossy().into_owned()
    }
}

/// The tables of a TOML file with their lines, what stands before the first one under an empty
/// name. Nothing is left out but comments and empty lines, so that all of it is shown whether or
/// not it is understood.
fn tables(text: &str) -> Vec<(String, Vec<&str>)> {
    let mut tables: Vec<(String, Vec<&str>)> = vec![(String::new(), Vec::new())];
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match name {
            Some((name, _)) => tables.push((name.trim_matches('[').to_owned(), Vec::new())),
            None => {
                if let Some((_, lines)) = tables.last_mut() {
                    lines.push(line);
                }
            }
        }
    }
    tables.retain(|(name, lines)| !name.is_empty() || !lines.is_empty());
    tables
}

/// What kind of act a table is.
fn kind_of(table: &str, lines: &[&str]) -> StartupKind {
    let first = table.split('.').next().unwrap_or_default();
    let sets = |name: &str| lines.iter().any(|line| line.starts_with(name));
    match first {
        "mcp_servers" if sets("url") => StartupKind::Remote,
        "mcp_servers" => StartupKind::Command,
        "model_providers" => StartupKind::Models,
        "hooks" => StartupKind::Helper,
        "" if sets("mcp_servers") || sets("notify") => StartupKind::Command,
        "" if sets("model_provider") || sets("openai_base_url") => StartupKind::Models,
        _ => StartupKind::Permission,
    }
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_DETAIL).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn all_that_a_project_s_folder_says_is_shown_and_marked() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let project = home.join("project");
        std::fs::create_dir_all(&project).unwrap();
        let looked = || look(&project, Some(&home));
        assert_eq!(looked(), Startup::default());
        // The user's own is not the project's.
        write(&home.join(".codex/config.toml"), "[mcp_servers.mine]\ncommand = \"x\"\n");
        assert_eq!(looked(), Startup::default());
        write(
            &project.join(".codex/config.toml"),
            "# a comment\nmodel_provider = \"theirs\"\n[mcp_servers.evil]\ncommand = \"sh\"\n\
             args = [\"-c\", \"touch x\"]\n[mcp_servers.far]\nurl = \"https://x\"\n",
        );
        write(&project.join(".codex/rules/default.rules"), "prefix_rule(pattern=[\"rm\"])");
        let found = looked();
        let acts: Vec<_> = found.acts.iter().map(|a| (a.kind, a.name.as_str())).collect();
        assert_eq!(
            acts,
            [
                (StartupKind::Models, "config.toml"),
                (StartupKind::Command, "mcp_servers.evil"),
                (StartupKind::Remote, "mcp_servers.far"),
                (StartupKind::Permission, "default.rules"),
            ]
        );
        assert!(found.acts[1].detail.contains("touch x"), "{found:?}");
        let before = found.fingerprint.unwrap();
        write(&project.join(".codex/rules/default.rules"), "prefix_rule(pattern=[\"cat\"])");
        assert_ne!(looked().fingerprint, Some(before), "it is something else by now");
    }
}
