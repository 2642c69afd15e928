//! Where a session works: in its thread's workspace, or below it.
//!
//! Kilo 7.7.7, measured: whatever directory a request names, one about a session is answered by the
//! instance of the directory that the session was made in, `GET /session/{id}` too, and making that
//! instance starts what the configuration there names. Only the list of sessions is the named
//! directory's own. So where a session works is taken from the list, or asked of the server that
//! leaves all configuration of projects unread, before anything else is asked about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::ErrorCode;
use kilo_sdk::types::Session;
use kilo_sdk::{Instance, SessionFilter, SessionId};

use super::server::{Held, Kind};
use super::sessions::{MAX_LISTED, failed};
use super::{Shared, not_held_back, startup};
use crate::shared::places::on_disk;
use crate::{OpenError, Place};

impl Shared {
    /// Finds a session that works in a place or below it, and the server to use it on: where there is
    /// another configuration below, which nobody was shown, that is the one that leaves it unread.
    pub(super) async fn find(
        self: &Arc<Self>,
        held: Held,
        place: &Place,
        id: &SessionId,
    ) -> Result<(Held, Session), OpenError> {
        let directory = self.directory_of(&held, place, id).await?;
        let (real, home) = (place.workspace.clone(), self.home());
        let (made_in, trusted) = (directory.clone(), place.trusted);
        let look = move || {
            let same = stands(&made_in, &real, home.as_deref())?;
            match startup::unheld(Path::new(&made_in)).filter(|_| !(trusted && same)) {
                Some(file) => Err(not_held_back(&file)),
                None => Ok(same),
            }
        };
        let same = on_disk(&place.workspace, look).await??;
        let held = if place.trusted && !same { self.server(Kind::Untrusted).await? } else { held };
        let session = held.server.client().at(&directory).session(id).await;
        Ok((held, Session { directory, ..session.map_err(|e| failed(&e))? }))
    }

    /// The directory that a session was made in. A Kilo that tells none uses the place's.
    async fn directory_of(
        self: &Arc<Self>,
        held: &Held,
        place: &Place,
        id: &SessionId,
    ) -> Result<String, OpenError> {
        let workspace = place.workspace.to_string_lossy().into_owned();
        let there = |held: &Held| held.server.client().at(&workspace);
        let listed = if place.trusted { listed(&there(held), id).await? } else { None };
        let session = match listed {
            Some(session) => session,
            None => {
                let unread = self.server(Kind::Untrusted).await?;
                there(&unread).session(id).await.map_err(|e| failed(&e))?
            }
        };
        Ok(Some(session.directory).filter(|dir| dir.starts_with('/')).unwrap_or(workspace))
    }
}

/// A session as the list of a directory has it, if it is among those that are listed.
async fn listed(instance: &Instance, id: &SessionId) -> Result<Option<Session>, OpenError> {
    let limit = u32::try_from(MAX_LISTED).ok();
    let filter = SessionFilter { roots: true, limit, search: None };
    let all = instance.sessions(&filter).await.map_err(|e| failed(&e))?;
    Ok(all.into_iter().find(|session| session.id == *id))
}

/// Whether what a session's directory would start is what its workspace would: then it was shown
/// and decided on with that.
///
/// # Errors
/// The session works outside of the workspace, or in a directory that is gone.
fn stands(made_in: &str, workspace: &Path, home: Option<&Path>) -> Result<bool, OpenError> {
    if Path::new(made_in) == workspace {
        return Ok(true);
    }
    let real = |path: &Path| path.canonicalize().map_err(|_| elsewhere(path, "is gone"));
    let (directory, workspace): (PathBuf, PathBuf) = (real(Path::new(made_in))?, real(workspace)?);
    if !directory.starts_with(&workspace) {
        let why = format!("is not in {}", workspace.display());
        return Err(elsewhere(&directory, &why));
    }
    let would = |at: &Path| startup::look_from(&workspace, at, home).fingerprint;
    Ok(directory == workspace || would(&directory) == would(&workspace))
}

fn elsewhere(directory: &Path, why: &str) -> OpenError {
    OpenError {
        code: ErrorCode::Rejected,
        message: format!("the session works in {}, which {why}", directory.display()),
        hint: Some("add its own directory as a project and continue it there".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SERVER: &str = r#"{"mcp":{"a":{"command":["x"]}}}"#;

    fn at(made_in: &Path, workspace: &Path) -> Result<bool, ErrorCode> {
        stands(&made_in.to_string_lossy(), workspace, None).map_err(|error| error.code)
    }

    #[test]
    fn a_session_below_the_workspace_goes_by_what_was_shown_there() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        let below = root.join("vendor/x");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(at(&root, &root), Ok(true));
        assert_eq!(at(&below, &root), Ok(true), "there is nothing to be shown");
        fs::write(root.join("kilo.json"), SERVER).unwrap();
        assert_eq!(at(&below, &root), Ok(true), "the project's own was shown");
        fs::create_dir_all(below.join(".kilo/plugin")).unwrap();
        fs::write(below.join(".kilo/plugin/p.js"), "x").unwrap();
        assert_eq!(at(&below, &root), Ok(false), "this was not");
    }

    #[test]
    fn a_session_outside_the_workspace_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let (root, beside) = (top.join("project"), top.join("project-2"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(&beside).unwrap();
        std::os::unix::fs::symlink(&beside, root.join("link")).unwrap();
        let outside = [beside, top.clone(), root.join("../project-2"), root.join("link")];
        for directory in outside.iter().chain([&root.join("gone")]) {
            assert_eq!(at(directory, &root), Err(ErrorCode::Rejected), "{directory:?}");
        }
    }
}
