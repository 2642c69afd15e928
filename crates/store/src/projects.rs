//! Projects, and the removal of them and of threads.

use domain::{Project, ProjectId, ThreadId, Trust};
use rusqlite::{Connection, Row};

use crate::row::{all, execute, first, text};
use crate::writer::Order;
use crate::{Store, StoreError};

/// The removal of a row that takes others with it; those go step by step afterwards.
const REMOVAL: Order = Order { sweep: true, ..Order::DURABLE };

impl Store {
    /// Lists every project, by name.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        self.readers.call(projects).await
    }

    /// Adds a project. Returns it, or the one that has its id or its path already.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn add_project(&self, project: &Project) -> Result<Project, StoreError> {
        let project = project.clone();
        self.writer.call(Order::DURABLE, move |conn| add(conn, &project)).await
    }

    /// Stores what a project's configuration would start and what was decided about it; says
    /// whether there is such a project.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn set_trust(&self, project: &Project) -> Result<bool, StoreError> {
        let project = project.clone();
        let sql = "UPDATE projects SET trust = ?2, fingerprint = ?3 WHERE id = ?1 AND removed = 0";
        let order = Order::DURABLE;
        self.writer
            .call(order, move |conn| {
                let trust = trust_name(project.trust);
                Ok(execute(conn, sql, (project.id.as_str(), trust, &project.fingerprint))? > 0)
            })
            .await
    }

    /// Removes a project with all its threads; says whether there was one. It is gone at once from
    /// every list; what it held is deleted in small steps, across restarts if need be. The
    /// directory is not touched.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn remove_project(&self, id: &ProjectId) -> Result<bool, StoreError> {
        let id = id.clone();
        let sql = "UPDATE projects SET removed = 1 WHERE id = ? AND removed = 0";
        self.writer.call(REMOVAL, move |conn| Ok(execute(conn, sql, [id.as_str()])? > 0)).await
    }

    /// Removes a thread, like [`Store::remove_project`]. Changes that still come for it fail with
    /// [`StoreError::NoThread`] until all of it is deleted; its writer must have ended before.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn delete_thread(&self, id: &ThreadId) -> Result<bool, StoreError> {
        let id = id.clone();
        let sql = "UPDATE threads SET removed = 1 WHERE id = ? AND removed = 0";
        self.writer.call(REMOVAL, move |conn| Ok(execute(conn, sql, [id.as_str()])? > 0)).await
    }
}

/// Lists every project, by name.
pub(crate) fn projects(conn: &Connection) -> Result<Vec<Project>, StoreError> {
    let sql = "SELECT id, name, path, created_at, trust, fingerprint FROM projects
        WHERE removed = 0 ORDER BY name COLLATE NOCASE, path";
    Ok(all(conn, sql, (), project_of)?.into_iter().flatten().collect())
}

fn add(conn: &Connection, project: &Project) -> Result<Project, StoreError> {
    let known = first(
        conn,
        "SELECT id, name, path, created_at, trust, fingerprint FROM projects
         WHERE removed = 0 AND (id = ?1 OR path = ?2)",
        (project.id.as_str(), &project.path),
        project_of,
    )?;
    if let Some(known) = known.flatten() {
        return Ok(known);
    }
    execute(
        conn,
        "INSERT INTO projects (id, name, path, created_at, trust, fingerprint)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            project.id.as_str(),
            &project.name,
            &project.path,
            project.created_at,
            trust_name(project.trust),
            &project.fingerprint,
        ),
    )?;
    Ok(project.clone())
}

fn project_of(row: &Row<'_>) -> rusqlite::Result<Option<Project>> {
    let Ok(id) = ProjectId::parse(&text(row, "id")?) else {
        tracing::warn!("a stored project cannot be read");
        return Ok(None);
    };
    let trust = match text(row, "trust")?.as_str() {
        TRUSTED => Trust::Trusted,
        UNTRUSTED => Trust::Untrusted,
        _ => Trust::Undecided,
    };
    Ok(Some(Project {
        id,
        name: text(row, "name")?,
        path: text(row, "path")?,
        created_at: row.get("created_at")?,
        trust,
        fingerprint: row.get("fingerprint")?,
    }))
}

const TRUSTED: &str = "trusted";
const UNTRUSTED: &str = "untrusted";

fn trust_name(trust: Trust) -> &'static str {
    match trust {
        Trust::Undecided => "undecided",
        Trust::Trusted => TRUSTED,
        Trust::Untrusted => UNTRUSTED,
    }
}
