//! What a directory's own configuration would have Claude Code start or loosen, found by reading
//! files alone.
//!
//! Claude Code 2.1.197: `.claude/settings.json` and `.claude/settings.local.json` name hooks, helpers
//! and permissions, `.mcp.json` tool servers, and the folders `commands`, `agents` and `skills` in
//! `.claude` prompts that may hold commands. They count in the directory and in those above it up to
//! the root of the git repository. A thread of a project that nobody trusts is run with
//! `--setting-sources=user` and `--strict-mcp-config`, and reads none of them.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use domain::{Startup, StartupAct, StartupKind, StartupProblem};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The most acts that are shown; what has more is not to be trusted unseen.
const MAX_ACTS: usize = 200;
/// The largest file that is read.
const MAX_BYTES: u64 = 512 * 1024;
/// The most directories above one that are looked at.
const MAX_LEVELS: usize = 64;
/// The most files of a folder that are looked at, and how deep.
const MAX_FILES: usize = 500;
const MAX_DEPTH: usize = 8;
/// The longest detail of an act, in characters. The fingerprint is of the whole.
const MAX_DETAIL: usize = 400;

/// Settings whose value is a command line.
const HELPERS: [&str; 6] = [
    "apiKeyHelper",
    "awsAuthRefresh",
    "awsCredentialExport",
    "gcpAuthRefresh",
    "otelHeadersHelper",
    "proxyAuthHelper",
];
/// Settings whose value is an object with a `command`.
const COMMANDS: [&str; 3] = ["statusLine", "subagentStatusLine", "fileSuggestion"];
/// Settings that let the agent do more unasked, or bring code with them.
const LOOSENING: [(&str, StartupKind); 8] = [
    ("permissions", StartupKind::Permission),
    ("enableAllProjectMcpServers", StartupKind::Permission),
    ("enabledMcpjsonServers", StartupKind::Permission),
    ("sandbox", StartupKind::Permission),
    ("skipDangerousModePermissionPrompt", StartupKind::Permission),
    ("enabledPlugins", StartupKind::Code),
    ("extraKnownMarketplaces", StartupKind::Packages),
    ("env", StartupKind::Models),
];

/// Looks what `directory` would have Claude Code start. `home` is the user's: what lies there is the
/// user's own and not the project's. Blocks on the file system.
pub(super) fn look(directory: &Path, home: &Path) -> Startup {
    let mut found =
        Found { base: directory, acts: Vec::new(), problems: Vec::new(), digest: Sha256::new() };
    for level in levels(directory).iter().filter(|level| level.as_path() != home) {
        found.servers(&level.join(".mcp.json"));
        for name in ["settings.json", "settings.local.json"] {
            found.settings(&level.join(".claude").join(name));
        }
        for name in ["commands", "agents", "skills"] {
            found.prompts(&level.join(".claude").join(name));
        }
    }
    let nothing = found.acts.is_empty() && found.problems.is_empty();
    let digest = found.digest.finalize();
    let fingerprint: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Startup {
        acts: found.acts,
        problems: found.problems,
        fingerprint: (!nothing).then_some(fingerprint),
    }
}

/// The directory and those above it up to the root of the repository; all of them outside of one.
fn levels(directory: &Path) -> Vec<PathBuf> {
    let all: Vec<PathBuf> = directory.ancestors().take(MAX_LEVELS).map(Path::to_owned).collect();
    let root = all.iter().position(|level| level.join(".git").exists());
    all.into_iter().take(root.map_or(MAX_LEVELS, |root| root + 1)).collect()
}

struct Found<'a> {
    /// Where files are named from.
    base: &'a Path,
    acts: Vec<StartupAct>,
    problems: Vec<StartupProblem>,
    digest: Sha256,
}

