//! Search over messages.

use axum::Json;
use axum::extract::State;
use domain::ProjectId;
use protocol::{SearchHit, SearchPage, SearchPiece};
use serde::Deserialize;
use store::{Hit, Piece, SearchQuery};

use crate::extract::QueryOf;
use crate::problem::Failure;
use crate::state::App;

const DEFAULT_HITS: usize = 20;

/// What is looked for.
#[derive(Deserialize)]
pub(crate) struct Sought {
    #[serde(default)]
    q: String,
    project: Option<ProjectId>,
    #[serde(default)]
    archived: bool,
    before: Option<i64>,
    limit: Option<usize>,
}

/// Finds messages of people and agents, and plans, that have all the words or their beginnings.
/// What was taken back, what sub-agents said and what is being said is not found. A question
/// without words finds nothing; of one that is too long the beginning counts.
#[utoipa::path(get, path = "/api/search", tag = "threads",
    params(
        ("q" = Option<String>, Query, description = "The words"),
        ("project" = Option<String>, Query, description = "In the threads of this project only"),
        ("archived" = Option<bool>, Query, description = "In archived threads as well"),
        ("before" = Option<i64>, Query, description = "The `before` of the page before"),
        ("limit" = Option<usize>, Query, description = "At most so many; 20 unless told, never more than 50"),
    ),
    responses((status = 200, body = SearchPage)))]
pub(crate) async fn search(
    State(app): State<App>,
    QueryOf(sought): QueryOf<Sought>,
) -> Result<Json<SearchPage>, Failure> {
    let Sought { q: words, project, archived, before, limit } = sought;
    let limit = limit.unwrap_or(DEFAULT_HITS);
    let query = SearchQuery { words, project, archived, before, limit };
    let found = app.engine.search(query).await?;
    let hits = found.hits.into_iter().map(hit).collect();
    Ok(Json(SearchPage { hits, before: found.before, whole: found.whole }))
}

fn hit(hit: Hit) -> SearchHit {
    let piece = |Piece { text, hit }| SearchPiece { text, hit };
    SearchHit {
        thread_id: hit.thread.id,
        project_id: hit.thread.project_id,
        title: hit.thread.title,
        archived: hit.thread.archived,
        turn: hit.turn,
        item: hit.item,
        at: hit.at,
        pieces: hit.pieces.into_iter().map(piece).collect(),
    }
}
