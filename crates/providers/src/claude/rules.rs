//! The rules of permissions that Claude Code goes by, so that a thread's access is the truth: what a
//! person's or a project's settings let it do unasked (`permissions.allow`) does not count, and what
//! they forbid or want to be asked about does.
//!
//! Each process is given managed settings with `allowManagedPermissionRulesOnly` (2.1.197), by which
//! only rules in these count. The rules that deny or ask are therefore copied into them from the
//! settings, and what people allowed for the session is put beside them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claude_sdk::{Claude as Agent, Frames, Initialized, Launch, LaunchError};
use serde_json::{Value, json};

use super::{Shared, access, loose};
use crate::shared::files;

/// Longest managed settings, in bytes: Linux takes an argument of 128 KiB.
const MAX_SETTINGS: usize = 96 * 1024;
/// How long an agent may take to say by which settings it goes (10 ms are usual).
const TOLD: Duration = Duration::from_secs(10);
/// Tools whose rules name files, by a path from the settings' own directory when it begins with one
/// slash.
const OF_FILES: [&str; 8] =
    ["Read", "Edit", "Write", "MultiEdit", "NotebookEdit", "Glob", "Grep", "LS"];

/// What settings forbid, and what they want to be asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules {
    deny: Vec<String>,
    ask: Vec<String>,
}

impl Rules {
    /// Those of the settings in force in a trusted project, or of a person's own alone. Settings that
    /// cannot be read are in force nowhere. Reads the disk.
    pub(super) fn read(config: &Path, project: Option<&Path>) -> Self {
        let mut rules = Self::default();
        rules.add(&settings(&config.join("settings.json")), Some(config));
        if let Some(project) = project {
            rules.add(&settings(&project.join(".claude/settings.json")), None);
            rules.add(&settings(&project.join(".claude/settings.local.json")), None);
        }
        rules.sorted()
    }

    /// Those of the settings that an agent says it goes by (`get_settings`); `None` when rules that
    /// allow count there.
    fn told(told: &Value, config: &Path) -> Option<Self> {
        let only = told.pointer("/effective/allowManagedPermissionRulesOnly");
        if only.and_then(Value::as_bool) != Some(true) {
            return None;
        }
        let mut rules = Self::default();
        for source in told.get("sources").and_then(Value::as_array).into_iter().flatten() {
            let settings = source.get("settings").unwrap_or(&Value::Null);
            match source.get("source").and_then(Value::as_str).unwrap_or_default() {
                "policySettings" => {}
                "userSettings" => rules.add(settings, Some(config)),
                _ => rules.add(settings, None),
            }
        }
        Some(rules.sorted())
    }

    /// Adds those of settings; `root` is what their paths begin at when that is not the workspace.
    fn add(&mut self, settings: &Value, root: Option<&Path>) {
        let of = |kind: &str| settings.pointer(&format!("/permissions/{kind}"))?.as_array();
        let rules = |kind: &str| {
            let listed = of(kind).map(Vec::as_slice).unwrap_or_default();
            listed.iter().filter_map(Value::as_str).map(|rule| rooted(rule, root))
        };
        self.deny.extend(rules("deny"));
        self.ask.extend(rules("ask"));
    }

    fn sorted(mut self) -> Self {
        for rules in [&mut self.deny, &mut self.ask] {
            rules.sort();
            rules.dedup();
        }
        self
    }

    /// The settings by which these count, and what people allowed, and no others.
    fn managed(&self, grants: &[String]) -> Value {
        json!({
            "allowManagedPermissionRulesOnly": true,
            "permissions": { "deny": self.deny, "ask": self.ask, "allow": grants },
            // Its sandbox is no reason not to ask.
            "sandbox": { "autoAllowBashIfSandboxed": false },
        })
    }
}

/// A rule with a path from the directory of its settings, said from the root of the file system.
fn rooted(rule: &str, root: Option<&Path>) -> String {
    let path = rule.split_once('(').filter(|(tool, _)| OF_FILES.contains(tool));
    let path = path.and_then(|(tool, path)| Some((tool, path.strip_prefix('/')?)));
    match (path, root) {
        (Some((tool, path)), Some(root)) if !path.starts_with('/') => {
            let root = root.to_string_lossy();
            format!("{tool}(/{}/{path}", root.trim_end_matches('/'))
        }
        _ => rule.to_owned(),
    }
}

