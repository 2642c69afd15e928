//! What a directory's own configuration would have Kilo start or loosen, found by reading files
//! alone.
//!
//! Kilo 7.7.7, measured: it reads `kilo.json`, `kilo.jsonc`, `opencode.json` and `opencode.jsonc` of
//! the directory and of each one above it up to the root of the git repository (to `/` outside of
//! one), and the folders `.kilo` and `.kilocode` on that way, in a linked worktree those of the
//! primary one too. `.kilo/mcp.json`, `.kilocode/mcp.json` and `.kilocodemodes` of the directory
//! itself are taken over from older versions. `.opencode` is not read. Tool servers, plugins and tools
//! of the configuration run as soon as anything is asked about the directory.

use std::path::{Path, PathBuf};

use domain::{Startup, StartupAct, StartupKind, StartupProblem};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

mod config;
mod jsonc;

use crate::shared::files::{self, Broken, Roots};

/// The most acts that are shown; what has more is not to be trusted unseen.
const MAX_ACTS: usize = 200;
/// The most files of a folder that are looked at.
const MAX_FILES: usize = 200;
/// The longest detail of an act, in characters. The fingerprint is of the whole.
const MAX_DETAIL: usize = 400;

/// The names of Kilo's configuration files.
const CONFIG_FILES: [&str; 4] = ["kilo.jsonc", "kilo.json", "opencode.jsonc", "opencode.json"];
/// The names of Kilo's configuration folders.
const CONFIG_DIRS: [&str; 2] = [".kilocode", ".kilo"];
/// What in such a folder says which packages are installed, and how.
const PACKAGE_FILES: [&str; 3] = ["package.json", "bunfig.toml", ".npmrc"];

/// Looks what `directory` would have Kilo start. `home` is the user's: the folders there are the
/// user's own and not the project's. Blocks on the file system.
pub(super) fn look(directory: &Path, home: Option<&Path>) -> Startup {
    look_from(directory, directory, home)
}

/// The same, with files named as they are seen from another directory: two directories that would
/// start the same have the same fingerprint then.
pub(super) fn look_from(base: &Path, directory: &Path, home: Option<&Path>) -> Startup {
    let roots = Roots::of(directory);
    let mut found = Found::new(base, &roots);
    for level in &roots.levels {
        for name in CONFIG_FILES {
            found.config(&level.join(name));
        }
    }
    let dirs = roots.levels.iter().chain(&roots.primary);
    for level in dirs.filter(|level| home != Some(level.as_path())) {
        for name in CONFIG_DIRS {
            found.folder(&level.join(name));
        }
    }
    for name in CONFIG_DIRS {
        found.older_servers(&directory.join(name).join("mcp.json"));
    }
    found.older_modes(&directory.join(".kilocodemodes"));
    found.finish()
}

/// The file of a directory that names programs which Kilo starts whether or not it is told to leave
/// a project's configuration unread: tool servers as an older Kilo wrote them down (7.7.7, measured).
/// Blocks on the file system.
pub(super) fn unheld(directory: &Path) -> Option<PathBuf> {
    let names_any = |file: &PathBuf| match files::read(file) {
        Ok(None) => false,
        Ok(Some(text)) => jsonc::parse(&text).is_none_or(|value| match &value["mcpServers"] {
            Value::Null => false,
            Value::Object(servers) => !servers.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
        }),
        Err(Broken(_)) => true,
    };
    CONFIG_DIRS.iter().map(|name| directory.join(name).join("mcp.json")).find(names_any)
}

/// What was found so far.
struct Found<'a> {
    /// Where files are named from.
    base: &'a Path,
    top: PathBuf,
    acts: Vec<StartupAct>,
    problems: Vec<StartupProblem>,
    digest: Sha256,
}

impl<'a> Found<'a> {
    fn new(base: &'a Path, roots: &Roots) -> Self {
        let top = roots.levels.last().map_or(base, PathBuf::as_path);
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        Self { base, top, acts: Vec::new(), problems: Vec::new(), digest: Sha256::new() }
    }

    /// Notes an act. `whole` is all it depends on; when that changes, it is another act.
    fn act(&mut self, file: &Path, kind: StartupKind, name: &str, detail: &str, whole: &[u8]) {
        let outside = file.canonicalize().is_ok_and(|real| !real.starts_with(&self.top));
        let file = self.shown(file);
        for part in [file.as_bytes(), name.as_bytes(), detail.as_bytes(), whole] {
            self.digest.update(part.len().to_le_bytes());
            self.digest.update(part);
        }
        if self.acts.len() < MAX_ACTS {
            let name = short(name);
            self.acts.push(StartupAct { kind, name, detail: short(detail), file, outside });
        } else if self.acts.len() == MAX_ACTS {
            self.problem(Path::new(""), "it would do more than can be shown");
        }
    }

    fn problem(&mut self, file: &Path, message: &str) {
        let problem = StartupProblem { file: self.shown(file), message: message.to_owned() };
        if self.problems.len() < MAX_ACTS && !self.problems.contains(&problem) {
            self.digest.update(problem.file.as_bytes());
            self.digest.update(problem.message.as_bytes());
            self.problems.push(problem);
        }
    }

    fn shown(&self, file: &Path) -> String {
        file.strip_prefix(self.base).unwrap_or(file).to_string_lossy().into_owned()
    }

    /// Reads a file if it is there.
    fn read(&mut self, file: &Path) -> Option<String> {
        match files::read(file) {
            Ok(text) => text,
            Err(Broken(message)) => {
                self.problem(file, &message);
                None
            }
        }
    }

