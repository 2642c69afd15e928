//! What is checked out in the projects' directories, for the shell.
//!
//! It is looked at when a project is added, when one of its turns has ended and when a person comes
//! back to the page. A look reads two small files of git's own and starts nothing. It is kept in
//! memory alone: what was seen before a start says nothing about now.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Head, ProjectHead, ProjectId, ShellChange};
use tokio::task::{JoinSet, spawn_blocking};

use crate::EngineError;
use crate::engine::{Engine, Shared, whole};
use crate::shell::Shell;
use crate::trust::in_time;

/// What was seen last; at most one entry for each project that exists.
#[derive(Default)]
pub(crate) struct Heads(Mutex<HashMap<ProjectId, Seen>>);

#[derive(Default)]
struct Seen {
    head: Option<Head>,
    /// One look at a time. What a project would start is looked at beside it.
    look: Arc<tokio::sync::Mutex<()>>,
}

impl Heads {
    pub(crate) fn all(&self) -> Vec<ProjectHead> {
        let known = self.known();
        let told = |(id, seen): (&ProjectId, &Seen)| {
            Some(ProjectHead { project: id.clone(), head: Some(seen.head.clone()?) })
        };
        known.iter().filter_map(told).collect()
    }

    pub(crate) fn forget(&self, project: &ProjectId) {
        self.known().remove(project);
    }

    /// Held while a project is looked at. From here on there is an entry for it, which whoever
    /// learns that there is no such project forgets.
    fn look_of(&self, project: &ProjectId) -> Arc<tokio::sync::Mutex<()>> {
        self.known().entry(project.clone()).or_default().look.clone()
    }

    /// Notes what was seen, and tells it when it is something else than before. Of a project that
    /// was removed meanwhile nothing is noted.
    fn note(&self, project: ProjectId, head: Option<Head>, shell: &Shell) {
        let mut known = self.known();
        let Some(seen) = known.get_mut(&project) else { return };
        if seen.head != head {
            seen.head.clone_from(&head);
            shell.publish(ShellChange::Head { head: ProjectHead { project, head } });
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ProjectId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let lock = self.heads.look_of(id).lock_owned();
        let one_at_a_time = in_time(async { Ok(lock.await) }).await?;
        let project = self.known_project(id).await?;
        let path = PathBuf::from(project.path);
        // It goes on when nobody waits for it any more, and until then no other is begun.
        let look = async move {
            let head = spawn_blocking(move || workspace::head(&path)).await;
            Ok((head.ok().flatten(), one_at_a_time))
        };
        let seen = in_time(whole(look)).await;
        let head = seen.ok().and_then(|(head, _one_at_a_time)| head);
        self.heads.note(project.id, head, &self.shell);
        Ok(())
    }
}

impl Engine {
    /// Looks at what is checked out in all projects, and tells followers of the shell where it is
    /// something else. One that does not answer is looked at again the next time.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn look_at_heads(&self) -> Result<(), EngineError> {
        let mut looks = JoinSet::new();
        for project in self.projects().await? {
            let shared = self.shared.clone();
            looks.spawn(async move { shared.look_at_head(&project.id).await });
        }
        looks.join_all().await;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use store::Store;

    use super::*;

    async fn with_a_project(directory: &std::path::Path) -> (Engine, ProjectId) {
        let git = directory.join("project/.git");
        std::fs::create_dir_all(&git).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        let engine = Engine::start(Store::open(directory).unwrap(), Vec::new()).await.unwrap();
        let project =
            engine.add_project(directory.join("project"), "One".to_owned()).await.unwrap();
        (engine, project.id)
    }

    #[tokio::test]
    async fn a_project_is_looked_at_although_its_configuration_is_being_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let (engine, project) = with_a_project(directory.path()).await;
        let _held = engine.shared.look_of(&project).lock_owned().await;
        let head = directory.path().join("project/.git/HEAD");
        std::fs::write(head, "ref: refs/heads/other\n").unwrap();
        engine.look_at_heads().await.unwrap();
        let other = Some(Head::Branch { name: "other".to_owned() });
        assert_eq!(engine.shared.heads.all(), [ProjectHead { project, head: other }]);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_project_that_there_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (engine, project) = with_a_project(directory.path()).await;
        engine.look_at_heads().await.unwrap();
        engine.trust(&project).await.unwrap();
        engine.remove_project(&project).await.unwrap();
        // A look that was under way meanwhile.
        let head = Some(Head::Branch { name: "late".to_owned() });
        engine.shared.heads.note(project.clone(), head, &engine.shared.shell);
        engine.shared.look_at_head(&project).await.unwrap_err();
        engine.trust(&project).await.unwrap_err();
        assert!(engine.shared.heads.known().is_empty());
        assert!(engine.shared.looks.lock().unwrap().is_empty());
    }
}
