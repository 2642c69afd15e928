//! Isolated homes: a `HOME` with its XDG directories, and the agents' configuration in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agents;

/// A home directory that no agent, git or shell setting of the person at the machine reaches.
///
/// A home made by [`Home::new`] is deleted when dropped; one made by [`Home::at`] stays.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    _owned: Option<TempDir>,
}

/// What Kilo finds configured in a [`Home`].
#[derive(Debug, Clone)]
pub struct KiloSetup {
    /// Where the scripted model server is, with its `/v1`: `http://127.0.0.1:4000/v1`.
    pub model_url: String,
    /// Whether Kilo offers the `mock` provider alone. Otherwise it offers all it knows (`mock`
    /// and its own gateway count as connected), and `GET /provider` weighs 6 MB (Kilo 7.7.7).
    pub only_mock: bool,
    /// How often Kilo retries a 429 or a 500 (at least once, 5 times unless told; Kilo 7.7.7).
    pub retry_limit: Option<u32>,
    /// The `permission` section of the user's own configuration; none for a new user.
    pub permission: Option<Value>,
}

impl KiloSetup {
    /// Describes a Kilo that knows nothing but the scripted model and retries once.
    pub fn new(model_url: impl Into<String>) -> Self {
        Self {
            model_url: model_url.into(),
            only_mock: true,
            retry_limit: Some(1),
            permission: None,
        }
    }
}

impl Home {
    /// Creates a home in a temporary directory.
    ///
    /// # Errors
    /// When the directories cannot be created.
    pub fn new() -> io::Result<Self> {
        let owned = tempfile::Builder::new().prefix("baton-home-").tempdir()?;
        let path = owned.path().canonicalize()?;
        Self { path, _owned: Some(owned) }.furnished()
    }

    /// Creates a home at `path`, or takes the one that is there, and leaves it when dropped.
    ///
    /// # Errors
    /// When the directories cannot be created.
    pub fn at(path: impl AsRef<Path>) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        let path = path.as_ref().canonicalize()?;
        Self { path, _owned: None }.furnished()
    }

    /// Returns the home directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the variables that make a program live in this home, its git included.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = vec![("HOME".to_owned(), display(&self.path))];
        for (name, dir) in XDG {
            env.push(((*name).to_owned(), display(&self.path.join(dir))));
        }
        env.push(("GIT_CONFIG_GLOBAL".to_owned(), display(&self.path.join(".gitconfig"))));
        env.push(("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned()));
        env
    }

    /// Configures Kilo here with the scripted model alone (see [`KiloSetup::new`]) and returns the
    /// environment to start Kilo, or Baton, with.
    ///
    /// # Errors
    /// As [`Home::kilo_env_with`].
    pub fn kilo_env(&self, model_url: &str) -> Result<Vec<(String, String)>> {
        self.kilo_env_with(&KiloSetup::new(model_url))
    }

    /// Configures Kilo here as told and returns the environment to start Kilo, or Baton, with.
    ///
    /// The configuration is a file, because `KILO_CONFIG_CONTENT` belongs to whoever starts Kilo.
    /// With this environment Kilo needs nothing but the scripted model server: its search program
    /// is installed from npm when it is not yet (see [`agents::RIPGREP`]).
    ///
    /// # Errors
    /// When the configuration cannot be written or the search program cannot be installed.
    pub fn kilo_env_with(&self, setup: &KiloSetup) -> Result<Vec<(String, String)>> {
        let config = serde_json::to_string_pretty(&kilo_config(setup))?;
        let dir = self.path.join(".config/kilo");
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("kilo.json"), config)?;
        // Without this mark Kilo 7.7.7 takes a configuration it finds for an older user's, and
        // writes `"bash": "allow"` into it.
        fs::write(dir.join(".bash-permission-migrated"), "")?;
        self.provide_ripgrep().context("cannot provide Kilo's search program")?;
        let mut env = self.env();
        // Where it unpacks its native libraries, which it leaves there (Kilo 7.7.7).
        let unpacked = self.path.join(".cache/bun");
        fs::create_dir_all(&unpacked)?;
        env.push(("BUN_TMPDIR".to_owned(), display(&unpacked)));
        for (name, value) in KILO_QUIET {
            env.push(((*name).to_owned(), (*value).to_owned()));
        }
        if let Some(limit) = setup.retry_limit {
            env.push(("KILO_SESSION_RETRY_LIMIT".to_owned(), limit.to_string()));
        }
        Ok(env)
    }

    /// Configures Codex here with the scripted model alone and returns what it needs in its
    /// environment besides that of the home.
    ///
    /// The model's provider is `mock`; the models are those that Codex knows by itself. Codex
    /// retries each request once, and takes a stream that is silent for 8 seconds for broken.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn codex_env(&self, model_url: &str) -> Result<Vec<(String, String)>> {
        let dir = self.path.join(".codex");
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("config.toml"), codex_config(model_url))?;
        Ok(vec![("CODEX_HOME".to_owned(), display(&dir))])
    }

    /// Returns what Claude Code needs in its environment besides that of the home.
    ///
    /// `model_origin` is where the scripted model server is, without `/v1`.
    ///
    /// # Errors
    /// When its directory cannot be created.
    pub fn claude_env(&self, model_origin: &str) -> Result<Vec<(String, String)>> {
        let dir = self.path.join(".claude");
        fs::create_dir_all(&dir)?;
        let mut env = vec![
            ("CLAUDE_CONFIG_DIR".to_owned(), display(&dir)),
            ("ANTHROPIC_BASE_URL".to_owned(), model_origin.to_owned()),
        ];
        env.extend(CLAUDE_QUIET.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        Ok(env)
    }

    /// Puts `rg` where Kilo keeps what it downloads.
    fn provide_ripgrep(&self) -> Result<()> {
        let installed = agents::install(&agents::RIPGREP)?;
        let dir = self.path.join(".cache/kilo/bin");
        fs::create_dir_all(&dir)?;
        let place = dir.join("rg");
        if !place.exists() {
            fs::copy(installed.binary, place)?;
        }
        Ok(())
    }

    fn furnished(self) -> io::Result<Self> {
        for (_, dir) in XDG {
            fs::create_dir_all(self.path.join(dir))?;
        }
        fs::write(self.path.join(".gitconfig"), GITCONFIG)?;
        Ok(self)
    }
}

