//! Everything a test or a demonstration needs around the real agents, in one directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agents::{self, Install, Pin};
use crate::home::{Home, KiloSetup};
use crate::kilo::{self, KiloInstall};
use crate::model::ModelServer;
use crate::project;

/// An agent that a [`Sandbox`] may hold beside Kilo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agent {
    /// OpenAI's Codex.
    Codex,
    /// Anthropic's Claude Code.
    Claude,
}

impl Agent {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Codex, Self::Claude];

    /// Returns the name of the agent's command: `codex`, `claude`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.pin().name
    }

    fn pin(self) -> Pin {
        match self {
            Self::Codex => agents::CODEX,
            Self::Claude => agents::CLAUDE,
        }
    }
}

/// A running model server, a home whose agents know it, a sample project and the real Kilo.
#[derive(Debug)]
pub struct Sandbox {
    /// The model server.
    pub model: ModelServer,
    /// The home directory.
    pub home: Home,
    /// The sample project's directory.
    pub project: PathBuf,
    /// The installed Kilo.
    pub kilo: KiloInstall,
    /// The other agents that were asked for.
    pub agents: BTreeMap<Agent, Install>,
    /// The environment to start the agents, or Baton, with, on top of one's own. On its `PATH`
    /// these agents stand first, as `kilo`, `codex` and `claude`.
    pub env: Vec<(String, String)>,
    _owned: Option<TempDir>,
}

impl Sandbox {
    /// Creates a sandbox with Kilo alone in a temporary directory, deleted when dropped.
    ///
    /// # Errors
    /// When Kilo cannot be installed or the directory cannot be written.
    pub async fn new() -> Result<Self> {
        Self::with(&[]).await
    }

    /// Creates a sandbox like [`Sandbox::new`] that holds these agents beside Kilo.
    ///
    /// # Errors
    /// When an agent cannot be installed or the directory cannot be written.
    pub async fn with(agents: &[Agent]) -> Result<Self> {
        let owned = tempfile::Builder::new().prefix("baton-sandbox-").tempdir()?;
        let mut sandbox = Self::at_with(owned.path(), 0, agents).await?;
        sandbox._owned = Some(owned);
        Ok(sandbox)
    }

    /// Creates a sandbox with Kilo alone in `dir`, or takes the one that is there, with its model
    /// server on `port` (0: any free one). The directory stays.
    ///
    /// # Errors
    /// When Kilo cannot be installed, the port is taken or the directory cannot be written.
    pub async fn at(dir: &Path, port: u16) -> Result<Self> {
        Self::at_with(dir, port, &[]).await
    }

    /// Creates a sandbox like [`Sandbox::at`] that holds these agents beside Kilo.
    ///
    /// # Errors
    /// When an agent cannot be installed, the port is taken or the directory cannot be written.
    pub async fn at_with(dir: &Path, port: u16, agents: &[Agent]) -> Result<Self> {
        let kilo = kilo::install_async().await?;
        let mut installed = BTreeMap::new();
        for agent in agents {
            installed.insert(*agent, agents::install_async(agent.pin()).await?);
        }
        let model = ModelServer::start_on(port)
            .await
            .with_context(|| format!("the model server cannot listen on 127.0.0.1:{port}"))?;
        let home = Home::at(dir.join("home"))
            .with_context(|| format!("cannot create a home in {}", dir.display()))?;
        let mut env = home.kilo_env_with(&KiloSetup::new(model.url()))?;
        for agent in installed.keys() {
            env.extend(match agent {
                Agent::Codex => home.codex_env(&model.url())?,
                Agent::Claude => home.claude_env(&model.origin())?,
            });
        }
        let programs = installed.iter().map(|(agent, found)| (agent.name(), &found.binary));
        let programs = std::iter::once(("kilo", &kilo.binary)).chain(programs);
        env.push(("PATH".to_owned(), path_with(&dir.join("bin"), programs)?));
        let project = dir.join("tally");
        if !project.join(".git").exists() {
            project::sample(&project)?;
        }
        let project = project.canonicalize()?;
        Ok(Self { model, home, project, kilo, agents: installed, env, _owned: None })
    }

    /// Returns the native program of an agent that was asked for.
    #[must_use]
    pub fn program(&self, agent: Agent) -> Option<&Path> {
        self.agents.get(&agent).map(|found| found.binary.as_path())
    }

    /// Describes the sandbox for other programs.
    #[must_use]
    pub fn describe(&self) -> Value {
        let env: serde_json::Map<String, Value> =
            self.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let mut described = json!({
            "model_url": self.model.url(),
            "control_url": format!("http://{}/control", self.model.address()),
            "home": self.home.path(),
            "project": self.project,
            "kilo": self.kilo.binary,
            "kilo_wrapper": self.kilo.wrapper,
            "env": env,
        });
        for (agent, found) in &self.agents {
            described[agent.name()] = json!(found.binary);
        }
        described
    }
}

/// Links programs into `bin`, under these names, and returns a `PATH` that begins with that.
fn path_with<'a>(
    bin: &Path,
    programs: impl Iterator<Item = (&'a str, &'a PathBuf)>,
) -> Result<String> {
    fs::create_dir_all(bin).with_context(|| format!("cannot create {}", bin.display()))?;
    let bin = bin.canonicalize()?;
    for (name, program) in programs {
        let link = bin.join(name);
        if link.symlink_metadata().is_ok() {
            // It may point to a program that has moved since.
            fs::remove_file(&link)?;
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(program, &link)?;
        #[cfg(not(unix))]
        fs::copy(program, &link)?;
    }
    let before = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(bin).chain(std::env::split_paths(&before));
    Ok(std::env::join_paths(all)?.to_string_lossy().into_owned())
}
