//! The files of a project: by what is typed of their names, and one that is written.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{ProjectId, ThreadId};
use protocol::{FileMatch, FileMatches, MAX_WRITTEN, ProblemCode, WriteFile};
use serde::Deserialize;
use workspace::WriteError;

use crate::extract::{self, MAX_MESSAGE_BODY, Params, QueryOf};
use crate::problem::{Failure, sentence};
use crate::state::App;

/// The most files that are told at once.
const MAX_FILES: usize = 200;
const DEFAULT_FILES: usize = 50;
/// The longest that may be typed, in bytes; no path is longer.
const MAX_TYPED: usize = workspace::MAX_PATH_BYTES;

/// What is looked for.
#[derive(Deserialize)]
pub(crate) struct Sought {
    #[serde(default)]
    q: String,
    thread: Option<ThreadId>,
    limit: Option<usize>,
}

/// Finds the files and directories that a few typed letters may mean, in the workspace of a thread
/// or in the project's directory. What ignore files leave out is not found.
#[utoipa::path(get, path = "/api/projects/{id}/files", tag = "projects",
    params(
        ("id" = String, Path, description = "The project"),
        ("q" = Option<String>, Query, description = "What was typed; nothing means those near the top"),
        ("thread" = Option<String>, Query, description = "In the workspace of this thread of the project"),
        ("limit" = Option<usize>, Query, description = "At most so many; 50 unless told, never more than 200"),
    ),
    responses((status = 200, body = FileMatches)))]
pub(crate) async fn find(
    State(app): State<App>,
    Params(id): Params<ProjectId>,
    QueryOf(sought): QueryOf<Sought>,
) -> Result<Json<FileMatches>, Failure> {
    let Sought { q, thread, limit } = sought;
    if q.len() > MAX_TYPED {
        let title = format!("No path is longer than {MAX_TYPED} bytes.");
        return Err(Failure::new(ProblemCode::BadRequest, title));
    }
    let limit = limit.unwrap_or(DEFAULT_FILES).clamp(1, MAX_FILES);
    let directory = directory(&app, &id, thread.as_ref()).await?;
    let index = app.files.index(&directory).await.map_err(|error| {
        Failure::new(ProblemCode::NotADirectory, sentence(&error.to_string()))
            .detail("Bring the directory back, or work in another project.")
    })?;
    let Some(index) = index else {
        let nothing = FileMatches { files: Vec::new(), total: 0, cut: false, indexing: true };
        return Ok(Json(nothing));
    };
    let cut = index.is_cut();
    let found = tokio::task::spawn_blocking(move || index.find(&q, limit)).await;
    let found = found
        .map_err(|_| Failure::new(ProblemCode::Internal, "The files could not be looked at."))?;
    let files = found.files.into_iter().map(|file| FileMatch { path: file.path, at: file.at });
    Ok(Json(FileMatches {
        files: files.collect(),
        total: u32::try_from(found.total).unwrap_or(u32::MAX),
        cut,
        indexing: false,
    }))
}

async fn directory(
    app: &App,
    id: &ProjectId,
    thread: Option<&ThreadId>,
) -> Result<PathBuf, Failure> {
    if let Some(thread) = thread {
        let thread = app.engine.thread(thread).await?;
        if thread.project_id != *id {
            let title = "There is no such thread in this project.";
            return Err(Failure::new(ProblemCode::UnknownThread, title));
        }
        return Ok(thread.workspace.into());
    }
    let projects = app.engine.projects().await?;
    let project = projects.into_iter().find(|project| project.id == *id);
    project
        .map(|project| project.path.into())
        .ok_or_else(|| engine::EngineError::UnknownProject.into())
}

/// Writes a text to a file of the thread's workspace, whole or not at all.
#[utoipa::path(post, path = "/api/threads/{id}/files", tag = "threads", request_body = WriteFile,
    params(("id" = String, Path, description = "The thread")),
    responses((status = 204, description = "It is there")))]
pub(crate) async fn write(
    State(app): State<App>,
    Params(id): Params<ThreadId>,
    extract::Json(file): extract::Json<WriteFile, MAX_MESSAGE_BODY>,
) -> Result<StatusCode, Failure> {
    let WriteFile { path, text, replace } = file;
    if text.len() > MAX_WRITTEN {
        let title = format!("A file of more than {} MB is not written.", MAX_WRITTEN / 1024 / 1024);
        return Err(Failure::new(ProblemCode::TooLarge, title).detail("Save a part of it."));
    }
    let workspace = PathBuf::from(app.engine.thread(&id).await?.workspace);
    let written = tokio::task::spawn_blocking(move || {
        workspace::write_below(&workspace, &path, &text, replace)
    });
    let written = written
        .await
        .map_err(|_| Failure::new(ProblemCode::Internal, "The file could not be written."))?;
    written.map(|()| StatusCode::NO_CONTENT).map_err(|error| {
        let title = sentence(&error.to_string());
        match error {
            WriteError::Outside(_) => Failure::new(ProblemCode::PathOutside, title)
                .detail("Name a file such as plans/first.md."),
            WriteError::Exists(_) => Failure::new(ProblemCode::FileExists, title)
                .detail("Choose another name, or replace it."),
            WriteError::Refused { .. } => Failure::new(ProblemCode::NotWritten, title)
                .detail("Choose another place, or mend what the system says."),
        }
    })
}
