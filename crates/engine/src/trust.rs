//! Whether a project's own configuration is in force.
//!
//! What it would start is looked at before anything is asked of an agent that makes it read the
//! project: when a message is accepted and when its turn comes, when a session is opened, listed,
//! read, forked, named or taken back, and when a person looks at the project. A look only reads
//! files. A session is opened with what was decided, and opened again before the next message when
//! that has changed.
//!
//! A file system may be one that never answers. One look at a time is begun in a directory, so that
//! such a one keeps a single thread of the machine waiting, and none waits for it longer than
//! [`LOOKING`]; what was not looked at is not worked in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::{ErrorCode, Extras, Project, ProjectId, ProviderId, ShellChange, Startup, Trust};
use providers::{OpenError, Place};
use sha2::{Digest as _, Sha256};

use crate::EngineError;
use crate::engine::{Engine, Shared, whole};

/// How long a look at a directory may take: a few small files are read.
const LOOKING: Duration = Duration::from_secs(10);

impl Shared {
    /// What all providers would start in a directory.
    ///
    /// # Errors
    /// [`EngineError::DirectorySilent`] when it cannot be read in time.
    pub(crate) async fn startup(self: &Arc<Self>, path: PathBuf) -> Result<Startup, EngineError> {
        let shared = self.clone();
        in_time(whole(async move { Ok(shared.read_startup(&path).await) })).await
    }

    async fn read_startup(&self, directory: &Path) -> Startup {
        let mut all = Startup::default();
        let mut digest = Sha256::new();
        // In the order of their names, so that the same files give the same fingerprint whatever order
        // people see the providers in.
        let mut providers: Vec<_> = self.providers.all().collect();
        providers.sort_by_key(|provider| provider.id());
        for provider in providers {
            let Startup { acts, problems, fingerprint } = provider.startup(directory).await;
            let Some(fingerprint) = fingerprint else { continue };
            all.acts.extend(acts);
            all.problems.extend(problems);
            digest.update(provider.id().as_str());
            digest.update([0]);
            digest.update(&fingerprint);
            let hex = digest.clone().finalize();
            all.fingerprint = Some(hex.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        all
    }

    /// Looks at a project's configuration and keeps what was found.
    ///
    /// # Errors
    /// [`EngineError::DirectorySilent`] when it cannot be read in time.
    pub(crate) async fn look_at(
        self: &Arc<Self>,
        id: &ProjectId,
    ) -> Result<(Project, Startup), EngineError> {
        let lock = self.look_of(id).lock_owned();
        let one_at_a_time = in_time(async { Ok(lock.await) }).await?;
        let project = self.known_project(id).await?;
        let (shared, path) = (self.clone(), PathBuf::from(&project.path));
        // It goes on when nobody waits for it any more, and until then no other is begun.
        let look = async move { Ok((shared.read_startup(&path).await, one_at_a_time)) };
        let (startup, _one_at_a_time) = in_time(whole(look)).await?;
        let looked = project.clone().looked_at(startup.fingerprint.clone());
        if looked != project {
            self.keep_trust(&looked).await?;
        }
        Ok((looked, startup))
    }

    /// Looks at the project that an agent is to work in, and says whether it is trusted.
    pub(crate) async fn trusts(self: &Arc<Self>, id: &ProjectId) -> Result<bool, OpenError> {
        match self.look_at(id).await {
            Ok((project, _)) => Ok(project.is_trusted()),
            Err(error @ EngineError::DirectorySilent) => Err(OpenError {
                code: ErrorCode::AgentUnavailable,
                message: error.to_string(),
                hint: Some("bring its file system back, or work in another project".to_owned()),
            }),
            // What is not known is not trusted.
            Err(_) => Ok(false),
        }
    }

    /// Held while a project is looked at or decided about.
    pub(crate) fn look_of(&self, id: &ProjectId) -> Arc<tokio::sync::Mutex<()>> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.entry(id.clone()).or_default().clone()
    }

    pub(crate) fn forget_looks(&self, id: &ProjectId) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.heads.forget(id);
    }

    /// The project of an id; when there is none, nothing is kept for it any more.
    pub(crate) async fn known_project(&self, id: &ProjectId) -> Result<Project, EngineError> {
        let projects = self.store.projects().await?;
        let known = projects.into_iter().find(|p| p.id == *id);
        known.ok_or_else(|| {
            self.forget_looks(id);
            EngineError::UnknownProject
        })
    }

    async fn keep_trust(&self, project: &Project) -> Result<(), EngineError> {
        self.store.set_trust(project).await?;
        self.shell.publish(ShellChange::Project { project: project.clone() });
        Ok(())
    }
}

impl Engine {
    /// What a project's own configuration would start or loosen, and what was decided about it.
    /// Only files are read.
    ///
    /// # Errors
    /// [`EngineError::UnknownProject`], [`EngineError::DirectorySilent`] or [`EngineError::Storage`].
    pub async fn trust(&self, id: &ProjectId) -> Result<(Project, Startup), EngineError> {
        self.shared.look_at(id).await
    }

    /// The slash commands and MCP servers that an agent has in a project, read now by what is
    /// decided about its configuration. Starts the agent if need be.
    ///
    /// # Errors
    /// [`EngineError::Agent`] when the agent cannot be asked.
    pub async fn extras(
        &self,
        id: &ProjectId,
        provider: &ProviderId,
    ) -> Result<Extras, EngineError> {
        let provider = self.shared.providers.get(provider).ok_or(EngineError::UnknownProvider)?;
        let (project, _) = self.shared.look_at(id).await?;
        let trusted = project.is_trusted();
        let place = Place { workspace: project.path.into(), trusted };
        Ok(provider.extras(&place).await?)
    }

    /// Decides whether a project's own configuration is in force. To trust it, one names what was
    /// shown; threads go by it from their next message on.
    ///
    /// # Errors
    /// [`EngineError::TrustChanged`] when it is something else by now, and
    /// [`EngineError::Untrustworthy`] when not all of it can be read.
    pub async fn decide_trust(
        &self,
        id: &ProjectId,
        trusted: bool,
        fingerprint: Option<String>,
    ) -> Result<Project, EngineError> {
        let this = self.clone();
        let id = id.clone();
        whole(async move { this.decide_trust_whole(&id, trusted, fingerprint).await }).await
    }

    async fn decide_trust_whole(
        &self,
        id: &ProjectId,
        trusted: bool,
        fingerprint: Option<String>,
    ) -> Result<Project, EngineError> {
        let (project, startup) = self.shared.look_at(id).await?;
        if trusted && startup.fingerprint != fingerprint {
            return Err(EngineError::TrustChanged);
        }
        if trusted && !startup.problems.is_empty() {
            return Err(EngineError::Untrustworthy);
        }
        let trust = if trusted { Trust::Trusted } else { Trust::Untrusted };
        let lock = self.shared.look_of(id).lock_owned();
        let _one_at_a_time = in_time(async { Ok(lock.await) }).await?;
        let decided = Project { trust, ..project };
        self.shared.keep_trust(&decided).await?;
        Ok(decided)
    }
}

/// Waits for a look at a directory, but not for one that does not answer.
pub(crate) async fn in_time<T>(
    look: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    tokio::time::timeout(LOOKING, look).await.unwrap_or(Err(EngineError::DirectorySilent))
}
