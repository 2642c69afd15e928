//! Projects: added, removed, listed.

use std::path::PathBuf;

use domain::{Project, ProjectId, ShellChange, ThreadId, Trust};
use store::ThreadQuery;
use uuid::Uuid;

use super::{Engine, whole};
use crate::EngineError;
use crate::actor::{Command, now};

impl Engine {
    /// Adds a directory, given by its canonical path, as a project; or finds it when it is one.
    ///
    /// # Errors
    /// [`EngineError::Storage`], or [`EngineError::DirectorySilent`] when it cannot be read in time.
    pub async fn add_project(&self, path: PathBuf, name: String) -> Result<Project, EngineError> {
        let this = self.clone();
        whole(async move { this.add_project_whole(path, name).await }).await
    }

    async fn add_project_whole(&self, path: PathBuf, name: String) -> Result<Project, EngineError> {
        let _one_at_a_time = self.making.lock().await;
        let path = path.to_string_lossy().into_owned();
        if let Some(known) = self.projects().await?.into_iter().find(|p| p.path == path) {
            return Ok(self.shared.look_at(&known.id).await?.0);
        }
        let id = ProjectId::from_uuid(Uuid::now_v7());
        let trust = Trust::Undecided;
        let fingerprint = self.shared.startup(path.clone().into()).await?.fingerprint;
        let project = Project { id, name, path, created_at: now(), trust, fingerprint };
        self.shared.store.add_project(&project).await?;
        self.shared.shell.publish(ShellChange::Project { project: project.clone() });
        self.shared.look_at_head_soon(&project.id);
        Ok(project)
    }

    /// Removes a project and its threads; the directory is not touched.
    ///
    /// # Errors
    /// [`EngineError::ProjectBusy`] while one of its threads works.
    pub async fn remove_project(&self, id: &ProjectId) -> Result<(), EngineError> {
        let this = self.clone();
        let id = id.clone();
        whole(async move { this.remove_project_whole(&id).await }).await
    }

    async fn remove_project_whole(&self, id: &ProjectId) -> Result<(), EngineError> {
        let _one_at_a_time = self.making.lock().await;
        self.project(id).await?;
        for thread in self.shared.store.unfinished_threads().await? {
            if self.thread(&thread).await.is_ok_and(|t| t.project_id == *id) {
                return Err(EngineError::ProjectBusy);
            }
        }
        let live: Vec<ThreadId> = self.shared.actors().live.keys().cloned().collect();
        for thread in live {
            if self.thread(&thread).await.is_ok_and(|t| t.project_id == *id) {
                self.shared.ask(&thread, |reply| Command::Delete { reply }).await?;
            }
        }
        let threads = self.threads_of(id).await?;
        self.shared.store.remove_project(id).await?;
        self.shared.forget_looks(id);
        threads.iter().for_each(|thread| self.shared.providers.forget(thread));
        self.shared.shell.publish(ShellChange::ProjectRemoved { id: id.clone() });
        Ok(())
    }

    /// Every thread of a project.
    async fn threads_of(&self, project: &ProjectId) -> Result<Vec<ThreadId>, EngineError> {
        let mut ids = Vec::new();
        for archived in [false, true] {
            let mut before = None;
            loop {
                let query = ThreadQuery {
                    archived,
                    project: Some(project.clone()),
                    before: before.take(),
                    limit: store::MAX_THREADS,
                };
                let (threads, more) = self.shared.store.threads(query).await?;
                before = threads.last().map(|thread| (thread.active_at, thread.id.clone()));
                ids.extend(threads.into_iter().map(|thread| thread.id));
                if !more {
                    break;
                }
            }
        }
        Ok(ids)
    }

    /// All projects by name.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn projects(&self) -> Result<Vec<Project>, EngineError> {
        Ok(self.shared.store.projects().await?)
    }

    pub(crate) async fn project(&self, id: &ProjectId) -> Result<Project, EngineError> {
        let projects = self.projects().await?;
        projects.into_iter().find(|p| p.id == *id).ok_or(EngineError::UnknownProject)
    }
}
