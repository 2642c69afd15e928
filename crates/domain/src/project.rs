//! Projects: directories that threads work in.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{ProjectId, Timestamp};

/// A directory on this machine that threads work in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Project {
    /// The project's id.
    pub id: ProjectId,
    /// What people call it; at first the directory's name.
    pub name: String,
    /// The absolute path with symbolic links resolved.
    pub path: String,
    /// When it was added.
    pub created_at: Timestamp,
}