fn settings(file: &Path) -> Value {
    let text = files::read(file).ok().flatten();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// A process that goes by the rules it is to go by.
pub(super) struct Ruled {
    pub(super) agent: Agent,
    pub(super) frames: Frames,
    pub(super) initialized: Initialized,
    /// Whether its settings keep it from asking its model on the side.
    pub(super) quiet: bool,
}

/// Whether the settings that an agent says it goes by (`get_settings`) keep it from asking its model on
/// the side.
fn is_quiet(told: &Value) -> bool {
    let env = told.pointer("/effective/env");
    super::is_quiet(|name| {
        let value = env?.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    })
}

impl Shared {
    /// Starts a process that goes by these rules, by what people allowed and by no rules that allow
    /// besides. What it says of its settings is believed more than what was read of them here.
    pub(super) async fn launch_ruled(
        self: &Arc<Self>,
        mut launch: Launch,
        rules: &Rules,
        grants: &[String],
    ) -> Result<Ruled, LaunchError> {
        launch.managed_settings = Some(bounded(rules.managed(grants))?);
        launch.settings = Some(access::settings());
        let (agent, frames, initialized) = self.launch(launch.clone()).await?;
        let told = match agent.control(json!({ "subtype": "get_settings" }), TOLD).await {
            Ok(told) => told,
            Err(error) => {
                agent.stop("it did not say what it goes by", Duration::from_secs(1)).await;
                return Err(LaunchError::Unsupported(error.to_string()));
            }
        };
        let really = Rules::told(&told, &self.config_dir());
        self.note_allowing(really.is_none()).await;
        let quiet = is_quiet(&told);
        let Some(really) = really.filter(|really| really != rules) else {
            return Ok(Ruled { agent, frames, initialized, quiet });
        };
        drop(frames);
        agent.stop("its settings forbid other things", Duration::from_secs(1)).await;
        launch.managed_settings = Some(bounded(really.managed(grants))?);
        let (agent, frames, initialized) = self.launch(launch).await?;
        Ok(Ruled { agent, frames, initialized, quiet })
    }

    /// Notes whether agents go by rules that allow, and tells it where their state is shown.
    async fn note_allowing(&self, allowing: bool) {
        let config = self.config_dir();
        let look = move || allowing.then(|| loose::problem(&config)).flatten();
        let problem = tokio::task::spawn_blocking(look).await.ok().flatten();
        self.face.status.send_if_modified(|status| {
            let problems: Vec<_> = problem.into_iter().collect();
            std::mem::replace(&mut status.problems, problems.clone()) != problems
        });
    }
}

fn bounded(settings: Value) -> Result<Value, LaunchError> {
    if settings.to_string().len() <= MAX_SETTINGS {
        return Ok(settings);
    }
    let why = "its settings have more rules of permissions than can be handed on";
    Err(LaunchError::Unsupported(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_settings_forbid_or_ask_about_is_copied_and_what_they_allow_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (config, project) = (dir.path().join("c"), dir.path().join("p"));
        let write = |file: &Path, rules: Value| {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, json!({ "permissions": rules }).to_string()).unwrap();
        };
        write(
            &config.join("settings.json"),
            json!({ "allow": ["Bash"], "deny": ["Read(/x/**)", "Bash(/bin/rm:*)", 7], "ask": ["Edit"] }),
        );
        write(&project.join(".claude/settings.json"), json!({ "deny": ["Read(/y)"] }));
        write(&project.join(".claude/settings.local.json"), json!({ "ask": ["Edit", "Write"] }));
        let own = Rules::read(&config, None);
        let rooted = format!("Read(/{}/x/**)", config.display());
        assert_eq!(own.deny, ["Bash(/bin/rm:*)", &rooted]);
        assert_eq!(own.ask, ["Edit"]);
        let all = Rules::read(&config, Some(&project));
        assert_eq!(all.deny, ["Bash(/bin/rm:*)", &rooted, "Read(/y)"]);
        assert_eq!(all.ask, ["Edit", "Write"]);
        assert_eq!(Rules::read(&dir.path().join("none"), None), Rules::default());
        let managed = all.managed(&["Bash(ls)".to_owned()]);
        assert_eq!(managed["permissions"]["allow"], json!(["Bash(ls)"]));
    }

    #[test]
    fn what_an_agent_says_of_its_settings_is_read_alike() {
        let source = |name: &str, deny: &str| json!({ "source": name, "settings": { "permissions": { "deny": [deny] } } });
        let told = json!({
            "effective": { "allowManagedPermissionRulesOnly": true },
            "sources": [
                source("userSettings", "Read(/x)"),
                source("projectSettings", "Read(/y)"),
                source("policySettings", "Read(/z)"),
            ],
        });
        let rules = Rules::told(&told, Path::new("/c")).unwrap();
        assert_eq!(rules.deny, ["Read(//c/x)", "Read(/y)"]);
        assert_eq!(Rules::told(&json!({ "effective": {} }), Path::new("/c")), None);
        let quiet = |value: Value| {
            let env = json!({ "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": value });
            is_quiet(&json!({ "effective": { "env": env } }))
        };
        assert!(quiet(json!("1")) && quiet(json!(true)));
        assert!(!quiet(json!("")) && !quiet(json!("0")) && !is_quiet(&told));
    }

    #[test]
    fn more_rules_than_fit_an_argument_are_refused() {
        assert!(bounded(json!(["x".repeat(MAX_SETTINGS)])).is_err());
        assert!(bounded(Rules::default().managed(&[])).is_ok());
    }
}
