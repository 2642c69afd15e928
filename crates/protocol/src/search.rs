//! Bodies of the search over messages.

use domain::{ItemId, ProjectId, ThreadId, Timestamp, TurnId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// `GET /api/search`: messages that have the words that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SearchPage {
    /// The messages, what was said last first.
    pub hits: Vec<SearchHit>,
    /// Where the next page begins, as `before`, when there may be more.
    pub before: Option<i64>,
    /// Whether all that is stored was looked at; after an update, what is old is read in for a
    /// while and not found before.
    pub whole: bool,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SearchHit {
    /// The thread it is in.
    pub thread_id: ThreadId,
    /// The project of the thread.
    pub project_id: ProjectId,
    /// The thread's title.
    pub title: String,
    /// Whether the thread is archived.
    pub archived: bool,
    /// The turn it is in.
    pub turn: TurnId,
    /// The item it is; the message that began the turn when it is none.
    pub item: Option<ItemId>,
    /// When it was said.
    pub at: Timestamp,
    /// A part of it, in one line.
    pub pieces: Vec<SearchPiece>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SearchPiece {
    /// The piece.
    pub text: String,
    /// Whether it is what was asked for.
    pub hit: bool,
}
