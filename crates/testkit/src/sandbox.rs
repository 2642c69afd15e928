//! Everything a test or a demonstration needs around a real Kilo, in one directory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::home::{Home, KiloSetup};
use crate::kilo::{self, KiloInstall};
use crate::model::ModelServer;
use crate::project;

/// A running model server, a home whose Kilo knows it, a sample project and the real Kilo.
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
    /// The environment to start Kilo, or Baton, with, on top of one's own. On its `PATH` stands
    /// this Kilo first, as `kilo`.
    pub env: Vec<(String, String)>,
    _owned: Option<TempDir>,
}

impl Sandbox {
    /// Creates a sandbox in a temporary directory, deleted when dropped.
    ///
    /// # Errors
    /// When Kilo cannot be installed or the directory cannot be written.
    pub async fn new() -> Result<Self> {
        let owned = tempfile::Builder::new().prefix("baton-sandbox-").tempdir()?;
        let mut sandbox = Self::at(owned.path(), 0).await?;
        sandbox._owned = Some(owned);
        Ok(sandbox)
    }

    /// Creates a sandbox in `dir`, or takes the one that is there, with its model server on
    /// `port` (0: any free one). The directory stays.
    ///
    /// # Errors
    /// When Kilo cannot be installed, the port is taken or the directory cannot be written.
    pub async fn at(dir: &Path, port: u16) -> Result<Self> {
        let kilo = kilo::install_async().await?;
        let model = ModelServer::start_on(port)
            .await
            .with_context(|| format!("the model server cannot listen on 127.0.0.1:{port}"))?;
        let home = Home::at(dir.join("home"))
            .with_context(|| format!("cannot create a home in {}", dir.display()))?;
        let mut env = home.kilo_env_with(&KiloSetup::new(model.url()))?;
        env.push(("PATH".to_owned(), path_with(&dir.join("bin"), &kilo)?));
        let project = dir.join("tally");
        if !project.join(".git").exists() {
            project::sample(&project)?;
        }
        let project = project.canonicalize()?;
        Ok(Self { model, home, project, kilo, env, _owned: None })
    }

    /// Describes the sandbox for other programs.
    #[must_use]
    pub fn describe(&self) -> Value {
        let env: serde_json::Map<String, Value> =
            self.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "model_url": self.model.url(),
            "control_url": format!("http://{}/control", self.model.address()),
            "home": self.home.path(),
            "project": self.project,
            "kilo": self.kilo.binary,
            "kilo_wrapper": self.kilo.wrapper,
            "env": env,
        })
    }
}

/// Links Kilo into `bin` and returns a `PATH` that begins with that.
fn path_with(bin: &Path, kilo: &KiloInstall) -> Result<String> {
    fs::create_dir_all(bin).with_context(|| format!("cannot create {}", bin.display()))?;
    let bin = bin.canonicalize()?;
    let link = bin.join("kilo");
    if link.symlink_metadata().is_ok() {
        // It may point to a Kilo that has moved since.
        fs::remove_file(&link)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(&kilo.binary, &link)?;
    #[cfg(not(unix))]
    fs::copy(&kilo.binary, &link)?;
    let before = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(bin).chain(std::env::split_paths(&before));
    Ok(std::env::join_paths(all)?.to_string_lossy().into_owned())
}