impl Found<'_> {
    /// Notes an act. `whole` is all it depends on; when that changes, it is another act.
    fn act(&mut self, file: &Path, kind: StartupKind, name: &str, detail: &str, whole: &[u8]) {
        let outside = file.canonicalize().is_ok_and(|real| {
            let top = levels(self.base).pop().unwrap_or_else(|| self.base.to_owned());
            !real.starts_with(top.canonicalize().unwrap_or(top))
        });
        let file = self.shown(file);
        for part in [file.as_bytes(), name.as_bytes(), detail.as_bytes(), whole] {
            self.digest.update(part.len().to_le_bytes());
            self.digest.update(part);
        }
        if self.acts.len() < MAX_ACTS {
            let (name, detail) = (short(name), short(detail));
            self.acts.push(StartupAct { kind, name, detail, file, outside });
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

    fn read(&mut self, file: &Path) -> Option<String> {
        read(file).unwrap_or_else(|message| {
            self.problem(file, &message);
            None
        })
    }

    fn json(&mut self, file: &Path) -> Option<Value> {
        let text = self.read(file)?;
        // Claude Code takes no comments here, and leaves a file that is no JSON unread.
        serde_json::from_str(&text)
            .map_err(|error| self.problem(file, &format!("it is not JSON: {error}")))
            .ok()
    }

    fn servers(&mut self, file: &Path) {
        let Some(value) = self.json(file) else { return };
        for (name, server) in
            value.get("mcpServers").and_then(Value::as_object).into_iter().flatten()
        {
            let url = server.get("url").and_then(Value::as_str);
            let kind = if url.is_some() { StartupKind::Remote } else { StartupKind::Command };
            let detail = url.map_or_else(|| command_line(server), str::to_owned);
            self.act(file, kind, name, &detail, server.to_string().as_bytes());
        }
    }

    fn settings(&mut self, file: &Path) {
        let Some(value) = self.json(file) else { return };
        for (event, entries) in value.get("hooks").and_then(Value::as_object).into_iter().flatten()
        {
            let hooks = entries.as_array().into_iter().flatten();
            let hooks = hooks.filter_map(|entry| entry.get("hooks")?.as_array()).flatten();
            for hook in hooks {
                let detail = ["command", "url", "prompt"]
                    .iter()
                    .find_map(|name| hook.get(name)?.as_str())
                    .unwrap_or_default();
                let name = format!("hook {event}");
                self.act(file, StartupKind::Helper, &name, detail, entries.to_string().as_bytes());
            }
        }
        for name in HELPERS {
            if let Some(command) = value.get(name).and_then(Value::as_str) {
                self.act(file, StartupKind::Helper, name, command, &[]);
            }
        }
        for name in COMMANDS {
            if let Some(setting) = value.get(name) {
                let detail = setting.get("command").and_then(Value::as_str).unwrap_or_default();
                self.act(file, StartupKind::Helper, name, detail, setting.to_string().as_bytes());
            }
        }
        for (name, kind) in LOOSENING {
            if let Some(setting) = value.get(name) {
                self.act(file, kind, name, &setting.to_string(), &[]);
            }
        }
    }

    fn prompts(&mut self, folder: &Path) {
        let mut files = Vec::new();
        if let Err(message) = list(folder, 0, &mut files) {
            self.problem(folder, &message);
        }
        files.sort();
        for file in files {
            let Some(text) = self.read(&file) else { continue };
            let runs = text.contains("!`") || text.contains("```!");
            let loosens = text.starts_with("---")
                && ["hooks:", "allowed-tools:", "mcpServers:", "permissionMode:"]
                    .iter()
                    .any(|name| text.contains(name));
            if runs || loosens {
                let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let detail = if runs {
                    "it holds commands that run when it is used"
                } else {
                    "it lets the agent do more when it is used"
                };
                self.act(&file, StartupKind::Prompt, &name, detail, text.as_bytes());
            }
        }
    }
}

fn command_line(server: &Value) -> String {
    let command = server.get("command").and_then(Value::as_str).unwrap_or_default();
    let arguments = server.get("args").and_then(Value::as_array);
    let arguments = arguments.into_iter().flatten().filter_map(Value::as_str);
    std::iter::once(command).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn short(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(MAX_DETAIL).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Reads a file as text; `None` when there is none.
fn read(file: &Path) -> Result<Option<String>, String> {
    let broken = |error: std::io::Error| format!("it cannot be read: {error}");
    let kind = match file.metadata() {
        Ok(kind) => kind,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(broken(error)),
    };
    // A pipe or a device could be read for ever.
    if !kind.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(broken)?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {} KiB", MAX_BYTES / 1024));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| "it is not text".to_owned())
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(());
        }
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    for entry in entries {
        let path = entry.map_err(|error| format!("it cannot be read: {error}"))?.path();
        if files.len() >= MAX_FILES {
            return Err(format!("it holds more than {MAX_FILES} files"));
        }
        if path.is_dir() {
            if depth >= MAX_DEPTH {
                return Err(format!("it is deeper than {MAX_DEPTH} folders"));
            }
            list(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|ending| ending == "md") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_started_or_loosened_is_told_and_changes_the_fingerprint() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::create_dir_all(root.join(".claude/commands")).unwrap();
        let home = Path::new("/no/home");
        assert_eq!(look(root, home), Startup::default());
        let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        write(".claude/commands/plain.md", "Say hello");
        assert_eq!(look(root, home), Startup::default());
        write(
            ".mcp.json",
            r#"{"mcpServers":{"notes":{"command":"sh","args":["-c","x"]},"far":{"url":"https://e.invalid"}}}"#,
        );
        write(
            ".claude/settings.json",
            r#"{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"touch a"}]}]},
                "apiKeyHelper":"key.sh","statusLine":{"type":"command","command":"line.sh"},
                "permissions":{"allow":["Bash(rm:*)"]}}"#,
        );
        write(".claude/commands/runs.md", "Status: !`git status`");
        let first = look(root, home);
        let acts: Vec<_> = first
            .acts
            .iter()
            .map(|act| (act.kind, act.name.as_str(), act.detail.as_str()))
            .collect();
        let wanted = [
            (StartupKind::Remote, "far", "https://e.invalid"),
            (StartupKind::Command, "notes", "sh -c x"),
            (StartupKind::Helper, "hook SessionStart", "touch a"),
            (StartupKind::Helper, "apiKeyHelper", "key.sh"),
            (StartupKind::Helper, "statusLine", "line.sh"),
            (StartupKind::Permission, "permissions", r#"{"allow":["Bash(rm:*)"]}"#),
            (StartupKind::Prompt, "runs", "it holds commands that run when it is used"),
        ];
        assert_eq!(acts, wanted);
        write(".claude/commands/runs.md", "Status: !`rm -rf .`");
        assert_ne!(look(root, home).fingerprint, first.fingerprint);
        write(".claude/settings.local.json", "{ no json");
        assert_eq!(look(root, home).problems.len(), 1);
    }
}