const XDG: &[(&str, &str)] = &[
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_CACHE_HOME", ".cache"),
];

const GITCONFIG: &str = "\
[user]
\tname = Sam Sample
\temail = sam@example.invalid
[init]
\tdefaultBranch = main
[commit]
\tgpgsign = false
";

/// What keeps Kilo 7.7.7 from calling out or updating itself.
const KILO_QUIET: &[(&str, &str)] = &[
    ("KILO_DISABLE_AUTOUPDATE", "1"),
    ("KILO_DISABLE_MODELS_FETCH", "1"),
    ("KILO_DISABLE_SHARE", "1"),
    ("KILO_DISABLE_SESSION_INGEST", "1"),
    ("KILO_DISABLE_PRESENCE", "1"),
    ("KILO_TELEMETRY_LEVEL", "off"),
];

/// What Claude Code 2.1.197 is told so that it asks nobody but the scripted model, and gives up
/// within seconds when that fails.
const CLAUDE_QUIET: &[(&str, &str)] = &[
    ("ANTHROPIC_API_KEY", "mock-key"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_MAX_RETRIES", "2"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_TELEMETRY", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
];

/// Codex 0.169.0: with `gpt-5.5` it offers its plain tools (`exec_command`, `apply_patch`), with
/// newer models one that runs JavaScript.
fn codex_config(model_url: &str) -> String {
    // JSON's strings are TOML's, too.
    let url = json!(model_url);
    format!(
        "\
model = \"gpt-5.5\"
model_provider = \"mock\"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.mock]
name = \"Mock\"
base_url = {url}
wire_api = \"responses\"
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 8000
"
    )
}

/// The models of the `mock` provider, as Kilo's configuration describes them.
fn kilo_config(setup: &KiloSetup) -> Value {
    let limit = json!({ "context": 100_000, "output": 8_000 });
    let mut config = json!({
        "model": "mock/m1",
        "provider": { "mock": {
            "npm": "@ai-sdk/openai-compatible",
            "name": "Mock",
            "options": { "baseURL": setup.model_url, "apiKey": "mock-key" },
            "models": {
                "m1": { "name": "M1", "tool_call": true, "limit": limit },
                "m2": { "name": "M2 (thinks)", "tool_call": true, "reasoning": true, "limit": limit,
                    "variants": {
                        "low": { "reasoningEffort": "low" },
                        "medium": { "reasoningEffort": "medium" },
                        "high": { "reasoningEffort": "high" } } },
                "vendor/name:free": { "name": "Vendor Name (free)", "tool_call": true, "limit": limit },
                "m-vision": { "name": "M Vision", "tool_call": true, "attachment": true, "limit": limit,
                    "modalities": { "input": ["text", "image"], "output": ["text"] } },
            },
        } },
    });
    if let Some(permission) = &setup.permission {
        config["permission"] = permission.clone();
    }
    if setup.only_mock {
        config["enabled_providers"] = json!(["mock"]);
    }
    config
}

fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
