//! What is checked out in the projects' directories, for the shell.
//!
//! It is looked at when a project is added, when one of its turns has ended and when a person comes
//! back to the page. A look reads two small files of git's own and starts nothing. It is kept in
//! memory alone: what was seen before a start says nothing about now.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Head, Project, ProjectHead, ProjectId, ShellChange};
use tokio::sync::OwnedMutexGuard;
use tokio::task::{JoinSet, spawn_blocking};

use crate::EngineError;
use crate::engine::{Engine, Shared, whole};
use crate::shell::Shell;
use crate::trust::in_time;

/// What was seen last; at most one entry for each project.
#[derive(Default)]
pub(crate) struct Heads(Mutex<HashMap<ProjectId, Head>>);

impl Heads {
    pub(crate) fn all(&self) -> Vec<ProjectHead> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |(id, head): (&ProjectId, &Head)| ProjectHead {
            project: id.clone(),
            head: Some(head.clone()),
        };
        known.iter().map(told).collect()
    }

    pub(crate) fn forget(&self, project: &ProjectId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(project);
    }

    /// Notes what was seen, and tells it when it is something else than before.
    fn note(&self, project: ProjectId, head: Option<Head>, shell: &Shell) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match head.clone() {
            Some(head) => known.insert(project.clone(), head),
            None => known.remove(&project),
        };
        if before != head {
            shell.publish(ShellChange::Head { head: ProjectHead { project, head } });
        }
    }
}

impl Shared {
    /// Has a project looked at, without waiting for it.
    pub(crate) fn look_at_head_soon(self: &Arc<Self>, id: &ProjectId) {
        let (shared, id) = (self.clone(), id.clone());
        tokio::spawn(async move {
            // One that does not answer is looked at again the next time.
            let _ = shared.look_at_head(&id).await;
        });
    }

    async fn look_at_head(&self, id: &ProjectId) -> Result<(), EngineError> {
        let lock = self.look_of(id).lock_owned();
        let one_at_a_time = in_time(async { Ok(lock.await) }).await?;
        let project = self.known_project(id).await?;
        self.read_head(project, one_at_a_time).await;
        Ok(())
    }

    async fn read_head(&self, project: Project, one_at_a_time: OwnedMutexGuard<()>) {
        let path = PathBuf::from(project.path);
        // It goes on when nobody waits for it any more, and until then no other is begun.
        let look = async move {
            let head = spawn_blocking(move || workspace::head(&path)).await;
            Ok((head.ok().flatten(), one_at_a_time))
        };
        let seen = in_time(whole(look)).await;
        let head = seen.ok().and_then(|(head, _one_at_a_time)| head);
        self.heads.note(project.id, head, &self.shell);
    }
}

impl Engine {
    /// Looks at what is checked out in all projects, and tells followers of the shell where it is
    /// something else. Those that are being looked at already are left out.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn look_at_heads(&self) -> Result<(), EngineError> {
        let mut looks = JoinSet::new();
        for project in self.projects().await? {
            if let Ok(one_at_a_time) = self.shared.look_of(&project.id).try_lock_owned() {
                let shared = self.shared.clone();
                looks.spawn(async move { shared.read_head(project, one_at_a_time).await });
            }
        }
        looks.join_all().await;
        Ok(())
    }
}
