//! Whether a project's own configuration is in force.
//!
//! What it would start is looked at when a project is added or opened and before each message; it
//! only reads files. A session is opened with what was decided, and opened again before the next
//! message when that has changed.

use std::path::Path;
use std::sync::PoisonError;

use domain::{Extras, Project, ProjectId, ProviderId, ShellChange, Startup, Trust};
use providers::Place;
use sha2::{Digest as _, Sha256};

use crate::EngineError;
use crate::engine::{Engine, Shared, whole};

impl Shared {
    /// What all providers would start in a directory.
    pub(crate) async fn startup(&self, directory: &Path) -> Startup {
        let mut all = Startup::default();
        let mut digest = Sha256::new();
        for provider in self.providers.all() {
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
    pub(crate) async fn look_at(&self, id: &ProjectId) -> Result<(Project, Startup), EngineError> {
        let _one_at_a_time = self.trusting.lock().await;
        let project = self.known_project(id).await?;
        let startup = self.startup(Path::new(&project.path)).await;
        let looked = project.clone().looked_at(startup.fingerprint.clone());
        if looked != project {
            self.keep_trust(&looked).await?;
        }
        self.remember_trust(&looked);
        Ok((looked, startup))
    }

    /// Whether a project was trusted at the last look; `None` when it was not looked at yet.
    pub(crate) fn known_trust(&self, id: &ProjectId) -> Option<bool> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    pub(crate) fn forget_trust(&self, id: &ProjectId) {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn remember_trust(&self, project: &Project) {
        let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        trust.insert(project.id.clone(), project.is_trusted());
    }

    async fn known_project(&self, id: &ProjectId) -> Result<Project, EngineError> {
        let projects = self.store.projects().await?;
        projects.into_iter().find(|p| p.id == *id).ok_or(EngineError::UnknownProject)
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
    /// [`EngineError::UnknownProject`] or [`EngineError::Storage`].
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
        let _one_at_a_time = self.shared.trusting.lock().await;
        let decided = Project { trust, ..project };
        self.shared.keep_trust(&decided).await?;
        self.shared.remember_trust(&decided);
        Ok(decided)
    }
}