    fn json(&mut self, file: &Path) -> Option<Value> {
        let text = self.read(file)?;
        // Kilo puts the contents of other files in its place before it reads the rest.
        if text.contains("{file:") {
            self.problem(file, "it is put together from other files, which cannot be shown");
        }
        let value = jsonc::parse(&text);
        match &value {
            None => self.problem(file, "it cannot be read as JSON, so nothing in it is trusted"),
            Some(value) => self.environment(file, value, &text),
        }
        value
    }

    /// The user's environment, whose variables Kilo puts in the place of `{env:NAME}` before it reads
    /// the rest: a word that is put together so may be any other.
    fn environment(&mut self, file: &Path, value: &Value, text: &str) {
        let names = config::variables(text);
        if config::has_variable_names(value) {
            self.problem(file, "names in it are put together from your environment");
        } else if !names.is_empty() {
            let kind = StartupKind::Permission;
            self.act(file, kind, "your environment", &names.join(", "), text.as_bytes());
        }
    }

    fn config(&mut self, file: &Path) {
        if let Some(value) = self.json(file) {
            config::acts(&value, &mut |kind, name, detail, whole| {
                self.act(file, kind, name, detail, whole.to_string().as_bytes());
            });
        }
    }

    /// A configuration folder with everything Kilo takes from it.
    fn folder(&mut self, dir: &Path) {
        if !dir.is_dir() {
            return;
        }
        for name in CONFIG_FILES {
            self.config(&dir.join(name));
        }
        for name in PACKAGE_FILES {
            self.packages(&dir.join(name));
        }
        for (names, what) in [(["plugin", "plugins"], "plugin"), (["tool", "tools"], "tool")] {
            for name in names {
                for file in self.list(&dir.join(name), false, &["ts", "js"]) {
                    self.code(&file, what);
                }
            }
        }
        for name in ["command", "commands"] {
            for file in self.list(&dir.join(name), true, &["md"]) {
                self.prompt(&file);
            }
        }
        for name in ["agent", "agents", "mode", "modes"] {
            for file in self.list(&dir.join(name), true, &["md"]) {
                self.agent(&file);
            }
        }
    }

    fn list(&mut self, dir: &Path, deep: bool, endings: &[&str]) -> Vec<PathBuf> {
        match files::list(dir, deep, endings, MAX_FILES) {
            Ok(found) => found,
            Err(Broken(message)) => {
                self.problem(dir, &message);
                Vec::new()
            }
        }
    }

    /// Code that is loaded into Kilo; what it imports is not followed.
    fn code(&mut self, file: &Path, what: &str) {
        if let Some(text) = self.read(file) {
            let name = stem(file);
            self.act(file, StartupKind::Code, &name, what, text.as_bytes());
        }
    }

    /// What is installed for plugins and tools, and how: a package may run scripts of its own then,
    /// and the other files say where packages come from and which may do so.
    fn packages(&mut self, file: &Path) {
        let Some(text) = self.read(file) else { return };
        let detail = match jsonc::parse(&text) {
            Some(value) if value["dependencies"].is_object() => value["dependencies"].to_string(),
            _ => "how packages are installed".to_owned(),
        };
        self.act(file, StartupKind::Packages, "packages", &detail, text.as_bytes());
    }

    /// A slash command: Kilo runs what stands between `` !` `` and `` ` `` when it is used.
    fn prompt(&mut self, file: &Path) {
        if let Some(text) = self.read(file)
            && text.contains("!`")
        {
            let name = format!("/{}", stem(file));
            let detail = config::shell_parts(&text).join("; ");
            self.act(file, StartupKind::Prompt, &name, &detail, text.as_bytes());
        }
    }

    /// An agent, which may bring rules of its own. Whether it does is not read: its head is YAML, and
    /// there are many ways to write a key in it.
    fn agent(&mut self, file: &Path) {
        if let Some(text) = self.read(file) {
            let detail = "an agent, which may have rules of its own for what it may do";
            self.act(file, StartupKind::Permission, &stem(file), detail, text.as_bytes());
        }
    }

    /// Tool servers as an older Kilo wrote them down.
    fn older_servers(&mut self, file: &Path) {
        let Some(value) = self.json(file) else { return };
        let servers = &value["mcpServers"];
        if !servers.is_object() && !servers.is_null() {
            self.problem(file, "its servers are not written as Kilo writes them");
        }
        for (name, server) in config::object(servers) {
            let whole = server.to_string();
            if let Some(url) = server["url"].as_str() {
                self.act(file, StartupKind::Remote, name, url, whole.as_bytes());
                continue;
            }
            let program = server["command"].as_str().unwrap_or_default();
            let line = config::line(Some(program), &server["args"]);
            self.act(file, StartupKind::Command, name, &line, whole.as_bytes());
        }
    }

    /// Modes as an older Kilo wrote them down, which become agents with rules.
    fn older_modes(&mut self, file: &Path) {
        if let Some(text) = self.read(file) {
            let detail = "agents with rules of their own";
            self.act(file, StartupKind::Permission, "modes", detail, text.as_bytes());
        }
    }

    fn finish(self) -> Startup {
        let nothing = self.acts.is_empty() && self.problems.is_empty();
        let digest = self.digest.finalize();
        let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Startup { acts: self.acts, problems: self.problems, fingerprint: (!nothing).then_some(hex) }
    }
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_DETAIL).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
