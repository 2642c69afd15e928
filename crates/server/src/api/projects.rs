//! Projects, and the directories that may become one.

use std::path::Path;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{Extras, Project, ProjectId, ProviderId};
use protocol::{
    AddProject, DecideTrust, Directories, DirectoryEntry, ProblemCode, ProjectList, ProjectTrust,
};
use serde::Deserialize;
use workspace::PathError;

use crate::extract::{self, Params, QueryOf};
use crate::problem::{Failure, sentence};
use crate::state::App;

/// The longest name of a project, in characters.
const MAX_NAME: usize = 200;

/// Lists all projects by name.
#[utoipa::path(get, path = "/api/projects", tag = "projects", responses(
    (status = 200, body = ProjectList)
))]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<ProjectList>, Failure> {
    Ok(Json(ProjectList { projects: app.engine.projects().await? }))
}

/// Adds a directory as a project; one that is a project already is given as it is.
#[utoipa::path(post, path = "/api/projects", tag = "projects", request_body = AddProject,
    responses((status = 200, body = Project)))]
pub(crate) async fn add(
    State(app): State<App>,
    extract::Json(request): extract::Json<AddProject>,
) -> Result<Json<Project>, Failure> {
    let home = app.config.home.clone();
    let typed = request.path.clone();
    let path = on_disk(move || workspace::project_directory(&typed, &home)).await?;
    let known = app.engine.projects().await?.iter().any(|p| Path::new(&p.path) == path);
    if !known && !request.broad && is_broad(&path, &app.config.home) {
        let title = format!("`{}` holds far more than one project.", path.display());
        return Err(Failure::new(ProblemCode::BroadDirectory, title).detail(
            "Agents of its threads could read and change everything in it. Add it only if that is meant.",
        ));
    }
    let own = request.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let directory = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let name = own.map_or_else(|| directory().into_owned(), str::to_owned);
    if name.chars().count() > MAX_NAME {
        let title = format!("A project's name has at most {MAX_NAME} characters.");
        return Err(Failure::new(ProblemCode::BadTitle, title));
    }
    Ok(Json(app.engine.add_project(path, name).await?))
}

/// Looks at what is checked out in all projects; those who follow the shell are told of changes.
#[utoipa::path(post, path = "/api/projects/look", tag = "projects",
    responses((status = 204, description = "Looked at")))]
pub(crate) async fn look(State(app): State<App>) -> Result<StatusCode, Failure> {
    app.engine.look_at_heads().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a project and its threads; the directory is not touched.
#[utoipa::path(delete, path = "/api/projects/{id}", tag = "projects",
    params(("id" = String, Path, description = "The project")),
    responses((status = 204, description = "Removed")))]
pub(crate) async fn remove(
    State(app): State<App>,
    Params(id): Params<ProjectId>,
) -> Result<StatusCode, Failure> {
    app.engine.remove_project(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a directory is the root, home or above home.
fn is_broad(path: &Path, home: &Path) -> bool {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    home.starts_with(path) || path.parent().is_none()
}

/// Tells what a project's own configuration would start or loosen; only files are read.
#[utoipa::path(get, path = "/api/projects/{id}/trust", tag = "projects",
    params(("id" = String, Path, description = "The project")),
    responses((status = 200, body = ProjectTrust)))]
pub(crate) async fn trust(
    State(app): State<App>,
    Params(id): Params<ProjectId>,
) -> Result<Json<ProjectTrust>, Failure> {
    let (project, startup) = app.engine.trust(&id).await?;
    Ok(Json(ProjectTrust { project, startup }))
}

/// Decides whether a project's own configuration is in force, from the next message on.
#[utoipa::path(post, path = "/api/projects/{id}/trust", tag = "projects",
    request_body = DecideTrust, params(("id" = String, Path, description = "The project")),
    responses((status = 200, body = Project)))]
pub(crate) async fn decide_trust(
    State(app): State<App>,
    Params(id): Params<ProjectId>,
    extract::Json(decision): extract::Json<DecideTrust>,
) -> Result<Json<Project>, Failure> {
    let DecideTrust { trusted, fingerprint } = decision;
    Ok(Json(app.engine.decide_trust(&id, trusted, fingerprint).await?))
}

/// Whose extras.
#[derive(Deserialize)]
pub(crate) struct Of {
    provider: ProviderId,
}

/// Lists the slash commands and MCP servers that an agent has in a project. Starts the agent.
#[utoipa::path(get, path = "/api/projects/{id}/extras", tag = "projects",
    params(
        ("id" = String, Path, description = "The project"),
        ("provider" = String, Query, description = "Whose"),
    ),
    responses((status = 200, body = Extras)))]
pub(crate) async fn extras(
    State(app): State<App>,
    Params(id): Params<ProjectId>,
    QueryOf(of): QueryOf<Of>,
) -> Result<Json<Extras>, Failure> {
    Ok(Json(app.engine.extras(&id, &of.provider).await?))
}

/// What is being typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    path: String,
}

/// Lists the directories that continue a path that is being typed.
#[utoipa::path(get, path = "/api/directories", tag = "projects",
    params(("path" = Option<String>, Query, description = "An absolute path or one that begins with `~/`; nothing means home")),
    responses((status = 200, body = Directories)))]
pub(crate) async fn directories(
    State(app): State<App>,
    QueryOf(typed): QueryOf<Typed>,
) -> Result<Json<Directories>, Failure> {
    let home = app.config.home.clone();
    let found = on_disk(move || workspace::complete(&typed.path, &home)).await?;
    let entry = |entry: workspace::Entry| DirectoryEntry {
        name: entry.name,
        path: entry.path.to_string_lossy().into_owned(),
        git: entry.git,
    };
    Ok(Json(Directories {
        base: found.base.to_string_lossy().into_owned(),
        entries: found.entries.into_iter().map(entry).collect(),
    }))
}

/// Reads the file system where that may take its time.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PathError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => {
            Err(Failure::new(ProblemCode::NotADirectory, sentence(&error.to_string()))
                .detail("Give the path of an existing directory that can be read."))
        }
        Err(_) => Err(Failure::new(ProblemCode::Internal, "The directory could not be looked at.")),
    }
}
